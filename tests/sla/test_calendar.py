from __future__ import annotations

import itertools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.sla.calendar import Calendar, CalendarEnded, CalendarFault, calendar_of
from app.sla.workdays import load_workdays
from tests.sla.lives import ALWAYS, FIVE_DAYS, MOSCOW, OFFICE, at, day, hours, shown

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "business_time_vectors.json").read_text())[
    "vectors"
]
WEEK_24_7 = {name: ["00:00-24:00"] for name in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def built(case: dict[str, Any]) -> Calendar:
    return calendar_of(
        zone=ZoneInfo(case["timezone"]),
        weekly={name: ["-".join(each) for each in spans] for name, spans in case["weekly_hours"].items()},
        closed=[date.fromisoformat(text) for text in case["holidays"]],
        opened={
            date.fromisoformat(text): ["-".join(each) for each in spans]
            for text, spans in case["overrides"].items()
        },
    )


def answer(calendar: Calendar, case: dict[str, Any]) -> object:
    start = datetime.fromisoformat(case["start"])
    work = timedelta(seconds=case.get("seconds", case.get("minutes", 0) * 60))
    match case["op"]:
        case "between":
            return calendar.between(start, datetime.fromisoformat(case["end"])).total_seconds()
        case "is_open":
            return calendar.is_open(start)
        case "add":
            return calendar.add(start, work)
        case _:
            return calendar.subtract(start, work)


def expectation(case: dict[str, Any]) -> object:
    if case["op"] == "between":
        return case.get("expected_seconds", case["expected"] * 60)
    return case["expected"] if case["op"] == "is_open" else datetime.fromisoformat(case["expected"])


@pytest.mark.parametrize("case", VECTORS, ids=[case["id"] for case in VECTORS])
def test_seven_engines(case: dict[str, Any]) -> None:
    assert answer(built(case), case) == expectation(case)


def test_all_the_vectors_are_here() -> None:
    assert len(VECTORS) == 120


# domain.md 5.2
@pytest.mark.parametrize(
    ("created", "respond", "resolve", "reply_by", "solve_by"),
    [
        ("20.11.2026 17:00", 4, 24, "23.11.2026 12:00", "25.11.2026 14:00"),
        ("22.11.2026 23:10", 0.25, 4, "23.11.2026 09:15", "23.11.2026 13:00"),
        ("03.11.2026 16:45", 0.25, 4, "03.11.2026 17:00", "05.11.2026 12:45"),
        ("23.11.2026 18:00", 0.25, 4, "24.11.2026 09:15", "24.11.2026 13:00"),
        ("30.12.2026 16:30", 0.25, 4, "30.12.2026 16:45", "11.01.2027 11:30"),
        ("20.02.2027 10:00", 4, 24, "20.02.2027 14:00", "25.02.2027 17:00"),
        ("31.10.2025 17:30", 4, 24, "01.11.2025 12:30", "06.11.2025 15:30"),
        ("23.11.2026 09:00", 8, 48, "23.11.2026 17:00", "30.11.2026 12:00"),
        ("30.12.2027 17:00", 0.25, 4, "30.12.2027 17:15", "10.01.2028 12:00"),
    ],
)
def test_worked_examples(created: str, respond: float, resolve: float, reply_by: str, solve_by: str) -> None:
    assert OFFICE.add(at(created), hours(respond)) == at(reply_by)
    assert OFFICE.add(at(created), hours(resolve)) == at(solve_by)


def test_a_deadline_may_stand_on_a_closing() -> None:
    assert OFFICE.add(at("23.11 17:45"), hours(0.25)) == at("23.11 18:00")


@pytest.mark.parametrize(
    ("start", "following", "last"),
    [
        ("23.11 08:00", "23.11 09:00", "20.11 18:00"),
        ("23.11 12:00", "23.11 12:00", "23.11 12:00"),
        ("23.11 18:00", "24.11 09:00", "23.11 18:00"),
    ],
)
def test_no_work_moves_to_the_nearest_open_moment(start: str, following: str, last: str) -> None:
    assert OFFICE.add(at(start), hours(0)) == at(following) == OFFICE.next_open(at(start))
    assert OFFICE.subtract(at(start), hours(0)) == at(last)


def test_last_close_is_the_closing_before_even_while_open() -> None:
    assert shown(OFFICE.last_close(at("23.11 12:00"))) == "20.11 18:00"


def test_a_calendar_that_never_closes_has_no_last_close() -> None:
    with pytest.raises(CalendarEnded):
        ALWAYS.last_close(at("23.11 12:00"))


def test_24_7_has_no_gap_at_midnight_nor_at_new_year() -> None:
    assert ALWAYS.add(at("31.12.2026 23:59"), hours(1)) == at("01.01.2027 00:59")
    assert [each.why for each in ALWAYS.stretches(at("30.12.2026 12:00"), at("03.01.2027 12:00"))] == ["work"]


def test_years_of_work_are_added_at_once() -> None:
    end = OFFICE.add(at("23.11 09:00"), hours(9 * 2500))

    assert end.year == 2036
    assert OFFICE.between(at("23.11 09:00"), end) == hours(9 * 2500)


@pytest.mark.parametrize(
    ("zone", "weekly", "start", "end", "minutes"),
    [
        ("Europe/Berlin", ["00:00-24:00"], "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23 * 60),
        ("Europe/Berlin", ["00:00-24:00"], "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25 * 60),
        (
            "Australia/Lord_Howe",
            ["00:00-24:00"],
            "2026-10-04T00:00+10:30",
            "2026-10-05T00:00+11:00",
            23.5 * 60,
        ),
        (
            "Australia/Lord_Howe",
            ["00:00-24:00"],
            "2026-04-05T00:00+11:00",
            "2026-04-06T00:00+10:30",
            24.5 * 60,
        ),
        # An opening inside the gap keeps what exists of its span.
        ("Europe/Berlin", ["02:30-04:00"], "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 60),
        ("Europe/Berlin", ["02:00-03:00"], "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 0),
        # Wall hours that the night repeats are open twice.
        ("Europe/Berlin", ["02:00-03:00"], "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 120),
        ("America/Sao_Paulo", ["00:00-24:00"], "2015-10-18T01:00-02:00", "2015-10-19T00:00-02:00", 23 * 60),
        # A zone that changed its offset once for all.
        ("Asia/Yekaterinburg", ["00:00-24:00"], "2014-10-26T00:00+06:00", "2014-10-27T00:00+05:00", 25 * 60),
    ],
)
def test_days_with_a_clock_change(zone: str, weekly: list[str], start: str, end: str, minutes: float) -> None:
    calendar = calendar_of(zone=ZoneInfo(zone), weekly=dict.fromkeys(WEEK_24_7, weekly))

    got = calendar.between(datetime.fromisoformat(start), datetime.fromisoformat(end))

    assert got == timedelta(minutes=minutes)


def test_day_bounds_where_midnight_does_not_exist() -> None:
    calendar = calendar_of(zone=ZoneInfo("America/Sao_Paulo"), weekly=WEEK_24_7)

    start, end = calendar.day_bounds(date(2015, 10, 18))

    assert (start, end - start) == (datetime(2015, 10, 18, 3, tzinfo=UTC), hours(23))


def test_a_date_that_the_zone_skipped_is_empty() -> None:
    calendar = calendar_of(zone=ZoneInfo("Pacific/Apia"), weekly=WEEK_24_7)

    start, end = calendar.day_bounds(date(2011, 12, 30))

    assert start == end
    assert calendar.opening(date(2011, 12, 30)) is None


def test_stretches_cover_everything_and_say_why() -> None:
    found = list(OFFICE.stretches(at("30.12 17:00"), at("11.01.2027 10:00")))

    assert [(each.open, each.why) for each in found] == [
        (True, "work"),
        (False, "night"),
        (False, "day_off:Выходной, перенесён с 04.01.2026"),
        (False, "holiday:Новогодние каникулы"),
        (False, "holiday:Рождество Христово"),
        (False, "holiday:Новогодние каникулы"),
        (False, "weekend"),
        (False, "night"),
        (True, "work"),
    ]
    assert all(one.end == two.start for one, two in itertools.pairwise(found))


def test_a_date_closed_by_hand_says_closed() -> None:
    calendar = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, closed=[day("23.11.2026")])

    assert [each.why for each in calendar.stretches(at("23.11 00:00"), at("24.11 00:00"))] == ["closed"]


def test_opening_and_closing_of_a_short_saturday() -> None:
    saturday = day("20.02.2027")

    assert OFFICE.opening(saturday) == at("20.02.2027 09:00")
    assert OFFICE.closing(saturday) == at("20.02.2027 17:00")
    assert OFFICE.opening(day("22.02.2027")) is None


def test_after_the_decreed_years_moments_are_provisional() -> None:
    assert OFFICE.provisional_from == day("01.01.2028")
    assert not OFFICE.is_provisional(at("31.12.2027 23:59"))
    assert OFFICE.is_provisional(at("01.01.2028 00:00"))
    assert ALWAYS.provisional_from is None


def test_the_commonest_day_is_the_days_length() -> None:
    hours_of_week = FIVE_DAYS | {"fri": ["09:00-16:45"], "sat": ["10:00-22:00"]}

    assert calendar_of(zone=MOSCOW, weekly=hours_of_week).hours_per_day == hours(9)
    assert ALWAYS.hours_per_day == hours(24)


def test_fingerprints_tell_calendars_apart() -> None:
    same = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS)
    other = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, closed=[day("23.11.2026")])

    assert same.fingerprint == calendar_of(zone=MOSCOW, weekly=FIVE_DAYS).fingerprint
    assert len({same.fingerprint, other.fingerprint, OFFICE.fingerprint, ALWAYS.fingerprint}) == 4


@pytest.mark.parametrize(
    ("weekly", "keys"),
    [
        ({}, ["hours"]),
        ({"mon": []}, ["hours"]),
        ({"mon": ["9-18"], "monday": ["09:00-18:00"]}, ["hours.monday", "hours.mon"]),
        ({"mon": ["09:00-25:00"], "tue": ["10:00-10:00"]}, ["hours.mon", "hours.tue"]),
        ({"mon": ["09:00-13:00", "12:00-18:00"]}, ["hours.mon"]),
    ],
)
def test_a_calendar_that_cannot_work_is_refused_with_every_fault(
    weekly: dict[str, list[str]], keys: list[str]
) -> None:
    with pytest.raises(CalendarFault) as fault:
        calendar_of(zone=MOSCOW, weekly=weekly)

    assert [key for key, _ in fault.value.problems] == keys


def test_dates_of_its_own_do_not_make_a_calendar() -> None:
    with pytest.raises(CalendarFault, match="никогда не открыто"):
        calendar_of(zone=MOSCOW, weekly={}, opened={day("23.11.2026"): ["09:00-18:00"]})


def test_more_work_than_any_calendar_has_is_an_error_not_a_loop() -> None:
    brief = calendar_of(zone=MOSCOW, weekly={"mon": ["09:00-09:01"]})

    with pytest.raises(CalendarEnded):
        brief.add(at("23.11 09:00"), hours(24 * 365))
    with pytest.raises(CalendarEnded):
        brief.subtract(at("23.11 09:00"), hours(24 * 365))


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        OFFICE.add(datetime(2026, 11, 23, 9), hours(1))  # noqa: DTZ001


def test_24_7_works_on_holidays_unless_closed_by_hand() -> None:
    text = (Path(__file__).parents[2] / "app" / "sla" / "ru_workdays.json").read_text(encoding="utf-8")
    calendar = calendar_of(
        zone=MOSCOW,
        weekly={},
        production=load_workdays(text),
        around_the_clock=True,
        closed=[day("01.01.2027")],
    )

    assert not calendar.is_open(at("01.01.2027 12:00"))
    assert calendar.is_open(at("02.01.2027 12:00"))
