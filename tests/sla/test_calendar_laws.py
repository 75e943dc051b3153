"""The laws of sla.md 1, and an oracle that knows nothing of spans: it looks at every minute's wall time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.sla.calendar import Calendar, calendar_of
from app.sla.workdays import russian_workdays
from tests.sla.lives import ALWAYS, FIVE_DAYS, HOLD, OFFICE, WORK, at, cycles, life, ours

MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

# Zones with a change of the clock inside a fortnight that starts there.
CHANGES = [
    ("Europe/Berlin", datetime(2026, 3, 24, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 20, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 10, 28, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2015, 10, 14, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2016, 2, 17, tzinfo=UTC)),  # midnight comes twice
    ("Australia/Lord_Howe", datetime(2026, 4, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 9, 30, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 27, tzinfo=UTC)),  # a date is skipped
    ("Asia/Kathmandu", datetime(2026, 12, 28, tzinfo=UTC)),
]


def clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


Windows = list[tuple[int, int]]  # minutes of the day; one that closes before it opens runs on over midnight


def holds(spans: Windows, minute: int) -> bool:
    return any(opens <= minute < (closes if opens < closes else 24 * 60) for opens, closes in spans)


def runs_on(spans: Windows, minute: int) -> bool:
    return any(minute < closes < opens for opens, closes in spans)


windows: st.SearchStrategy[Windows] = st.lists(
    st.integers(0, 24 * 4).map(lambda n: n * 15), min_size=0, max_size=4, unique=True
).map(lambda edges: list(pairwise(sorted(edges)))[::2])
nights: st.SearchStrategy[Windows] = st.builds(
    lambda opens, closes, day: [*day, (opens * 15, closes * 15)],
    st.integers(18 * 4, 24 * 4 - 1),  # from the evening
    st.integers(1, 6 * 4),  # to the next morning
    st.sampled_from([[], [(9 * 60, 13 * 60), (14 * 60, 18 * 60)]]),
)
day_windows = windows.map(
    lambda spans: [(max(a, 360), min(b, 1080)) for a, b in spans if a < 1080 and b > 360]
)
weeks = st.one_of(
    st.lists(windows, min_size=7, max_size=7),
    st.lists(day_windows | nights, min_size=7, max_size=7),
).filter(any)


class Minutes:
    """The same calendar told minute by minute."""

    def __init__(self, zone: str, week: list[Windows], closed: set[date], own: dict[date, Windows]) -> None:
        self.zone, self.week, self.closed, self.own = ZoneInfo(zone), week, closed, own

    def calendar(self) -> Calendar:
        def texts(spans: Windows) -> list[str]:
            return [f"{clock(opens)}-{clock(closes)}" for opens, closes in spans]

        return calendar_of(
            zone=self.zone,
            weekly={name: texts(spans) for name, spans in zip(DAYS, self.week, strict=True)},
            closed=self.closed,
            opened={day: texts(spans) for day, spans in self.own.items()},
        )

    def is_open(self, moment: datetime) -> bool:
        wall = moment.astimezone(self.zone)
        today, minute = wall.date(), wall.hour * 60 + wall.minute
        yesterday = today - timedelta(days=1)
        if today in self.own:
            is_open = holds(self.own[today], minute)
        elif today in self.closed:
            is_open = False
        else:
            is_open = holds(self.week[today.weekday()], minute) or runs_on(
                self.week[yesterday.weekday()], minute
            )
        return is_open or runs_on(self.own.get(yesterday, []), minute)

    def between(self, start: datetime, end: datetime) -> timedelta:
        return sum((MINUTE for minute in every_minute(start, end) if self.is_open(minute)), timedelta(0))


def every_minute(start: datetime, end: datetime) -> Iterator[datetime]:
    return (start + n * MINUTE for n in range(max(0, (end - start) // MINUTE)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Minutes, datetime, datetime]:
    zone, base = draw(st.sampled_from(CHANGES))
    dates = st.integers(0, 13).map(lambda n: (base + timedelta(days=n)).date())
    oracle = Minutes(
        zone,
        draw(weeks),
        draw(st.sets(dates, max_size=2)),
        draw(st.dictionaries(dates, day_windows | nights, max_size=2)),
    )
    minutes = st.integers(0, 4 * 24 * 60)
    first, length = draw(minutes), draw(minutes)
    return oracle, base + first * MINUTE, base + (first + length) * MINUTE


@settings(deadline=None, max_examples=60)
@given(cases())
def test_every_minute_agrees(case: tuple[Minutes, datetime, datetime]) -> None:
    oracle, start, end = case
    calendar = oracle.calendar()

    assert calendar.between(start, end) == oracle.between(start, end)
    assert calendar.is_open(start) == oracle.is_open(start)
    assert calendar.is_open(end) == oracle.is_open(end)


@settings(deadline=None, max_examples=30)
@given(cases())
def test_add_is_the_earliest_and_subtract_the_latest(case: tuple[Minutes, datetime, datetime]) -> None:
    oracle, start, end = case
    calendar, work = oracle.calendar(), oracle.between(start, end)
    if not work:
        return
    due, begun = calendar.add(start, work), calendar.subtract(end, work)

    assert start < due <= end
    assert oracle.is_open(due - MINUTE)
    assert oracle.between(start, due) == work == oracle.between(begun, end)
    assert start <= begun < end
    assert oracle.is_open(begun)


@settings(deadline=None, max_examples=30)
@given(cases())
def test_stretches_cover_and_agree(case: tuple[Minutes, datetime, datetime]) -> None:
    oracle, start, end = case
    stretches = list(oracle.calendar().stretches(start, end))
    edges = [stretch.start for stretch in stretches] + [end]

    assert edges == sorted(set(edges))
    assert edges[0] == start
    assert [stretch.end for stretch in stretches] == edges[1:]
    for stretch in stretches:
        assert all(
            oracle.is_open(minute) == stretch.open for minute in every_minute(stretch.start, stretch.end)
        )


# --- laws --------------------------------------------------------------------------------

BERLIN_NIGHTS = calendar_of(zone=ZoneInfo("Europe/Berlin"), weekly={key: ["22:00-06:00"] for key in DAYS})
LORD_HOWE = calendar_of(zone=ZoneInfo("Australia/Lord_Howe"), weekly={key: ["00:00-24:00"] for key in DAYS})
calendars = st.sampled_from([OFFICE, ALWAYS, BERLIN_NIGHTS, LORD_HOWE])
moments = st.integers(0, 4 * 365 * 24 * 3600).map(lambda n: at("01.01.2025 00:00") + timedelta(seconds=n))
works = st.integers(1, 2000 * 3600).map(lambda n: timedelta(seconds=n))
laws = settings(deadline=None, max_examples=80)


@laws
@given(calendars, moments, works)
def test_what_was_added_lies_between(calendar: Calendar, start: datetime, work: timedelta) -> None:
    assert calendar.between(start, calendar.add(start, work)) == work
    assert calendar.between(calendar.subtract(start, work), start) == work


@laws
@given(calendars, moments, moments, works, works)
def test_add_is_monotonic(
    calendar: Calendar, one: datetime, other: datetime, work: timedelta, more: timedelta
) -> None:
    early, late = sorted([one, other])

    assert calendar.add(early, work) <= calendar.add(late, work)
    assert calendar.add(early, work) <= calendar.add(early, work + more)


@laws
@given(calendars, moments, works | st.just(timedelta(0)), works)
def test_work_may_be_added_in_two_steps(
    calendar: Calendar, start: datetime, first: timedelta, then: timedelta
) -> None:
    assert calendar.add(calendar.add(start, first), then) == calendar.add(start, first + then)


@laws
@given(calendars, moments, moments, moments)
def test_stretches_of_time_add_up(calendar: Calendar, a: datetime, b: datetime, c: datetime) -> None:
    a, b, c = sorted([a, b, c])

    assert calendar.between(a, b) + calendar.between(b, c) == calendar.between(a, c)
    assert calendar.between(c, a) == timedelta(0)


@laws
@given(calendars, moments, works, works)
def test_subtract_is_the_mirror_of_add(
    calendar: Calendar, end: datetime, work: timedelta, more: timedelta
) -> None:
    begun = calendar.subtract(end, work)

    assert begun < end
    assert calendar.subtract(begun, more) == calendar.subtract(end, work + more)
    assert calendar.subtract(end, work + more) < begun
    assert calendar.between(begun - timedelta(microseconds=1), end) >= work
    assert calendar.is_open(begun)  # the latest such instant: a moment later less is left
    assert calendar.between(begun + timedelta(microseconds=1), end) < work


@laws
@given(calendars, moments, works)
def test_add_is_the_earliest(calendar: Calendar, start: datetime, work: timedelta) -> None:
    assert calendar.between(start, calendar.add(start, work) - timedelta(microseconds=1)) < work


@laws
@given(calendars, moments)
def test_no_work_is_the_nearest_open_moment(calendar: Calendar, at_: datetime) -> None:
    following = calendar.add(at_, timedelta(0))

    assert calendar.is_open(following)
    assert following >= at_
    assert calendar.between(at_, following) == timedelta(0)
    assert (following == at_) == calendar.is_open(at_) == (calendar.subtract(at_, timedelta(0)) == at_)


def answers(zone: str) -> list[object]:
    """What a calendar and a ticket's clocks say, everything made anew."""
    fresh = calendar_of(zone=ZoneInfo(zone), weekly=FIVE_DAYS, production=russian_workdays())
    start, now = at("20.11.2026 17:00"), at("30.11.2026 12:00")
    story = life("20.11 17:00", ("24.11 10:00", HOLD), ("25.11 16:00", WORK), spoken=[ours("23.11 09:30")])
    return [
        fresh.add(start, timedelta(hours=24)),
        fresh.subtract(start, timedelta(hours=24)),
        fresh.between(start, now),
        list(fresh.stretches(start, now)),
        fresh.day_bounds(date(2026, 3, 29)),
        fresh.fingerprint,
        cycles(story, "30.11 12:00"),
    ]


@pytest.mark.parametrize(
    "machines", ["America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Europe/Berlin"]
)
@pytest.mark.parametrize("own", ["Europe/Moscow", "Europe/Berlin"])
def test_the_machines_zone_changes_nothing(own: str, machines: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = answers(own)
    monkeypatch.setenv("TZ", machines)
    time.tzset()
    try:
        assert answers(own) == expected
    finally:
        monkeypatch.undo()
        time.tzset()
