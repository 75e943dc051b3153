"""Two replicas over one database and one portal, and ways for one of them to freeze or to die."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import sqlalchemy as sa

from app.bitrix.portal import Portal
from app.desk import Desk, open_desk
from app.jobs.deliver import READING_PAUSE
from app.jobs.lead import lead
from app.jobs.refresh import refresh_people
from app.jobs.tend import Job, guarded
from app.serving import led
from app.store.schema import leases
from app.web.application import create_app
from tests.jobs.scenes import Road, Scene

DELIVERY = timedelta(minutes=2, seconds=5)
"""After this a message that somebody began to send is no longer on its way."""


class Freezer:
    """Stops a replica in a call of its portal, before or after the portal has done it, until it is woken."""

    def __init__(self, portal: Portal, method: str, *, after: bool) -> None:
        self._inner: Callable[..., Awaitable[Any]] = getattr(portal, method)
        self._after = after
        self._reached, self._woken = asyncio.Event(), asyncio.Event()
        setattr(portal, method, self._call)

    async def _call(self, *given: Any, **named: Any) -> Any:
        if self._after:
            answer = await self._inner(*given, **named)
            await self._sleep()
            return answer
        await self._sleep()
        return await self._inner(*given, **named)

    async def _sleep(self) -> None:
        self._reached.set()
        await self._woken.wait()

    async def reached(self, act: asyncio.Task[object]) -> None:
        waiting = asyncio.create_task(self._reached.wait())
        await asyncio.wait({act, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        assert self._reached.is_set(), "the replica never came so far"

    def wake(self) -> None:
        self._woken.set()


class Act:
    """A job of the leading replica that does not come to its end by itself."""

    def __init__(self, desk: Desk, job: Job, method: str, *, after: bool = False) -> None:
        self._freezer = Freezer(desk.working_portal, method, after=after)
        self._task = asyncio.create_task(guarded("road", led(job), desk))

    async def frozen(self) -> None:
        await self._freezer.reached(self._task)

    async def killed(self) -> None:
        """Nothing of what it would do next happens."""
        await self.frozen()
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def woken(self) -> object:
        """It goes on as if no time had passed."""
        self._freezer.wake()
        return await self._task


@asynccontextmanager
async def beside(town: Scene) -> AsyncIterator[Scene]:
    """Another replica."""
    road = Road(httpx.ASGITransport(app=town.portal.app), None)
    async with open_desk(
        town.desk.settings, clock=town.clock, portal_of=lambda config, now: Portal(config, now, road)
    ) as desk:
        await refresh_people(desk)
        yield replace(town, desk=desk, web=httpx.ASGITransport(app=create_app(desk)), road=road)


async def follow(heir: Scene) -> None:
    """The lease of whoever had it runs out, and this replica takes it."""
    async with heir.desk.db.begin() as conn:
        await conn.execute(sa.update(leases).values(until_millis=0))
    assert await lead(heir.desk)


async def leaders(*towns: Scene) -> int:
    for town in towns:
        await lead(town.desk)
    return sum(town.desk.epoch is not None for town in towns)


async def calm(town: Scene) -> None:
    """Settle, and once more after the pause for a card that had to be read again before it was written."""
    await town.settle()
    town.clock.advance(READING_PAUSE)
    await town.settle()
