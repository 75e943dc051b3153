"""What a complete reading of the portal brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.model.items import ItemRef
from app.model.vocabulary import Side


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message or call between the client and us, as the portal keeps it."""

    key: str  # "activity:12", "chat:345", "comment:9": unique in the portal
    at: datetime
    side: Side
    channel: str  # email, call, task, openline
    author: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the stage history (or of a task's log)."""

    key: str  # the row's id
    at: datetime
    stage: str  # STAGE_ID, or a task status "2".."6", or "stage:57"
    category: int | None = None
    actor: int | None = None  # tasks only; CRM stage history has no user


@dataclass(frozen=True, slots=True)
class Card:
    """An item's own fields, brought to one form."""

    ref: ItemRef
    title: str
    stage: str
    category: int | None  # funnel (deals, items)
    group: int | None  # project (tasks)
    created_at: datetime
    modified_at: datetime
    created_by: int | None = None
    modified_by: int | None = None
    assignee: int | None = None
    text: tuple[str, ...] = ()  # the fields that [source.read].text names, in order, empties dropped
    client: str = ""  # "contact:5" or "company:7" or the raw value
    client_name: str = ""
    company: str = ""
    contact: str = ""
    object: str = ""
    channel: str = ""
    bound_to: tuple[ItemRef, ...] = ()  # a task's UF_CRM_TASK
    sla: Mapping[str, str] = field(default_factory=dict)
    """SLA_* code → canonical value: lists by XML_ID, booleans Y/N, date-times
    `2026-11-24T06:15:00Z`, numbers as digits, empty "". A task's native deadline is SLA_SOLVE_DUE."""
    extra: Mapping[str, str] = field(default_factory=dict)  # fields that [[policy]] looks at


@dataclass(frozen=True, slots=True)
class Reading:
    """A complete reading of one item: every sub-command succeeded, every page came."""

    ref: ItemRef
    read_at: datetime
    card: Card
    moves: tuple[Move, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    notes: tuple[str, ...] = ()  # e.g. "chat_unreadable"
    cursor: Mapping[str, int] = field(default_factory=dict)  # chat id and the like, for the next reading


@dataclass(frozen=True, slots=True)
class Gone:
    """The portal says that there is no such item (or that we may not see it)."""

    ref: ItemRef
    read_at: datetime
