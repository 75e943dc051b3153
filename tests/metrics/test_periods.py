from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.periods import (
    Period,
    PeriodKind,
    finished_period,
    period_before,
    period_of,
    reach,
    working_days,
)
from app.sla.calendar import calendar_of
from tests.metrics.outcomes import MOSCOW, WORKING, at, office

DAY, WEEK, MONTH = PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH


def november(first: int, last: int) -> tuple[date, date]:
    return date(2026, 11, first), date(2026, 11, last)


@pytest.mark.parametrize(
    ("kind", "on", "days"),
    [
        (DAY, 24, (23, 23)),
        (DAY, 23, (20, 22)),  # Monday tells about the whole break
        (DAY, 21, (19, 19)),  # on Saturday Friday's period still runs
        (WEEK, 23, (16, 22)),
        (WEEK, 24, (16, 22)),
        (WEEK, 22, (9, 15)),
    ],
)
def test_last_finished_period(kind: PeriodKind, on: int, days: tuple[int, int]) -> None:
    period = finished_period(kind, date(2026, 11, on), office())

    assert (period.first, period.last) == november(*days)


def test_last_finished_month() -> None:
    period = finished_period(MONTH, date(2026, 12, 1), office())

    assert (period.first, period.last) == november(1, 30)


@pytest.mark.parametrize("on", [20, 21, 22])
def test_a_day_off_belongs_to_the_working_day_before(on: int) -> None:
    assert period_of(DAY, date(2026, 11, on), office()) == Period(DAY, *november(20, 22))


def test_a_holiday_lengthens_the_break() -> None:
    calendar = calendar_of(
        zone=MOSCOW, weekly={day: ["09:00-18:00"] for day in WORKING}, closed=[date(2026, 11, 23)]
    )

    assert finished_period(DAY, date(2026, 11, 24), calendar) == Period(DAY, *november(20, 23))


@given(st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.sampled_from(PeriodKind))
def test_periods_cut_time_without_gap_or_overlap(on: date, kind: PeriodKind) -> None:
    calendar = office()
    period = period_of(kind, on, calendar)

    assert period.first <= on <= period.last
    assert period_before(period, calendar).last == period.first - timedelta(days=1)


def test_bounds_are_local_midnights() -> None:
    assert Period(DAY, *november(24, 24)).bounds(MOSCOW) == (at("24.11 00:00"), at("25.11 00:00"))


def test_working_days_leave_the_weekend_out() -> None:
    assert working_days(*november(20, 24), office()) == 3


def test_reach_covers_ten_working_days_before_a_running_one_and_a_week_after() -> None:
    assert reach(Period(DAY, *november(24, 24)), office()) == (at("10.11 00:00"), at("02.12 00:00"))
