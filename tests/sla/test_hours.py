from __future__ import annotations

import pytest

from app.sla.calendar import calendar_of
from app.sla.hours import HoursFault, Window, written_hours
from app.sla.workdays import russian_workdays
from tests.sla.lives import FIVE_DAYS, MOSCOW, OFFICE, at, day, hours


def window(opens: float, closes: float) -> Window:
    return Window(hours(opens), hours(closes))


@pytest.mark.parametrize(
    ("texts", "windows", "tail"),
    [
        (["09:00-18:00"], (window(9, 18),), ()),
        (["9:00 – 18:30"], (window(9, 18.5),), ()),
        (["14:00-18:00", "09:00-13:00"], (window(9, 13), window(14, 18)), ()),
        (["09:00-13:00", "13:00-18:00"], (window(9, 18),), ()),
        (["00:00-24:00"], (window(0, 24),), ()),
        (["09:00-00:00"], (window(9, 24),), ()),
        (["22:00-06:00"], (window(22, 24),), (window(0, 6),)),
        ([], (), ()),
    ],
)
def test_hours_as_people_write_them(
    texts: list[str], windows: tuple[Window, ...], tail: tuple[Window, ...]
) -> None:
    assert written_hours(texts) == (windows, tail)


@pytest.mark.parametrize(
    "text", ["", "9-18", "09:60-18:00", "24:00-06:00", "09:00-24:30", "10:00-10:00", "x"]
)
def test_what_is_no_hours_is_refused(text: str) -> None:
    with pytest.raises(HoursFault, match=text or "«»"):
        written_hours([text])


def test_a_window_over_midnight_goes_on_next_day() -> None:
    nights = calendar_of(zone=MOSCOW, weekly={"fri": ["22:00-06:00"], "sun": ["23:00-01:00"]})

    assert nights.between(at("20.11 12:00"), at("21.11 12:00")) == hours(8)
    assert nights.is_open(at("23.11 00:30"))
    assert not nights.is_open(at("22.11 00:30"))


def test_own_hours_over_midnight_go_on_too() -> None:
    calendar = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, opened={day("21.11.2026"): ["22:00-02:00"]})

    assert calendar.is_open(at("22.11 01:59"))
    assert not calendar.is_open(at("22.11 02:00"))


def test_a_lunch_break_is_no_open_time() -> None:
    calendar = calendar_of(zone=MOSCOW, weekly={"mon": ["09:00-13:00", "14:00-18:00"]})

    assert calendar.add(at("23.11 12:30"), hours(1)) == at("23.11 14:30")


def test_a_working_saturday_has_the_hours_of_the_day_it_stands_for() -> None:
    week = FIVE_DAYS | {"mon": ["10:00-20:00"]}  # 20.02.2027 stands for Monday 22.02, and is short
    calendar = calendar_of(zone=MOSCOW, weekly=week, production=russian_workdays())

    assert calendar.opening(day("20.02.2027")) == at("20.02.2027 10:00")
    assert calendar.closing(day("20.02.2027")) == at("20.02.2027 19:00")


def test_own_hours_beat_a_holiday_and_a_short_eve() -> None:
    own = {day("04.11.2026"): ["10:00-12:00"], day("03.11.2026"): ["09:00-18:00"]}
    calendar = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, production=russian_workdays(), opened=own)

    assert calendar.between(at("04.11 00:00"), at("05.11 00:00")) == hours(2)
    assert calendar.is_open(at("03.11 17:30"))


def test_closed_beats_a_working_saturday() -> None:
    saturday = day("20.02.2027")
    calendar = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, production=russian_workdays(), closed=[saturday])

    assert OFFICE.is_working_day(saturday)
    assert not calendar.is_working_day(saturday)


def test_a_short_eve_ends_earlier_even_after_a_break() -> None:
    week = FIVE_DAYS | {"tue": ["09:00-13:00", "14:00-14:30"]}  # 03.11.2026 is a short Tuesday
    calendar = calendar_of(zone=MOSCOW, weekly=week, production=russian_workdays())

    assert calendar.closing(day("03.11.2026")) == at("03.11 12:30")
