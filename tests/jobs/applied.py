"""The service connected as a local application, and the emulated portal where it is installed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.bitrix.portal import Portal
from app.clock import SetClock
from app.demo.office import Case, Office, furnish
from app.demo.portal import EmulatedPortal, Profile
from app.demo.portal.profile import EXTENDED
from app.demo.portal.world import Application
from app.desk import Desk, PortalOf, open_desk
from app.jobs.bind import bind_when_due
from app.jobs.refresh import refresh_people
from app.model import Installation
from app.settings import Settings
from app.web.application import create_app
from tests.jobs.scenes import Road, Scene, write
from tests.lives import at
from tests.portals import profile

ADDRESS = "http://127.0.0.1:1"
SERVICE = "http://127.0.0.1:8080"
KEY = "a-key-of-these-tests"


@dataclass
class Applied(Scene):
    """A department whose service is an application; `desk` may be opened anew."""

    road: Road
    application: Application
    settings: Settings

    @property
    def refreshes(self) -> int:
        return self.portal.world.oauth.asked["refresh_token"]

    async def install(self) -> None:
        """The portal's post has come, names are known, events are bound, fields stand."""
        await self.deliver()
        await refresh_people(self.desk)
        await bind_when_due(self.desk)
        await self.desk.working_portal.provision(dry_run=False, layout=False)
        self.portal.world.offline.clear()

    def receives(self, told: dict[str, object]) -> Case:
        """A client writes."""
        return self.office.receive(told, self.office.agents[0])

    async def deliver(self) -> int:
        """What the portal has to post in the next minute."""
        self.clock.advance(timedelta(minutes=1))
        return await self.portal.deliver(self.web)

    async def stored(self) -> Installation:
        assert self.desk.vault is not None
        found = await self.desk.vault.load()
        assert found is not None
        return found

    def bound(self, *, offline: bool = False) -> set[str]:
        return {one.event for one in self.application.bindings if one.offline is offline}

    @asynccontextmanager
    async def restarted(self) -> AsyncIterator[Desk]:
        """One more process over the same database; inside it is the scene's."""
        async with open_desk(self.settings, clock=self.clock, portal_of=over(self.road)) as desk:
            before, self.desk = self.desk, desk
            self.web = httpx.ASGITransport(app=create_app(desk))
            try:
                yield desk
            finally:
                self.desk = before


def over(road: Road) -> PortalOf:
    """How the service reaches the portal."""
    return lambda config, clock: Portal(config, clock, road)


@asynccontextmanager
async def applied(
    folder: Path,
    *,
    public: bool = True,
    features: tuple[str, ...] = EXTENDED,
    has_ui: bool = False,
    installed: bool = True,
    kind: Profile | None = None,
) -> AsyncIterator[Applied]:
    """`public`: events can be posted to the service."""
    clock = SetClock(at("24.11 10:00"))
    portal = EmulatedPortal(clock.now, profile=replace(kind or profile(), features=features), seed=7)
    office: Office = furnish(portal)
    await asyncio.to_thread(write, folder / "rules.toml", office.rules())
    application = portal.add_application(f"{SERVICE}/install", has_ui=has_ui)
    settings = Settings(
        portal=ADDRESS,
        client_id=application.client_id,
        client_secret=SecretStr(application.client_secret),
        secret_key=SecretStr(KEY),
        public_url=SERVICE if public else None,
        database_url=SecretStr(f"sqlite+aiosqlite:///{folder / 'desk.db'}"),
        rules=folder / "rules.toml",
    )
    road = Road(httpx.ASGITransport(app=portal.app), None)
    async with open_desk(settings, clock=clock, portal_of=over(road)) as desk:
        web = httpx.ASGITransport(app=create_app(desk))
        scene = Applied(
            clock=clock, portal=portal, office=office, desk=desk, web=web, road=road,
            application=application, settings=settings,
        )  # fmt: skip
        if installed:
            await scene.install()
        yield scene
