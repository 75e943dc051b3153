"""The running parts in one value: settings, rules, database, portal, clock.

Everything that acts takes a `Desk`; everything that decides takes plain values.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from app import signing
from app.bitrix.access import Access
from app.bitrix.application import Features
from app.bitrix.oauth import Application, Identification
from app.bitrix.portal import Portal, PortalConfig, SourceConfig
from app.clock import Clock, RealClock
from app.model import Person, Ticket
from app.pinning import RulesOf, composed
from app.rules import Rules, RulesFault, load_rules, rules_from
from app.settings import Settings
from app.store import leases, marks, people, rules_log
from app.store.engine import Database, StoreUnavailable
from app.store.migrate import migrate
from app.store.sealing import Seal
from app.vanishing import Vanished
from app.vault import Vault

Role = Literal["all", "web", "worker"]
PortalOf = Callable[[PortalConfig, Clock], Portal]

log = logging.getLogger(__name__)

_TURN: ContextVar[int | None] = ContextVar("turn", default=None)
"""The lease's epoch under which the act at hand was begun; None: it needs no lease."""


class TakenOver(StoreUnavailable):
    """We were frozen or cut off, and another process leads now: nothing of what we began may be written."""


@dataclass(slots=True)
class Health:
    """What `/readyz` tells: facts about the last attempts, not promises."""

    migrated: bool = False
    last_portal_ok_at: datetime | None = None
    portal_fault: str | None = None  # in words that name the remedy
    last_sweep_at: datetime | None = None
    listed_at: datetime | None = None  # the last sweep through the lists; None: none since we subscribed
    fetched_at: datetime | None = None  # the application's queue was last emptied
    bound_at: datetime | None = None  # the application's subscriptions were last looked at by this process
    queue: Features | None = None  # what the plan allows the application's queue; None: there is none
    queue_sure: bool = False  # nobody's reservation is left in it
    people_read_at: datetime | None = None
    unwritten: set[str] = field(default_factory=set)  # whose last write failed: intake, lease
    warnings: dict[str, str] = field(default_factory=dict)  # by subject: fuse, rights, provisional …
    sweep_noted_at: datetime | None = None  # of what is kept for later reports
    told: set[str] = field(default_factory=set)  # jobs whose trouble stands in the log


