"""Outgoing events: merged per hit, delayed, sometimes lost, doubled or late; never sent again."""

import logging
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx

from .oauth import MEMBER, SERVER
from .php import build_query
from .profile import Profile

log = logging.getLogger("portal.events")

WEBHOOK_EVENTS = (
    "ONCRMDEAL", "ONCRMLEAD", "ONCRMCONTACT", "ONCRMCOMPANY", "ONCRMDYNAMICITEM", "ONCRMACTIVITY",
    "ONCRMTIMELINECOMMENT", "ONTASK", "ONUSERADD",
)  # fmt: skip
APPLICATION_ONLY = frozenset({"ONCRMDEALMOVETOCATEGORY"})


@dataclass(frozen=True, slots=True)
class Cause:
    """Whose act an event comes of. Depth: of a token taken from an event (rest.md 3.5); None: of no event."""

    user: int = 0  # 0: a robot, a workflow
    client_id: str = ""
    connector: str = ""
    depth: int | None = None

    @property
    def exhausted(self) -> bool:
        return self.depth == 0


NOBODY = Cause()


@dataclass(frozen=True, slots=True)
class Subscription:
    """An outgoing webhook; events None: all that a webhook can have."""

    id: int
    url: str
    application_token: str
    events: frozenset[str] | None

    def wants(self, event: str) -> bool:
        if event in APPLICATION_ONLY:
            return False
        return event.startswith(WEBHOOK_EVENTS) if self.events is None else event in self.events


@dataclass(frozen=True, slots=True)
class PendingEvent:
    """An event on its way: what will be posted, where and not before when."""

    due_at: datetime
    order: int
    url: str
    event: str
    body: bytes


