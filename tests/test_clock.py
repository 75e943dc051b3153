from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import RealClock, ScaledClock, SetClock, parse_clock

pytestmark = pytest.mark.anyio

MORNING = datetime(2026, 11, 24, 5, 55, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Ticks:
    """A stopwatch that stands still unless told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_the_real_clock_is_aware_utc() -> None:
    assert RealClock().now().tzinfo is UTC


async def test_the_real_clock_does_not_sleep_backwards() -> None:
    await RealClock().sleep(-MINUTE)


def test_a_scaled_clock_begins_at_its_start() -> None:
    assert ScaledClock(MORNING, 60, Ticks()).now() == MORNING


def test_a_scaled_clock_runs_faster() -> None:
    ticks = Ticks()
    clock = ScaledClock(MORNING, 60, ticks)
    ticks.seconds += 2.5
    assert clock.now() == MORNING + timedelta(minutes=2, seconds=30)


async def test_a_scaled_clock_sleeps_shorter() -> None:
    await asyncio.wait_for(ScaledClock(MORNING, 6000).sleep(MINUTE), timeout=30)


def test_a_written_clock_has_its_start_in_utc_and_its_speed() -> None:
    clock = parse_clock("2026-11-24T08:55+03:00@60x")
    assert MORNING <= clock.now() < MORNING + timedelta(hours=1)


def test_a_clock_without_speed_is_understood() -> None:
    assert parse_clock(" 2026-11-24T05:55Z ").now() >= MORNING


@pytest.mark.parametrize(
    "text",
    ["", "now", "@60x", "2026-11-24T08:55", "2026-11-24T08:55@60x", "2026-11-24T08:55+03:00@0x",
     "2026-11-24T08:55+03:00@-5x", "2026-11-24T08:55+03:00@fast", "2026-13-24T08:55+03:00@60x"],
)  # fmt: skip
def test_what_is_no_clock_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"2026-11-24T08:55\+03:00@60x"):
        parse_clock(text)


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_clock_keeps_away_from_the_ends_of_time(day: str) -> None:
    with pytest.raises(ValueError, match="годы с 2000 по 2100"):
        parse_clock(f"{day}T00:00+03:00@60x")


def test_a_set_clock_stands() -> None:
    clock = SetClock(MORNING)
    assert clock.now() == clock.now() == MORNING


def test_a_set_clock_goes_where_it_is_told() -> None:
    clock = SetClock(MORNING)
    clock.advance(MINUTE)
    clock.set(clock.now() + MINUTE)
    assert clock.now() == MORNING + 2 * MINUTE


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no zone"):
        SetClock(MORNING.replace(tzinfo=None))


async def test_a_set_clock_wakes_whose_time_has_come() -> None:
    clock = SetClock(MORNING)
    soon, late = asyncio.create_task(clock.sleep(MINUTE)), asyncio.create_task(clock.sleep(2 * MINUTE))
    await asyncio.sleep(0)
    clock.advance(MINUTE)
    await soon
    assert not late.done()
    clock.advance(MINUTE)
    await late


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = SetClock(MORNING)
    task = asyncio.create_task(clock.sleep(MINUTE))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(MINUTE)
