"""The clocks of sla.md 2 told minute by minute: an oracle that shares nothing with app/sla but the words.

It walks through a life as a person with a wall calendar would: for every minute it asks whether the
office is open and whether the clock stands still, and it counts. No spans, no sums, no instants:
minutes are whole numbers since the Monday on which its world begins.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from app.model import CLOSED_STATES, DONE_STATES, VOID_STATES, State, TicketClass

BASE = datetime(2026, 11, 16, tzinfo=UTC) - timedelta(hours=3)  # Monday 00:00 in Moscow
DAYS = 400
MINUTES_OF_A_WEEK = 7 * 24 * 60
FOR_EVER = 1 << 40
HERE = Path(__file__).parents[2]


def minute_of(at: datetime) -> int:
    return (at - BASE) // timedelta(minutes=1)


def instant_of(minute: int) -> datetime:
    return BASE + timedelta(minutes=minute)


@cache
def open_minutes(calendar: str) -> Sequence[int]:
    """Every open minute of the oracle's world, one after another."""
    if calendar == "always":
        return range(DAYS * 24 * 60)
    told = json.loads((HERE / "app" / "sla" / "ru_workdays.json").read_text(encoding="utf-8"))["years"]
    off = {row["date"] for year in told.values() for row in year["non_working"]}
    saturdays = {row["date"] for year in told.values() for row in year["working_weekends"]}
    less = {row["date"]: row["minutes_less"] for year in told.values() for row in year["shortened"]}
    found: list[int] = []
    for number in range(DAYS):
        day = date(2026, 11, 16) + timedelta(days=number)
        text = day.isoformat()
        if (day.weekday() < 5 and text not in off) or text in saturdays:
            midnight = number * 24 * 60
            found += range(midnight + 9 * 60, midnight + 18 * 60 - less.get(text, 0))
    return found


# --- what happens ------------------------------------------------------------------------


class Happening(NamedTuple):
    """Something in a life. `what`: state, ours, client, class, extend, until."""

    at: int
    what: str
    value: Any = None  # a state, a class, a minute (None: the date is removed)
    flag: bool = False  # ours: an acknowledgement; client: thanks only; class: a correction
    call: bool = False


class Promise(NamedTuple):
    """What a class promises: the calendar's name, terms in minutes."""

    calendar: str
    respond: int
    resolve: int


Promises = dict[TicketClass, Promise]


@dataclass(frozen=True)
class Life:
    start: int
    happenings: tuple[Happening, ...]  # in order of time; a state and a class stand at the start
    promises: Promises
    silent: bool = False

    def of(self, what: str, until: int) -> list[Happening]:
        return [each for each in self.happenings if each.what == what and each.at <= until]


# --- cycles ------------------------------------------------------------------------------


class Cut(NamedTuple):
    number: int
    start: int
    end: int | None  # where the next one begins
    states: list[tuple[int, State]]  # from when, which; only changes

    def holds(self, at: int) -> bool:
        return (self.number == 1 or at >= self.start) and (self.end is None or at < self.end)


def states_of(life: Life, now: int) -> list[tuple[int, State]]:
    by_minute: dict[int, State] = {each.at: each.value for each in life.of("state", now)}
    found: list[tuple[int, State]] = []
    for at, state in sorted(by_minute.items()):
        if not found or found[-1][1] is not state:
            found.append((at, state))
    return found


def is_work(state: State) -> bool:
    return state not in DONE_STATES and state not in VOID_STATES


def cuts_of(life: Life, now: int) -> list[Cut]:
    """A return to work more than seven days after the closing begins a new cycle."""
    cuts: list[Cut] = []
    closed_since: int | None = None
    for at, state in states_of(life, now):
        late = closed_since is not None and at - closed_since > MINUTES_OF_A_WEEK
        if not cuts or (is_work(state) and late):
            if cuts:
                cuts[-1] = cuts[-1]._replace(end=at)
            cuts.append(Cut(len(cuts) + 1, at if cuts else life.start, None, []))
        cuts[-1].states.append((at, state))
        if state not in CLOSED_STATES:
            closed_since = None
        elif closed_since is None:
            closed_since = at
    return cuts


# --- when a clock stands still -----------------------------------------------------------


class Watch:
    """Somebody who sits beside the ticket and knows at every minute why its solution stands still."""

    def __init__(self, life: Life) -> None:
        self.silent = life.silent
        self.state, self.since = State.NEW, life.start
        self.waits = False  # our word is the last that tells anything
        self.date: int | None = None  # the last one written
        self.until: int | None = None  # till when it is postponed; None: for ever

    def hear(self, each: Happening) -> None:
        if each.what == "ours":
            self.waits = not each.flag
        elif each.what == "client" and not each.flag:
            self.waits = False
        elif each.what == "until":
            self.date = self.until = each.value

    def move(self, at: int, state: State) -> None:
        self.state, self.since = state, at
        stale = self.date is not None and self.date <= at
        self.until = None if stale else self.date

    def why(self, minute: int) -> str | None:
        if self.state in DONE_STATES or self.state in VOID_STATES:
            return "done" if self.state in DONE_STATES else "void"
        if self.state is State.POSTPONED:
            return "postponed" if self.until is None or minute < self.until else None
        if self.state is not State.WAITING_CLIENT:
            return None
        if self.silent:
            return "waiting_client:silent"
        return "waiting_client" if self.waits else None


def standing_still(life: Life, cut: Cut, now: int) -> list[str | None]:
    """For every minute from the cycle's start to now: why the solution's clock stands still, or None."""
    watch, found = Watch(life), list[str | None]()
    heard = sorted((each for each in life.happenings if each.at <= now), key=lambda each: each.at)
    moves = dict(cut.states)
    for minute in range(min([cut.start, *(each.at for each in heard[:1])]), now + 1):
        while heard and heard[0].at == minute:
            watch.hear(heard.pop(0))
        if minute in moves:
            watch.move(minute, moves[minute])
        if minute >= cut.start:
            found.append(watch.why(minute))
    return found


def runs_of(why: Sequence[str | None], start: int) -> list[tuple[int, int, str]]:
    """The same as (from, to, why); the last one may still go on."""
    found: list[tuple[int, int, str]] = []
    for number, cause in enumerate(why):
        minute = start + number
        if cause is None:
            continue
        if found and found[-1][1] == minute and found[-1][2] == cause:
            found[-1] = (found[-1][0], minute + 1, cause)
        else:
            found.append((minute, minute + 1, cause))
    return found


# --- counting ----------------------------------------------------------------------------


def counted(calendar: str, start: int, end: int, off: set[int]) -> int:
    minutes = open_minutes(calendar)
    inside = minutes[bisect_left(minutes, start) : bisect_left(minutes, end)]
    return sum(minute not in off for minute in inside)


def reached(calendar: str, start: int, work: int, off: set[int]) -> int:
    """The end of the minute with which so much is counted."""
    minutes = open_minutes(calendar)
    for minute in minutes[bisect_left(minutes, start) :]:
        work -= minute not in off
        if work == 0:
            return minute + 1
    raise AssertionError("the oracle's world is too short")
