"""What a ticket's card should hold (contract.md 5): code → canonical value.

Nothing here changes by the clock alone save SLA_STATE and what goes with it,
so a stamp that was written once stays written until something happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from app import words
from app.model import (
    VOID_STATES,
    Cycle,
    EntryKind,
    Ledger,
    OutcomeWord,
    SlaState,
    Stamp,
    State,
    Ticket,
    TicketClass,
)
from app.sla.calendar import Calendar

EMPTY_FOR_VOID = ("SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_OVERDUE")
UNSTAMPED_STATES = frozenset({State.DELETED, State.LEFT})


def stamp_of(ticket: Ticket, calendars: Mapping[str, Calendar], zone: tzinfo) -> Stamp | None:
    """The fields of this ticket's card; None where nothing may be written."""
    if not ticket.counted or ticket.state in UNSTAMPED_STATES:
        return None
    wanted = _class_fields(ticket)
    if ticket.state in VOID_STATES or ticket.value is TicketClass.NOT_TICKET:
        return Stamp(ticket.ref, wanted | dict.fromkeys(EMPTY_FOR_VOID, ""))
    return Stamp(ticket.ref, wanted | _clock_fields(ticket, calendars, zone))


def _class_fields(ticket: Ticket) -> dict[str, str]:
    return {
        "SLA_CLASS": ticket.value.value,
        "SLA_CLASS_SURE": "Y" if ticket.class_sure else "N",
        "SLA_CLASS_WHY": ticket.class_why,
        "SLA_AREA": ticket.area.value,
        "SLA_OTHER_TOPICS": ticket.other_topics,
    }


def _clock_fields(ticket: Ticket, calendars: Mapping[str, Calendar], zone: tzinfo) -> dict[str, str]:
    cycle = ticket.now_cycle
    workday = _workday(cycle.solution, calendars)
    fields = {
        "SLA_STATE": ticket.sla_state.value if ticket.sla_state else "",
        "SLA_REPLY_DUE": stored(cycle.reply.due_at),
        "SLA_SOLVE_DUE": stored(cycle.solution.due_at),
        "SLA_FIRST_REPLY_AT": stored(first_reply_at(cycle)),
        "SLA_SOLVED_AT": stored(cycle.solved_at),
        "SLA_CONFIRMED_AT": stored(cycle.confirmed_at),
        "SLA_OVERDUE": overdue_text(ticket, calendars, zone),
        "SLA_PAUSE_TOTAL": words.work_length(cycle.pause_total, workday) if cycle.pause_total else "",
    }
    if ticket.escalation_level:
        fields["SLA_ESC_LEVEL"] = str(ticket.escalation_level)
    if any(entry.kind is EntryKind.EXTENDED for entry in cycle.solution.entries):
        fields["SLA_EXT_BY"] = "" if ticket.extended_by is None else str(ticket.extended_by)
    return fields


def stored(at: datetime | None) -> str:
    """An instant as a card keeps it: UTC to the minute, seconds dropped."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00Z") if at else ""


def first_reply_at(cycle: Cycle) -> datetime | None:
    """The first reply, if a person gave one; closing without one is no reply."""
    return None if cycle.reply.met_by == "closing" else cycle.reply.met_at


def overdue_text(ticket: Ticket, calendars: Mapping[str, Calendar], zone: tzinfo) -> str:
    """«с 24.11 14:00» while open, «1 ч 45 мин» of open time at the end."""
    late = [clock for clock in clocks(ticket.now_cycle) if clock.outcome is OutcomeWord.BREACHED]
    missed = [at for clock in late if (at := missed_since(clock))]
    if missed and ticket.open:
        return f"с {words.moment_short(min(missed), zone)}"
    if ticket.sla_state is not SlaState.BREACHED or not late:
        return ""
    latest = max(late, key=lambda clock: how_late(clock, calendars))
    return words.work_length(how_late(latest, calendars), _workday(latest, calendars))


def _workday(clock: Ledger, calendars: Mapping[str, Calendar]) -> timedelta:
    calendar = calendars.get(clock.calendar)
    return calendar.hours_per_day if calendar else words.WORKDAY


def missed_since(clock: Ledger) -> datetime | None:
    """The deadline that this clock still misses; a breach that a change of class superseded is none now."""
    if clock.outcome is not OutcomeWord.BREACHED or clock.met_at or clock.outcome_at is None:
        return None
    stands = clock.due_at is not None and clock.due_at <= clock.outcome_at
    return clock.outcome_at if stands else None


def how_late(clock: Ledger, calendars: Mapping[str, Calendar]) -> timedelta:
    """Open time between the missed deadline and the event."""
    if clock.outcome_at is None or clock.met_at is None:
        return timedelta(0)
    return calendars[clock.calendar].between(clock.outcome_at, clock.met_at)


def clocks(cycle: Cycle) -> tuple[Ledger, Ledger]:
    """Both clocks of a cycle, the reply's first."""
    return cycle.reply, cycle.solution
