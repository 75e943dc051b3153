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

import uvicorn

from app import serving
from app.desk import Desk, open_desk
from app.jobs import lead
from app.jobs.notice import notice_restored
from app.jobs.refresh import refresh_when_due
from app.jobs.tend import guarded
from app.settings import Settings
from app.web import create_app
from tests.chaos.clock import SharedClock

MOST_STEPS = 400  # of the road at one moment: more would be a circle
REAL_TIME = {"lead", "follow"}  # duties that the script does at every turn
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
    await _pragma(desk, f"busy_timeout = {BUSY_MILLISECONDS}")
    await guarded("notice", notice_restored, desk)
    await guarded("lead", lead.lead, desk)
    await guarded("people", refresh_when_due, desk)
    pipe.send({"port": port, "pid": os.getpid()})
    while (order := await asyncio.to_thread(_received, pipe)) is not None:
        await _follow(desk, clock, order)
        steps = await _turn(desk, clock, last)
        pipe.send({"steps": steps, "leads": desk.epoch is not None})


def _received(pipe: Connection) -> dict[str, Any] | None:
    try:
        order: dict[str, Any] | None = pipe.recv()
    except EOFError:
        return None
    return order


async def _follow(desk: Desk, clock: SharedClock, order: Mapping[str, Any]) -> None:
    clock.skew = timedelta(seconds=order.get("skew", 0))
    if "pages" in order:  # the disk is full, or has room again
        await _pragma(desk, f"max_page_count = {order['pages']}")


async def _pragma(desk: Desk, text: str) -> None:
    """For both roads of writing; nothing on PostgreSQL."""
    if desk.db.dialect == "sqlite":
        async with desk.db.begin() as conn:
            await conn.exec_driver_sql(f"PRAGMA {text}")
        assert desk.db._hasty
        with desk.db._hasty.connect() as conn:
            conn.exec_driver_sql(f"PRAGMA {text}").close()


async def _turn(desk: Desk, clock: SharedClock, last: dict[str, datetime]) -> int:
    """Every duty that has come due, then the road until nothing waits; how many steps that took."""
    for name, pace, job in serving._duties(desk):
        if name in REAL_TIME or name not in last or clock.now() - last[name] >= pace:
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
