"""A long pass over the inbox: what cannot wait is delivered in the middle of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.demo.office import Case
from app.desk import Desk
from app.jobs.deliver import deliver_full
from app.jobs.handle import SLICE, handle_next
from tests.jobs.scenes import FIRE, SMS, Scene, letter, scene

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own inbox")]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def waiting(town: Scene, count: int, text: str = SMS) -> list[Case]:
    """Tickets that stand in the inbox."""
    cases = [town.office.receive(letter(text), town.office.agents[0]) for _ in range(count)]
    for case in cases:
        await town.desk_puts(case)
    return cases


async def test_somebody_looks_after_the_others_between_slices(town: Scene) -> None:
    looks: list[str] = []

    async def look(desk: Desk) -> None:
        looks.append(desk.name)

    await waiting(town, 2 * SLICE + 1)
    await handle_next(town.desk, look)
    assert len(looks) == 2


async def test_full_request_of_stamps_is_sent_in_the_middle(town: Scene) -> None:
    cases = await waiting(town, SLICE + 5)
    await handle_next(town.desk, deliver_full)
    assert sum(town.portal.writes[2, case.id] for case in cases) == SLICE


async def test_half_empty_request_waits_for_the_end(town: Scene) -> None:
    [case] = await waiting(town, 1)
    await handle_next(town.desk)
    assert not await deliver_full(town.desk)
    assert town.portal.writes[2, case.id] == 0


async def test_emergency_waits_for_nobody(town: Scene) -> None:
    await waiting(town, 1, FIRE)
    await handle_next(town.desk)
    assert await deliver_full(town.desk)
    assert len(town.portal.notices(town.office.head)) == 1
