"""One run of the script: the emulated portal here, the service in processes that are really killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx

from app import words
from app.demo.office import Office, furnish
from app.demo.portal import CLOUD_STD, EmulatedPortal
from app.demo.story import MOSCOW
from tests.chaos.clock import EPOCH, PortalTime, SharedClock
from tests.chaos.gate import Ear, Gate
from tests.chaos.jams import Jam
from tests.chaos.month import Month
from tests.chaos.service import Orders, live
from tests.chaos.weather import REFUSALS, TRANSPORT, Weather
from tests.loopback import listening

TOKEN = "events-of-this-test"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; the usual one takes long to load
CALM = timedelta(hours=20)  # the morning is in it, when what waited for the opening is said
TICK = timedelta(minutes=15)  # the sweep's pace in this department
DOZE = timedelta(hours=1)  # between two looks at a service that has nothing to do at night
TRAVEL = timedelta(seconds=3)  # of an event
FULL, ROOMY = 1, 2**30  # pages that SQLite may use
BLINK = timedelta(seconds=20)  # between two looks at what waits to be tried again
REST = timedelta(minutes=3)  # the same while it cannot succeed
IN_WORDS = {label: value for value, label in words.CLASS.items()}  # a task's field holds the label
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
    time: PortalTime
    begin_at: datetime
    end_at: datetime  # of the script; acts that were to come later are not played
    portal: EmulatedPortal
    ear: Ear
    office: Office
    month: Month
    weather: Weather
    jam: Jam
    replicas: list[Replica] = field(default_factory=list)
    killed: list[datetime] = field(default_factory=list)
    classes: dict[int, str] = field(default_factory=dict)  # life → what its card first held
    due_at: datetime | None = None  # what the service waits for
    turns: int = 0
    looked_after_at: datetime = EPOCH  # when somebody last asked for another try of what was refused
    idle: bool = False  # all that happened has been swept up
    road: httpx.AsyncBaseTransport = field(default_factory=lambda: httpx.AsyncHTTPTransport(verify=NO_TLS))


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


async def played(
    folder: Path,
    database: str,
    begin_at: datetime,
    span: timedelta,
    seed: int,
    weather: Weather,
    replicas: int = 1,
    tell: Callable[[Town], None] = lambda _: None,
) -> Town:
    """The script, then quiet weather until all that can be known is known. `tell` hears of each day."""
    clock = SharedClock(folder / "clock")
    clock.set(begin_at)
    time = PortalTime(clock)
    portal = EmulatedPortal(time.now, profile=CLOUD_STD, seed=seed)
    portal.faults.hang_for = 0.01
    office = furnish(portal)
    ear = Ear(portal, office.service, office.chat)
    month = Month(office, begin_at, span, seed)
    portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
    end_at = begin_at + span
    town = Town(
        folder, database, clock, time, begin_at, end_at, portal, ear, office, month, weather, Jam(database)
    )
    (folder / "rules.toml").write_text(office.rules(), "utf-8")
    gate = Gate(portal, ear)
    async with listening(gate) as address:
        await _play(town, gate, address, replicas, tell)
    return town


async def _play(town: Town, gate: Gate, address: str, replicas: int, tell: Callable[[Town], None]) -> None:
    events, weather = town.portal.events, town.weather
    events.drop, events.double, events.reorder = weather.drop, weather.double, weather.reorder
    try:
        town.replicas = [await _born(town, address, number) for number in range(replicas)]
        await _provisioned(town)
        day = town.begin_at
        while town.clock.now() < town.end_at:
            await _step(town, gate, address)
            if town.clock.now() >= day + timedelta(days=1):
                day += timedelta(days=1)
                tell(town)
        weather.over_at, weather.kills = town.clock.now(), []
        events.drop = events.double = events.reorder = weather.late = 0.0
        while town.clock.now() < town.end_at + CALM:
            await _step(town, gate, address)
    finally:
        await town.jam.unlock()
        await town.road.aclose()
        for replica in town.replicas:
            replica.kill()


async def _provisioned(town: Town) -> None:
    """The fields are there before the first ticket, as an administrator would have it."""
    from app.bitrix.portal import Portal
    from app.desk import portal_config
    from app.rules import load_rules
    from app.settings import Settings

    settings = Settings.read(environ(town, "http://127.0.0.1:1"))
    rules = load_rules(town.folder / "rules.toml")
    road = httpx.ASGITransport(app=town.portal.app)
    portal = Portal(portal_config(settings, rules), town.clock, road)
    await portal.provision(dry_run=False, layout=False)
    await portal.close()


async def _step(town: Town, gate: Gate, address: str) -> None:
    """To the next moment at which anything happens, with whatever the weather brings."""
    town.clock.set(_next_moment(town))
    acts = town.month.play(min(town.clock.now(), town.end_at), town.time.at)
    if acts:
        _hold_up(town)
        town.clock.set(town.clock.now() + TRAVEL)
    await _blow(town)
    await _deliver(town)
    if town.weather.kills and town.weather.kills[0] <= town.clock.now():
        town.weather.kills.pop(0)
        _aim(town, gate)
    steps = await _turn(town, address)
    town.turns += 1
    _see_classes(town)
    town.idle = not (acts or steps) and (town.idle or _is_swept(town))


def _next_moment(town: Town) -> datetime:
    now = town.clock.now()
    event_at = town.portal.next_event_at
    shut = any(begin_at <= now < end_at for begin_at, end_at in town.weather.shut())
    told = [town.due_at and max(town.due_at, now + (REST if shut else BLINK)), event_at and event_at + TRAVEL]
    acts_at = town.month.next_at
    others = [*town.weather.edges(now), *(at for at in told if at)]
    others += [acts_at] if acts_at is not None and acts_at <= town.end_at else []
    return max(min([_tick_at(town, others), *others]), now + timedelta(seconds=1))


def _tick_at(town: Town, others: list[datetime]) -> datetime:
    """The next sweep; by night, when there is nothing to find, only the one before anything else happens."""
    now = town.clock.now()
    local = now.astimezone(MOSCOW)
    following = _swept_at(now) + TICK
    if not town.idle or 9 <= local.hour < 18:
        return following
    opening = local.replace(hour=9, minute=0, second=0, microsecond=0)
    limits = [now + DOZE, *([opening] if opening > now else []), *others]
    return max(following, _swept_at(min(limits)))


def _swept_at(at: datetime) -> datetime:
    """The last regular sweep before."""
    return EPOCH + (at - EPOCH) // TICK * TICK


def _is_swept(town: Town) -> bool:
    now = town.clock.now()
    return now - _swept_at(now) < timedelta(minutes=1) and not any(
        begin_at <= now < end_at for begin_at, end_at in town.weather.shut()
    )


def _hold_up(town: Town) -> None:
    """Some of the new events come hours later, when much has happened since."""
    weather, events = town.weather, town.portal.events
    for place, one in enumerate(events.pending):
        if one.due_at - town.clock.now() < timedelta(minutes=1) and weather.chance.random() < weather.late:
            late = timedelta(minutes=weather.chance.randint(60, 480))
            events.pending[place] = replace(one, due_at=one.due_at + late)


def _see_classes(town: Town) -> None:
    for number, case in town.month.cases.items():
        if number not in town.classes and (value := town.portal.sla(case.place, case.id).get("SLA_CLASS")):
            town.classes[number] = IN_WORDS.get(str(value), str(value))


def _aim(town: Town, gate: Gate) -> None:
    """At one of the next requests of this turn; if none comes, the process dies where it stands."""
    victim = town.weather.chance.choice(town.replicas)

    def strike() -> None:
        if victim.alive:
            victim.kill()
            town.killed.append(town.clock.now())

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
    await town.jam.put(locked=weather.now("locked", now), full=weather.now("full", now))


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


async def _turn(town: Town, address: str) -> int:
    """Every process does what is due; who died is born again. How many steps the longest road took."""
    now = town.clock.now()
    order = {
        "skew": town.weather.skew(now),
        "pages": FULL if town.jam.is_full else ROOMY,
        "retry": _is_looked_after(town),
    }
    told = await _led_turn(town, order)
    town.due_at = min((one["due"] for one in told if one["due"]), default=None)
    steps = max((one["steps"] for one in told), default=1)
    if town.jam.is_shut:
        return steps  # nothing starts without its database; whoever watches over it tries again later
    for number, replica in enumerate(town.replicas):
        if not replica.alive:
            town.replicas[number] = await _born(town, address, number)
            steps += 1
    return steps


Told = dict[str, Any]


async def _led_turn(town: Town, order: Told) -> list[Told]:
    """One in which a living process holds the lease: the one of a killed holder ends by real time."""
    told: list[Told] = []
    for _ in range(MOST_WAITS):
        answers = await asyncio.gather(*(_told(replica, order) for replica in town.replicas))
        told = [one for one in answers if one is not None]
        led = any(one["leads"] for one in told)
        if led or not any(replica.alive for replica in town.replicas) or town.jam.is_shut:
            break
        await asyncio.sleep(0.05)
    return told


async def _told(replica: Replica, order: Told) -> Told | None:
    """What it tells of its turn; None for a process that dies of it."""
    if not replica.alive:
        return None
    with suppress(EOFError, OSError):
        replica.pipe.send(order)
        told: Told = await asyncio.wait_for(asyncio.to_thread(replica.pipe.recv), PATIENCE)
        return told
    return None


def _is_looked_after(town: Town) -> bool:
    """What the portal refused is failed work at once (contract.md 1): a person sees to it once it is back."""
    now, since = town.clock.now(), town.looked_after_at
    if town.jam.is_shut:
        return False
    town.looked_after_at = now
    troubles = [one for one in town.weather.troubles if one.kind == "faults"]
    return any(since < one.end_at <= now for one in troubles)


async def _born(town: Town, address: str, number: int) -> Replica:
    ours, theirs = SPAWN.Pipe()
    log = town.folder / f"service-{number}.log"
    orders = Orders(environ(town, address), str(town.folder / "clock"), str(log))
    process = SPAWN.Process(target=live, args=(orders, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        told = await asyncio.wait_for(asyncio.to_thread(ours.recv), PATIENCE)
    except EOFError:
        process.join()
        raise AssertionError(f"the service did not start: {log}") from None
    return Replica(process, ours, int(told["port"]))


def environ(town: Town, address: str) -> dict[str, str]:
    return {
        "B24SLA_PORTAL_WEBHOOK": town.portal.url(address),
        "B24SLA_EVENT_TOKENS": TOKEN,
        "B24SLA_DATABASE_URL": town.database,
        "B24SLA_RULES": str(town.folder / "rules.toml"),
        "B24SLA_LOG_LEVEL": "warning",
    }
