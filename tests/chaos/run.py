"""One run of the script: the emulated portal here, the service in processes that are really killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import socket
import sqlite3
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from app.demo.office import Office, furnish
from app.demo.portal import CLOUD_STD, EmulatedPortal
from tests.chaos.clock import SharedClock
from tests.chaos.month import Month
from tests.chaos.service import Orders, live
from tests.chaos.weather import REFUSALS, TRANSPORT, Weather

TOKEN = "events-of-this-test"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; the usual one takes long to load
CALM = timedelta(hours=20)  # the morning is in it, when what waited for the opening is said
TICK = timedelta(minutes=15)  # the sweep's pace in this department
MOST_WAITS = 60  # for the lease of a killed process to end
PATIENCE = 120.0  # seconds of real time for one turn of a process
SPAWN = multiprocessing.get_context("forkserver")
SPAWN.set_forkserver_preload(["tests.chaos.service"])


@dataclass(slots=True)
class Town:
    """What a run is made of."""

    folder: Path
    database: str
    clock: SharedClock
    portal: EmulatedPortal
    office: Office
    month: Month
    weather: Weather
    replicas: list[Replica] = field(default_factory=list)
    killed: int = 0
    locker: sqlite3.Connection | None = None
    road: httpx.AsyncBaseTransport = field(default_factory=lambda: httpx.AsyncHTTPTransport(verify=NO_TLS))

    @property
    def file(self) -> Path | None:
        """SQLite's file."""
        return Path(self.database.removeprefix("sqlite:///")) if self.database.startswith("sqlite") else None


@dataclass(slots=True)
class Replica:
    """A process of the service and the pipe to it."""

    process: BaseProcess
    pipe: Connection
    port: int

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


class Gate:
    """The portal's door: kills a process at a chosen request, before it is done or before it is answered."""

    def __init__(self, portal: EmulatedPortal) -> None:
        self.inner = portal.app
        self.countdown: int | None = None
        self.after = False
        self.strike: Callable[[], None] = lambda: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or self.countdown is None:
            await self.inner(scope, receive, send)
            return
        self.countdown -= 1
        strikes = self.countdown <= 0
        if strikes and not self.after:
            self.countdown = None
            self.strike()
            return
        if strikes:
            self.countdown = None

            async def swallow(_: Any) -> None:
                """The work is done, nobody hears of it."""

            await self.inner(scope, receive, swallow)
            self.strike()
            return
        await self.inner(scope, receive, send)


