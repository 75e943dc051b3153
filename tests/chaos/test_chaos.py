"""The short form of `make chaos`: a morning in the worst weather ends as in fair weather."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.demo.story import MOSCOW
from tests.chaos.judging import Aftermath, aftermath, differences, false_alarms, faults
from tests.chaos.laws import alerts_of
from tests.chaos.run import played
from tests.chaos.weather import Weather, silence, storm

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="the long form is for one kind")]

SEED, KILLS, SPAN = 7, 3, timedelta(hours=3)
BEGIN_AT = datetime(2026, 11, 24, 9, tzinfo=MOSCOW)


async def _after(folder: Path, name: str, weather: Weather) -> Aftermath:
    place = folder / name
    place.mkdir()
    return await aftermath(await played(place, f"sqlite:///{place}/desk.db", BEGIN_AT, SPAN, SEED, weather))


async def test_a_morning_in_a_storm_ends_as_a_fair_one(tmp_path: Path) -> None:
    storm_of_today = storm(BEGIN_AT, SPAN, SEED, KILLS)
    both = (("fair", Weather()), ("foul", storm_of_today))
    fair, foul = await asyncio.gather(*(_after(tmp_path, name, weather) for name, weather in both))
    assert faults(fair) == []
    assert differences(fair, foul) == [], f"seed {SEED}"
    assert foul.speech.killed


async def test_a_day_of_lost_events_brings_no_false_alarm(tmp_path: Path) -> None:
    silent = await _after(tmp_path, "silent", silence(SEED))
    assert false_alarms(silent) == [], f"seed {SEED}"
    assert alerts_of(silent.speech)
