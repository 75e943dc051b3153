"""What burns now and what runs out today, from the open tickets' ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from app.model import ClockName, ItemRef, Ledger, State, Ticket, TicketClass
from app.sla.calendar import Calendar

NOON = time(12)
HEAD_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Burning:
    """A ticket that cannot wait."""

    ref: ItemRef
    title: str
    agent: int | None
    clock: ClockName
    due_at: datetime
    overdue: bool
    left: timedelta  # open time to the deadline, nothing once it passed
    waits_head: timedelta | None  # open time since it was handed to the head


@dataclass(frozen=True, slots=True)
class Expiring:
    """Deadlines of today that have not passed yet, the burning ones aside."""

    refs: tuple[ItemRef, ...] = ()
    before_noon: int = 0
    unassigned: int = 0


def burning(tickets: Iterable[Ticket], calendar: Calendar, now: datetime) -> tuple[Burning, ...]:
    """Overdue tickets, and those at risk that are an emergency or wait for the head; the worst first."""
    found = [
        (ticket, ledger)
        for ticket in tickets
        if (ledger := _next_clock(ticket)) is not None and _burns(ticket, ledger, now)
    ]
    found.sort(key=lambda pair: _heat(pair[0], pair[1], now))
    return tuple(_burning(ticket, ledger, calendar, now) for ticket, ledger in found)


def expiring(tickets: Iterable[Ticket], calendar: Calendar, now: datetime) -> Expiring:
    """Tickets whose next deadline falls on the rest of the local day."""
    today = calendar.local(now).date()
    found = [
        (ticket, calendar.local(_due(ledger)))
        for ticket in tickets
        if (ledger := _next_clock(ticket)) is not None
        and not _burns(ticket, ledger, now)
        and calendar.local(_due(ledger)).date() == today
    ]
    return Expiring(
        refs=tuple(ticket.ref for ticket, _ in found),
        before_noon=sum(due.time() <= NOON for _, due in found),
        unassigned=sum(ticket.agent is None for ticket, _ in found),
    )


def longest_pauses(tickets: Iterable[Ticket], count: int = 3) -> tuple[tuple[ItemRef, timedelta], ...]:
    """The open tickets that stood paused the longest, in open time."""
    paused = [(it.ref, it.now_cycle.pause_total) for it in tickets if it.counted and it.now_cycle.pause_total]
    return tuple(sorted(paused, key=lambda pair: (-pair[1], pair[0]))[:count])


def running_clocks(ticket: Ticket) -> Sequence[Ledger]:
    """Clocks that run now and have a deadline; none for tickets that are not counted."""
    if not ticket.open or not ticket.counted:
        return ()
    cycle = ticket.now_cycle
    return [it for it in (cycle.reply, cycle.solution) if it.due_at and it.running and not it.waived]


def _next_clock(ticket: Ticket) -> Ledger | None:
    return min(running_clocks(ticket), key=_due, default=None)


def _due(ledger: Ledger) -> datetime:
    if ledger.due_at is None:
        raise ValueError("only clocks with a deadline are compared")
    return ledger.due_at


def _burns(ticket: Ticket, ledger: Ledger, now: datetime) -> bool:
    if now > _due(ledger):
        return True
    at_risk = any(clock.warn_at and clock.warn_at[0][1] <= now for clock in running_clocks(ticket))
    return at_risk and (ticket.value is TicketClass.EMERGENCY or _waits_head(ticket))


def _waits_head(ticket: Ticket) -> bool:
    return ticket.state is State.ESCALATED and ticket.escalation_level == HEAD_LEVEL


def _heat(ticket: Ticket, ledger: Ledger, now: datetime) -> tuple[bool, bool, datetime]:
    return now <= _due(ledger), ticket.value is not TicketClass.EMERGENCY, _due(ledger)


def _burning(ticket: Ticket, ledger: Ledger, calendar: Calendar, now: datetime) -> Burning:
    handed_at = ticket.now_cycle.escalated_at if _waits_head(ticket) else None
    return Burning(
        ref=ticket.ref,
        title=ticket.title,
        agent=ticket.agent,
        clock=ledger.clock,
        due_at=_due(ledger),
        overdue=now > _due(ledger),
        left=calendar.between(now, _due(ledger)),
        waits_head=calendar.between(handed_at, now) if handed_at else None,
    )
