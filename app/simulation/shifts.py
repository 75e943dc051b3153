"""Which deadlines of an open ticket other rules would move, and by how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.decision import Fold, fold
from app.model import ClockName, Fact, ItemRef, Ledger, SlaState, State, TicketClass
from app.pinning import Pin, RulesOf, judging, pinned, pins_of, rules_then
from app.rules import Rules

PREVIEW = "preview"  # who applies the rules in a preview


@dataclass(frozen=True, slots=True)
class ClockShift:
    """One clock that has not ended. `moved`: open time, below zero to earlier; None without both dates."""

    clock: ClockName
    due_before: datetime | None
    due_after: datetime | None
    moved: timedelta | None
    term_before: timedelta
    term_after: timedelta


@dataclass(frozen=True, slots=True)
class Shift:
    """What an open ticket would be under other rules."""

    ref: ItemRef
    title: str
    agent: int | None
    value: TicketClass  # after, if the class would be another
    value_before: TicketClass
    clocks: tuple[ClockShift, ...]
    sla_before: SlaState | None
    sla_after: SlaState | None
    state_before: State
    state_after: State

    @property
    def changes(self) -> bool:
        """Whether anything would be otherwise."""
        same = (self.value_before, self.sla_before, self.state_before)
        return bool(self.clocks) or same != (self.value, self.sla_after, self.state_after)

    @property
    def turns_overdue(self) -> bool:
        """Late at once under the other rules."""
        return self.sla_after is SlaState.OVERDUE and self.sla_before is not SlaState.OVERDUE

    @property
    def turns_at_risk(self) -> bool:
        """Not late, but warned of at once."""
        calm = {SlaState.ON_TRACK, SlaState.PAUSED, None}
        return self.sla_after is SlaState.AT_RISK and self.sla_before in calm

    @property
    def loses_sla(self) -> bool:
        """It would have no deadlines any more."""
        return self.sla_before is not None and self.sla_after is None


def shifts(
    lives: Iterable[Sequence[Fact]], rules_of: RulesOf, other: Rules, now: datetime
) -> Iterator[Shift]:
    """Of every open, counted ticket of these facts, whether it would change or not."""
    for life in lives:
        ordered = sorted(life, key=lambda fact: (fact.happened_at, fact.recorded_at, fact.kind, fact.key))
        before = _fold(ordered, rules_of, now) if ordered else None
        if before is not None and before.ticket.open and before.ticket.counted:
            yield _shift(before, _applied(ordered, rules_of, other, now), other)


def _fold(facts: Sequence[Fact], rules_of: RulesOf, now: datetime) -> Fold | None:
    return fold(facts, judging(facts, rules_then(facts, rules_of), rules_of), now)


def _applied(facts: Sequence[Fact], rules_of: RulesOf, other: Rules, now: datetime) -> Fold | None:
    """As if they were applied now: a breach that was recorded stays."""
    if not pins_of(facts):  # never decided: it begins under whatever is in force
        return fold(facts, judging(facts, other), now)
    pin = pinned(facts[0].ref, facts, Pin(now, other.version, other.version, PREVIEW))
    return _fold([*facts, pin], lambda version: other if version == other.version else rules_of(version), now)


def _shift(before: Fold, after: Fold | None, other: Rules) -> Shift:
    stood, stands = before.ticket, after.ticket if after else None
    return Shift(
        ref=stood.ref,
        title=stood.title,
        agent=stood.agent,
        value=stands.value if stands else stood.value,
        value_before=stood.value,
        clocks=tuple(_clocks(before, after, other)),
        sla_before=stood.sla_state,
        sla_after=stands.sla_state if stands else None,
        state_before=stood.state,
        state_after=stands.state if stands else State.LEFT,
    )


def _clocks(before: Fold, after: Fold | None, other: Rules) -> Iterator[ClockShift]:
    stood = before.ticket.now_cycle
    stands = after.ticket.now_cycle if after else None
    replies = (stood.reply, stands.reply if stands else None)
    for old, new in (replies, (stood.solution, stands.solution if stands else None)):
        if old.met_at is None and old.due_at != (new.due_at if new else None):
            yield _clock(old, new, other)


def _clock(old: Ledger, new: Ledger | None, other: Rules) -> ClockShift:
    due_at = new.due_at if new else None
    return ClockShift(
        clock=old.clock,
        due_before=old.due_at,
        due_after=due_at,
        moved=_moved(old.due_at, due_at, other, new),
        term_before=old.term,
        term_after=new.term if new else timedelta(0),
    )


def _moved(
    before: datetime | None, after: datetime | None, other: Rules, new: Ledger | None
) -> timedelta | None:
    """Open time of the calendar that the new term counts."""
    calendar = other.calendars.get(new.calendar) if new else None
    if before is None or after is None or calendar is None:
        return None
    return calendar.between(before, after) - calendar.between(after, before)
