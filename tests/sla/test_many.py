"""The arithmetic for many instants at once says what the scalar form says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import Calendar, CalendarEnded, calendar_of
from app.sla.many import add_many, between_many, instants_of, lengths_of, moments_of
from app.sla.workdays import russian_workdays
from tests.sla.lives import ALWAYS, FIVE_DAYS, MOSCOW, OFFICE, at, day, hours

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def every_day(zone: str, *texts: str) -> Calendar:
    return calendar_of(zone=ZoneInfo(zone), weekly=dict.fromkeys(WEEK, texts))


CALENDARS = [
    OFFICE,
    ALWAYS,
    every_day("Australia/Lord_Howe", "00:00-24:00"),
    every_day("Europe/Berlin", "02:30-04:00", "22:00-01:00"),
    every_day("America/New_York", "22:00-06:00"),
    every_day("Asia/Kathmandu", "09:00-13:00", "13:45-18:15"),
    calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, opened={day("22.11.2026"): ["10:00-14:00"]}),
]
calendars = st.sampled_from(CALENDARS)
# From a decreed year into the provisional ones.
moments = st.integers(0, 6 * 365 * 24 * 3600 * 10).map(
    lambda n: at("01.01.2025 00:00") + n * hours(1) / 36_000
)
works = st.integers(-5, 3 * 10**9).map(lambda n: timedelta(milliseconds=n))


@settings(deadline=None, max_examples=60)
@given(calendars, st.lists(st.tuples(moments, works), min_size=1, max_size=20))
def test_deadlines_are_those_of_one_ticket_after_another(
    calendar: Calendar, tickets: list[tuple[datetime, timedelta]]
) -> None:
    starts, lengths = instants_of(start for start, _ in tickets), lengths_of(work for _, work in tickets)

    assert moments_of(add_many(calendar, starts, lengths)) == [calendar.add(*ticket) for ticket in tickets]


@settings(deadline=None, max_examples=60)
@given(calendars, st.lists(st.tuples(moments, moments), min_size=1, max_size=20))
def test_lengths_are_those_of_one_ticket_after_another(
    calendar: Calendar, spans: list[tuple[datetime, datetime]]
) -> None:
    starts, ends = instants_of(start for start, _ in spans), instants_of(end for _, end in spans)

    found = between_many(calendar, starts, ends)

    assert found.tolist() == lengths_of(calendar.between(*span) for span in spans).tolist()


def test_one_term_serves_for_all() -> None:
    starts = instants_of([at("20.11 17:00"), at("23.11 10:00")])

    due = add_many(OFFICE, starts, lengths_of([hours(24)]))

    assert moments_of(due) == [at("25.11 14:00"), at("25.11 16:00")]


def test_columns_are_those_that_numpy_makes_of_dates() -> None:
    start = np.array(["2026-11-20T14:00:00"], dtype="datetime64[us]")

    assert moments_of(start.astype(np.int64)) == [datetime(2026, 11, 20, 14, tzinfo=UTC)]


def test_a_deadline_beyond_the_years_known_makes_more_of_them() -> None:
    fresh = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, production=russian_workdays())

    due = add_many(fresh, instants_of([at("23.11.2026 09:00")]), lengths_of([hours(9 * 2500)]))

    assert moments_of(due) == [OFFICE.add(at("23.11.2026 09:00"), hours(9 * 2500))]


def test_no_ticket_is_no_answer() -> None:
    nothing = instants_of([])

    assert add_many(OFFICE, nothing, nothing).size == between_many(OFFICE, nothing, nothing).size == 0


def test_more_work_than_any_calendar_has_is_an_error_not_a_loop() -> None:
    brief = calendar_of(zone=MOSCOW, weekly={"mon": ["09:00-09:01"]})

    with pytest.raises(CalendarEnded):
        add_many(brief, instants_of([at("23.11 09:00")]), lengths_of([hours(24 * 365)]))
