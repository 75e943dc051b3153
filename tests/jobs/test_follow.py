"""A process that waits for the lease shows what the leading one knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.follow import follow
from app.jobs.lead import lead
from tests.jobs.scenes import scene

pytestmark = pytest.mark.anyio


async def test_names_and_the_last_sweep_come_from_the_database(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await town.sweep()
        names, town.desk.people = town.desk.people, {}
        town.desk.health.last_sweep_at = town.desk.health.last_portal_ok_at = None
        assert await follow(town.desk)
        assert town.desk.people == names
        assert town.desk.health.last_sweep_at is not None
        assert town.desk.health.last_portal_ok_at is not None


async def test_the_leader_knows_better(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await lead(town.desk)
        assert not await follow(town.desk)
