"""The heart: facts in, decision out. Pure; the same facts and `now` give the same decision.

facts → telling (story + words) → cycles (clocks) → ticket → stamp, messages, outcomes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.alerts import EXTENSION_ASKED, Audience, alerts
from app.commenting import comments
from app.learning import is_silent, latest_fields
from app.model import (
    VOID_STATES,
    Area,
    Cycle,
    Decision,
    Fact,
    FactKind,
    ItemRef,
    Outcome,
    State,
    Ticket,
    TicketClass,
)
from app.pinning import Judging, RulesOf, judging
from app.rules import Rules
from app.sla.ledger import cycles_of
from app.sla.state import next_moment, sla_state
from app.sla.targets import TermsByClass, TermsChange
from app.stamping import first_reply_at, stamp_of
from app.story import Telling, fields_at, telling

SOLUTION_IS_WRITTEN = 30
"""Signs in «Решение» from which a solution counts as documented (domain.md 7)."""

STATE_LEVELS = {State.ESCALATED: 1, State.ENGINEER: 2}
"""Escalation level that a state implies when nobody wrote another (domain.md 2)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we held of this item before."""

    ticket: Ticket | None
    said: frozenset[str]  # keys of messages queued or sent


@dataclass(frozen=True, slots=True)
class Around:
    """What the neighbours contribute."""

    name_of: Callable[[int | None], str]
    card_url: Callable[[ItemRef], str]
    page_url: Callable[[ItemRef], str]
    read_at: datetime
    cursor: Mapping[str, int]
    notes: tuple[str, ...] = ()
    rules_of: RulesOf | None = None  # the versions that pins name; None: `rules` have always been in force


@dataclass(frozen=True, slots=True)
class Fold:
    """A ticket as its facts tell it: nothing in it depends on who looked, nor when before `now`."""

    ticket: Ticket
    outcomes: tuple[Outcome, ...]
    classified: tuple[Fact, ...]  # the classifier's words that the facts did not hold yet


def fold(facts: Sequence[Fact], by: Judging, now: datetime) -> Fold | None:
    """The ticket of these facts; None when the item is no concern of this desk."""
    if bound_to(facts):
        return None
    told = telling(facts, by.rules, now, unreadable=is_silent(facts))
    if told is None:
        return None
    first, later = _terms(told, by)
    cycles = cycles_of(told.story, first, now, later)
    ticket = _ticket(facts, told, cycles, by.rules, now)
    outcomes = tuple(_outcome(ticket, cycle, facts, by.rules) for cycle in cycles)
    return Fold(ticket, outcomes, told.classified)


def bound_to(facts: Iterable[Fact]) -> str:
    """The ticket whose work this item is; "" when it stands for itself."""
    told = [fact for fact in facts if fact.kind is FactKind.BOUND]
    return str(max(told, key=lambda fact: int(fact.key)).value["to"]) if told else ""


def _terms(told: Telling, by: Judging) -> tuple[TermsByClass, list[TermsChange]]:
    """The terms of the ticket's start and those applied since, each with its policy in it."""

    def of(rules: Rules) -> TermsByClass:
        return rules.terms_for(
            company=told.fields.get("company", ""),
            contact=told.fields.get("contact", ""),
            object=told.fields.get("object", ""),
            extra=_extra(told.fields),
        )

    return of(by.first), [TermsChange(at, of(rules), rules.version) for at, rules in by.later]


def decide(
    facts: Sequence[Fact], known: Known, around: Around, rules: Rules, now: datetime
) -> Decision | None:
    """What follows from the facts; None when the item is no concern of this desk."""
    found = fold(facts, judging(facts, rules, around.rules_of), now)
    if found is None:
        return None
    ticket = replace(
        found.ticket,
        read_at=around.read_at,
        cursor=around.cursor,
        notes=(*found.ticket.notes, *around.notes),
    )
    audience = Audience(
        said=known.said,
        name_of=around.name_of,
        card_url=lambda ticket: around.card_url(ticket.ref),
        page_url=lambda ticket: around.page_url(ticket.ref),
        first_seen_at=min(fact.recorded_at for fact in facts if fact.kind is FactKind.CREATED),
    )
    ladder = alerts(ticket, rules, audience, now)
    notes = comments(ticket, known.ticket, known.said, rules)
    moments = [at for at in (next_moment(ticket.now_cycle, now), ladder.next_at) if at is not None]
    ticket = replace(ticket, next_at=min(moments, default=None))
    return Decision(
        ticket=ticket,
        facts=found.classified,
        stamp=stamp_of(ticket, rules.calendars, rules.desk.zone),
        messages=(*notes, *ladder.messages),
        standing=ladder.standing,
        outcomes=found.outcomes,
    )


