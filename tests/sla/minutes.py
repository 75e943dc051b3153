"""The clocks of sla.md 2 told minute by minute: an oracle that shares nothing with app/sla but the words.

It walks through a life as a person with a wall calendar would: for every minute it asks whether the
office is open and whether the clock stands still, and it counts. No spans, no sums, no instants:
minutes are whole numbers since the Monday on which its world begins.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Sequence
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
HELD = {"waiting_client", "waiting_client:silent", "postponed"}
HERE = Path(__file__).parents[2]


def minute_of(at: datetime) -> int:
    return (at - BASE) // timedelta(minutes=1)


def instant_of(minute: int) -> datetime:
    return BASE + timedelta(minutes=minute)


@cache
def open_minutes(calendar: str) -> tuple[int, ...]:
    """Every open minute of the oracle's world, one after another."""
    if calendar == "always":
        return tuple(range(DAYS * 24 * 60))
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
    return tuple(found)


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


@dataclass
class Clock:
    """What the oracle says of one clock of one cycle."""

    due: int | None = None
    met: int | None = None
    by: str = ""
    outcome: str | None = None
    outcome_at: int | None = None
    running: bool = False
    paused: bool = False
    spent: int = 0


@dataclass
class Told:
    """What the oracle says of one cycle."""

    number: int
    start: int
    reply: Clock
    solution: Clock
    pause_total: int


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


@dataclass
class Aim:
    """What a clock is heading for."""

    promise: Promise
    term: int
    anchor: int
    agreed: tuple[int, int] | None = None  # (since when, the date)

    def due(self, runs: Iterable[tuple[int, int, str]]) -> int:
        if self.agreed is None:
            off = {minute for start, end, _ in runs for minute in range(start, end)}
            return reached(self.promise.calendar, self.anchor, self.term, off)
        since, due = self.agreed
        for start, end, why in runs:
            if why == "done" and since <= start < due:
                given_back = counted(self.promise.calendar, start, end, set())
                due = reached(self.promise.calendar, due, given_back, set()) if given_back else due
        return due


def before(runs: Iterable[tuple[int, int, str]], at: int) -> list[tuple[int, int, str]]:
    """The runs as far as they have come by then."""
    return [(start, min(end, at), why) for start, end, why in runs if start < at]


# --- one clock ---------------------------------------------------------------------------


class Pursuit:
    """A clock followed through changes of class and extensions."""

    def __init__(self, life: Life, cut: Cut, runs: list[tuple[int, int, str]], *, reply: bool) -> None:
        self.life, self.cut, self.runs, self.is_reply = life, cut, runs, reply
        changes = life.of("class", FOR_EVER)
        first = [each for each in changes if each.at <= cut.start] or changes[:1]
        self.value: TicketClass = first[-1].value
        self.aim = self.fresh(self.value)
        self.breached: int | None = None
        self.later = [each for each in changes if each not in first and cut.holds(each.at)]
        if not reply:
            self.later += [each for each in life.of("extend", FOR_EVER) if cut.holds(each.at)]

    def fresh(self, value: TicketClass) -> Aim | None:
        promise = self.life.promises.get(value)
        if promise is None:
            return None
        return Aim(promise, promise.respond if self.is_reply else promise.resolve, self.cut.start)

    def to(self, limit: int) -> None:
        for step in sorted(self.later, key=lambda each: each.at):
            if step.at > limit:
                break
            self.judge(step.at)
            if step.what == "extend":
                self.extend(step)
            elif step.value is not self.value:
                self.change(step)
        self.judge(limit)

    def judge(self, at: int) -> None:
        if self.aim and self.breached is None:
            due = self.aim.due(before(self.runs, at))
            if at > due:
                self.breached = due

    def extend(self, step: Happening) -> None:
        if self.aim and self.aim.due(before(self.runs, step.at)) >= step.at:
            self.aim.agreed = (step.at, step.value)

    def change(self, step: Happening) -> None:
        old, new = self.aim, self.fresh(step.value)
        raising = step.value is TicketClass.EMERGENCY and not step.flag
        if new and raising:
            new.anchor = step.at
            known = before(self.runs, step.at)
            if old and old.due(known) <= new.due(known):
                new = old
        elif new and old:
            new.agreed = old.agreed
        self.value, self.aim = step.value, new


