"""The script's clock: one for all, in order, and never standing still for who looks twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from app.demo.story import MOSCOW
from tests.chaos.clock import PortalTime, SharedClock

NINE = datetime(2026, 11, 24, 9, tzinfo=MOSCOW)


def test_two_looks_are_in_order_though_nobody_moves_the_clock(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    clock.set(NINE)
    first, second = clock.now(), clock.now()
    assert NINE <= first < second < NINE + timedelta(seconds=1)


def test_a_clock_that_jumps_back_is_seen_to(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    clock.set(NINE)
    clock.now()
    clock.skew = timedelta(seconds=-90)
    assert clock.now() == NINE - timedelta(seconds=90)


def test_an_act_happens_when_the_script_says_though_a_sleeper_was_faster(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    clock.set(NINE + timedelta(seconds=5))
    time = PortalTime(clock)
    with time.at(NINE):
        assert time.now() == NINE
    assert time.now() > NINE
    assert timedelta(seconds=5) <= time.latest < timedelta(seconds=6)
