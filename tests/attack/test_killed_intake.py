"""An answer 200 means that the event outlives the process: real servers, killed under load."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store import inbox
from app.store.engine import Database
from benchmarks.pounding import Pounded, pound

pytestmark = pytest.mark.anyio

TOKEN = "events-of-this-test"
SEED = 20261124


def serving(url: str, folder: Path, port: int) -> subprocess.Popen[bytes]:
    env = {
        **os.environ,
        "B24SLA_DATABASE_URL": url,
        "B24SLA_EVENT_TOKENS": TOKEN,
        "B24SLA_PORT": str(port),
        "B24SLA_LOG_LEVEL": "critical",
    }
    command = [sys.executable, "-m", "app", "serve", "--role", "web"]
    process = subprocess.Popen(command, cwd=folder, env=env, stderr=subprocess.DEVNULL)
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the server did not come up")


async def pounded_until_killed(port: int, process: subprocess.Popen[bytes]) -> Pounded:
    """Events of ever new deals until the server is killed at a moment that chance chooses."""
    found, enough = Pounded(), random.Random(SEED).randrange(100, 500)
    load = asyncio.create_task(pound(port, count(1), TOKEN, connections=8, found=found))
    while len(found.acknowledged) < enough and not load.done():  # noqa: ASYNC110  a count, no event
        await asyncio.sleep(0.001)
    process.kill()
    process.wait()
    return await load


async def kept(database: Database) -> set[str]:
    async with database.read() as conn:
        return set(await conn.scalars(sa.select(inbox.waiting(database.dialect).c.subject)))


@pytest.mark.portals("cloud-std", reason="no portal at all")
async def test_what_was_acknowledged_is_there_after_a_kill(
    shared_url: str, database: Database, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    found = await pounded_until_killed(port, serving(shared_url, tmp_path, port))
    assert len(found.acknowledged) >= 100
    assert {f"deal:{deal}" for deal in found.acknowledged} <= await kept(database)
