"""A portal that is full already when the service meets it first (README: what was there is not counted)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.demo.office import Case
from app.demo.portal import CLOUD_STD
from app.jobs.reconcile import reconcile
from tests.jobs.scenes import FIRE, Scene, letter, scene

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own first start")]
OLD = 200


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[Scene]:
    """Two hundred deals of the last months, emergencies among them; the service is told to begin today."""
    async with scene(tmp_path, "01.09 10:00", kind=CLOUD_STD) as town:
        for number in range(OLD):
            town.office.receive(letter(FIRE if number % 10 == 0 else ""), town.office.agents[number % 5])
            town.clock.advance(timedelta(hours=6))
        town.portal.drop_pending()
        town.clock.set(town.clock.now().replace(month=11, day=24, hour=7))
        yield town


def written(town: Scene) -> int:
    return sum(town.portal.writes.values())


async def test_old_deals_cost_no_stamp_no_alert_and_few_requests(full: Scene) -> None:
    before = full.portal.requests
    await reconcile(full.desk)
    await full.settle()
    assert written(full) == 0
    assert full.chat() == []
    assert full.portal.notices(full.office.head) == []
    assert full.portal.requests - before <= 4


async def test_an_old_deal_that_moves_again_is_read_and_left_alone(full: Scene) -> None:
    old = Case(2, 4101, full.office.agents[0])
    full.office.client_says(old, "Всё ещё горит, приезжайте")
    await full.sweep()
    assert full.fields(old) == {}
    assert full.chat() == []


async def test_what_comes_after_the_start_is_taken_care_of(full: Scene) -> None:
    await full.sweep()
    case = full.office.receive(letter(FIRE, "Пожар"), full.office.agents[0])
    await full.settle()
    assert full.fields(case)["SLA_CLASS"] == "emergency"
