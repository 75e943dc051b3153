"""Business time of one calendar: add, subtract and measure open time (sla.md 1).

Instants go in and come out as aware UTC; wall time exists only inside `opening` and in `local`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.sla.hours import (
    ONE_DAY,
    WEEKDAYS,
    WHOLE_DAY,
    HoursFault,
    Timetable,
    Windows,
    Written,
    joined,
    length,
    overlap,
    written_hours,
)
from app.sla.opening import NONE, Opening, Piece, instants, pieces_of
from app.sla.running import EPOCH, WIDER, RunningSums, Years, since_epoch
from app.sla.workdays import WorkDays


class CalendarFault(ValueError):
    """The calendar cannot work as written; `problems`: (key inside the calendar, what is wrong)."""

    def __init__(self, *problems: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{key}: {text}" if key else text for key, text in problems))
        self.problems = problems


class CalendarEnded(CalendarFault):
    """The calendar has too few open hours for the work asked of it."""


class Stretch(NamedTuple):
    """[start, end) that is open or closed for one reason."""

    start: datetime
    end: datetime
    open: bool
    why: str  # work, night, weekend, closed, holiday:<name>, day_off:<name>


def merged(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Stretches that follow each other, those with the same reason made one."""
    held: Stretch | None = None
    for stretch in stretches:
        if held and held.why == stretch.why:
            held = held._replace(end=stretch.end)
            continue
        if held:
            yield held
        held = stretch
    if held:
        yield held


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """When work is done. Years are worked out when first needed and kept: the value never changes."""

    zone: ZoneInfo
    timetable: Timetable
    hours_per_day: timedelta
    """The commonest working day's length: what «1 раб. дн.» means."""
    fingerprint: str
    """Equal for calendars that open at the same hours."""
    years: Years = field(repr=False)

    # --- arithmetic ----------------------------------------------------------------------

    def add(self, start: datetime, work: timedelta) -> datetime:
        """The earliest instant with `work` of open time since `start`; no work: the next open instant."""
        at = since_epoch(start)
        if work <= NONE:
            return self.next_open(start)
        sums = self.years.covering(at.days, at.days)
        needed = sums.worked(at) + work
        if needed > sums.total:
            longer = (each for each in self.years.ahead(sums) if needed <= each.total)
            sums = _reached(longer, f"{work} от {start:%d.%m.%Y}")
        return EPOCH + sums.earliest(needed)

    def subtract(self, start: datetime, work: timedelta) -> datetime:
        """The latest instant with `work` of open time up to `start`.

        No work: `start` itself if open, else the last closing.
        """
        at = since_epoch(start)
        if work <= NONE:
            return EPOCH + at if self.is_open(start) else self.last_close(start)
        sums = self.years.covering(at.days, at.days)
        if sums.worked(at) < work:
            longer = (each for each in self.years.back(sums) if each.worked(at) >= work)
            sums = _reached(longer, f"{work} до {start:%d.%m.%Y}")
        return EPOCH + sums.latest(sums.worked(at) - work)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Open time from `start` to `end`; nothing if `end` is not after `start`."""
        first, last = since_epoch(start), since_epoch(end)
        if last <= first:
            return NONE
        sums = self.years.covering(first.days, last.days)
        return sums.worked(last) - sums.worked(first)

    def holds(self, work: timedelta) -> bool:
        """Whether so much open time ever comes, even where no decree adds a day."""
        if work > WIDER[-1] * 366 * ONE_DAY:
            return False  # there is not so much time of any kind
        year = self.provisional_from.year if self.provisional_from else EPOCH.year
        try:
            self.add(datetime(year, 1, 1, tzinfo=UTC), work)
        except CalendarEnded:
            return False
        return True

    # --- instants ------------------------------------------------------------------------

    def is_open(self, at: datetime) -> bool:
        """Whether `at` lies inside an opening; its closing does not."""
        return self._opening_at(at) is not None

    def next_open(self, at: datetime) -> datetime:
        """The first open instant at or after `at`."""
        since = since_epoch(at)
        sums = self.years.covering(since.days, since.days)
        worked = sums.worked(since)
        if worked == sums.total:
            longer = (each for each in self.years.ahead(sums) if worked < each.total)
            sums = _reached(longer, f"открытие после {at:%d.%m.%Y}")
        return EPOCH + sums.latest(worked)

    def last_close(self, at: datetime) -> datetime:
        """The last closing at or before `at`."""
        since = since_epoch(at)
        sums = self.years.covering(since.days, since.days)
        if sums.index(since) == 0:
            longer = (each for each in self.years.back(sums) if each.index(since))
            sums = _reached(longer, f"закрытие до {at:%d.%m.%Y}")
        return EPOCH + sums.ends[sums.index(since) - 1]

    def local(self, at: datetime) -> datetime:
        """Wall time in the calendar's zone."""
        return (EPOCH + since_epoch(at)).astimezone(self.zone)

    def _opening_at(self, at: datetime) -> Opening | None:
        since = since_epoch(at)
        sums = self.years.covering(since.days, since.days)
        start, end = sums.starts[sums.index(since)], sums.ends[sums.index(since)]
        return Opening(EPOCH + start, EPOCH + end) if start <= since else None

    # --- dates ---------------------------------------------------------------------------

    def is_working_day(self, day: date) -> bool:
        """Whether the date has any hours."""
        return bool(self.timetable.plan(day).windows)

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """The instants at which a local date begins and ends (23 to 25 hours apart)."""
        found = list(instants(day, WHOLE_DAY, self._pieces(day)))
        if not found:  # a date that the zone skipped, as Samoa's 30.12.2011
            midnight = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
            return midnight, midnight
        return found[0].start, found[-1].end

    def opening(self, day: date) -> datetime | None:
        """When work begins on a date; None on a date off."""
        found = self._openings(day)
        return found[0].start if found else None

    def closing(self, day: date) -> datetime | None:
        """When work ends on a date; None on a date off."""
        found = self._openings(day)
        return found[-1].end if found else None

    def _openings(self, day: date) -> list[Opening]:
        return sorted(instants(day, self.timetable.plan(day).windows, self._pieces(day)))

    def _pieces(self, day: date) -> Sequence[Piece]:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return pieces_of(self.zone, midnight - ONE_DAY, midnight + 2 * ONE_DAY)

    # --- explanation ---------------------------------------------------------------------

    def stretches(self, start: datetime, end: datetime) -> Iterator[Stretch]:
        """[start, end) completely, cut at openings, closings and local midnights, same neighbours merged."""
        return merged(self._cut(EPOCH + since_epoch(start), EPOCH + since_epoch(end)))

    def _cut(self, start: datetime, end: datetime) -> Iterator[Stretch]:
        at = start
        while at < end:
            day = self.local(at).date()
            opening = self._opening_at(at)
            following = min(self._next_edge(at, day, opening), end)
            why = "work" if opening else self.timetable.plan(day).why
            yield Stretch(at, following, opening is not None, why)
            at = following

    def _next_edge(self, at: datetime, day: date, opening: Opening | None) -> datetime:
        """Where the reason may change: the closing, else the next opening or the end of the date."""
        if opening:
            return opening.end
        ahead = [start for start, _ in self._openings(day) if start > at]
        return min([*ahead, self.day_bounds(day)[1]])

    # --- how sure ------------------------------------------------------------------------

    @property
    def provisional_from(self) -> date | None:
        """The first date whose production calendar is not decreed yet."""
        production = self.timetable.production
        return production.provisional_from if production else None

    def is_provisional(self, at: datetime) -> bool:
        """Whether `at` falls in a year without a decree."""
        production = self.timetable.production
        return production is not None and self.local(at).year not in production.decreed


