"""The short form of `make chaos`: a morning in the worst weather ends as in fair weather."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.demo.story import MOSCOW
from tests.chaos.judging import aftermath, differences
from tests.chaos.run import played
from tests.chaos.weather import Weather, storm

pytestmark = pytest.mark.anyio

SEED, KILLS, SPAN = 7, 3, timedelta(hours=4)
BEGIN_AT = datetime(2026, 11, 24, 9, tzinfo=MOSCOW)


@pytest.mark.portals("cloud-std", reason="the long form is for one kind")
async def test_a_morning_in_a_storm_ends_as_a_fair_one(tmp_path: Path) -> None:
    runs = []
    for name, weather in (("fair", Weather()), ("foul", storm(BEGIN_AT, SPAN, SEED, KILLS, locks=True))):
        folder = tmp_path / name
        folder.mkdir()
        town = await played(folder, f"sqlite:///{folder}/desk.db", BEGIN_AT, SPAN, SEED, weather)
        runs.append((town, await aftermath(town)))
    (_, fair), (town, foul) = runs
    assert differences(fair, foul) == [], f"seed {SEED}"
    assert town.killed
    assert town.portal.events.dropped