@dataclass(slots=True)
class Desk:
    """One support desk at work."""

    settings: Settings
    rules: Rules
    db: Database
    clock: Clock
    portal: Portal | None = None  # None: this process takes webhooks only
    role: Role = "all"
    health: Health = field(default_factory=Health)
    people: dict[int, Person] = field(default_factory=dict)
    pinned: dict[str, Rules] = field(default_factory=dict)  # rules of older tickets, by version, as written
    lost: set[str] = field(default_factory=set)  # versions that are not understood any more
    name: str = field(default_factory=lambda: secrets.token_hex(4))  # holder of claims and leases
    vanished: Vanished = field(default_factory=Vanished)
    in_flight: set[str] = field(default_factory=set)  # messages and cards that a worker is sending just now
    deciding: asyncio.Lock = field(default_factory=asyncio.Lock)  # facts become known in order of their times
    polled: tuple[datetime, int] | None = None  # the last poll, and the requests made by then
    gap: tuple[datetime, datetime] | None = None  # between the copy that was restored and its first start
    epoch: int | None = None  # of the lease under which this process talks to the portal
    freed_epoch: int | None = None  # of the lease under which the claims of those before us were ended
    swept_epoch: int | None = None  # of the lease that began with a sweep of this process
    vault: Vault | None = None  # where the application's credential is kept; None with a webhook
    portal_of: PortalOf = Portal  # how to reach the portal with another credential
    _woken: dict[str, asyncio.Event] = field(default_factory=dict)  # by who waits
    _came_in: bool = False  # before somebody waited for the first time

    def now(self) -> datetime:
        """The present, aware UTC."""
        return self.clock.now()

    def wake(self) -> None:
        """Something came in: no worker need wait for its next turn."""
        self._came_in = True
        for alarm in self._woken.values():
            alarm.set()

    @contextmanager
    def in_turn(self) -> Iterator[None]:
        """Inside, nothing is written or asked of the portal once another process has taken over.

        Whoever wakes after a long freeze would else send what the other has sent, or write old values.
        """
        token = _TURN.set(self.epoch)
        try:
            yield
        finally:
            _TURN.reset(token)

    async def check_turn(self, conn: AsyncConnection) -> None:
        """Raises TakenOver."""
        turn = _TURN.get()
        if turn is None or await leases.is_last(conn, leases.PORTAL, turn):
            return
        if self.epoch == turn:
            self.epoch = None
        raise TakenOver("another process talks to the portal now")

    async def is_our_turn(self) -> bool:
        """For a request to the portal; also False while the database cannot tell."""
        if _TURN.get() is None:
            return True
        try:
            async with self.db.read() as conn:
                await self.check_turn(conn)
        except StoreUnavailable:
            return False
        return True

    async def wait_for_work(self, seconds: float, who: str = "road") -> None:
        """Until woken, or `seconds` of real time. Each worker hears of what came in since it last waited."""
        alarm = self._woken.get(who)
        if alarm is None:
            alarm = self._woken[who] = asyncio.Event()
            if self._came_in:
                return
        try:
            async with asyncio.timeout(seconds):
                await alarm.wait()
        except TimeoutError:
            return
        finally:
            alarm.clear()

    def name_of(self, person: int | None) -> str:
        """«Иванова А.», or «№ 7» for somebody we know only by number."""
        if person is None:
            return ""
        known = self.people.get(person)
        return known.name if known else f"сотрудник № {person}"

    def forgot_what_it_said(self) -> bool:
        """Whether a copy was restored lately: a message may stand in the portal that we know nothing of."""
        return self.gap is not None and self.now() - self.gap[1] < DOUBT

    def page_url(self, ticket: Ticket) -> str:
        """Our page about a ticket, or "" without B24SLA_PUBLIC_URL; with a key it opens without a login."""
        base, key = self.settings.public_url, self.why_key
        path = signing.address(key, ticket.ref, signing.ends_at(ticket)) if key else f"/tickets/{ticket.ref}"
        return f"{base.rstrip('/')}{path}" if base else ""

    @property
    def why_key(self) -> bytes | None:
        """What signs the addresses of explanations; every process of a desk has the same settings."""
        secret = self.settings.secret_key or self.settings.admin_token
        return signing.key_of(secret.get_secret_value()) if secret else None

    @property
    def working_portal(self) -> Portal:
        """The portal; only the worker's jobs ask for it."""
        if self.portal is None:
            raise RuntimeError("this process has no portal: it runs with --role web")
        return self.portal


def portal_config(settings: Settings, rules: Rules, access: Access | None = None) -> PortalConfig:
    """What the portal's adapter needs of settings and rules, in its own words. `access`: no webhook."""
    webhook = settings.portal_webhook
    return PortalConfig(
        webhook=webhook.get_secret_value() if webhook else "",
        sources=tuple(
            SourceConfig(s.kind, s.category, s.entity_type, s.group, s.read, frozenset(s.stages))
            for s in rules.sources
        ),
        fields=rules.fields,
        robots=rules.people.robots,
        ca_file=settings.ca_file,
        dry_run=settings.dry_run,
        language=rules.desk.language,
        extra=rules.policy_fields,
        chats={"alerts": rules.chats.alerts, "digest": rules.chats.digest},
        people=_places(rules),
        colleagues=(rules.people.head, *rules.people.leads, *rules.people.duty, rules.people.director),
        since=rules.desk.since,
        waiver=rules.desk.waiver,
        tariff=rules.pace.tariff,
        share=rules.pace.share,
        application=access,
    )


