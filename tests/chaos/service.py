"""A process of the service that works when it is told to, so that the script knows when all is quiet.

It is made of the service's own parts: the duties of `serve` with their paces, its roads, its web side. Only
the ticking is the script's.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from app import serving
from app.desk import Desk, open_desk
from app.jobs import lead
from app.jobs.notice import notice_restored
from app.jobs.refresh import refresh_when_due
from app.jobs.tend import guarded
from app.settings import Settings
from app.store import engine, inbox, outbox, stamps, tickets
from app.store.engine import StoreUnavailable
from app.web import failures
from app.web.application import create_app
from tests.chaos.clock import EPOCH, SharedClock

MOST_STEPS = 400  # of the road at one moment: more would be a circle
REAL_TIME = {"lead", "follow", "take over"}  # duties that the script does at every turn
TTL = timedelta(seconds=1)  # of the lease: the months of the script are short
BUSY_MILLISECONDS = 30  # to wait for a locked database


@dataclass(frozen=True, slots=True)
class Orders:
    """What a process is started with."""

    environ: Mapping[str, str]
    clock_file: str
    log_file: str


def live(orders: Orders, pipe: Connection) -> None:
    """Until killed, or until the pipe says so."""
    log = os.open(orders.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    lead.TTL = TTL
    engine.POSTGRES_SETTINGS["lock_timeout"] = f"{BUSY_MILLISECONDS}ms"
    asyncio.run(_serve(orders, pipe))


async def _serve(orders: Orders, pipe: Connection) -> None:
    clock = SharedClock(Path(orders.clock_file))
    settings = Settings.read(orders.environ)
    async with open_desk(settings, clock=clock) as desk:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
            listener.bind(("127.0.0.1", 0))
            config = uvicorn.Config(create_app(desk), log_config=None, timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            web = asyncio.create_task(server._serve([listener]))
            await _obey(desk, clock, pipe, int(listener.getsockname()[1]))
            server.should_exit = True
            await web


async def _obey(desk: Desk, clock: SharedClock, pipe: Connection, port: int) -> None:
    last: dict[str, datetime] = {}
    pages = 0
    await _pragma(desk, f"busy_timeout = {BUSY_MILLISECONDS}")
    await guarded("notice", notice_restored, desk)
    await guarded("lead", lead.lead, desk)
    await guarded("people", refresh_when_due, desk)
    pipe.send({"port": port, "pid": os.getpid()})
    while (order := await asyncio.to_thread(_received, pipe)) is not None:
        clock.skew = timedelta(seconds=order["skew"])
        pages = await _limited(desk, order["pages"], pages)
        if order["retry"]:
            await guarded("retry", _retry, desk)
        steps = await _turn(desk, clock, last)
        due_at = await guarded("due", _due, desk)
        pipe.send({"steps": steps, "leads": desk.epoch is not None, "due": due_at or None})


def _received(pipe: Connection) -> dict[str, Any] | None:
    try:
        order: dict[str, Any] | None = pipe.recv()
    except EOFError:
        return None
    return order


async def _limited(desk: Desk, wanted: int, pages: int) -> int:
    """The disk is full, or has room again. How many pages the file may have now."""
    if wanted != pages:
        try:
            await _pragma(desk, f"max_page_count = {wanted}")
        except StoreUnavailable:  # locked just now: at the next turn
            return pages
    return wanted


async def _pragma(desk: Desk, text: str) -> None:
    """For both roads of writing; nothing on PostgreSQL."""
    if desk.db.dialect == "sqlite":
        async with desk.db.begin() as conn:
            await conn.exec_driver_sql(f"PRAGMA {text}")
        assert isinstance(desk.db._hasty, sa.Engine)
        with desk.db._hasty.connect() as conn:
            conn.exec_driver_sql(f"PRAGMA {text}").close()


async def _retry(desk: Desk) -> None:
    """As `b24sla failed retry`."""
    async with desk.db.begin() as conn:
        for kind in failures.LABELS:
            await failures.retry(conn, kind, None, desk.now())


async def _due(desk: Desk) -> datetime | None:
    """When the next of what is stored comes due: those who look every ten seconds would find it then."""
    async with desk.db.read() as conn:
        moments = [await look(conn) for look in
                   (tickets.next_at, inbox.next_due, outbox.next_due, stamps.next_due)]  # fmt: skip
    return min((at for at in moments if at is not None and at > desk.now()), default=None)


def _is_time(pace: timedelta, last: datetime | None, now: datetime) -> bool:
    """As a scheduler ticks: at whole paces, however long ago the script looked in."""
    return last is None or (now - EPOCH) // pace != (last - EPOCH) // pace


async def _turn(desk: Desk, clock: SharedClock, last: dict[str, datetime]) -> int:
    """Every duty that has come due, then the road until nothing waits; how many steps that took."""
    for name, pace, job in serving._duties(desk):
        if name in REAL_TIME or (desk.epoch is not None and _is_time(pace, last.get(name), clock.now())):
            last[name] = clock.now()
            await guarded(name, job, desk)
    for step in range(MOST_STEPS):
        # The answers are awaited both: the roads of `serve` run side by side.
        busy = await asyncio.gather(
            guarded("first lane", serving.led(serving.let_in(serving.hurry)), desk),
            guarded("road", serving.led(serving.let_in(serving.go_on)), desk),
        )
        if not any(busy):
            return step
    return MOST_STEPS
