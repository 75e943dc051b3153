"""What the KPIs need of one cycle of a ticket (domain.md 7). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.handing import LEVEL
from app.learning import latest_fields, number_in, written
from app.model import (
    VOID_STATES,
    Cycle,
    Fact,
    FactKind,
    Outcome,
    State,
    Ticket,
    TicketClass,
)
from app.rules import Rules
from app.stamping import first_reply_at
from app.story import fields_at

_OF_TICKET = (
    "ref", "title", "value", "area", "agent", "escalation_level", "escalation_reason", "repeat_of",
    "repeat_kind", "csat", "documented", "class_auto", "object", "channel",
)  # fmt: skip
_OF_CYCLE = ("solved_at", "first_solved_at", "closed_at", "reopened_at", "waited_client")
"""What an outcome repeats under the same name."""


def outcome_of(ticket: Ticket, cycle: Cycle, facts: Sequence[Fact], rules: Rules) -> Outcome:
    """One cycle as the figures see it: who answered for it, its verdicts, its turns."""
    fields, last = latest_fields(facts), cycle.number == ticket.cycle
    return Outcome(
        **{name: getattr(ticket, name) for name in _OF_TICKET},
        **{name: getattr(cycle, name) for name in _OF_CYCLE},
        **_of_reply(cycle, facts, rules),
        **_of_solution(cycle, facts, rules),
        cycle=cycle.number,
        state=ticket.state if last else _end_of(cycle),
        sla_state=ticket.sla_state if last else None,
        received_at=cycle.started_at,
        confirmed=cycle.confirmed_at is not None,
        escalated_at=_escalated_at(cycle, facts),
        off_hours=not rules.calendar.is_open(cycle.started_at),
        counted=ticket.counted and not is_void(ticket.state, ticket.value),
        waived=cycle.reply.waived or cycle.solution.waived,
        breach_reason=fields.get("SLA_BREACH_REASON", ""),
        engineer_visit=_visited(ticket, facts, rules),
        kb_link=bool(fields.get("SLA_KB_URL")),
    )


def is_void(state: State, value: TicketClass) -> bool:
    """Whether it is no ticket: in no figure."""
    return state in VOID_STATES or value is TicketClass.NOT_TICKET


def _of_reply(cycle: Cycle, facts: Sequence[Fact], rules: Rules) -> dict[str, Any]:
    reply, replied_at = cycle.reply, first_reply_at(cycle)
    return {
        "reply_agent": _assignee_at(facts, _judged_at(reply.due_at, reply.outcome_at), rules),
        "reply_due": reply.due_at,
        "reply_outcome": None if reply.waived else reply.outcome,
        "reply_outcome_at": reply.outcome_at,
        "reply_met_by": reply.met_by,
        "first_reply_at": replied_at,
        "reply_spent": reply.spent if replied_at else None,
    }


def _of_solution(cycle: Cycle, facts: Sequence[Fact], rules: Rules) -> dict[str, Any]:
    solution = cycle.solution
    return {
        "solve_agent": _assignee_at(facts, solution.outcome_at, rules),
        "solve_due": solution.due_at,
        "solve_outcome": None if solution.waived else solution.outcome,
        "solve_outcome_at": solution.outcome_at,
        "solve_spent": solution.spent if cycle.solved_at else None,
        "paused": solution.paused,
        "extended": solution.extended,
    }


def _end_of(cycle: Cycle) -> State:
    """How a cycle ended that another has followed."""
    return State.CLOSED_CONFIRMED if cycle.confirmed_at else State.CLOSED_UNCONFIRMED


def _escalated_at(cycle: Cycle, facts: Sequence[Fact]) -> datetime | None:
    """The first hand-over: by the stage, or by a level that a person wrote on the card."""
    on_card = [
        fact.happened_at
        for fact in written(facts, LEVEL)
        if number_in(fact.value["value"]) and cycle.started_at <= fact.happened_at
        if cycle.closed_at is None or fact.happened_at <= cycle.closed_at
    ]
    by_stage = [cycle.escalated_at] if cycle.escalated_at else []
    return min([*by_stage, *on_card], default=None)


def _judged_at(due_at: datetime | None, outcome_at: datetime | None) -> datetime | None:
    """When to ask who should have replied: at the deadline, or at an earlier reply (domain.md 7.1)."""
    known = [at for at in (due_at, outcome_at) if at is not None]
    return min(known, default=None)


def _assignee_at(facts: Sequence[Fact], at: datetime | None, rules: Rules) -> int | None:
    return None if at is None else somebody(fields_at(facts, at).get("assignee", ""), rules)


def somebody(person: str, rules: Rules) -> int | None:
    """A deal always has an assignee; one left with a robot has none yet."""
    number = number_in(person)
    return None if number in rules.people.robots else number


def _visited(ticket: Ticket, facts: Sequence[Fact], rules: Rules) -> bool:
    told_stages = {fact.value["stage"] for fact in facts if fact.kind is FactKind.STAGE}
    sources = [source for source in rules.sources if source.kind is ticket.ref.kind]
    return any(source.stages.get(stage) is State.ENGINEER for source in sources for stage in told_stages)
