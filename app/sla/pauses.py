"""When the solution's clock stands still, and why (sla.md 2, domain.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.model import DONE_STATES, VOID_STATES, Side, Spoken, State, Story
from app.sla.calendar import Calendar
from app.sla.rounds import Round, Stay

WAITING = "waiting_client"
WAITING_SILENT = "waiting_client:silent"  # «без переписки»: the channel cannot be read
POSTPONED = "postponed"
DONE = "done"
VOID = "void"
HELD_FOR_OTHERS = frozenset({WAITING, WAITING_SILENT, POSTPONED})
"""What people call a pause; time spent solved or out of the sources is none."""


class Pause(NamedTuple):
    """[start, end) that does not count; `end` None or in the future: still going on."""

    start: datetime
    end: datetime | None
    cause: str


Pauses = tuple[Pause, ...]


def solution_pauses(story: Story, of: Round, ended_at: datetime | None, now: datetime) -> Pauses:
    """The pauses of a round's solution up to `now`, or to where its clock ended."""
    found = tuple(_joined(pause for stay in of.stays for pause in _pauses_in(stay, story, now)))
    return found if ended_at is None else closed_by(found, ended_at)


def pauses_within(pauses: Pauses, start: datetime) -> Pauses:
    """What of the pauses lies at or after `start`."""
    return tuple(
        pause._replace(start=max(pause.start, start))
        for pause in pauses
        if pause.end is None or pause.end > start
    )


def void_pauses(of: Round, ended_at: datetime | None) -> Pauses:
    """The reply's clock never pauses; only time in which there was no ticket is left out."""
    found = tuple(Pause(stay.start, stay.end, VOID) for stay in of.stays if stay.state in VOID_STATES)
    return found if ended_at is None else closed_by(found, ended_at)


def closed_by(pauses: Pauses, at: datetime) -> Pauses:
    """The pauses as if the one that runs at `at` ended there."""
    return tuple(
        pause._replace(end=at if pause.end is None else min(pause.end, at))
        for pause in pauses
        if pause.start < at
    )


def ended_by(pauses: Pauses, at: datetime) -> Pauses:
    """The pauses that are over at `at`."""
    return tuple(pause for pause in pauses if pause.end is not None and pause.end <= at)


def pause_at(pauses: Pauses, at: datetime) -> Pause | None:
    """The pause that runs at `at`."""
    return next((p for p in pauses if p.start <= at and (p.end is None or at < p.end)), None)


def open_time(pauses: Pauses, calendar: Calendar, until: datetime) -> timedelta:
    """How much open time the pauses took, the running one up to `until`."""
    lengths = (calendar.between(p.start, min(p.end or until, until)) for p in pauses)
    return sum(lengths, timedelta(0))


def _pauses_in(stay: Stay, story: Story, now: datetime) -> Iterator[Pause]:
    if stay.state is State.WAITING_CLIENT and story.silent_channel:
        yield Pause(stay.start, stay.end, WAITING_SILENT)
    elif stay.state is State.WAITING_CLIENT:
        yield from _waiting(stay, [said for said in story.spoken if said.at <= now])
    elif stay.state is State.POSTPONED:
        yield from _postponed(stay, [each for each in story.postponed_until if each[0] <= now])
    elif stay.state in DONE_STATES:
        yield Pause(stay.start, stay.end, DONE)
    elif stay.state in VOID_STATES:
        yield Pause(stay.start, stay.end, VOID)


def _waiting(stay: Stay, spoken: Sequence[Spoken]) -> Iterator[Pause]:
    """While the latest message is ours and asks something of the client; «спасибо» is no answer."""
    telling = sorted((said for said in spoken if not said.thanks), key=lambda said: said.at)
    earlier = [said for said in telling if said.at <= stay.start]
    during = [said for said in telling if said.at > stay.start and _before(said.at, stay.end)]
    turns = [(stay.start, bool(earlier) and _waits_for_client(earlier[-1]))]
    turns += [(said.at, _waits_for_client(said)) for said in during]
    for (start, pausing), end in zip(turns, [*(at for at, _ in turns[1:]), stay.end], strict=True):
        if pausing and start != end:
            yield Pause(start, end, WAITING)


def _waits_for_client(said: Spoken) -> bool:
    return said.side is Side.OURS and not said.acknowledgement


def _postponed(stay: Stay, dates: Sequence[tuple[datetime, datetime | None]]) -> Iterator[Pause]:
    """Till the date then in force, or by hand where there is none or it was removed.

    A date already past when postponed is a stale one.
    """
    known = sorted(dates, key=lambda each: each[0])
    earlier = [until for set_at, until in known if set_at <= stay.start][-1:]
    in_force = next((until for until in earlier if until and until > stay.start), None)
    turns: list[tuple[datetime, datetime | None]] = [(stay.start, in_force)]
    turns += [(set_at, until) for set_at, until in known if set_at > stay.start and _before(set_at, stay.end)]
    for (start, until), end in zip(turns, [*(at for at, _ in turns[1:]), stay.end], strict=True):
        stop = min((each for each in (until, end) if each is not None), default=None)
        if stop is None or stop > start:
            yield Pause(start, stop, POSTPONED)


def _before(at: datetime, end: datetime | None) -> bool:
    return end is None or at < end


def _joined(pauses: Iterable[Pause]) -> Iterator[Pause]:
    """Pauses that follow each other for the same cause made one."""
    held: Pause | None = None
    for pause in pauses:
        if held and held.cause == pause.cause and held.end == pause.start:
            held = held._replace(end=pause.end)
            continue
        if held:
            yield held
        held = pause
    if held:
        yield held
