"""The whole service beside an emulated portal that keeps its limits, on a clock that leaps.

The portal is cloud, standard tariff: 50 requests at once and 2 a second, 480 s of a method in ten minutes.
The clock goes on by the portal's own work at every answer, as if it did one thing at a time, and by a pause
when a client sleeps. So neither requests nor moments depend on the machine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.bitrix.portal import Portal
from app.demo.office import Office, furnish
from app.demo.portal import CLOUD_STD, EmulatedPortal
from app.desk import Desk, open_desk
from app.jobs.refresh import refresh_people
from app.model import ItemRef, Kind, Lane
from app.serving import walk
from app.settings import Settings
from app.store import inbox
from app.web.application import create_app

BEGIN_AT = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)  # ten o'clock in Moscow, a working day
ALLOWED_SECONDS = 480.0
TOKEN = "benchmark"  # noqa: S105  of this run only


class LeapClock:
    """Stands still until somebody waits; then it is already later."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def leap(self, length: timedelta) -> None:
        self._at += length

    async def sleep(self, length: timedelta) -> None:
        self.leap(max(length, timedelta(0)))
        await asyncio.sleep(0)


class Road(httpx.ASGITransport):
    """To the portal and back: every answer takes the time that the portal says it worked."""

    def __init__(self, portal: EmulatedPortal, clock: LeapClock) -> None:
        super().__init__(app=portal.app)
        self._clock = clock
        self.seen: Callable[[httpx.Request], None] = lambda _: None  # whoever counts requests
        self.answered: Callable[[httpx.Request], None] = lambda _: None  # the portal has done it

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen(request)
        response = await super().handle_async_request(request)
        self._clock.leap(_worked(await response.aread()))
        self.answered(request)
        return response


def _worked(body: bytes) -> timedelta:
    """What the portal says; a gateway's page says nothing."""
    try:
        time = json.loads(body).get("time", {})
    except ValueError:
        return timedelta(0)
    return timedelta(seconds=time.get("duration", 0.0))


@dataclass
class Town:
    """The service and its portal."""

    clock: LeapClock
    portal: EmulatedPortal
    office: Office
    desk: Desk
    web: httpx.ASGITransport
    road: Road

    async def settle(self) -> None:
        """Walk the road until nothing is due."""
        while await walk(self.desk):
            pass

    async def named(self, deals: list[int], tasks: Sequence[int] = ()) -> None:
        """They stand in the inbox, as their events put them there."""
        names = [(ItemRef(Kind.DEAL, deal), Lane.LIVE, "ONCRMDEALUPDATE") for deal in deals]
        names += [(ItemRef(Kind.TASK, task), Lane.LIVE, "ONTASKUPDATE") for task in tasks]
        async with self.desk.db.begin() as conn:
            await inbox.put(conn, names, self.clock.now())

    def busiest(self) -> tuple[str, float]:
        """The method that worked longest in the last ten minutes, and its share of the allowance."""
        secret = self.portal.webhook_path.split("/")[3]
        now = self.clock.now().timestamp()
        used = {name: self.portal.rest.operating.used(secret, name, now) for name in self.portal.calls}
        name = max(used, key=used.__getitem__)
        return name, used[name] / ALLOWED_SECONDS


@asynccontextmanager
async def town(
    folder: Path,
    timeline: str = "off",
    *,
    events: bool = True,
    begin_at: datetime = BEGIN_AT,
    rewritten: Callable[[str], str] = str,
) -> AsyncIterator[Town]:
    """Prepared and rested. Without `events` the service has no token for any: it polls.

    `rewritten` changes the department's rules.
    """
    clock = LeapClock(begin_at)
    portal = EmulatedPortal(clock.now, profile=CLOUD_STD, seed=1)
    office = furnish(portal)
    rules = folder / "rules.toml"
    text = office.rules().replace("[desk]\n", f'[desk]\ntimeline = "{timeline}"\n')
    await asyncio.to_thread(rules.write_text, rewritten(text), "utf-8")
    settings = Settings(
        portal_webhook=SecretStr(portal.url("http://127.0.0.1:1")),
        event_tokens=(SecretStr(TOKEN),) if events else (),
        database_url=SecretStr(f"sqlite+aiosqlite:///{folder / 'bench.db'}"),
        rules=rules,
    )
    road = Road(portal, clock)
    async with open_desk(
        settings, clock=clock, portal_of=lambda config, now: Portal(config, now, road)
    ) as desk:
        await desk.working_portal.provision(dry_run=False, layout=False)
        await refresh_people(desk)
        clock.leap(timedelta(minutes=15))  # the preparation is paid for
        yield Town(clock, portal, office, desk, httpx.ASGITransport(app=create_app(desk)), road)
