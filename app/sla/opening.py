"""Open time as absolute spans: wall hours of a zone turned into instants, a year at a time.

Everything is reckoned in pieces of constant UTC offset, so a day with a clock change has the 23,
24.5 or 25 hours that it has: hours inside a spring gap keep what exists of them, hours that an
autumn night repeats are open twice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
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


def openings_of(timetable: Timetable, zone: ZoneInfo, year: int) -> list[Opening]:
    """The openings of a UTC year; dates reach over its ends, the spans are cut at them."""
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    pieces = pieces_of(zone, first, last)
    found: list[Opening] = []
    for day in _dates(first.date() - ONE_DAY, last.date() + ONE_DAY):
        found.extend(instants(day, timetable.plan(day).windows, pieces))
    return merged_openings(found)


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


def merged_openings(openings: Iterable[Opening]) -> list[Opening]:
    """The same open time in order, with openings that touch or overlap made one."""
    result: list[Opening] = []
    for opening in sorted(openings):
        if result and opening.start <= result[-1].end:
            result[-1] = Opening(result[-1].start, max(result[-1].end, opening.end))
        else:
            result.append(opening)
    return result


def _dates(first: date, last: date) -> Iterator[date]:
    return (first + n * ONE_DAY for n in range((last - first).days))