def _ticket(
    facts: Sequence[Fact],
    told: Telling,
    cycles: tuple[Cycle, ...],
    rules: Rules,
    now: datetime,
) -> Ticket:
    fields, verdict, story = told.fields, told.verdict, told.story
    state, value = story.states[-1].state, story.classes[-1].value
    since = rules.desk.since
    return Ticket(
        ref=story.ref,
        cycle=cycles[-1].number,
        title=fields.get("title", ""),
        state=state,
        value=value,
        area=_area(fields, verdict.area),
        class_why="Класс указан сотрудником" if told.class_by_person else verdict.why,
        class_sure=_is_sure(told),
        class_by_person=told.class_by_person,
        confidence=1.0 if told.class_by_person else verdict.confidence,
        other_topics=verdict.other_topics,
        created_at=min(f.happened_at for f in facts if f.kind is FactKind.CREATED),
        started_at=story.started_at,
        read_at=max(f.recorded_at for f in facts),
        cycles=cycles,
        sla_state=None if _is_void(state, value) else sla_state(cycles[-1], state, now),
        agent=_somebody(_number(fields.get("assignee", "")), rules),
        client=fields.get("client", ""),
        client_name=fields.get("client_name", ""),
        object=fields.get("object", ""),
        channel=fields.get("channel", ""),
        escalation_level=_escalation_level(told),
        escalation_reason=fields.get("SLA_ESC_REASON", ""),
        repeat_of=fields.get("SLA_REPEAT_OF", ""),
        repeat_kind=fields.get("SLA_REPEAT_KIND", ""),
        csat=_number(fields.get("SLA_CSAT", "")),
        documented=_documented(fields),
        class_auto=verdict.value,
        rules_version=rules.version,
        counted=since is None or story.started_at >= since,
        notes=(*told.notes, *_requests(facts, rules)),
    )


def _is_sure(told: Telling) -> bool:
    """A person's tick, or its removal, wins; a class that a person chose needs none."""
    ticked = told.fields.get("SLA_CLASS_SURE")
    if ticked is None:
        return told.class_by_person or told.verdict.sure
    return ticked == "Y"


def _is_void(state: State, value: TicketClass) -> bool:
    return state in VOID_STATES or value is TicketClass.NOT_TICKET


def _area(fields: Mapping[str, str], found: Area) -> Area:
    by_person = fields.get("SLA_AREA", "")
    return Area(by_person) if by_person in set(Area) else found


def _escalation_level(told: Telling) -> int:
    by_person = _number(told.fields.get("SLA_ESC_LEVEL", ""))
    if by_person is not None:
        return by_person
    return max((STATE_LEVELS.get(change.state, 0) for change in told.story.states), default=0)


def _documented(fields: Mapping[str, str]) -> bool:
    written = len(fields.get("SLA_SOLUTION", "").strip()) >= SOLUTION_IS_WRITTEN
    return written or bool(fields.get("SLA_KB_URL"))


def _requests(facts: Sequence[Fact], rules: Rules) -> tuple[str, ...]:
    """A deadline moved by somebody who may not: shown to the head, not counted (contract.md 5)."""
    entitled = {rules.people.head, *rules.people.leads}
    asked = (f for f in facts if f.kind is FactKind.FIELD and f.value["code"] == "SLA_SOLVE_DUE")
    wishes = (f.value["value"] for f in asked if f.actor not in entitled)
    return tuple(f"{EXTENSION_ASKED}{wished}" for wished in dict.fromkeys(wishes) if wished)


def _extra(fields: Mapping[str, str]) -> dict[str, str]:
    return {code.removeprefix("extra:"): v for code, v in fields.items() if code.startswith("extra:")}


def _somebody(person: int | None, rules: Rules) -> int | None:
    """A deal always has an assignee; one left with a robot has none yet."""
    return None if person in rules.people.robots else person


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


