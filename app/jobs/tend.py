"""The service at work: the road runs whenever there is something to do, the duties by their pace.

APScheduler only ticks; whether something is due is asked of the desk's clock and of rows in the
database, so an accelerated clock or a restart changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.bitrix.errors import PortalError
from app.desk import Desk
from app.store.engine import StoreUnavailable

log = logging.getLogger(__name__)

Job = Callable[[Desk], Awaitable[object]]
Duty = tuple[str, timedelta, Job]  # name, pace by the desk's clock, what to do
GRACE_SECONDS = 3.0  # for the act in hand at a stop
IDLE_SECONDS = 1.0  # of real time: how long a worker without work sleeps when nobody wakes it


@asynccontextmanager
async def tending(
    desk: Desk, road: Job, duties: tuple[Duty, ...], first: Sequence[tuple[str, Job]] = ()
) -> AsyncIterator[None]:
    """Inside, the worker runs: `first`, then the road. Leaving waits a little for the act in hand."""
    scheduler = AsyncIOScheduler()
    for name, pace, job in duties:
        scheduler.add_job(
            guarded, "interval", (name, job, desk), id=name, coalesce=True, max_instances=1,
            misfire_grace_time=None,  # late is better than not at all, above all for the lease
            seconds=max(0.05, pace.total_seconds() / desk.clock.speed),
        )  # fmt: skip
    scheduler.start()
    stop = asyncio.Event()
    worker = asyncio.create_task(_work(desk, first, road, stop))
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        stop.set()
        desk.wake()
        await _stopped(worker)


async def _work(desk: Desk, first: Sequence[tuple[str, Job]], road: Job, stop: asyncio.Event) -> None:
    for name, job in first:
        await guarded(name, job, desk)
    while not stop.is_set():
        busy = await guarded("road", road, desk)
        if not busy:
            await desk.wait_for_work(IDLE_SECONDS)


async def _stopped(worker: asyncio.Task[None]) -> None:
    done, late = await asyncio.wait({worker}, timeout=GRACE_SECONDS)
    for task in late:
        task.cancel()
    for task in done:
        if not task.cancelled() and (fault := task.exception()):
            log.error("the worker stopped by a fault", exc_info=fault)


async def guarded(name: str, job: Job, desk: Desk) -> object:
    """The job's answer; a fault of the world is told once when it begins and once when it ends."""
    try:
        answer = await job(desk)
    except (PortalError, StoreUnavailable) as fault:
        if name not in desk.health.warnings:
            log.warning("%s cannot go on: %s", name, fault)
        desk.health.warnings[name] = str(fault)
        return False
    except Exception:
        log.exception("%s failed", name)
        desk.health.warnings[name] = "внутренняя ошибка, подробности в журнале"
        return False
    if desk.health.warnings.pop(name, None):
        log.info("%s goes on", name)
    return answer