async def played(
    folder: Path,
    database: str,
    begin_at: datetime,
    span: timedelta,
    seed: int,
    weather: Weather,
    replicas: int = 1,
) -> Town:
    """The script, then quiet weather until everything that can be known is known."""
    clock = SharedClock(folder / "clock")
    clock.set(begin_at)
    portal = EmulatedPortal(clock.now, profile=CLOUD_STD, seed=seed)
    portal.faults.hang_for = 0.01
    office = furnish(portal)
    month = Month(office, begin_at, span, seed)
    portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
    town = Town(folder, database, clock, portal, office, month, weather)
    (folder / "rules.toml").write_text(office.rules(), "utf-8")
    gate = Gate(portal)
    async with listening(gate) as address:
        await _play(town, gate, address, replicas, begin_at + span)
    return town


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        serving = asyncio.create_task(server._serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def _play(town: Town, gate: Gate, address: str, replicas: int, end_at: datetime) -> None:
    events = town.portal.events
    events.drop = events.double = events.reorder = town.weather.events
    try:
        town.replicas = [await _born(town, address, number) for number in range(replicas)]
        await _provisioned(town)
        while town.clock.now() < end_at:
            await _step(town, gate, address)
        await _calm(town, address)
    finally:
        await town.road.aclose()
        for replica in town.replicas:
            replica.kill()


async def _provisioned(town: Town) -> None:
    """The fields are there before the first ticket, as an administrator would have it."""
    from app.bitrix.portal import Portal
    from app.desk import portal_config
    from app.rules import load_rules
    from app.settings import Settings

    settings = Settings.read(_environ(town, "http://127.0.0.1:1"))
    rules = load_rules(town.folder / "rules.toml")
    road = httpx.ASGITransport(app=town.portal.app)
    portal = Portal(portal_config(settings, rules), town.clock, road)
    await portal.provision(dry_run=False, layout=False)
    await portal.close()


async def _step(town: Town, gate: Gate, address: str) -> None:
    """To the next moment at which anything happens, with whatever the weather brings."""
    now = town.clock.now()
    acts_at = town.month.next_at or now + TICK
    town.clock.set(min(max(acts_at, now + timedelta(seconds=1)), now + TICK))
    town.month.play(town.clock.now())
    await _blow(town)
    await _deliver(town)
    if town.weather.kills and town.weather.kills[0] <= town.clock.now():
        town.weather.kills.pop(0)
        _aim(town, gate)
    await _turn(town, address)
    if town.portal.pending_events:
        town.clock.set(town.clock.now() + timedelta(seconds=3))
        await _deliver(town)
        await _turn(town, address)


def _aim(town: Town, gate: Gate) -> None:
    """At one of the next requests of this turn; if none comes, the process dies where it stands."""
    victim = town.weather.chance.choice(town.replicas)

    def strike() -> None:
        if victim.alive:
            victim.kill()
            town.killed += 1

    gate.countdown, gate.strike = town.weather.chance.randint(1, 6), strike
    gate.after = bool(town.weather.chance.getrandbits(1))
    if town.weather.chance.random() < 0.25:
        gate.countdown = None
        strike()


async def _blow(town: Town) -> None:
    now, weather, portal = town.clock.now(), town.weather, town.portal
    portal.faults.clear()
    portal.faults.down = weather.now("down", now)
    if weather.now("faults", now):
        portal.faults.fail(None, weather.chance.choice(TRANSPORT), weather.chance.randint(1, 3))
        portal.faults.fail(None, weather.chance.choice(REFUSALS), weather.chance.randint(1, 2))
    locked = weather.now("locked", now)
    if locked and town.locker is None and town.file:
        town.locker = sqlite3.connect(town.file, timeout=5, isolation_level=None)
        town.locker.execute("BEGIN IMMEDIATE")
    elif not locked and town.locker is not None:
        town.locker.rollback()
        town.locker.close()
        town.locker = None


async def _deliver(town: Town) -> None:
    """Events to any process that listens; what nobody takes is lost, as in life."""
    living = [replica for replica in town.replicas if replica.alive]
    if not living:
        town.portal.drop_pending()
        return
    with suppress(httpx.HTTPError):
        await town.portal.deliver(_Router(living, town.weather.chance, town.road))


class _Router(httpx.AsyncBaseTransport):
    """A load balancer before the replicas."""

    def __init__(
        self, replicas: list[Replica], chance: random.Random, road: httpx.AsyncBaseTransport
    ) -> None:
        self._replicas, self._chance, self._inner = replicas, chance, road

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        port = self._chance.choice(self._replicas).port
        request.url = request.url.copy_with(host="127.0.0.1", port=port)
        request.headers["host"] = f"127.0.0.1:{port}"
        return await self._inner.handle_async_request(request)


async def _turn(town: Town, address: str) -> None:
    """Every process does what is due; who died is born again."""
    order = {"skew": 90 if town.weather.now("skew", town.clock.now()) else 0}
    if town.file and town.weather.now("full", town.clock.now()):
        order["pages"] = 1
    elif town.file and town.locker is None:
        order["pages"] = 2**30
    await _led_turn(town, order)
    if town.locker is not None or ("pages" in order and order["pages"] == 1):
        return  # nothing starts without its database; whoever watches over it tries again later
    for number, replica in enumerate(town.replicas):
        if not replica.alive:
            town.replicas[number] = await _born(town, address, number)


async def _led_turn(town: Town, order: dict[str, Any]) -> None:
    """One in which a living process holds the lease: the one of a killed holder ends by real time."""
    for _ in range(MOST_WAITS):
        led = await asyncio.gather(*(_told(replica, order) for replica in town.replicas))
        if any(led) or not any(replica.alive for replica in town.replicas) or town.locker is not None:
            return
        await asyncio.sleep(0.05)


async def _told(replica: Replica, order: dict[str, Any]) -> bool:
    """Whether it held the lease in this turn; False for a process that dies of it."""
    if not replica.alive:
        return False
    with suppress(EOFError, OSError):
        replica.pipe.send(order)
        told = await asyncio.wait_for(asyncio.to_thread(replica.pipe.recv), PATIENCE)
        return bool(told["leads"])
    return False


async def _born(town: Town, address: str, number: int) -> Replica:
    ours, theirs = SPAWN.Pipe()
    log = town.folder / f"service-{number}.log"
    orders = Orders(_environ(town, address), str(town.folder / "clock"), str(log))
    process = SPAWN.Process(target=live, args=(orders, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        told = await asyncio.wait_for(asyncio.to_thread(ours.recv), PATIENCE)
    except EOFError:
        process.join()
        raise AssertionError(f"the service did not start: {log}") from None
    return Replica(process, ours, int(told["port"]))


def _environ(town: Town, address: str) -> dict[str, str]:
    return {
        "B24SLA_PORTAL_WEBHOOK": town.portal.url(address),
        "B24SLA_EVENT_TOKENS": TOKEN,
        "B24SLA_DATABASE_URL": town.database,
        "B24SLA_RULES": str(town.folder / "rules.toml"),
        "B24SLA_LOG_LEVEL": "warning",
    }


async def _calm(town: Town, address: str) -> None:
    """Fair weather until the last event has come, the sweep has been and all that was late is said."""
    town.weather.troubles.clear()
    town.portal.events.drop = town.portal.events.double = town.portal.events.reorder = 0.0
    quiet_at = town.clock.now() + CALM
    while town.clock.now() < quiet_at:
        town.clock.set(town.clock.now() + timedelta(hours=1))
        await _blow(town)
        await _deliver(town)
        await _turn(town, address)
