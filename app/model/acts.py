"""What we do to the portal: stamps, messages, and the decision that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.model.facts import Fact
from app.model.items import ItemRef, Lane
from app.model.tickets import Outcome, Ticket
from app.model.tracks import Track


@dataclass(frozen=True, slots=True)
class Stamp:
    """The SLA fields that a card should hold: code → canonical value (see Card.sla)."""

    ref: ItemRef
    wanted: Mapping[str, str]


class MessageKind(StrEnum):
    """How a message reaches people."""

    TIMELINE = "timeline"  # a comment in the card
    NOTICE = "notice"  # a personal notice
    CHAT_CARD = "chat_card"  # the one edited message of a ticket in the alerts chat
    SUMMARY = "summary"  # a line of a summary; lines that wait together go as one message
    DIGEST = "digest"
    WATCH = "watch"  # no words: become an auditor of a task, to read its chat; like words, once for ever


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say once. `key` names it for ever: `deal:41/1/solve_breach/7`."""

    key: str
    kind: MessageKind
    to: str  # "chat12", a user id, or the item for timeline comments
    text: str
    ref: ItemRef | None = None
    lane: Lane = Lane.LIVE
    tag: str = ""  # personal notices: a repeat with the same tag replaces the former
    covers: tuple[str, ...] = ()  # further keys that this message says: they must not be said again


@dataclass(frozen=True, slots=True)
class Decision:
    """What `decide` says: nothing here has happened yet."""

    ticket: Ticket
    facts: tuple[Fact, ...]  # our own acts: classified
    stamp: Stamp | None
    messages: tuple[Message, ...]
    standing: frozenset[
        str
    ]  # keys that may still be said; other alerts waiting for this ticket are withdrawn
    outcomes: tuple[Outcome, ...]
    tracks: tuple[Track, ...] = ()

    @property
    def next_at(self) -> datetime | None:
        """When to look at this ticket again though nothing came."""
        return self.ticket.next_at


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the portal."""

    id: int
    name: str  # «Иванова А.»
    active: bool = True
    employee: bool = True  # False: extranet, connector, bot
