"""Running sums of open time: every question about a calendar is an index or one binary search.

Instants are lengths since the epoch here, so the arithmetic is two additions without a zone, a
date or a number to convert; it is exact to the microsecond.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from app.sla.hours import ONE_DAY, Timetable
from app.sla.opening import NONE, Opening, merged_openings, openings_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WIDER = (1, 3, 7, 15, 31, 60)
"""How many years a search goes on beyond those known. No term is longer: it would not end at all."""


def since_epoch(at: datetime) -> timedelta:
    """An aware instant as the length of time since the epoch, whatever its zone."""
    try:
        return at - EPOCH
    except TypeError:
        raise ValueError(f"{at} has no zone: instants are aware") from None


@dataclass(frozen=True, slots=True, eq=False)
class RunningSums:
    """The openings of the UTC days [first_day, last_day), days counted from the epoch.

    Behind the last opening stands an empty one at the end of the days, so a next one is always there.
    """

    first_day: int
    last_day: int
    starts: tuple[timedelta, ...]
    ends: tuple[timedelta, ...]
    before: tuple[timedelta, ...]  # open time since `first_day` before each opening
    leads: tuple[timedelta, ...]
    """What to add to an instant inside an opening for the open time up to it: `before` less the start."""
    nearest: tuple[int, ...]  # by day: the first opening that is not over when the day begins

    @classmethod
    def of(cls, first_day: int, last_day: int, openings: Sequence[Opening]) -> RunningSums:
        """Openings in order, none touching the next."""
        horizon = last_day * ONE_DAY
        starts = (*(start - EPOCH for start, _ in openings), horizon)
        ends = (*(end - EPOCH for _, end in openings), horizon)
        lengths = (end - start for start, end in zip(starts, ends, strict=True))
        before = (NONE, *accumulate(lengths))[: len(starts)]
        return cls(
            first_day,
            last_day,
            starts,
            ends,
            before,
            leads=tuple(sum_ - start for sum_, start in zip(before, starts, strict=True)),
            nearest=tuple(bisect_right(ends, day * ONE_DAY) for day in range(first_day, last_day)),
        )

    @property
    def total(self) -> timedelta:
        """All open time of these days."""
        return self.before[-1]

    def covers(self, first_day: int, last_day: int) -> bool:
        """Whether both days are among these."""
        return self.first_day <= first_day and last_day < self.last_day

    def index(self, at: timedelta) -> int:
        """Which opening holds `at`, else comes next."""
        index = self.nearest[at.days - self.first_day]
        while self.ends[index] <= at:
            index += 1
        return index

    def worked(self, at: timedelta) -> timedelta:
        """Open time since `first_day` up to `at`, one of these days' instants: a glance, no search."""
        index = self.nearest[at.days - self.first_day]
        while self.ends[index] <= at:
            index += 1
        start = self.starts[index]
        return self.leads[index] + (at if at > start else start)  # noqa: FURB136  (max costs as much again)

    def earliest(self, worked: timedelta) -> timedelta:
        """The first instant at which `worked` (> 0, ≤ total) is reached: may be a closing."""
        index = bisect_left(self.before, worked) - 1
        return worked - self.leads[index]

    def latest(self, worked: timedelta) -> timedelta:
        """The last instant at which no more than `worked` (≥ 0, < total) is reached."""
        index = bisect_right(self.before, worked) - 1
        return worked - self.leads[index]


class Years:
    """The running sums of the years asked about so far and of all between them; others follow on demand.

    A wider table takes the place of the old one in one step: who still holds the old one is not disturbed.
    """

    def __init__(self, timetable: Timetable, zone: ZoneInfo) -> None:
        self._timetable, self._zone = timetable, zone
        self._openings: dict[int, list[Opening]] = {}
        self._sums = RunningSums.of(0, 0, ())

    def covering(self, first_day: int, last_day: int) -> RunningSums:
        """Sums that reach over both days."""
        sums = self._sums
        if sums.covers(first_day, last_day):
            return sums
        days = (first_day, last_day, *((sums.first_day, sums.last_day - 1) if sums.nearest else ()))
        return self._reaching(_year(min(days)), _year(max(days)))

    def ahead(self, sums: RunningSums) -> Iterator[RunningSums]:
        """Ever longer sums that begin where these do; they end at the horizon."""
        first, last = _year(sums.first_day), _year(sums.last_day - 1)
        return (self._reaching(first, last + more) for more in WIDER)

    def back(self, sums: RunningSums) -> Iterator[RunningSums]:
        """Ever longer sums that end where these do."""
        first, last = _year(sums.first_day), _year(sums.last_day - 1)
        return (self._reaching(first - more, last) for more in WIDER)

    def _reaching(self, first: int, last: int) -> RunningSums:
        years = range(first, last + 1)
        found = merged_openings(opening for year in years for opening in self._of_year(year))
        self._sums = RunningSums.of(_first_day(first), _first_day(last + 1), found)
        return self._sums

    def _of_year(self, year: int) -> list[Opening]:
        known = self._openings.get(year)
        if known is None:
            known = self._openings[year] = openings_of(self._timetable, self._zone, year)
        return known


def _year(day: int) -> int:
    return (EPOCH + day * ONE_DAY).year


def _first_day(year: int) -> int:
    return (datetime(year, 1, 1, tzinfo=UTC) - EPOCH).days
