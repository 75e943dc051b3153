"""The portal, as the service speaks of it: read these, write these, what has changed?

The story of the package, from the outside in:

* `Portal` (here) is all that the jobs know. They give refs and works and get values; HTTP, batches,
  pages and PHP stay below.
* Reading (`reading`, `crm_reading`, `task_reading`) asks for everything about many items in as few
  requests as possible: lists read to their last page by id (`listing`), activities found through
  their bindings (`bindings`), task talk (`talk`). An item whose every list came becomes a Reading;
  a missing one is Gone; anything else is Unread, and nothing is decided from it.
* Rows become values in pure modules: `items`, `tasks`, `speech` and `openlines` (who spoke), `fields`
  (names and values of the SLA fields), `times`.
* Writing (`writing`, `stamping`, `voice`) mixes card fields and messages in one batch, reads fields
  back and says of each work what became of it. A write of unknown fate is said to be one.
* `sweep` asks what changed without an event, `ownership` whose an activity is; `provision` and
  `checking` (of the access; `checking_cards`, `checking_talk`) prepare a portal, `remedies` says what to
  do. `recording` tells the `shapes` of its answers; `methods` lists everything that is ever called.
* Below lie `wire` (calls and answers as text), `errors` (named for the remedy), `limits`
  (arithmetic on now) and `client`, the only network code. `events` reads outgoing webhooks and
  knows nothing of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from app.bitrix import application
from app.bitrix.application import Features, Fetched, Identity, Subscribed
from app.bitrix.budget import Budget, Loan
from app.bitrix.checking import Checker
from app.bitrix.client import Client, Clock, Traffic, Transport, Turn
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, Refused, RetryLater
from app.bitrix.listing import complete
from app.bitrix.ownership import owners_of
from app.bitrix.provision import Provisioner
from app.bitrix.reading import Reader
from app.bitrix.recording import recorded
from app.bitrix.rest3 import TaskVoice
from app.bitrix.results import (
    Ask,
    Changes,
    Line,
    Marks,
    MessageWork,
    StampWork,
    Unread,
    Unwritten,
    Work,
    Written,
    unread,
)
from app.bitrix.shapes import Shape
from app.bitrix.sweep import changes
from app.bitrix.troubles import Shut
from app.bitrix.user_events import MARK as TALK
from app.bitrix.user_events import Lines, Look, Queue
from app.bitrix.voice import Voice, bot_token
from app.bitrix.writing import Writer
from app.model import Gone, Hint, ItemRef, Kind, Lane, Message, Person, Reading

FIRST_LOOK = timedelta(hours=24)
NO_LINES: Lines = {}

__all__ = [
    "Ask", "Changes", "Line", "Loan", "MessageWork", "Portal", "PortalConfig", "Shut", "SourceConfig",
    "StampWork", "Unread", "Unwritten", "Work", "Written",
]  # fmt: skip


class Portal:
    """One portal, through an incoming webhook or as an application. Close it."""

    def __init__(self, config: PortalConfig, clock: Clock, transport: Transport | None = None) -> None:
        self._config, self._clock, self._access = config, clock, config.access
        self._client = Client(
            self._access, clock, ca_file=config.ca_file, transport=transport,
            tariff=config.tariff, share=config.share,
        )  # fmt: skip
        self._directory = Directory(self._client, config, clock, self._access)
        task_voice = TaskVoice(self._client, clock)
        self._voice = Voice(self._client, self._directory, task_voice, self._access.seed)
        self._queue = Queue()
        self._reader = Reader(self._client, config, self._directory, clock)
        self._writer = Writer(self._client, config, self._directory, self._voice, task_voice)

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()

    def ask_first(self, is_our_turn: Turn) -> None:
        """Before every request; it is not made when the answer is no."""
        self._client.is_our_turn = is_our_turn

    @property
    def traffic(self) -> Traffic:
        """Requests, commands and errors so far."""
        return self._client.traffic

    @property
    def last_ok_at(self) -> datetime | None:
        """When the portal last answered as it should."""
        return self._client.traffic.last_ok_at

    @property
    def shut(self) -> Shut | None:
        """Why nothing is asked of the portal now; None: it may be asked."""
        return self._client.shut

    async def look(self) -> bool:
        """Ask once whether we are let in again."""
        return await self._client.look()

    def let_in(self) -> None:
        """Somebody has mended the access: the next call may try."""
        self._client.let_in()

    async def identity(self) -> Identity:
        """Whom the application's token stands for. Raises PortalError."""
        return await application.identity(self._client)

    async def subscribe(self, handler: str, path: str, *, offline: bool) -> Subscribed:
        """See to it that the application hears what it needs: by posts to `handler` (empty: none), and in its
        queue. Handlers of this path at another address are unbound. Raises PortalError.
        """
        key = self._access.connector
        return await application.subscribe(
            self._client, self._config, handler, path, offline=offline, connector=key
        )

    async def plan(self) -> Features:
        """What the plan allows an application; from now on our calls carry a key of source if it may be.

        Raises PortalError.
        """
        self._access.connector = ""
        found = await application.features(self._client)
        self._access.connector = application.SOURCE_KEY if found.keyed else ""
        return found

    async def fetch(self, *, reserve: bool, done: str = "", again: str = "") -> Fetched:
        """The application's queue, see application.fetch. Raises PortalError."""
        return await application.fetch(self._client, reserve=reserve, done=done, again=again)

    async def clear(self, process: str) -> None:
        """Away with the rows that are reserved under it. Raises PortalError."""
        await application.clear(self._client, process)

    async def stuck(self) -> list[str]:
        """Reservations of the queue that nobody cleared. Raises PortalError."""
        return await application.stuck(self._client)

    @property
    def budget(self) -> Budget:
        """What may be asked of it now."""
        return self._client.budget

    @property
    def address(self) -> str:
        """The portal's address for a browser, without a slash; it changes when the portal is renamed."""
        return self._access.portal

    def card_url(self, ref: ItemRef) -> str:
        """The card's address for a browser (contract.md 3)."""
        path = {
            Kind.DEAL: f"/crm/deal/details/{ref.id}/",
            Kind.ITEM: f"/crm/type/{ref.entity_type}/details/{ref.id}/",
            Kind.TASK: f"/company/personal/user/0/tasks/task/view/{ref.id}/",
        }[ref.kind]
        return f"{self._access.portal}{path}"

    async def read(self, asks: Sequence[Ask], lane: Lane = Lane.LIVE) -> list[Reading | Gone | Unread]:
        """A word about each item, in order; never raises for what the portal did."""
        return await self._reader.read(asks, lane) if asks else []

    async def owners(
        self, hints: Sequence[Hint], lane: Lane = Lane.LIVE
    ) -> Mapping[Hint, tuple[ItemRef, ...] | Unread]:
        """The items that activities may belong to; empty for those of no ticket and for timeline notes."""
        found = await owners_of(self._client, self._config, hints, lane)
        return {
            hint: unread(hint, owners) if isinstance(owners, PortalError) else owners
            for hint, owners in found.items()
        }

    async def write(self, works: Sequence[Work], lane: Lane = Lane.LIVE) -> list[Written | Unwritten]:
        """What became of each work, in order; never raises for what the portal did."""
        return await self._writer.write(works, lane) if works else []

    async def say(self, message: Message, lane: Lane = Lane.LIVE) -> int:
        """Say one message and return its id. Raises PortalError."""
        [told] = await self.write([MessageWork(message)], lane)
        if isinstance(told, Written):
            return told.portal_id or 0
        if told.final:
            raise Refused("say", told.error)
        at = told.retry_at or self._clock.now()
        raise RetryLater("say", told.error, at=at, unknown_fate=told.unknown_fate)

    async def find_said(
        self, where: Message | str, marker: str, lane: Lane = Lane.LIVE, since: datetime | None = None
    ) -> int | None:
        """Our last message with this marker, not older than `since`, or None. Raises PortalError when it
        cannot be looked for.
        """
        dialog = where if isinstance(where, str) else _dialog_of(where)
        return await self._voice.find(dialog, marker, lane, since)

    async def upload(self, dialog: str, name: str, content: bytes, text: str, lane: Lane = Lane.LIVE) -> int:
        """Send a file with a text; the message's id. Raises PortalError."""
        if self._config.dry_run:
            raise Refused("dry_run", "B24SLA_DRY_RUN: в портал ничего не пишется")
        return await self._voice.upload(dialog, name, content, text, lane)

    async def changes(self, marks: Marks, lines: Lines = NO_LINES, lane: Lane = Lane.SWEEP) -> Changes:
        """What changed since these marks, and the new ones; a part that failed keeps its mark.

        `lines`: the cursors of open items; those with sessions of messengers are looked into.
        """
        now = self._clock.now()
        since = min(self._config.since or now, now - FIRST_LOOK)
        portal_now = now + self._client.traffic.offset
        look = self._queue.look(marks.get(TALK), now)
        found = await changes(self._client, self._config, marks, lines, since, portal_now, lane, look)
        return found.joined(await self._told(look, lines, lane)) if look else found

    async def talked(self, marks: Marks, lines: Lines = NO_LINES, lane: Lane = Lane.SWEEP) -> Changes:
        """Items in whose chats or open lines somebody spoke: the portal's queue alone, in one command.

        Nothing, without asking, where the portal keeps no queue for us.
        """
        look = self._queue.look(marks.get(TALK), self._clock.now())
        if look is None:
            return Changes((), {})
        await complete(self._client, [[look]], lane)
        return await self._told(look, lines, lane)

    async def _told(self, look: Look, lines: Lines, lane: Lane) -> Changes:
        ours, now = self._directory.robots, self._clock.now()
        return await self._queue.told(look, self._client, lines, self._config.crm_types, ours, now, lane)

    async def people(self, lane: Lane = Lane.LIVE) -> list[Person]:
        """Everybody on the portal. Raises PortalError."""
        return await self._directory.people(lane)

    async def provision(self, *, dry_run: bool, layout: bool) -> list[Line]:
        """Create what is missing on the cards, or only say so. Raises PortalError."""
        pretend = dry_run or self._config.dry_run
        return await Provisioner(self._client, self._config, self._directory).run(
            dry_run=pretend, layout=layout
        )

    async def check(self) -> list[Line]:
        """Whether the portal fits the service, with what to do."""
        return await Checker(self._client, self._config, self._directory).run()

    async def shapes(self) -> dict[str, Shape | str]:
        """Method → the shape of its answer: keys and types, no value (contract.md 1)."""
        return await recorded(self._client, self._config, bot_token(self._access.seed))


def _dialog_of(message: Message) -> str:
    """Where a message stands: its chat, or the card whose timeline it is in."""
    return (
        str(message.ref)
        if message.ref and not message.to.startswith("chat") and not message.to.isdigit()
        else message.to
    )
