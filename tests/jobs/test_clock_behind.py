"""A server whose clock is behind the portal's dates nothing to the moment of its look."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.model import FactKind, State
from app.store import facts
from tests.jobs.scenes import Scene, letter, ref_of, scene

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own clock")]
BEHIND = timedelta(seconds=90)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as it:
        yield it


async def test_what_people_did_keeps_its_time(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    ours = town.clock.now()
    town.clock.advance(BEHIND)  # the portal's time, at which the agent acts
    acted_at = town.clock.now()
    town.office.move(case, "in_progress")
    town.clock.set(ours)
    await town.desk_puts(case)
    await town.settle(events=False)
    assert (await town.ticket(case)).state is State.NEW  # it is waited for
    town.clock.set(acted_at + timedelta(seconds=1))
    await town.settle(events=False)
    found = await town.ticket(case)
    assert found.state is State.IN_PROGRESS
    assert found.notes == ()
    async with town.desk.db.read() as conn:
        moves = [fact for fact in await facts.load(conn, ref_of(case)) if fact.kind is FactKind.STAGE]
    assert moves[-1].happened_at == acted_at.replace(microsecond=0)


async def test_a_card_where_somebody_always_writes_is_not_waited_for_for_ever(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    for _ in range(5):
        ours = town.clock.now()
        town.clock.advance(BEHIND)  # the portal's time, at which the client writes once more
        town.office.client_says(case, "Всё ещё не работает.")
        town.clock.set(ours)
        await town.desk_puts(case)
        await town.settle(events=False)
        town.clock.advance(timedelta(minutes=1))
    async with town.desk.db.read() as conn:
        spoken = [each for each in await facts.load(conn, ref_of(case)) if each.kind is FactKind.UTTERANCE]
    assert len(spoken) > 1


async def test_what_is_far_ahead_is_the_portals_mistake_and_is_not_waited_for(town: Scene) -> None:
    ours = town.clock.now()
    town.clock.advance(timedelta(hours=1))
    case = town.office.receive(letter(), town.office.agents[0])
    town.clock.set(ours)
    await town.desk_puts(case)
    await town.settle(events=False)
    assert "gap:ahead" in (await town.ticket(case)).notes
