"""The portal's queue of what is said where we are a member: chats of tasks, open lines (rest.md 7).

It is kept for us while we are down, and no outgoing webhook tells of a messenger's words. One command
reads it. What was told is forgotten by the portal when the next offset is passed back, so the offset is a
mark like the sweep's others: stored together with what it told. The vendor leaves open what an event
holds; what names no chat is left to the sweep.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.client import Client
from app.bitrix.errors import Misconfigured, PortalError, Refused
from app.bitrix.items import ref_of
from app.bitrix.listing import Row, Single, complete
from app.bitrix.openlines import MARK as LINE_MARK
from app.bitrix.results import Changes, Cursor
from app.bitrix.wire import Answer, Command, Group, Told, as_map, number
from app.model import DEAL_TYPE, ItemRef, Kind, Lane, Subject

Lines = Mapping[ItemRef, Cursor]

MARK = "talk"
LIMIT = 1000
ABSENT = timedelta(hours=24)  # how long a portal without the queue is not asked for it
TASK_CHAT, LINE_CHAT = "TASKS_TASK", "LINES"
_OWNER = re.compile(r"(DEAL|DYNAMIC_(?P<type>\d+))\|(?P<id>[1-9]\d*)")


class Queue:
    """What we know of the queue between two looks."""

    def __init__(self) -> None:
        self._subscribed = False
        self._absent_until: datetime | None = None

    def look(self, mark: str | None, now: datetime) -> Look | None:
        """The next look; None while the portal has no queue for us."""
        if self._absent_until and now < self._absent_until:
            return None
        return Look(number(mark), subscribes=not self._subscribed)

    async def told(
        self,
        look: Look,
        client: Client,
        lines: Lines,
        crm_types: Sequence[int],
        ours: Collection[int],
        now: datetime,
        lane: Lane,
    ) -> Changes:
        """Items whose talk went on, after the look was taken. A portal without the queue is no failure."""
        if isinstance(look.error, Refused | Misconfigured):
            self._absent_until = now + ABSENT
            return Changes((), {})
        if look.error:
            return Changes((), {}, (f"{MARK}: {look.error}",))
        self._subscribed = True
        found = heard(look.events, ours)
        asked = found.questions()
        await complete(client, [[part] for part in asked.values()], lane)
        if error := unanswered(asked):
            return Changes(found.tasks, {}, (f"{MARK}: {error}",))
        refs = dict.fromkeys([*found.tasks, *whose(asked, lines, crm_types)])
        return Changes(tuple(refs), {MARK: look.mark})


class Look:
    """One reading of the queue, subscribed to before it the first time; a part of the sweep."""

    def __init__(self, offset: int, *, subscribes: bool) -> None:
        params = {"offset": offset, "limit": LIMIT} if offset else {"limit": LIMIT}
        self._commands = [Command("im.v2.Event.get", params)]
        if subscribes:
            self._commands.insert(0, Command("im.v2.Event.subscribe"))
        self._offset = offset
        self.error: PortalError | None = None
        self.answer: Answer | None = None

    def next_group(self) -> Group:
        return self._commands

    def take(self, told: Sequence[Told]) -> None:
        self._commands = []
        self.error = next((one for one in told if isinstance(one, PortalError)), None)
        self.answer = told[-1] if isinstance(told[-1], Answer) and not self.error else None

    @property
    def events(self) -> list[Row]:
        return self.answer.rows("events") if self.answer else []

    @property
    def mark(self) -> str:
        """Where the next look begins."""
        following = as_map(self.answer.result).get("nextOffset") if self.answer else None
        return str(number(following) or self._offset)


@dataclass(frozen=True, slots=True)
class Heard:
    """Chats in which somebody else spoke."""

    tasks: tuple[ItemRef, ...]  # told by the events themselves
    chats: tuple[int, ...]  # to be asked whose they are

    def questions(self) -> dict[int, Single]:
        return {chat: Single(Command("im.dialog.get", {"DIALOG_ID": f"chat{chat}"})) for chat in self.chats}


def heard(events: Iterable[Row], ours: Collection[int]) -> Heard:
    """Where people spoke, wrote anew or took back; our own words and the system's tell us nothing."""
    tasks: dict[ItemRef, None] = {}
    chats: dict[int, None] = {}
    for event in events:
        message, chat = _parts(as_map(event.get("data")))
        if number(message.get("authorId")) in {*ours, 0} and "authorId" in message:
            continue
        kind, entity = str(chat.get("entityType") or ""), number(chat.get("entityId"))
        number_ = number(chat.get("id") or message.get("chatId"))
        if kind == TASK_CHAT and entity:
            tasks[ItemRef(Kind.TASK, entity)] = None
        elif number_ and (kind == LINE_CHAT or "entityType" not in chat):
            chats[number_] = None
    return Heard(tuple(tasks), tuple(chats))


def _parts(data: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return as_map(data.get("message")), as_map(data.get("chat"))


def whose(asked: Mapping[int, Single], lines: Lines, crm_types: Sequence[int]) -> list[Subject]:
    """The items behind chats; a chat of nobody's, or that we may not see any more, has none."""
    found: dict[Subject, None] = {}
    for part in asked.values():
        if part.answer:
            found |= dict.fromkeys(_owners(as_map(part.answer.result), lines, crm_types))
    return list(found)


def _owners(chat: Mapping[str, Any], lines: Lines, crm_types: Sequence[int]) -> Iterable[ItemRef]:
    """A task by its number; for an open line those that its data name, and those that read its session."""
    kind, entity = str(chat.get("entity_type") or ""), str(chat.get("entity_id") or "")
    if kind == TASK_CHAT and number(entity):
        yield ItemRef(Kind.TASK, number(entity))
    if kind != LINE_CHAT:
        return
    data = [str(chat.get(f"entity_data_{place}") or "") for place in (1, 2, 3)]
    for match in _OWNER.finditer("\n".join(data)):
        crm_type = number(match["type"]) or DEAL_TYPE
        if crm_type in crm_types:
            yield ref_of(crm_type, number(match["id"]))
    session = _session(data[0])
    yield from (ref for ref, cursor in lines.items() if session and f"{LINE_MARK}{session}" in cursor)


def _session(data: str) -> int:
    """`Y|DEAL|41|N|N|405|…`: the sixth part."""
    parts = data.split("|")
    return number(parts[5]) if len(parts) > 5 else 0


def unanswered(asked: Mapping[int, Single]) -> PortalError | None:
    """A chat that may be told later: the queue must not go on without it."""
    late = (part.error for part in asked.values() if part.error)
    return next((error for error in late if not isinstance(error, Refused | Misconfigured)), None)
