"""What a clock aims at: the term in force, where it is counted from, when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.model import ClassChange, ClockName, Extension, TicketClass
from app.sla.calendar import Calendar
from app.sla.pauses import DONE, Pauses, closed_by, open_time
from app.sla.terms import ClassTerms

TermsByClass = Mapping[TicketClass, ClassTerms | None]
NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class TermsChange:
    """Other rules applied to an open ticket, recorded (sla.md 2)."""

    at: datetime
    terms: TermsByClass
    version: str  # of those rules
    by: str = ""  # who applied them; "": the service itself, for a decree made a provisional year sure


@dataclass(frozen=True, slots=True)
class Goal:
    """A term under way. An agreed date (an extension) stands instead of anchor and term."""

    value: TicketClass
    terms: ClassTerms
    term: timedelta
    shares: tuple[float, ...]  # of the term: when to warn
    anchor_at: datetime
    set_at: datetime  # when this became the goal
    agreed: Extension | None = None

    @property
    def calendar(self) -> Calendar:
        """What the term is counted on."""
        return self.terms.calendar

    def due_at(self, pauses: Pauses) -> datetime:
        """The deadline with these pauses, all ended."""
        if self.agreed:
            return _agreed_due(self.calendar, self.agreed, pauses)
        return used_up_at(self.calendar, self.anchor_at, self.term, pauses)

    def due_by(self, pauses: Pauses, at: datetime) -> datetime:
        """The deadline as it stands at `at`: a pause that runs then counts so far."""
        return self.due_at(closed_by(pauses, at))

    def warn_at(self, pauses: Pauses) -> tuple[tuple[float, datetime], ...]:
        """When each share of the term (to an agreed date: of the way to it) is used."""
        budget = self._way_to(self.due_at(pauses), pauses) if self.agreed else self.term
        return tuple(
            (share, used_up_at(self.calendar, self.anchor_at, _share(budget, share), pauses))
            for share in self.shares
        )

    def _way_to(self, due_at: datetime, pauses: Pauses) -> timedelta:
        off = open_time(closed_by(pauses, due_at), self.calendar, due_at)
        return max(self.calendar.between(self.anchor_at, due_at) - off, NOTHING)


def used_up_at(calendar: Calendar, anchor_at: datetime, budget: timedelta, pauses: Pauses) -> datetime:
    """The earliest instant at which `budget` of open time outside the pauses has passed since the anchor.

    A pause that begins when the budget is used up moves nothing; one on closed hours neither.
    """
    at, left = anchor_at, budget
    for start, end, _ in pauses:
        if end is None or end <= at:
            continue
        until_pause = calendar.between(at, start)
        if until_pause >= left:
            break
        left -= until_pause
        at = end
    return calendar.add(at, left)


def _agreed_due(calendar: Calendar, agreed: Extension, pauses: Pauses) -> datetime:
    """An agreed date does not drift with pauses; only the time spent solved is given back."""
    due_at = agreed.due_at
    for start, end, cause in pauses:
        if cause == DONE and end is not None and agreed.at <= start < due_at:
            shift = calendar.between(start, end)
            due_at = calendar.add(due_at, shift) if shift else due_at
    return due_at


def _share(budget: timedelta, share: float) -> timedelta:
    return timedelta(seconds=round(budget.total_seconds() * share))


# --- from one goal to the next -----------------------------------------------------------


def goal_of(
    clock: ClockName, value: TicketClass, terms: TermsByClass, anchor_at: datetime, set_at: datetime
) -> Goal | None:
    """The goal that a class sets; None: no SLA for it."""
    found = None if value is TicketClass.NOT_TICKET else terms.get(value)
    if found is None:
        return None
    term, shares = _promised(clock, found)
    return Goal(value, found, term, shares, anchor_at, set_at) if term else None


def _promised(clock: ClockName, terms: ClassTerms) -> tuple[timedelta | None, tuple[float, ...]]:
    """A clock's term (None: the class has none) and the shares of it at which it warns."""
    if clock is ClockName.REPLY:
        return terms.respond, terms.warn_respond
    if clock is ClockName.NEXT_REPLY:
        return terms.answer_again, terms.warn_respond
    if clock is ClockName.PROGRESS:
        return terms.progress, ()
    return terms.resolve, terms.warn_resolve


def is_raise(before: TicketClass, change: ClassChange) -> bool:
    """Whether a change makes an emergency of what was none; a correction is no raise."""
    emergency = TicketClass.EMERGENCY
    return change.value is emergency and before is not emergency and not change.correction


def raised(old: Goal, new: Goal, pauses: Pauses) -> Goal:
    """The earlier of the old deadline and the change plus the new term, as both stand at the change.

    Else the emergency would be born overdue, or raising could be misused to begin anew (domain.md 5.1).
    """
    if old.due_by(pauses, new.set_at) > new.due_by(pauses, new.set_at):
        return new
    return replace(old, value=new.value, shares=new.shares, set_at=new.set_at)


def agreed_kept(old: Goal | None, new: Goal | None) -> Goal | None:
    """A date agreed with the client outlives a change of class."""
    return replace(new, agreed=old.agreed) if old and new and old.agreed else new
