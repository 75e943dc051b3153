"""Real `serve` processes over PostgreSQL, an emulated portal that they reach over HTTP, and its posts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from app.bitrix.portal import Portal
from app.clock import RealClock
from app.demo.office import Office, furnish
from app.demo.portal import UNLIMITED, EmulatedPortal
from app.desk import portal_config
from app.rules import load_rules
from app.settings import Settings
from benchmarks.pounding import PATH, event_body
from tests.loopback import listening

TOKEN = "events-of-this-test"
ROOT = Path(__file__).parents[2]
HURRIED = ("-m", "tests.replicas.hurried")
PATIENCE = 90.0  # of a machine that has other work too; nothing here is expected to take so long


@dataclass(slots=True)
class Replica:
    """One process; its log is in a file."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        return await asyncio.to_thread(self.process.wait, PATIENCE)

    async def leads(self) -> bool:
        """Whether it says so; False for one that does not answer."""
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=5) as client:
                told = await client.get(f"http://127.0.0.1:{self.port}/metrics")
            return "b24sla_leader 1.0" in told.text
        return False

    async def takes(self, deal: int) -> bool:
        """Post an event of this deal; whether it was acknowledged."""
        with suppress(httpx.HTTPError):
            async with httpx.AsyncClient(timeout=10) as client:
                headers = {"content-type": "application/x-www-form-urlencoded"}
                url = f"http://127.0.0.1:{self.port}{PATH}"
                told = await client.post(url, content=event_body(deal, TOKEN), headers=headers)
            return told.status_code == 200
        return False


@dataclass
class Block:
    """What stands around the replicas."""

    folder: Path
    environ: dict[str, str]
    portal: EmulatedPortal
    office: Office
    command: Sequence[str]
    born: list[Replica] = field(default_factory=list)

    def start(self) -> Replica:
        """A process of the service; it may take a while until it answers."""
        port = free_port()
        with (self.folder / f"replica-{len(self.born)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, *self.command],
                cwd=ROOT,
                env=self.environ | {"B24SLA_PORT": str(port)},
                stderr=log,
            )
        self.born.append(Replica(process, port))
        return self.born[-1]

    def close(self) -> None:
        for replica in self.born:
            replica.process.kill()
            replica.process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def until(what: Callable[[], Any]) -> None:
    """The promise is that it comes; how soon is not measured here."""
    async with asyncio.timeout(PATIENCE):
        while not await what():  # noqa: ASYNC110  it comes to pass in other processes
            await asyncio.sleep(0.03)


@asynccontextmanager
async def block(database: str, folder: Path, command: Sequence[str] = HURRIED) -> AsyncIterator[Block]:
    portal = EmulatedPortal(lambda: datetime.now(UTC), profile=UNLIMITED, seed=7)
    office = furnish(portal)
    rules = folder / "rules.toml"
    text = office.rules().replace('since = "2026-11-24"', 'since = "2020-01-01"')
    await asyncio.to_thread(rules.write_text, text, "utf-8")
    async with listening(portal.app) as address:
        environ = {
            "B24SLA_PORTAL_WEBHOOK": portal.url(address),
            "B24SLA_DATABASE_URL": database,
            "B24SLA_EVENT_TOKENS": TOKEN,
            "B24SLA_RULES": str(rules),
        }
        await _prepared(portal, environ)
        here = {name: value for name, value in os.environ.items() if not name.startswith("B24SLA_")}
        made = Block(folder, here | environ, portal, office, command)
        try:
            yield made
        finally:
            made.close()


async def _prepared(portal: EmulatedPortal, environ: dict[str, str]) -> None:
    settings = Settings(portal_webhook=SecretStr(portal.url("http://127.0.0.1:1")))
    rules = load_rules(Path(environ["B24SLA_RULES"]))
    road = Portal(portal_config(settings, rules), RealClock(), httpx.ASGITransport(app=portal.app))
    await road.provision(dry_run=False, layout=False)
    await road.close()
