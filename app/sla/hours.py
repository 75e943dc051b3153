"""Opening hours as people write them, and the hours that one date really has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from app.sla.workdays import WorkDays

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = timedelta(0)
DAY_END = timedelta(hours=24)
ONE_DAY = timedelta(days=1)

_HOURS = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)")


class HoursFault(ValueError):
    """Opening hours that cannot be meant; the text says what was expected."""


class Window(NamedTuple):
    """[opens, closes) in wall time since the date's midnight, not past 24:00."""

    opens: timedelta
    closes: timedelta


Windows = tuple[Window, ...]
WHOLE_DAY: Windows = (Window(MIDNIGHT, DAY_END),)


class Written(NamedTuple):
    """Hours of one date; `tail` is what runs on after midnight, on the next date."""

    windows: Windows
    tail: Windows


def written_hours(texts: Sequence[str]) -> Written:
    """`["09:00-13:00", "22:00-06:00"]` → windows; HoursFault for what is no hours."""
    windows: list[Window] = []
    tail: list[Window] = []
    for text in texts:
        opens, closes = _ends(text)
        windows.append(Window(opens, closes if closes > opens else DAY_END))
        if MIDNIGHT < closes < opens:
            tail.append(Window(MIDNIGHT, closes))
    if overlap(windows):
        raise HoursFault(f"промежутки пересекаются: {', '.join(texts)}")
    return Written(joined(windows), joined(tail))


def joined(windows: Iterable[Window]) -> Windows:
    """The same hours in order, with touching and overlapping windows made one."""
    result: list[Window] = []
    for window in sorted(windows):
        if result and window.opens <= result[-1].closes:
            result[-1] = Window(result[-1].opens, max(result[-1].closes, window.closes))
        else:
            result.append(window)
    return tuple(result)


def overlap(*several: Sequence[Window]) -> bool:
    """Whether any window opens before another has closed."""
    ordered = sorted(window for windows in several for window in windows)
    return any(later.opens < earlier.closes for earlier, later in pairwise(ordered))


def length(windows: Windows) -> timedelta:
    """Wall time from the openings to the closings."""
    return sum((closes - opens for opens, closes in windows), timedelta(0))


def _ends(text: str) -> tuple[timedelta, timedelta]:
    found = _HOURS.fullmatch(text.strip())
    if not found:
        raise HoursFault(f"«{text}» не часы работы: нужно вроде «09:00-18:00»")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    opens, closes = timedelta(hours=hour, minutes=minute), timedelta(hours=last_hour, minutes=last_minute)
    if opens >= DAY_END or closes > DAY_END:
        raise HoursFault(f"«{text}»: сутки кончаются в 24:00")
    if opens == closes:
        raise HoursFault(f"«{text}»: пустой промежуток; круглые сутки — «00:00-24:00»")
    return opens, closes


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What one local date has: its hours, and why the rest of it is closed."""

    windows: Windows
    why: str  # night, weekend, closed, holiday:<name>, day_off:<name>


@dataclass(frozen=True, slots=True)
class Timetable:
    """Which hours each date has. A date's own hours beat a holiday, a holiday the week (sla.md 1)."""

    weekly: tuple[Windows, ...]  # Monday first
    production: WorkDays | None = None
    closed: AbstractSet[date] = frozenset()
    opened: Mapping[date, Windows] = field(default_factory=dict)
    spilled: Mapping[date, Windows] = field(default_factory=dict)
    """What the own hours of the date before leave after midnight."""

    def plan(self, day: date) -> DayPlan:
        """The hours of a date."""
        own = self._own_plan(day)
        spilled = self.spilled.get(day)
        return DayPlan(joined((*own.windows, *spilled)), own.why) if spilled else own

    def _own_plan(self, day: date) -> DayPlan:
        if day in self.opened:
            return DayPlan(self.opened[day], "night" if self.opened[day] else "closed")
        if day in self.closed:
            return DayPlan((), "closed")
        off = self.production.day_off(day) if self.production else None
        if off:
            return DayPlan((), off.why)
        windows = self._working_hours(day)
        return DayPlan(windows, "night" if windows else "weekend")

    def _working_hours(self, day: date) -> Windows:
        """The week's hours, or those of the day that a working Saturday stands for; short eves end early."""
        windows = self.weekly[day.weekday()]
        if self.production is None:
            return windows
        if not windows and day in self.production.working_weekends:
            windows = self._swapped_hours(self.production.working_weekends[day])
        return _ended_earlier(windows, self.production.shortened.get(day, MIDNIGHT))

    def _swapped_hours(self, stands_for: date | None) -> Windows:
        hours = self.weekly[stands_for.weekday()] if stands_for else ()
        return hours or next((windows for windows in self.weekly if windows), ())


def _ended_earlier(windows: Windows, less: timedelta) -> Windows:
    kept = list(windows)
    while kept and less:
        opens, closes = kept.pop()
        if closes - opens > less:
            kept.append(Window(opens, closes - less))
            break
        less -= closes - opens
    return tuple(kept)
