"""Events dropped, doubled and out of order lead to the same cards as a quiet day (the issue's promise)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.demo.story import MOSCOW, SupportDay, example_tickets
from app.jobs.reconcile import reconcile
from app.jobs.watch import watch
from app.serving import walk
from tests.jobs.scenes import Scene, scene
from tests.lives import at

pytestmark = pytest.mark.anyio

CHOSEN = {"D003", "D016", "D027", "D030", "D044", "D048", "D028", "D006", "D018", "D045", "D001"}
EXACT = ("SLA_CLASS", "SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT",
         "SLA_CONFIRMED_AT", "SLA_OVERDUE", "SLA_PAUSE_TOTAL", "SLA_ESC_LEVEL")  # fmt: skip


async def played(folder: Path, disturb: Callable[[Scene], None]) -> tuple[dict[str, Any], Scene]:
    """A small day, then one sweep: what every card holds at its end."""
    async with scene(folder, "24.11 06:00") as town:
        disturb(town)
        day = SupportDay(town.office, [t for t in example_tickets() if t["id"] in CHOSEN])
        while town.clock.now() < at("24.11 19:00"):
            town.clock.advance(timedelta(minutes=10))
            day.play(town.clock.now().astimezone(MOSCOW))
            await town.portal.deliver(town.web)
            await watch(town.desk)
            while await walk(town.desk):
                pass
            if town.clock.now().minute in {0, 30}:
                await reconcile(town.desk)
        await town.sweep()
        return {
            name: {code: town.fields(case).get(code) for code in EXACT} for name, case in day.cases.items()
        }, town


def quiet(town: Scene) -> None:
    """Every event comes, in order."""


def storm(town: Scene) -> None:
    """What 30 % of everything going wrong looks like."""
    town.portal.events.drop = town.portal.events.double = town.portal.events.reorder = 0.3


@pytest.mark.portals("cloud-std", reason="a day takes seconds; the quiet one is played on the other kind")
async def test_storm_ends_in_the_same_fields(tmp_path: Path) -> None:
    calm, _ = await played(tmp_path / "calm", quiet)
    stormy, town = await played(tmp_path / "stormy", storm)
    assert town.portal.events.dropped > 0
    assert stormy == calm


@pytest.mark.portals("self-hosted", reason="a day takes seconds; the stormy one is played on the other kind")
async def test_calm_day_never_writes_in_vain(tmp_path: Path) -> None:
    _, town = await played(tmp_path / "day", quiet)
    assert sum(town.portal.idle_writes.values()) == 0
