"""Reply and solution told by the oracle of minutes: deadlines, verdicts, pauses through a whole life."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.model import DONE_STATES, VOID_STATES, State, TicketClass
from tests.sla.minutes import (
    FOR_EVER,
    Cut,
    Happening,
    Life,
    Promise,
    counted,
    cuts_of,
    is_work,
    reached,
    runs_of,
    standing_still,
)

HELD = {"waiting_client", "waiting_client:silent", "postponed"}


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
