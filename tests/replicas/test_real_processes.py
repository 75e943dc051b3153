"""Two `serve` processes on PostgreSQL: killed, frozen, restarted one after the other.

They take seconds, because processes have to start; the lease is short (hurried.py).
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tests.databases import _new_database
from tests.jobs.scenes import FIRE, letter
from tests.replicas.processes import Block, Replica, block, until

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own processes")]
Town = tuple[Block, Replica, Replica]


@pytest.fixture
def bare_url(postgres: str) -> str:
    """A database without tables: both processes start on it at once."""
    return _new_database(postgres, "template0")


@pytest.fixture
async def town(bare_url: str, tmp_path: Path) -> AsyncIterator[Town]:
    """The first of the two leads."""
    async with block(bare_url, tmp_path) as made:
        first, second = made.start(), made.start()
        await until(lambda: one_leads(first, second))
        yield (made, first, second) if await first.leads() else (made, second, first)


async def one_leads(*replicas: Replica) -> bool:
    """All answer, and one of them leads."""
    told = [await replica.leads() for replica in replicas]
    return sum(told) == 1 and all([await replica.takes(1) for replica in replicas])


def fire(town: Block) -> int:
    return town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0]).id


def said(town: Block) -> list[str]:
    return [one["text"] for one in town.portal.messages(town.office.chat) if "Пожар" in one["text"]]


async def is_stamped(town: Block, *deals: int) -> bool:
    return all("SLA_CLASS" in town.portal.sla(2, deal) for deal in deals)


async def test_a_killed_holder_is_followed_and_its_work_goes_on(town: Town) -> None:
    made, first, second = town
    deal = fire(made)
    assert await second.takes(deal)
    first.send(signal.SIGKILL)
    await until(lambda: is_stamped(made, deal))
    assert await second.leads()
    assert len(said(made)) <= 1


async def test_a_holder_that_was_frozen_wakes_and_does_no_harm(town: Town) -> None:
    made, first, second = town
    first.send(signal.SIGSTOP)
    deals = [fire(made), fire(made)]
    assert all([await second.takes(deal) for deal in deals])
    await until(lambda: is_stamped(made, *deals))
    first.send(signal.SIGCONT)
    await until(lambda: only(second, first))
    later = fire(made)
    assert await first.takes(later), "it goes on taking events"
    await until(lambda: is_stamped(made, later))
    assert await only(second, first)
    assert len(said(made)) == len(set(said(made)))


async def only(leader: Replica, other: Replica) -> bool:
    return await leader.leads() and not await other.leads() and await other.takes(1)


async def test_a_rolling_restart_loses_no_acknowledged_event(town: Town) -> None:
    made, *replicas = town
    acknowledged: set[int] = set()
    events = asyncio.create_task(stream(made, replicas, acknowledged))
    for place, old in enumerate(replicas):
        old.send(signal.SIGTERM)
        assert await old.ended() == 0
        replicas[place] = new = made.start()
        await until(partial(new.takes, 1))
    events.cancel()
    assert len(acknowledged) > 10
    await until(lambda: is_stamped(made, *acknowledged))
    assert len(said(made)) == len(set(said(made)))


async def stream(town: Block, replicas: list[Replica], acknowledged: set[int]) -> None:
    """Ever new emergencies, posted to whichever process answers, as a proxy does."""
    while True:
        deal = fire(town)
        for replica in tuple(replicas):
            if await replica.takes(deal):
                acknowledged.add(deal)
                break
        await asyncio.sleep(0.05)
