"""A story cut into rounds: what becomes a cycle, when it was solved, closed, reopened, ended.

A return to work before the closing or within seven days after it goes on with the same round;
a later one begins the next (domain.md 7.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import NamedTuple

from app.model import CLOSED_STATES, DONE_STATES, VOID_STATES, State, StateChange, Story

REOPEN_WITHIN = timedelta(days=7)
ESCALATED_STATES = frozenset({State.ESCALATED, State.ENGINEER})


class Stay(NamedTuple):
    """[start, end) in one state; `end` None: still there."""

    start: datetime
    end: datetime | None
    state: State

    @property
    def open(self) -> bool:
        """Somebody's work."""
        return self.state not in DONE_STATES and self.state not in VOID_STATES


@dataclass(frozen=True, slots=True)
class Round:
    """The stays from a start to the next one's start (`until` None: this is the last round)."""

    number: int
    started_at: datetime
    until: datetime | None
    stays: tuple[Stay, ...]

    def holds(self, at: datetime) -> bool:
        """Whether a moment belongs to this round; the first takes what was before the start too."""
        return (self.number == 1 or at >= self.started_at) and (self.until is None or at < self.until)

    @property
    def idle_tail(self) -> tuple[Stay, ...]:
        """The stays after the last open one: solved, closed, void."""
        return _tail(self.stays, lambda stay: not stay.open)

    @property
    def solved_at(self) -> datetime | None:
        """The last solution, if it holds."""
        return _first(stay for stay in self.idle_tail if stay.state in DONE_STATES)

    @property
    def first_solved_at(self) -> datetime | None:
        """The first solution, whether it held or not."""
        return _first(stay for stay in self.stays if stay.state in DONE_STATES)

    @property
    def void_at(self) -> datetime | None:
        """When the item stopped being a ticket, if it is none now."""
        if self.stays[-1].state not in VOID_STATES:
            return None
        return _first(stay for stay in self.idle_tail if stay.state in VOID_STATES)

    @property
    def closed_at(self) -> datetime | None:
        """When it was closed, if it is."""
        return _first(_tail(self.stays, lambda stay: stay.state in CLOSED_STATES))

    @property
    def confirmed_at(self) -> datetime | None:
        """When the client agreed, if the ticket stands closed so."""
        last = self.stays[-1]
        return last.start if last.state is State.CLOSED_CONFIRMED else None

    @property
    def escalated_at(self) -> datetime | None:
        """The first hand-over to another line."""
        return _first(stay for stay in self.stays if stay.state in ESCALATED_STATES)

    @property
    def solutions(self) -> tuple[datetime, ...]:
        """Each time it became solved."""
        before = (None, *self.stays)
        return tuple(
            stay.start
            for last, stay in zip(before, self.stays, strict=False)
            if stay.state in DONE_STATES and (last is None or last.state not in DONE_STATES)
        )

    @property
    def reopened_at(self) -> tuple[datetime, ...]:
        """Each time it went from solved back to work."""
        turns = pairwise(self.stays)
        return tuple(after.start for before, after in turns if before.state in DONE_STATES and after.open)


def rounds_of(story: Story, now: datetime) -> tuple[Round, ...]:
    """The rounds of a story as known at `now`; at least one."""
    stays = stays_of(story.states, now)
    if not stays:
        stays = (Stay(story.started_at, None, State.NEW),)
    starts = [0, *(index for index in range(1, len(stays)) if _begins_round(stays, index)), len(stays)]
    return tuple(
        Round(
            number=number,
            started_at=stays[first].start if number > 1 else story.started_at,
            until=stays[last].start if last < len(stays) else None,
            stays=stays[first:last],
        )
        for number, (first, last) in enumerate(pairwise(starts), start=1)
    )


def stays_of(changes: Iterable[StateChange], now: datetime) -> tuple[Stay, ...]:
    """The stays up to `now`: repeats joined, states left in the same second dropped."""
    known = sorted((change for change in changes if change.at <= now), key=lambda change: change.at)
    kept: list[StateChange] = []
    for change in known:
        if kept and kept[-1].at == change.at:
            kept.pop()
        if not kept or kept[-1].state != change.state:
            kept.append(change)
    ends = [*(change.at for change in kept[1:]), None]
    return tuple(Stay(change.at, end, change.state) for change, end in zip(kept, ends, strict=False))


def _begins_round(stays: Sequence[Stay], index: int) -> bool:
    closed_at = _first(_tail(stays[:index], lambda stay: stay.state in CLOSED_STATES))
    stay = stays[index]
    return stay.open and closed_at is not None and stay.start - closed_at > REOPEN_WITHIN


def _tail(stays: Sequence[Stay], wanted: Callable[[Stay], bool]) -> tuple[Stay, ...]:
    """The stays at the end for which `wanted` holds without a gap."""
    return tuple(takewhile(wanted, reversed(stays)))[::-1]


def _first(stays: Iterable[Stay]) -> datetime | None:
    return next((stay.start for stay in stays), None)