def followed(
    life: Life, cut: Cut, why: list[str | None], met: tuple[int, str] | None, void: int | None, now: int,
    *, reply: bool,
) -> Clock:  # fmt: skip
    end = met[0] if met else void
    limit = now if end is None else end
    runs = known_runs(why, cut.start, end, now)
    pursuit = Pursuit(life, cut, runs, reply=reply)
    pursuit.to(limit)
    is_ticket = pursuit.value is not TicketClass.NOT_TICKET
    clock = Clock(met=met[0] if met else None, by=met[1] if met else "")
    if pursuit.aim and void is None:
        clock.due = pursuit.aim.due(run for run in runs if run[1] <= limit)
    if is_ticket and (met or void is None):
        verdict(clock, pursuit)
    clock.paused = end is None and is_ticket and why[now - cut.start] is not None
    clock.running = end is None and is_ticket and not clock.paused
    off = {minute for start, stop, _ in before(runs, limit) for minute in range(start, stop)}
    clock.spent = counted(calendar_of(life, pursuit), cut.start, limit, off)
    return clock


def known_runs(why: list[str | None], start: int, end: int | None, now: int) -> list[tuple[int, int, str]]:
    """The pauses up to the clock's end; of one that goes on nobody knows how long."""
    if end is not None:
        return runs_of(why[: end - start], start)
    runs = runs_of(why, start)
    if runs and runs[-1][1] == now + 1:
        runs[-1] = (runs[-1][0], FOR_EVER, runs[-1][2])
    return runs


def calendar_of(life: Life, pursuit: Pursuit) -> str:
    """Whose hours the clock counts; without a promise any class's."""
    if pursuit.aim:
        return pursuit.aim.promise.calendar
    return next(life.promises[value].calendar for value in TicketClass if value in life.promises)


def verdict(clock: Clock, pursuit: Pursuit) -> None:
    if pursuit.breached is not None:
        clock.outcome, clock.outcome_at = "breached", pursuit.breached
    elif clock.met is not None and pursuit.aim:
        clock.outcome, clock.outcome_at = "met", clock.met


# --- the whole life ----------------------------------------------------------------------


def told(life: Life, now: int) -> list[Told]:
    """The cycles as they are known at `now`."""
    return [_cycle(life, cut, now) for cut in cuts_of(life, now)]


def _cycle(life: Life, cut: Cut, now: int) -> Told:
    why = standing_still(life, cut, now)
    void_only = ["void" if cause == "void" else None for cause in why]
    done, void = solved(cut)
    replied = first_reply(life, cut, now)
    if replied and void is not None and void < replied[0]:
        replied = None
    finished = (done, "done") if done is not None and not (void is not None and void < done) else None
    return Told(
        cut.number,
        cut.start,
        followed(life, cut, void_only, replied, void, now, reply=True),
        followed(life, cut, why, finished, void, now, reply=False),
        pause_total(life, cut, why, done if finished else void, now),
    )


def solved(cut: Cut) -> tuple[int | None, int | None]:
    """When the ticket came to rest solved, and void, if it rests so now."""
    resting: list[tuple[int, State]] = []
    for at, state in cut.states:
        resting = [] if is_work(state) else [*resting, (at, state)]
    done = next((at for at, state in resting if state in DONE_STATES), None)
    void = next((at for at, state in resting if state in VOID_STATES), None)
    return done, void if resting and resting[-1][1] in VOID_STATES else None


def first_reply(life: Life, cut: Cut, now: int) -> tuple[int, str] | None:
    found: list[tuple[int, str]] = []
    for each in life.of("ours", now):
        earliest = cut.start - (60 if each.call else 0)
        if cut.holds(each.at) and each.at >= earliest:
            found.append((max(each.at, cut.start), "call" if each.call else "message"))
    found += [(at, "closing") for at, state in cut.states if state in DONE_STATES][:1]
    return min(found, key=lambda each: each[0], default=None)


def pause_total(life: Life, cut: Cut, why: list[str | None], end: int | None, now: int) -> int:
    limit = now if end is None else end
    runs = known_runs(why, cut.start, end, now)
    pursuit = Pursuit(life, cut, runs, reply=False)
    pursuit.to(limit)
    calendar = calendar_of(life, pursuit)
    over = [(start, stop) for start, stop, why_ in runs if stop <= limit and why_ in HELD]
    return sum(counted(calendar, start, stop, set()) for start, stop in over)
