"""How long nobody talks to the portal when the process that does is killed: real processes on PostgreSQL.

Two of them run; the leading one is killed with SIGKILL at a moment of chance, again and again, each time with
an emergency just taken by the other. Prints seconds by the clock until the other one leads, and until the
emergency's card is written. Ends with 1 where it took more than ten seconds.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from app.demo.office import Ticket
from tests.databases import _new_database, _started
from tests.replicas.processes import Block, Replica, block, until

TIMES = 5
BOUND = 10.0
FIRE: Ticket = {
    "id": "T1",
    "channel": "email",
    "title": "Пожар",
    "description": "Горит дом, ворота закрыты",
}


async def takeover(town: Block, chance: random.Random) -> tuple[float, float]:
    """Seconds until the other one leads, and until it has written an emergency's card."""
    first, second = town.born[-2:]
    await until(lambda: in_order(first, second))
    holder, heir = (first, second) if await first.leads() else (second, first)
    await asyncio.sleep(chance.uniform(0, 3))
    deal = town.office.receive(FIRE, town.office.agents[0]).id
    holder.send(signal.SIGKILL)
    began = perf_counter()
    await until(lambda: heir.takes(deal))
    await until(heir.leads)
    led = perf_counter() - began
    await until(lambda: written(town, deal))
    town.born[-2:] = [holder, heir]
    town.start()
    return led, perf_counter() - began


async def in_order(*replicas: Replica) -> bool:
    return sum([await one.leads() for one in replicas]) == 1 and all([await one.takes(1) for one in replicas])


async def written(town: Block, deal: int) -> bool:
    return "SLA_CLASS" in town.portal.sla(2, deal)


async def measured(address: str, folder: Path) -> list[tuple[float, float]]:
    chance = random.Random(11)
    async with block(address, folder, ("-m", "app", "serve")) as town:
        town.start()
        town.start()
        return [await takeover(town, chance) for _ in range(TIMES)]


def main() -> int:
    home = tempfile.mkdtemp(prefix="b24sla-pg-")
    try:
        with _started(home) as server, tempfile.TemporaryDirectory() as folder:
            found = asyncio.run(measured(_new_database(str(server.get_uri()), "template0"), Path(folder)))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    for what, seconds in zip(("leads", "card written"), zip(*found, strict=True), strict=True):
        print(f"{what:<14} median {statistics.median(seconds):5.1f} s, longest {max(seconds):5.1f} s")
    print(f"bound: {BOUND} s until another leads; {TIMES} kills")
    return int(max(led for led, _ in found) > BOUND)


if __name__ == "__main__":
    sys.exit(main())
