"""`b24sla demo`: the emulated portal, the service and the scripted day in one process, over real sockets.

Time leaps from one act to the next, so a day takes a minute and looks the same whenever it is started.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp

from app.demo.office import Office, furnish
from app.demo.portal import CLOUD_STD, EmulatedPortal
from app.demo.showing import Shown, show, telling_progress
from app.demo.story import BEGIN_AT, DIGEST_AT, END_AT, SupportDay
from app.desk import Desk, open_desk
from app.jobs.lead import lead
from app.jobs.reconcile import reconcile
from app.jobs.refresh import refresh_people
from app.jobs.report import send_due
from app.jobs.watch import watch
from app.serving import at_work, walk
from app.settings import Settings
from app.store import inbox, outbox, stamps, tickets
from app.web.application import create_app

EVENT_TOKEN = secrets.token_hex(16)
TICK = timedelta(minutes=1)
SWEEP_PACE = timedelta(minutes=15)
GATHER = timedelta(seconds=2)  # events of one act come together, as they would to a busy service
PORTS = range(8080, 8100)


class StoryClock:
    """Stands where the story put it; a sleeper only moves it on. Released, it runs like any clock."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._released: float | None = None

    def now(self) -> datetime:
        if self._released is None:
            return self._at
        return self._at + timedelta(seconds=time.monotonic() - self._released)

    def set(self, at: datetime) -> None:
        """Leap; never back."""
        self._at = max(self._at, at)

    def release(self) -> None:
        """From here on time runs by itself."""
        self._released = time.monotonic()

    async def sleep(self, length: timedelta) -> None:
        if self._released is None:
            self.set(self._at + length)
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(max(0.0, length.total_seconds()))


class Misspoken(Exception):
    """The service called the portal otherwise than its vendor publishes; the text says how."""


async def demo(out: Path, *, once: bool) -> None:
    """Play the day, show what came of it; unless `once`, stay until Ctrl-C. Raises Misspoken in the end."""
    clock = StoryClock(BEGIN_AT)
    portal = EmulatedPortal(clock.now, profile=CLOUD_STD, seed=24)
    office = furnish(portal)
    with tempfile.TemporaryDirectory(prefix="b24sla-demo-") as folder:
        async with _listening(portal.app, ports=()) as portal_address:
            settings = _settings(Path(folder), office, portal.url(portal_address))
            async with open_desk(settings, clock=clock) as desk, _listening(create_app(desk)) as address:
                with telling_progress(clock.now) as tell:
                    day = await _play(desk, clock, office, address, tell)
                show(Shown(office, day, out, address))
                if not once:
                    await _stay(desk, clock, portal)
    judge(portal)


def judge(portal: EmulatedPortal) -> None:
    """Every call of the day fits the vendor's specification, and no field that it names is unknown."""
    if wrong := [*portal.spec_faults, *portal.unknown_fields]:
        raise Misspoken("; ".join(wrong))


def _settings(folder: Path, office: Office, webhook: str) -> Settings:
    rules = folder / "rules.toml"
    rules.write_text(office.rules(), "utf-8")
    return Settings(
        portal_webhook=SecretStr(webhook),
        event_tokens=(SecretStr(EVENT_TOKEN),),
        database_url=SecretStr(f"sqlite+aiosqlite:///{folder / 'demo.db'}"),
        rules=rules,
    )


# --- the day -----------------------------------------------------------------------------


async def _play(
    desk: Desk, clock: StoryClock, office: Office, address: str, tell: Callable[[], None]
) -> SupportDay:
    portal = office.portal
    await desk.working_portal.provision(dry_run=False, layout=False)
    await refresh_people(desk)
    portal.subscribe(f"{address}/webhooks/bitrix24", EVENT_TOKEN)
    day = SupportDay(office)
    swept_at = clock.now() - SWEEP_PACE
    while clock.now() < END_AT:
        clock.set(await _next(desk, day, portal, swept_at + SWEEP_PACE))
        tell()
        day.play(clock.now())
        await portal.deliver()
        await watch(desk)
        if clock.now() - swept_at >= SWEEP_PACE:
            swept_at = clock.now()
            await lead(desk)
            await reconcile(desk)
        while await walk(desk):
            await portal.deliver()
        await send_due(desk)
    return day


async def _next(desk: Desk, day: SupportDay, portal: EmulatedPortal, sweep_at: datetime) -> datetime:
    """The next act, event or moment of the service, whichever comes first."""
    async with desk.db.read() as conn:
        ours = [
            await tickets.next_at(conn),
            await inbox.next_due(conn),
            await outbox.next_due(conn),
            await stamps.next_due(conn),
        ]
    now = desk.now()
    events_at = portal.next_event_at + GATHER if portal.next_event_at else None
    moments = (day.next_at, events_at, sweep_at, DIGEST_AT, END_AT, *ours)
    return min([at for at in moments if at is not None and at > now], default=now + TICK)


async def _stay(desk: Desk, clock: StoryClock, portal: EmulatedPortal) -> None:
    """Time runs on by itself; Ctrl-C and SIGTERM end it in peace."""
    clock.release()
    print("Всё работает дальше, карточки открываются по ссылкам. Ctrl-C закончит.", flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with at_work(desk):
        while not stopped.is_set():
            await portal.deliver()
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), 1)


# --- sockets -----------------------------------------------------------------------------


@asynccontextmanager
async def _listening(app: ASGIApp, ports: Iterable[int] = PORTS) -> AsyncIterator[str]:
    """The application on a free loopback port; its address."""
    listener = _listener(ports)
    port = listener.getsockname()[1]
    config = uvicorn.Config(app, log_config=None, log_level="error", lifespan="on", proxy_headers=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


def _listener(ports: Iterable[int]) -> socket.socket:
    for port in (*ports, 0):
        # Named TCP, or asyncio leaves Nagle's delay on: forty milliseconds an answer.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        return listener
    raise OSError("нет свободного порта на 127.0.0.1")