# --- what the KPIs need ------------------------------------------------------------------


def _outcome(ticket: Ticket, cycle: Cycle, facts: Sequence[Fact], rules: Rules) -> Outcome:
    reply, solution = cycle.reply, cycle.solution
    fields = latest_fields(facts)
    last = cycle.number == ticket.cycle
    return Outcome(
        ref=ticket.ref,
        cycle=cycle.number,
        title=ticket.title,
        value=ticket.value,
        area=ticket.area,
        state=ticket.state if last else _end_of(cycle),
        received_at=cycle.started_at,
        agent=ticket.agent,
        reply_agent=_assignee_at(facts, _judged_at(reply.due_at, reply.outcome_at), rules),
        solve_agent=_assignee_at(facts, solution.outcome_at, rules),
        reply_due=reply.due_at,
        reply_outcome=None if reply.waived else reply.outcome,
        reply_outcome_at=reply.outcome_at,
        first_reply_at=first_reply_at(cycle),
        reply_spent=reply.spent if first_reply_at(cycle) else None,
        solve_due=solution.due_at,
        solve_outcome=None if solution.waived else solution.outcome,
        solve_outcome_at=solution.outcome_at,
        solved_at=cycle.solved_at,
        first_solved_at=cycle.first_solved_at,
        solve_spent=solution.spent if cycle.solved_at else None,
        closed_at=cycle.closed_at,
        confirmed=cycle.confirmed_at is not None,
        escalated_at=_escalated_at(cycle, facts),
        escalation_level=ticket.escalation_level,
        reopened_at=cycle.reopened_at,
        waited_client=cycle.waited_client,
        paused=solution.paused,
        extended=solution.extended,
        waived=reply.waived or solution.waived,
        repeat_of=ticket.repeat_of,
        repeat_kind=ticket.repeat_kind,
        csat=ticket.csat,
        documented=ticket.documented,
        class_auto=ticket.class_auto,
        object=ticket.object,
        channel=ticket.channel,
        off_hours=not rules.calendar.is_open(cycle.started_at),
        counted=ticket.counted and not _is_void(ticket.state, ticket.value),
        sla_state=ticket.sla_state if last else None,
        reply_met_by=reply.met_by,
        escalation_reason=ticket.escalation_reason,
        breach_reason=fields.get("SLA_BREACH_REASON", ""),
        engineer_visit=_visited(ticket, facts, rules),
        kb_link=bool(fields.get("SLA_KB_URL")),
    )


def _end_of(cycle: Cycle) -> State:
    """How a cycle ended that another has followed."""
    return State.CLOSED_CONFIRMED if cycle.confirmed_at else State.CLOSED_UNCONFIRMED


def _escalated_at(cycle: Cycle, facts: Sequence[Fact]) -> datetime | None:
    """The first hand-over: by the stage, or by a level that a person wrote on the card."""
    written = [
        fact.happened_at
        for fact in facts
        if fact.kind is FactKind.FIELD and fact.value["code"] == "SLA_ESC_LEVEL"
        if (_number(fact.value["value"]) or 0) > 0 and cycle.started_at <= fact.happened_at
        if cycle.closed_at is None or fact.happened_at <= cycle.closed_at
    ]
    by_stage = [cycle.escalated_at] if cycle.escalated_at else []
    return min([*by_stage, *written], default=None)


def _judged_at(due_at: datetime | None, outcome_at: datetime | None) -> datetime | None:
    """When to ask who should have replied: at the deadline, or at an earlier reply (domain.md 7.1)."""
    known = [at for at in (due_at, outcome_at) if at is not None]
    return min(known, default=None)


def _assignee_at(facts: Sequence[Fact], at: datetime | None, rules: Rules) -> int | None:
    return None if at is None else _somebody(_number(fields_at(facts, at).get("assignee", "")), rules)


def _visited(ticket: Ticket, facts: Sequence[Fact], rules: Rules) -> bool:
    told_stages = {fact.value["stage"] for fact in facts if fact.kind is FactKind.STAGE}
    sources = [source for source in rules.sources if source.kind is ticket.ref.kind]
    return any(source.stages.get(stage) is State.ENGINEER for source in sources for stage in told_stages)