def calendar_of(
    *,
    zone: ZoneInfo,
    weekly: Mapping[str, Sequence[str]],
    production: WorkDays | None = None,
    closed: Collection[date] = (),
    opened: Mapping[date, Sequence[str]] | None = None,
    around_the_clock: bool = False,
) -> Calendar:
    """Build a calendar from hours as written: `weekly` by mon … sun, `opened` by date.

    `around_the_clock` opens every day for 24 hours: the week and the production calendar say
    nothing then, `closed` and `opened` still do. CalendarFault tells every fault at once.
    """
    problems = [(f"hours.{key}", "нет такого дня: mon … sun") for key in weekly if key not in WEEKDAYS]
    week = {key: ["00:00-24:00"] for key in WEEKDAYS} if around_the_clock else weekly
    days = {key: _written(f"hours.{key}", week.get(key, ()), problems) for key in WEEKDAYS}
    own = {day: _written(f"open.{day}", texts, problems) for day, texts in (opened or {}).items()}
    problems += [
        (f"hours.{key}", f"ночные часы {before} пересекаются с часами {key}")
        for before, key in _with_the_day_before()
        if overlap(days[before].tail, days[key].windows)
    ]
    problems += [
        (f"open.{day}", "пересекается с ночными часами, названными для даты раньше")
        for day, hours in own.items()
        if day - ONE_DAY in own and overlap(own[day - ONE_DAY].tail, hours.windows)
    ]
    if not problems and not any(windows for windows, _ in days.values()):
        problems.append(("hours", "никогда не открыто: нужен хотя бы один день с часами работы"))
    if problems:
        raise CalendarFault(*problems)
    timetable = Timetable(
        weekly=tuple(joined((*days[key][0], *days[before][1])) for before, key in _with_the_day_before()),
        production=None if around_the_clock else production,
        closed=frozenset(closed),
        opened={day: windows for day, (windows, _) in own.items()},
        spilled={day + ONE_DAY: tail for day, (_, tail) in own.items() if tail},
    )
    day_length, fingerprint = _common_length(timetable.weekly), _fingerprint(zone, timetable)
    return Calendar(zone, timetable, day_length, fingerprint, Years(timetable, zone))


def _written(key: str, texts: Sequence[str], problems: list[tuple[str, str]]) -> Written:
    try:
        return written_hours(texts)
    except HoursFault as fault:
        problems.append((key, str(fault)))
        return Written((), ())


def _with_the_day_before() -> Iterator[tuple[str, str]]:
    return zip((WEEKDAYS[-1], *WEEKDAYS), WEEKDAYS, strict=False)


def _common_length(weekly: Sequence[Windows]) -> timedelta:
    """The length that most working days have; of equals the longest."""
    lengths = Counter(length(windows) for windows in weekly if windows)
    return max(lengths, key=lambda each: (lengths[each], each))


def _fingerprint(zone: ZoneInfo, timetable: Timetable) -> str:
    production = timetable.production
    parts = {
        "zone": zone.key,
        "weekly": timetable.weekly,
        "closed": sorted(timetable.closed),
        "opened": sorted(timetable.opened.items()),
        "spilled": sorted(timetable.spilled.items()),
        "decreed": sorted(production.decreed) if production else None,
        "off": sorted(production.off) if production else None,
        "fixed": sorted(production.fixed) if production else None,
        "swapped": sorted(production.working_weekends) if production else None,
        "shortened": sorted(production.shortened.items()) if production else None,
    }
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _reached(longer: Iterable[RunningSums], asked: str) -> RunningSums:
    found = next(iter(longer), None)
    if found is None:
        raise CalendarEnded(("", f"в календаре не хватает рабочих часов: {asked}"))
    return found
