from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import holidays
import pytest

from app.sla.workdays import DayOff, WorkDaysFault, load_workdays, russian_workdays
from tests.sla.lives import OFFICE


def year_of(number: int) -> list[date]:
    first = date(number, 1, 1)
    return [first + timedelta(n) for n in range((date(number + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_working_days_agree_with_another_source(year: int) -> None:
    other = holidays.country_holidays("RU", years=year)

    assert [d for d in year_of(year) if OFFICE.is_working_day(d) != other.is_working_day(d)] == []


@pytest.mark.parametrize(("year", "days", "hours"), [(2025, 247, 1972), (2026, 247, 1972), (2027, 247, 1972)])
def test_the_years_norm_is_kept(year: int, days: int, hours: int) -> None:
    working = [d for d in year_of(year) if OFFICE.is_working_day(d)]
    short = sum(d in russian_workdays().shortened for d in working)

    assert (len(working), 8 * len(working) - short) == (days, hours)


def test_a_year_without_a_decree_keeps_only_the_codes_holidays() -> None:
    workdays = russian_workdays()

    assert workdays.day_off(date(2031, 1, 7)) == DayOff("Рождество Христово")
    assert workdays.day_off(date(2031, 12, 31)) is None
    assert sum(workdays.day_off(d) is not None for d in year_of(2031)) == 14
    assert workdays.provisional_from == date(2028, 1, 1)


def test_a_moved_day_off_is_no_holiday() -> None:
    off = russian_workdays().day_off(date(2026, 12, 31))

    assert off is not None
    assert off.why.startswith("day_off:")


def file_of(*years: int, **rows: Any) -> str:
    row = {"status": "decreed", "non_working": [], **rows}
    return json.dumps({"years": {str(year): row for year in years}})


def file_with(**rows: Any) -> str:
    return file_of(2030, **rows)


def test_an_own_file_needs_little() -> None:
    row = {"date": "2030-01-01", "kind": "public_holiday", "name": "Новый год"}
    workdays = load_workdays(file_with(non_working=[row]))

    assert workdays.day_off(date(2030, 1, 1)) == workdays.day_off(date(2035, 1, 1)) == DayOff("Новый год")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"years": {}}',
        file_with(status="projected"),
        file_with(non_working=[{"date": "2030-13-01", "kind": "public_holiday", "name": "Нет такого"}]),
        file_with(non_working=[{"date": "2030-01-01"}]),
        file_with(shortened=[{"date": "2030-01-01", "minutes_less": "час"}]),
    ],
)
def test_a_file_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(WorkDaysFault, match="не читается производственный календарь"):
        load_workdays(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (file_of(2026, 2028), "нет утверждённого 2027 года"),
        (file_of(2026, 2030), "2027 года между соседними; нет утверждённого 2028 года"),
        (
            file_with(shortened=[{"date": "2029-12-31", "minutes_less": 60}]),
            "2029-12-31 стоит не в своём году",
        ),
        (file_with(shortened=[{"date": "2030-12-31", "minutes_less": -60}]), "больше нуля"),
        (file_with(shortened=[{"date": "2030-12-31", "minutes_less": 0}]), "больше нуля"),
    ],
)
def test_what_a_file_gets_wrong_is_told(text: str, problem: str) -> None:
    with pytest.raises(WorkDaysFault, match=problem):
        load_workdays(text)


def test_years_that_follow_each_other_are_decreed() -> None:
    assert load_workdays(file_of(2026, 2027)).provisional_from == date(2028, 1, 1)
