"""Next reply and progress told by the oracle of minutes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.sla.minutes import Cut, Life, Promise, cuts_of, is_work, reached, standing_still
from tests.sla.oracle import before, first_reply, known_runs


class Turn(NamedTuple):
    start: int
    end: int | None
    met: bool
    due: int
    outcome: str | None


def in_turn(life: Life, cut: Cut, now: int) -> list[tuple[int, str]]:
    """(when, asks | tells | done | work): within a minute the client speaks first, the card moves last."""
    said = [each for each in life.happenings if each.at <= now and cut.holds(each.at)]
    steps = [(each.at, 0, "asks") for each in said if each.what == "client" and not each.flag]
    steps += [(max(each.at, cut.start), 1, "tells") for each in said if each.what == "ours"]
    steps += [
        (at, 2 if number else -1, "work" if is_work(state) else "done")
        for number, (at, state) in enumerate(cut.states)
    ]
    return [(at, what) for at, _, what in sorted(steps, key=lambda step: step[:2])]


def next_replies(life: Life, now: int, promise: Promise, term: int) -> list[list[Turn]]:
    """By cycle; for lives of one class in which the item always is a ticket."""

    def of(cut: Cut) -> Iterator[Turn]:
        replied = first_reply(life, cut, now)
        for start, end, answered in waits(in_turn(life, cut, now), replied[0]) if replied else ():
            yield judged(start, end, answered, reached(promise.calendar, start, term, set()), now)

    return [list(of(cut)) for cut in cuts_of(life, now)]


def waits(steps: list[tuple[int, str]], replied: int) -> Iterator[tuple[int, int | None, bool]]:
    """(from, to, whether it was answered)."""
    since: int | None = None
    rests = False
    for at, what in steps:
        if what == "asks":
            since = at if since is None and at > replied else since
        elif what == "work":
            since, rests = at if since is not None and rests else since, False
        else:
            if since is not None and not rests:
                yield since, at, what == "tells"
            since = since if what == "done" and rests else None
            rests = rests or what == "done"
    if since is not None and not rests:
        yield since, None, False


def progress(life: Life, now: int, promise: Promise, term: int) -> list[list[Turn]]:
    """The same of how long a client hears nothing while the ticket is open."""

    def of(cut: Cut) -> Iterator[Turn]:
        why = standing_still(life, cut, now)
        for start, end in silences(in_turn(life, cut, now)):
            yield told_turn(why, cut, start, end, promise, term, now)

    return [list(of(cut)) for cut in cuts_of(life, now)]


def silences(steps: list[tuple[int, str]]) -> Iterator[tuple[int, int | None]]:
    told_at: int | None = None
    rests = False
    for at, what in steps:
        ends = what == "tells" or (what == "done" and not rests)
        if ends and told_at not in {None, at}:
            yield told_at or 0, at
        rests = what == "done" or (rests and what != "work")
        if ends:
            told_at = None if rests else at
    if told_at is not None:
        yield told_at, None


def told_turn(
    why: list[str | None], cut: Cut, start: int, end: int | None, promise: Promise, term: int, now: int
) -> Turn:
    runs = known_runs(why[start - cut.start :], start, end, now)
    limit = now if end is None else end
    off = {minute for first, last, _ in before(runs, limit) for minute in range(first, last)}
    due = reached(promise.calendar, start, term, off)
    over = {minute for first, last, _ in runs if last <= limit for minute in range(first, last)}
    turn = judged(start, end, end is not None, due, now)
    return turn._replace(due=reached(promise.calendar, start, term, over))


def judged(start: int, end: int | None, met: bool, due: int, now: int) -> Turn:
    if (now if end is None else end) > due:
        return Turn(start, end, met, due, "breached")
    return Turn(start, end, met, due, "met" if met else None)
