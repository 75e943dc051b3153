"""Reporting periods in local dates.

A day's report covers the days off that follow it: Monday's tells about Friday to Sunday
(domain.md 8), so the days of a calendar are cut into periods without gaps or overlaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.sla.calendar import Calendar

DAY = timedelta(days=1)
LONGEST_BREAK = 60
"""Days without a working one after which a calendar day stands for itself."""

QUEUE_DAYS = 10
REPEAT_WINDOW = timedelta(days=7)


class PeriodKind(StrEnum):
    """How long a report looks back."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Period:
    """Local dates, both included."""

    kind: PeriodKind
    first: date
    last: date

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The half-open stretch of absolute time."""
        return bounds_of(self.first, self.last, zone)


def bounds_of(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Midnight before `first` and midnight after `last`, UTC."""
    return midnight(first, zone), midnight(last + DAY, zone)


def midnight(on: date, zone: ZoneInfo) -> datetime:
    """The instant at which a local date begins."""
    return datetime.combine(on, time.min, tzinfo=zone).astimezone(UTC)


def period_of(kind: PeriodKind, on: date, calendar: Calendar) -> Period:
    """The period that contains a date."""
    if kind is PeriodKind.WEEK:
        monday = on - timedelta(days=on.weekday())
        return Period(kind, monday, monday + timedelta(days=6))
    if kind is PeriodKind.MONTH:
        first = on.replace(day=1)
        return Period(kind, first, (first + timedelta(days=32)).replace(day=1) - DAY)
    return _day_with_break(on, calendar)


def period_before(period: Period, calendar: Calendar) -> Period:
    """The neighbour of the same kind, for comparison."""
    return period_of(period.kind, period.first - DAY, calendar)


def finished_period(kind: PeriodKind, on: date, calendar: Calendar) -> Period:
    """The last period that was over when `on` began."""
    period = period_of(kind, on - DAY, calendar)
    return period if period.last < on else period_before(period, calendar)


def reach(period: Period, calendar: Calendar) -> tuple[datetime, datetime]:
    """The instants whose outcomes the figures of a period need.

    The queue's length looks at ten working days before, and a last day that still runs is none of them;
    a repeat tells on a solution seven days after.
    """
    days = last_working_days(period.last, QUEUE_DAYS + 1, calendar)
    start = min(days[-1], period.first)
    start_at, end_at = bounds_of(start, period.last, calendar.zone)
    return start_at, end_at + REPEAT_WINDOW


def working_days(first: date, last: date, calendar: Calendar) -> int:
    """Working days, both ends included."""
    return sum(calendar.is_working_day(first + DAY * step) for step in range((last - first).days + 1))


def last_working_days(on: date, count: int, calendar: Calendar) -> list[date]:
    """Up to `count` working days ending with `on`, newest first; never empty."""
    days = (on - DAY * step for step in range(count * 2 + LONGEST_BREAK))
    found = [day for day in days if calendar.is_working_day(day)]
    return found[:count] or [on]


def _day_with_break(on: date, calendar: Calendar) -> Period:
    first = last_working_days(on, 1, calendar)[0]
    last = first
    while not calendar.is_working_day(last + DAY) and (last - first).days < LONGEST_BREAK:
        last += DAY
    return Period(PeriodKind.DAY, first, max(last, on))
