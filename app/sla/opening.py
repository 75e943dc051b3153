"""Open time as absolute spans: wall hours of a zone turned into instants, a year at a time.

Everything is reckoned in pieces of constant UTC offset, so a day with a clock change has the 23,
24.5 or 25 hours that it has: hours inside a spring gap keep what exists of them, hours that an
autumn night repeats are open twice.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.sla.hours import ONE_DAY, Timetable, Windows

SECOND = timedelta(seconds=1)
NONE = timedelta(0)


class Piece(NamedTuple):
    """[start, end) during which the zone keeps one offset."""

    start: datetime
    end: datetime
    offset: timedelta


class Opening(NamedTuple):
    """[start, end) of open time, absolute."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class OpenYear:
    """The openings inside one UTC year with running sums, so that each question is a binary search."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    before: tuple[timedelta, ...]  # open time of the year before each opening
    until: tuple[timedelta, ...]  # the same up to each closing
    total: timedelta

    @classmethod
    def of(cls, openings: Sequence[Opening]) -> OpenYear:
        """Openings in order, none touching the next."""
        until = tuple(accumulate(end - start for start, end in openings))
        return cls(
            starts=tuple(start for start, _ in openings),
            ends=tuple(end for _, end in openings),
            before=(NONE, *until)[: len(until)],
            until=until,
            total=until[-1] if until else NONE,
        )

    def worked(self, at: datetime) -> timedelta:
        """Open time of the year up to `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return NONE
        return self.before[index] + min(at, self.ends[index]) - self.starts[index]

    def earliest(self, worked: timedelta) -> datetime:
        """The first instant at which `worked` (> 0, ≤ total) is reached: may be a closing."""
        index = bisect_left(self.until, worked)
        return self.starts[index] + (worked - self.before[index])

    def latest(self, worked: timedelta) -> datetime:
        """The last instant at which no more than `worked` (≥ 0, < total) is reached."""
        index = bisect_right(self.before, worked) - 1
        return self.starts[index] + (worked - self.before[index])

    def around(self, at: datetime) -> Opening | None:
        """The opening that holds `at`."""
        index = bisect_right(self.starts, at) - 1
        if index < 0 or at >= self.ends[index]:
            return None
        return Opening(self.starts[index], self.ends[index])


def open_year(timetable: Timetable, zone: ZoneInfo, year: int) -> OpenYear:
    """The openings of a UTC year; dates reach over its ends, the spans are cut at them."""
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    pieces = pieces_of(zone, first, last)
    found: list[Opening] = []
    for day in _dates(first.date() - ONE_DAY, last.date() + ONE_DAY):
        found.extend(instants(day, timetable.plan(day).windows, pieces))
    return OpenYear.of(_merged(found))


def instants(day: date, windows: Windows, pieces: Sequence[Piece]) -> Iterator[Opening]:
    """The instants whose wall time lies in the windows of `day`."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for opens, closes in windows:
        for piece in pieces:
            start = max(piece.start, midnight + opens - piece.offset)
            end = min(piece.end, midnight + closes - piece.offset)
            if start < end:
                yield Opening(start, end)


def pieces_of(zone: ZoneInfo, first: datetime, last: datetime) -> tuple[Piece, ...]:
    """[first, last) cut where the zone's offset changes."""
    pieces: list[Piece] = []
    start, known = first, _offset(zone, first)
    for day in range((last - first).days):
        end_of_day = first + (day + 1) * ONE_DAY - SECOND
        offset = _offset(zone, end_of_day)
        if offset != known:
            change = _change(zone, max(start, end_of_day - ONE_DAY), end_of_day)
            pieces.append(Piece(start, change, known))
            start, known = change, offset
    return (*pieces, Piece(start, last, known))


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second whose offset is no longer that of `low`; `high` already has another."""
    before = _offset(zone, low)

    def changed(seconds: int) -> bool:
        return _offset(zone, low + seconds * SECOND) != before

    whole = int((high - low) / SECOND)
    return low + bisect_left(range(whole), True, key=changed) * SECOND


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or NONE


def _merged(openings: Iterable[Opening]) -> list[Opening]:
    result: list[Opening] = []
    for opening in sorted(openings):
        if result and opening.start <= result[-1].end:
            result[-1] = Opening(result[-1].start, max(result[-1].end, opening.end))
        else:
            result.append(opening)
    return result


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + n * ONE_DAY for n in range((last - first).days))