def _places(rules: Rules) -> dict[str, tuple[int, ...]]:
    """Whom the rules name, each place without its zeros; robots are no people."""
    named = rules.people
    places = {
        "head": (named.head,),
        "leads": named.leads,
        "duty": named.duty,
        "director": (named.director,),
        "development": named.development,
    }
    return {name: tuple(one for one in ids if one) for name, ids in places.items()}


DOUBT = timedelta(days=14)
"""So long after a copy was restored every message is looked for before it is said."""
BORN = "born_at"  # mark: when this database first served; the default of desk.since


@asynccontextmanager
async def open_desk(
    settings: Settings,
    *,
    clock: Clock | None = None,
    role: Role = "all",
    portal_of: PortalOf = Portal,
) -> AsyncIterator[Desk]:
    """A desk on a migrated database whose portal is ready to be called; both are closed after.

    Raises RulesFault with every fault of the rules file.
    """
    clock = clock or RealClock()
    address = settings.database_url.get_secret_value()
    db = Database.open(address)
    try:
        await migrate(address)
        rules = load_rules(settings.rules, default_since=await _born_at(db, clock.now()))
        vault = _vault(settings, db, clock)
        portal = None
        if role != "web" and settings.portal_address:
            access = _application(settings, vault, clock) if vault else None
            portal = portal_of(portal_config(settings, rules, access), clock)
        try:
            desk = Desk(
                settings, rules, db, clock, portal, role, Health(migrated=True), await _people(db),
                vault=vault, portal_of=portal_of,
            )  # fmt: skip
            db.fence = desk.check_turn
            if portal is not None:
                portal.ask_first(desk.is_our_turn)
            yield desk
        finally:
            if portal is not None:
                await portal.close()
    finally:
        await db.close()


def _vault(settings: Settings, db: Database, clock: Clock) -> Vault | None:
    key = settings.secret_key
    return Vault(db, Seal(key.get_secret_value()), clock, settings.portal_address) if key else None


def _application(settings: Settings, vault: Vault, clock: Clock) -> Application:
    secret = settings.client_secret
    assert settings.client_id and secret, "settings refuse an application by halves"  # noqa: PT018
    who = Identification(
        settings.client_id, secret.get_secret_value(), settings.portal_address, settings.oauth_server or ""
    )
    return Application(who, vault, clock)


async def _born_at(db: Database, now: datetime) -> datetime:
    async with db.begin() as conn:
        told = await marks.get(conn, BORN)
        if told is None:
            await marks.put(conn, BORN, now.isoformat())
    return datetime.fromisoformat(told) if told else now


async def rule_book(conn: AsyncConnection, desk: Desk, versions: Iterable[str]) -> RulesOf:
    """Finds these versions as they were written.

    Today's rules stand for one that was never kept or that cannot be understood any more.
    """
    for version in sorted({*versions} - {"", desk.rules.version} - desk.pinned.keys() - desk.lost):
        text = await rules_log.load(conn, version)
        if text is not None:
            _recall(desk, version, text)
    return lambda version: desk.pinned.get(version, desk.rules)


def _recall(desk: Desk, version: str, text: str) -> None:
    try:
        desk.pinned[version] = rules_from(text)
    except RulesFault as fault:
        desk.lost.add(version)
        log.warning(
            "older rules cannot be understood any more, today's stand for them",
            extra={"version": version, "faults": [str(each) for each in fault.faults]},
        )


async def rules_then(conn: AsyncConnection, desk: Desk, version: str) -> Rules:
    """Terms, calendars and phrases as when a ticket began; stages, people and chats of today."""
    if not version or version == desk.rules.version:
        return desk.rules
    return composed((await rule_book(conn, desk, [version]))(version), desk.rules)


async def _people(db: Database) -> dict[int, Person]:
    async with db.read() as conn:
        return await people.load(conn)
