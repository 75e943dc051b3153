"""When which digest is due (domain.md 8): pure arithmetic on the desk's calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from app.metrics.periods import Period, PeriodKind, finished_period
from app.sla.calendar import Calendar

if TYPE_CHECKING:
    from app.rules import DigestTimes

PUNCTUAL = timedelta(minutes=10)
"""A digest sent later than this after its hour says so."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One digest that the desk expects."""

    kind: PeriodKind
    period: Period
    due_at: datetime

    @property
    def name(self) -> str:
        """`day/2026-11-24`."""
        return f"{self.kind}/{self.period.first.isoformat()}"

    def is_late(self, now: datetime) -> bool:
        """True when the reader should be told that it came after its hour."""
        return now - self.due_at > PUNCTUAL


def due_slots(times: DigestTimes, calendar: Calendar, born_at: datetime, now: datetime) -> tuple[Slot, ...]:
    """Today's digests whose hour has come; none of a time in which there was no service yet."""
    today = calendar.local(now).date()
    slots = (
        Slot(kind, finished_period(kind, today, calendar), _at(today, hour, calendar))
        for kind, hour in _hours(times, calendar, today)
    )
    return tuple(
        slot
        for slot in slots
        if slot.due_at <= now and born_at <= slot.due_at and born_at < slot.period.bounds(calendar.zone)[1]
    )


def _hours(times: DigestTimes, calendar: Calendar, today: date) -> Iterator[tuple[PeriodKind, time]]:
    if times.daily is not None and calendar.is_working_day(today):
        yield PeriodKind.DAY, times.daily
    if times.weekly is not None and today.weekday() == times.weekly[0]:
        yield PeriodKind.WEEK, times.weekly[1]
    if times.monthly is not None and today == first_working_day(today, calendar):
        yield PeriodKind.MONTH, times.monthly


def first_working_day(month: date, calendar: Calendar) -> date:
    """The month's first day of work."""
    day = month.replace(day=1)
    while not calendar.is_working_day(day):
        day += timedelta(days=1)
    return day


def _at(day: date, hour: time, calendar: Calendar) -> datetime:
    return datetime.combine(day, hour, calendar.zone).astimezone(UTC)
