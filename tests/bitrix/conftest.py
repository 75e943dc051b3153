"""A desk's portal beside an emulated one, and everything that tests of the adapter share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.bitrix.config import NativeFields, PortalConfig, SourceConfig
from app.bitrix.portal import Ask, Portal, Unread
from app.clock import SetClock
from app.demo.portal import EmulatedPortal, Profile
from app.model import Gone, ItemRef, Kind, Reading

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
OPEN_SECRET = "Тайна Раскрытова"
STAGES = [("NEW", "Новое", "P"), ("WORK", "В работе", "P"), ("WAIT", "Ждём", "P"), ("WON", "Закрыто", "S")]


class PatientClock(SetClock):
    """Waiting takes no time of ours: the clock just goes on."""

    async def sleep(self, length: timedelta) -> None:
        self.advance(length)


@dataclass(slots=True)
class World:
    """The emulated portal with one funnel, one smart process and one project, and our road to it."""

    emulated: EmulatedPortal
    clock: SetClock
    portal: Portal
    config: PortalConfig
    funnel: int
    smart: int  # entityTypeId
    project: int
    agent: int
    client: int  # a contact

    async def read(
        self, *refs: ItemRef, cursor: dict[str, int] | None = None
    ) -> list[Reading | Gone | Unread]:
        return await self.portal.read([Ask(ref, cursor or {}) for ref in refs])

    async def reading(self, ref: ItemRef) -> Reading:
        [told] = await self.read(ref)
        assert isinstance(told, Reading), told
        return told

    def deal(self, title: str = "Не открывается шлагбаум", **more: Any) -> ItemRef:
        given = {"category": self.funnel, "assigned": self.agent, "contact": self.client} | more
        return ItemRef(Kind.DEAL, self.emulated.add_deal(title, **given))

    def item(self, title: str = "Заявка", **more: Any) -> ItemRef:
        return ItemRef(Kind.ITEM, self.emulated.add_item(self.smart, title, **more), self.smart)

    def task(self, title: str = "Проверить КПП", **more: Any) -> ItemRef:
        given: dict[str, Any] = {"created_by": 1, "responsible": self.agent, "group": self.project}
        given |= {"auditors": (9,)} | more
        return ItemRef(Kind.TASK, self.emulated.add_task(title, **given))


Make = Callable[..., World]


@pytest.fixture
async def make(portal_kind: Profile) -> AsyncIterator[Make]:
    """`make(profile, **config)` builds a world; its client is closed after the test."""
    async with AsyncExitStack() as stack:

        def build(profile: Profile = portal_kind, **config: Any) -> World:
            world = built(profile, **config)
            stack.push_async_callback(world.portal.close)
            return world

        yield build


@pytest.fixture
async def world(make: Make) -> World:
    """A portal on which the fields stand already."""
    made = make()
    await made.portal.provision(dry_run=False, layout=False)
    return made


@pytest.fixture
async def lively(make: Make) -> World:
    """Something of everything, each with a word that must not be told."""
    world = make(chats={"alerts": "chat11"})
    await world.portal.provision(dry_run=False, layout=False)
    portal = world.emulated
    portal.add_userfield(
        "CRM_DEAL", "UF_CRM_RASKRYTOVA", "enumeration", options=[("raskrytova", OPEN_SECRET)]
    )
    portal.set_user(world.agent, name=OPEN_SECRET, last_name=OPEN_SECRET, email="raskrytova@example.com")
    portal.say(portal.add_chat(OPEN_SECRET, [9, world.agent]), OPEN_SECRET, world.agent)
    deal = world.deal(OPEN_SECRET, comments=OPEN_SECRET)
    portal.add_email((2, deal.id), 1, OPEN_SECRET, OPEN_SECRET, by=1)
    portal.add_timeline_note((2, deal.id), OPEN_SECRET)
    portal.open_line_says(portal.open_line_of(portal.add_open_line((2, deal.id))), OPEN_SECRET)
    world.item(OPEN_SECRET)
    task = world.task(OPEN_SECRET, description=OPEN_SECRET)
    portal.task_message(task.id, OPEN_SECRET, world.agent)
    portal.add_project(OPEN_SECRET, (OPEN_SECRET,))
    portal.add_funnel(OPEN_SECRET, [("RASKRYTOVA", OPEN_SECRET, "P")])
    return world


def built(profile: Profile, **config: Any) -> World:
    clock = PatientClock(NOW)
    emulated = EmulatedPortal(clock.now, profile=profile)
    funnel = emulated.add_funnel("Поддержка", STAGES)
    smart, _ = emulated.add_type("Заявки")
    project = emulated.add_project("Поддержка")
    sources = (
        SourceConfig(Kind.DEAL, category=funnel),
        SourceConfig(Kind.ITEM, entity_type=smart, read=NativeFields(channel="")),
        SourceConfig(Kind.TASK, group=project),
    )
    known = PortalConfig(emulated.url("http://portal.test"), sources)
    told = replace(known, **config)
    portal = Portal(told, clock, httpx.ASGITransport(app=emulated.app))
    agent = emulated.add_user("Анна", "Иванова")
    client = emulated.add_contact("Пётр", "Клиентов")
    return World(emulated, clock, portal, told, funnel, smart, project, agent, client)