@dataclass(slots=True)
class Events:
    """The portal's queue of outgoing events and its bad habits (probabilities 0..1, times in seconds)."""

    now: Callable[[], datetime]
    profile: Profile
    random: Random
    host: str = "portal.test"
    delay: tuple[float, float] = (0.3, 2.0)
    drop: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    reorder_by: float = 10.0
    burst: int = 1
    slow_after: float = 5.0
    slow_penalty: float = 5.0
    subscriptions: list[Subscription] = field(default_factory=list)
    pending: list[PendingEvent] = field(default_factory=list)
    raised: int = 0
    posted: int = 0
    dropped: int = 0
    lost: int = 0
    for_applications: Callable[[str, dict[str, Any], Cause], None] | None = None
    _hit: dict[str, tuple[str, dict[str, Any], Cause]] = field(default_factory=dict)
    _cause: Cause = NOBODY
    _depth: int = 0
    _order: int = 0
    _handlers: dict[tuple[str, str], int] = field(default_factory=dict)
    _slow: dict[str, float] = field(default_factory=dict)

    def subscribe(self, url: str, token: str, events: frozenset[str] | None) -> int:
        """Add an outgoing webhook. Raises ValueError for an address that the product refuses."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            raise ValueError("ERROR_UNSUPPORTED_PROTOCOL")
        if "." not in (parts.hostname or ""):
            self._allow_loopback(parts.hostname)
        self.subscriptions.append(Subscription(len(self.subscriptions) + 1, url, token, events))
        return len(self.subscriptions)

    def _allow_loopback(self, host: str | None) -> None:
        if not self.profile.loopback_handlers:
            raise ValueError("ERROR_WRONG_HANDLER_URL")
        log.info("handler on a host without a dot taken: %s (the product refuses it)", host)

    @contextmanager
    def hit(self, cause: Cause = NOBODY) -> Iterator[None]:
        """One request to the portal: its events leave together after the answer, identical ones merged."""
        self._cause = self._cause if self._depth else cause
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self._flush()

    def raise_event(self, event: str, data: dict[str, Any], by: int | None = None) -> None:
        """Something happened; outside a hit it is a hit of its own. `by`: whose act, if not the caller's."""
        with self.hit():
            cause = self._cause if by is None else replace(self._cause, user=by)
            self._hit[f"{event} {data}"] = (event, data, cause)

    def _flush(self) -> None:
        happened, self._hit = list(self._hit.values()), {}
        for event, data, cause in happened:
            if cause.exhausted:
                log.info("%s is not told: reactions to reactions went too deep", event)
                continue
            self.raised += 1
            self._tell(event, data)
            if self.for_applications is not None:
                self.for_applications(event, data, cause)

    def _tell(self, event: str, data: dict[str, Any]) -> None:
        for one in self.subscriptions:
            if one.wants(event):
                self.post(one.url, event, data, self.auth(one.application_token), str(one.id))

    def post(self, url: str, event: str, data: dict[str, Any], auth: dict[str, Any], handler: str) -> None:
        """Put an event on its way to one handler."""
        if self.random.random() < self.drop:
            self.dropped += 1
            return
        copies = self.burst + (self.random.random() < self.double)
        body = build_query(self._body(event, data, auth, handler)).encode()
        for _ in range(copies):
            self._order += 1
            due = self.now() + self._wait(url)
            self.pending.append(PendingEvent(due, self._order, url, event, body))

    def _wait(self, url: str) -> timedelta:
        late = self.random.random() * self.reorder_by if self.random.random() < self.reorder else 0.0
        return timedelta(seconds=self.random.uniform(*self.delay) + late + self._slow.get(url, 0.0))

    def auth(self, application_token: str) -> dict[str, Any]:
        """The five keys that every event carries; of an outgoing webhook no other (rest.md 3.2)."""
        return {
            "domain": self.host,
            "client_endpoint": f"https://{self.host}/rest/",
            "server_endpoint": f"https://{SERVER}/rest/",
            "member_id": MEMBER,
            "application_token": application_token,
        }

    def _body(self, event: str, data: dict[str, Any], auth: dict[str, Any], handler: str) -> dict[str, Any]:
        body: dict[str, Any] = {"event": event}
        if self.profile.handler_id:
            body["event_handler_id"] = self._handlers.setdefault(
                (handler, event), 185 + 2 * len(self._handlers)
            )
        return body | {"data": data, "ts": int(self.now().timestamp()), "auth": auth}

    async def deliver(self, transport: httpx.AsyncBaseTransport | None, until: datetime) -> int:
        """Post what is due by `until`, in order of due time; one attempt each. Answers the number posted."""
        due = sorted(
            (one for one in self.pending if one.due_at <= until), key=lambda one: (one.due_at, one.order)
        )
        if not due:
            return 0
        self.pending = [one for one in self.pending if one.due_at > until]
        async with httpx.AsyncClient(transport=transport, verify=_trust(), timeout=15.0) as client:
            for one in due:
                await self._post(client, one)
        return len(due)

    async def _post(self, client: httpx.AsyncClient, one: PendingEvent) -> None:
        began = self.now()
        self.posted += 1
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = await client.post(one.url, content=self._stamped(one.body), headers=headers)
            if not answer.is_success:
                self.lost += 1
        except httpx.HTTPError as error:
            self.lost += 1
            log.info("%s not delivered: %r", one.event, error)
        self._judge_speed(one.url, (self.now() - began).total_seconds())

    def _stamped(self, body: bytes) -> bytes:
        """The form as it leaves: a portal may set `ts` only now."""
        if self.profile.event_ts == "built":
            return body
        return re.sub(rb"(?<=&ts=)\d+", str(int(self.now().timestamp())).encode(), body)

    def _judge_speed(self, url: str, seconds: float) -> None:
        """A handler that answers slowly waits longer for its later events."""
        self._slow[url] = self.slow_penalty if seconds > self.slow_after else 0.0


@cache
def _trust() -> ssl.SSLContext:
    """One for all deliveries: reading the certificates takes forty milliseconds."""
    return httpx.create_ssl_context()
