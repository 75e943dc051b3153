"""The service and the emulated portal in one process, on a clock that the test sets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from app.bitrix.portal import Portal
from app.clock import SetClock
from app.demo.office import Case, Office, furnish
from app.demo.portal import EmulatedPortal, Profile
from app.desk import Desk, open_desk
from app.jobs.reconcile import reconcile
from app.jobs.refresh import refresh_people
from app.jobs.watch import watch
from app.model import ItemRef, Kind, Lane, Ticket
from app.serving import walk
from app.settings import Settings
from app.store import inbox, tickets
from app.web.application import create_app
from tests.lives import at
from tests.portals import profile

TOKEN = "events-of-this-test"
FIRE = "Пожарная машина стоит у закрытых ворот, въехать не может, горит дом"
SMS = "Житель не получает код для входа в приложение, пробовал три раза"


class LeapingClock(SetClock):
    """Waiting takes no time of ours."""

    async def sleep(self, length: timedelta) -> None:
        self.advance(max(length, timedelta(0)))


@dataclass
class Scene:
    """A department at work."""

    clock: SetClock
    portal: EmulatedPortal
    office: Office
    desk: Desk
    web: httpx.ASGITransport
    road: Road

    async def settle(self, *, events: bool = True) -> None:
        """Until nothing more happens at this moment and in the seconds in which events travel."""
        for _ in range(20):
            self.clock.advance(timedelta(seconds=2))
            posted = await self.portal.deliver(self.web) if events else 0
            busy = await walk(self.desk)
            while busy and await walk(self.desk):
                pass
            if not (posted or busy or (events and self.portal.pending_events)):
                return

    async def until(self, moment: str) -> None:
        """Let the time come, look what came due, and settle."""
        self.clock.set(max(at(moment), self.clock.now()))
        await watch(self.desk)
        await self.settle()

    async def sweep(self) -> None:
        await reconcile(self.desk)
        await self.settle()

    async def ticket(self, case: Case) -> Ticket:
        async with self.desk.db.read() as conn:
            found = await tickets.load(conn, ref_of(case))
        assert found is not None
        return found

    async def desk_puts(self, case: Case) -> None:
        """The service itself wants to look at this card."""
        async with self.desk.db.begin() as conn:
            await inbox.put(conn, [(ref_of(case), Lane.LIVE, "test")], self.clock.now())

    async def hide(self, cases: Iterable[Case], *, one_by_one: bool = False) -> None:
        """The service may no longer see these cards, and looks at them: at once, or a pass for each."""
        for case in cases:
            self.portal.hide(2, case.id)
            await self.desk_puts(case)
            if one_by_one:
                await self.settle(events=False)
        await self.settle(events=False)

    def fields(self, case: Case) -> dict[str, object]:
        return self.portal.sla(case.place, case.id)

    def chat(self) -> list[str]:
        return [
            message["text"] for message in self.portal.messages(self.office.chat) if not message["deleted"]
        ]


def ref_of(case: Case) -> ItemRef:
    if case.place == "task":
        return ItemRef(Kind.TASK, case.id)
    return ItemRef(Kind.DEAL, case.id) if case.place == 2 else ItemRef(Kind.ITEM, case.id, int(case.place))


def letter(text: str = SMS, title: str = "Обращение", channel: str = "email") -> dict[str, object]:
    """What a client sends; the channel says where it lands: email → deal, telegram → item, form → task."""
    return {"id": "T1", "channel": channel, "title": title, "description": text}


def write(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")


class Road(httpx.AsyncBaseTransport):
    """To the emulated portal, whose answers may be changed on their way."""

    def __init__(self, inner: httpx.AsyncBaseTransport, twist: Callable[[bytes], bytes] | None) -> None:
        self._inner, self.twist = inner, twist

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if self.twist is None:
            return answer
        return httpx.Response(answer.status_code, content=self.twist(await answer.aread()))


@asynccontextmanager
async def scene(
    folder: Path,
    start: str = "24.11 10:00",
    *,
    dry_run: bool = False,
    database: str = "",
    twist: Callable[[bytes], bytes] | None = None,
    kind: Profile | None = None,
    rewritten: Callable[[str], str] = str,
) -> AsyncIterator[Scene]:
    """`twist` changes the portal's answers on their way, for what the emulated portal never says,
    `rewritten` the department's rules.

    A `kind` of portal with limits of its own is met on a clock that leaps to where one waits for them.
    """
    clock = (LeapingClock if kind else SetClock)(at(start))
    portal = EmulatedPortal(clock.now, profile=kind or profile(), seed=7)
    office = furnish(portal)
    rules = folder / "rules.toml"
    await asyncio.to_thread(write, rules, rewritten(office.rules()))
    settings = Settings(
        portal_webhook=SecretStr(portal.url("http://127.0.0.1:1")),
        event_tokens=(SecretStr(TOKEN),),
        database_url=SecretStr(database or f"sqlite+aiosqlite:///{folder / 'desk.db'}"),
        rules=rules,
        dry_run=dry_run,
    )
    road = Road(httpx.ASGITransport(app=portal.app), twist)
    async with open_desk(
        settings, clock=clock, portal_of=lambda config, now: Portal(config, now, road)
    ) as desk:
        await desk.working_portal.provision(dry_run=False, layout=False)
        await refresh_people(desk)
        web = httpx.ASGITransport(app=create_app(desk))
        portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
        yield Scene(clock, portal, office, desk, web, road)
