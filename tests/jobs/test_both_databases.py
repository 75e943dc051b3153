"""The whole road on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.jobs.report import send_due
from tests.jobs.scenes import FIRE, letter, scene
from tests.lives import at

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own databases")]


async def test_a_day_from_letter_to_digest(database_url: str, tmp_path: Path) -> None:
    async with scene(tmp_path, database=database_url) as town:
        case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
        await town.settle()
        town.office.reply(case, "Ворота открыты вручную, инженер едет.")
        await town.until("24.11 10:20")
        town.office.move(case, "closed_confirmed")
        await town.until("24.11 11:00")
        town.clock.set(at("25.11 09:05"))
        await town.sweep()
        assert town.fields(case)["SLA_STATE"] == "met"
        assert await send_due(town.desk) == 1
        assert len(town.portal.files(town.office.chat)) == 2
