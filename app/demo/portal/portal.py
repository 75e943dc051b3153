"""The emulated portal as tests and the demo hold it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from random import Random
from typing import Any

import httpx

from . import (
    activities,
    applications,
    bindings,
    bots,
    chat,
    crm,
    deals,
    offline,
    openlines,
    structure,
    talkqueue,
    tasks,
    timeline,
    userfieldmethods,
    users,
)
from .acts_crm import CrmActs
from .acts_work import WorkActs
from .calls import Calls, Credential
from .directories import DEAL_STAGES, LEAD_STAGES, add_funnel, directory_of, fill, fill_plain
from .events import Events, PendingEvent
from .faults import Faults
from .fields import COMPANY, CONTACT, DEAL, LEAD
from .front import Front
from .limits import Bucket, Operating
from .profile import CLOUD_STD, Profile
from .rest3 import Rest3
from .world import Application, Department, User, World

METHOD_MODULES = (
    activities, applications, bindings, bots, chat, crm, deals, offline, openlines, structure, talkqueue,
    tasks, timeline, userfieldmethods, users,
)  # fmt: skip
"""Modules that enter their methods in the table when they are loaded."""

SCOPES = (
    "calendar", "crm", "department", "im", "imbot", "imopenlines", "task", "tasks", "user", "user_basic",
    "user_brief", "userfieldconfig",
)  # fmt: skip
OWNER = 9
"""The integration user whose incoming webhook the service has."""


class EmulatedPortal(CrmActs, WorkActs):
    """A Bitrix24 portal in memory, with a clock of its own choice.

    It starts with user 1 (administrator), user 9 (integration, administrator, owner of the webhook), one
    department, the deals' funnel 0 and the lead's stages. Ids of different kinds start apart.

    - Connecting: `app` (ASGI), `webhook_path`, `url(base)`, `add_webhook`, `moved_to` (302 of a renamed one).
    - People act through CrmActs and WorkActs; `by=0` is a robot. Each act is a hit and raises events as REST.
    - Events: `subscribe`, `deliver`, `pending_events`, `next_event_at`; knobs on `events`: drop, double,
      reorder (probabilities), delay (seconds), burst.
    - Faults: `faults.fail(method, kind, times)`, `faults.down`. Rights: `hide`, `hide_category`. Rules of the
      portal: `require` (a field required at a stage), `add_robot` (automation after creation).
    - Counters: `requests` (HTTP), `calls` by lower-case method, `writes` and `idle_writes` (REST updates that
      changed something or nothing, by (entity type or "task", id)), `refused` by error code, `spec_faults`
      (calls that do not fit the vendor's specs), `unknown_fields` (names that were ignored silently).
    """

    def __init__(self, now: Callable[[], datetime], profile: Profile = CLOUD_STD, seed: int = 0) -> None:
        random = Random(seed)
        self.events = Events(now, profile, random)
        self.world = World(now, profile, random, self.events)
        self.faults = Faults()
        self.rest = Calls(self.world, Bucket(profile), Operating(profile), self.faults)
        self.rest3 = Rest3(self.rest)
        self.requests = 0
        self.moved_to: str | None = None
        self.webhooks: dict[str, Credential] = {}
        self.events.for_applications = partial(applications.tell, self.world)
        self._furnish()
        self.webhook_path = self.add_webhook(OWNER)
        self.app = Front(self)

    def _furnish(self) -> None:
        world = self.world
        world.departments[1] = Department(world.next_id("department"), "Компания", head=1)
        world.users[1] = User(1, "Анна", "Соколова", email="user1@example.com", admin=True)
        world.users[OWNER] = User(OWNER, "Интеграция", "SLA", email="user9@example.com", admin=True)
        add_funnel(world, DEAL, "Общая", DEAL_STAGES, default=True)
        fill(world, directory_of(LEAD, 0), LEAD_STAGES)
        fill_plain(world)
        for entity_type in (LEAD, DEAL, CONTACT, COMPANY):
            world.items[entity_type] = {}

    # connecting

    def url(self, base: str) -> str:
        """The webhook's whole address on a portal at `base`."""
        return base.rstrip("/") + self.webhook_path

    def add_webhook(self, user: int, scopes: Iterable[str] | None = None) -> str:
        """One more incoming webhook; its path. Without scopes it has all."""
        secret = sha256(f"webhook {user} {len(self.webhooks)}".encode()).hexdigest()[:16]
        granted = SCOPES if scopes is None else tuple(scopes)
        self.webhooks[secret] = Credential(secret, user, granted)
        return f"/rest/{user}/{secret}/"

    # applications

    def add_application(
        self, install_url: str, scopes: Iterable[str] | None = None, *, has_ui: bool = False, by: int = OWNER
    ) -> Application:
        """A local application, added by an administrator; without an interface it is told so by a post."""
        return applications.add(
            self.world, install_url, SCOPES if scopes is None else scopes, by, has_ui=has_ui
        )

    def open_frame(self, application: Application, user: int = OWNER) -> tuple[str, bytes]:
        """Address and form that a browser posts when somebody opens the application's page."""
        return applications.frame(self.world, application, user)

    def finish_install(self, application: Application) -> None:
        """`BX24.installFinish()` in the frame."""
        application.finished = True

    def update_application(self, application: Application, *, new_token: bool = False) -> None:
        applications.update(self.world, application, new_token=new_token)

    def remove_application(self, application: Application) -> None:
        applications.remove(self.world, application)

    def restore_application(self, application: Application) -> None:
        applications.again(self.world, application)

    # events

    def subscribe(self, url: str, application_token: str, events: Iterable[str] | None = None) -> int:
        """An outgoing webhook for these events, or for all a webhook can have."""
        names = None if events is None else frozenset(name.upper() for name in events)
        return self.events.subscribe(url, application_token, names)

    async def deliver(
        self, transport: httpx.AsyncBaseTransport | None = None, until: datetime | None = None
    ) -> int:
        """Post the events that are due by now (or `until`), once each; the number posted."""
        return await self.events.deliver(transport, until or self.world.now())

    @property
    def pending_events(self) -> list[PendingEvent]:
        return sorted(self.events.pending, key=lambda one: (one.due_at, one.order))

    @property
    def next_event_at(self) -> datetime | None:
        return min((one.due_at for one in self.events.pending), default=None)

    def drop_pending(self) -> int:
        """Lose every event that is on its way; how many."""
        lost, self.events.pending = len(self.events.pending), []
        self.events.dropped += lost
        return lost

    # rights and rules of this portal

    def hide(self, kind: int | str, number: int) -> None:
        """The owner of the webhook may not read this item (or "task")."""
        self.world.hidden.add((kind, number))

    def show(self, kind: int | str, number: int) -> None:
        self.world.hidden.discard((kind, number))

    def hide_category(self, entity_type: int, category: int) -> None:
        self.world.hidden_categories.add((entity_type, category))

    def require(self, entity_type: int, stage: str, field: str) -> None:
        """A field without which nobody gets to this stage (full stage id)."""
        self.world.required.setdefault((entity_type, stage), []).append(field)

    def add_robot(self, entity_type: int, fields: Mapping[str, Any]) -> None:
        """Automation that writes these fields right after each creation, as nobody."""
        self.world.robots.setdefault(entity_type, []).append(dict(fields))

    # counters

    @property
    def calls(self) -> Counter[str]:
        return self.rest.counted

    def calls_of(self, method: str) -> int:
        return self.rest.counted[method.lower()]

    @property
    def refused(self) -> Counter[str]:
        return self.rest.refused

    @property
    def writes(self) -> Counter[tuple[int | str, int]]:
        return self.world.writes

    @property
    def idle_writes(self) -> Counter[tuple[int | str, int]]:
        return self.world.idle_writes

    @property
    def spec_faults(self) -> list[str]:
        return self.rest.judge.faults

    @property
    def unknown_fields(self) -> list[str]:
        return self.world.unknown_fields
