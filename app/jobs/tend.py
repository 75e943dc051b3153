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

from app.bitrix.errors import Effect, PortalError
from app.desk import Desk
from app.store.engine import StoreUnavailable

log = logging.getLogger(__name__)

Job = Callable[[Desk], Awaitable[object]]
Named = tuple[str, Job]
Duty = tuple[str, timedelta, Job]  # name, pace by the desk's clock, what to do
GRACE_SECONDS = 3.0  # for the act in hand at a stop
AWAY = "база данных не отвечает или не пишет, подробности в журнале"  # /readyz is open: no paths, no hosts
IDLE_SECONDS = 1.0  # of real time: how long a worker without work sleeps when nobody wakes it


@asynccontextmanager
async def tending(
    desk: Desk, roads: Sequence[Named], duties: tuple[Duty, ...], first: Sequence[Named] = ()
) -> AsyncIterator[None]:
    """Inside, the workers run: `first`, then a worker a road. Leaving waits a little for the acts in hand."""
    scheduler = AsyncIOScheduler()
    for name, pace, job in duties:
        scheduler.add_job(
            guarded, "interval", (name, job, desk), id=name, coalesce=True, max_instances=1,
            misfire_grace_time=None,  # late is better than not at all, above all for the lease
            seconds=max(0.05, pace.total_seconds() / desk.clock.speed),
        )  # fmt: skip
    scheduler.start()
    stop = asyncio.Event()
    worker = asyncio.create_task(_work(desk, first, roads, stop))
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)
        stop.set()
        desk.wake()
        await _stopped(worker)


async def _work(desk: Desk, first: Sequence[Named], roads: Sequence[Named], stop: asyncio.Event) -> None:
    for name, job in first:
        await guarded(name, job, desk)
    await asyncio.gather(*(_walk(desk, name, road, stop) for name, road in roads))


async def _walk(desk: Desk, name: str, road: Job, stop: asyncio.Event) -> None:
    while not stop.is_set():
        busy = await guarded(name, road, desk)
        if not busy:
            await desk.wait_for_work(IDLE_SECONDS, name)


async def _stopped(worker: asyncio.Task[None]) -> None:
    done, late = await asyncio.wait({worker}, timeout=GRACE_SECONDS)
    for task in late:
        task.cancel()
    for task in done:
        if not task.cancelled() and (fault := task.exception()):
            log.error("the worker stopped by a fault", exc_info=fault)


async def guarded(name: str, job: Job, desk: Desk) -> object:
    """The job's answer; a fault of the world is told once when it begins and once when it ends.

    Most faults of the portal are told by its client already (bitrix/troubles.py).
    """
    try:
        answer = await job(desk)
    except (PortalError, StoreUnavailable) as fault:
        known = isinstance(fault, PortalError) and fault.effect is not Effect.ITEM
        if name not in desk.health.told and not known:
            desk.health.told.add(name)
            log.warning("%s cannot go on: %s", name, fault)
        desk.health.warnings[name] = AWAY if isinstance(fault, StoreUnavailable) else str(fault)
        return False
    except Exception:
        log.exception("%s failed", name)
        desk.health.warnings[name] = "внутренняя ошибка, подробности в журнале"
        return False
    desk.health.warnings.pop(name, None)
    if name in desk.health.told:
        desk.health.told.remove(name)
        log.info("%s goes on", name)
    return answer
