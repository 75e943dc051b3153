"""Who spoke to whom: activities and chat lines → utterances (sla.md 3). Pure.

A robot's or a system's word is nobody's. Texts are passed on as the portal keeps them, with their
markup: whoever reads them needs the quotes' borders.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.bitrix.times import instant
from app.bitrix.wire import as_map, number
from app.model import Side, Utterance

CALL, EMAIL, PROVIDED = 2, 4, 6  # activity TYPE_ID (rest.md 4.8)
INCOMING = 1
OPEN_LINE = "IMOPENLINES_SESSION"
READ_TYPES = (CALL, EMAIL, PROVIDED)
ACTIVITY_FIELDS = (
    "ID", "OWNER_TYPE_ID", "OWNER_ID", "TYPE_ID", "PROVIDER_ID", "DIRECTION", "COMPLETED", "CREATED",
    "START_TIME", "AUTHOR_ID", "RESPONSIBLE_ID", "SUBJECT", "DESCRIPTION", "SETTINGS", "LAST_UPDATED",
    "ASSOCIATED_ENTITY_ID",
)  # fmt: skip


FROM_OUTSIDE = frozenset({"email", "imconnector", "replica", "shop"})
"""How a user who is no employee came into being."""
BY_THE_PORTAL = "commentAux"
"""The old card's own lines (status changed, task late) stand in the forum under a person's name [U]."""


def activity_utterances(row: Mapping[str, Any], robots: Collection[int]) -> tuple[Utterance, ...]:
    """What an activity says. A planned or missed outgoing call says nothing."""
    kind, incoming = number(row.get("TYPE_ID")), number(row.get("DIRECTION")) == INCOMING
    if kind == EMAIL:
        return _email(row, incoming, robots)
    if kind == CALL:
        return _incoming_call(row, robots) if incoming else _outgoing_call(row, robots)
    return ()


def is_open_line(row: Mapping[str, Any]) -> bool:
    """An activity behind which a messenger's conversation stands."""
    return row.get("PROVIDER_ID") == OPEN_LINE


def _email(row: Mapping[str, Any], incoming: bool, robots: Collection[int]) -> tuple[Utterance, ...]:
    at = instant(row.get("CREATED"))
    if at is None:
        return ()
    # The mailbox's owner stands as the author of what the client wrote.
    author = None if incoming else number(row.get("AUTHOR_ID")) or None
    side = Side.CLIENT if incoming else _ours(author, robots)
    return (Utterance(_key(row), at, side, "email", author, _text(row)),)


def _incoming_call(row: Mapping[str, Any], robots: Collection[int]) -> tuple[Utterance, ...]:
    at = _call_at(row)
    if at is None:
        return ()
    spoken = [Utterance(_key(row), at, Side.CLIENT, "call", None, _text(row))]
    if _done(row) and not _missed(row):
        agent = number(row.get("RESPONSIBLE_ID")) or None
        spoken.append(Utterance(f"{_key(row)}/answer", at, _ours(agent, robots), "call", agent))
    return tuple(spoken)


def _outgoing_call(row: Mapping[str, Any], robots: Collection[int]) -> tuple[Utterance, ...]:
    at = _call_at(row)
    if at is None or not _done(row) or _missed(row):
        return ()
    agent = number(row.get("RESPONSIBLE_ID")) or number(row.get("AUTHOR_ID")) or None
    return (Utterance(_key(row), at, _ours(agent, robots), "call", agent),)


def _key(row: Mapping[str, Any]) -> str:
    return f"activity:{number(row.get('ID'))}"


def _text(row: Mapping[str, Any]) -> str:
    return str(row.get("DESCRIPTION") or row.get("SUBJECT") or "")


def _call_at(row: Mapping[str, Any]) -> datetime | None:
    return instant(row.get("START_TIME")) or instant(row.get("CREATED"))


def _done(row: Mapping[str, Any]) -> bool:
    return row.get("COMPLETED") == "Y"


def _missed(row: Mapping[str, Any]) -> bool:
    """Telephony marks a call that nobody took, also when somebody ticked it off later."""
    return str(as_map(row.get("SETTINGS")).get("MISSED_CALL", "")) in {"1", "Y", "True", "true"}


def _ours(author: int | None, robots: Collection[int]) -> Side:
    return Side.OURS if author and author not in robots else Side.NOBODY


@dataclass(frozen=True, slots=True)
class TaskRoles:
    """Who is who in a task's talk."""

    author: int | None
    responsible: int | None
    robots: Collection[int]
    outsiders: Collection[int]  # extranet users, connectors, mail users
    bots: Collection[int]

    def side(self, speaker: int) -> Side:
        """The task's author is the client, unless the task was entered for one by who does it."""
        if not speaker or speaker in self.robots or speaker in self.bots:
            return Side.NOBODY
        if speaker in self.outsiders:
            return Side.CLIENT
        asks = speaker == self.author and self.author != self.responsible
        return Side.CLIENT if asks else Side.OURS


def outsiders_of(users: Iterable[Mapping[str, Any]]) -> tuple[frozenset[int], frozenset[int]]:
    """The outsiders and the bots among the `users` of a chat's answer."""
    rows = list(users)
    bots = frozenset(number(row.get("id")) for row in rows if row.get("bot") is True)
    marks = ("extranet", "connector", "network")
    outside = frozenset(
        number(row.get("id"))
        for row in rows
        if any(row.get(mark) is True for mark in marks) or row.get("external_auth_id") in FROM_OUTSIDE
    )
    return outside - bots, bots


def chat_utterance(row: Mapping[str, Any], roles: TaskRoles) -> Utterance | None:
    """A line of a task's chat; system lines (`author_id` 0) are left out."""
    at, speaker = instant(row.get("date")), number(row.get("author_id"))
    if at is None or not speaker:
        return None
    text = str(row.get("text") or "")
    return Utterance(f"chat:{number(row.get('id'))}", at, roles.side(speaker), "task", speaker, text)


def comment_utterance(row: Mapping[str, Any], roles: TaskRoles) -> Utterance | None:
    """A comment of the old task card (task.commentitem.getlist)."""
    at, speaker = instant(row.get("POST_DATE")), number(row.get("AUTHOR_ID"))
    if at is None or not speaker:
        return None
    text = str(row.get("POST_MESSAGE") or "")
    if text.startswith(BY_THE_PORTAL):
        return None
    return Utterance(f"comment:{number(row.get('ID'))}", at, roles.side(speaker), "task", speaker, text)
