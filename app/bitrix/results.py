"""What the adapter is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.bitrix.errors import PortalError, Refused, RetryLater
from app.model import ItemRef, Message, Subject

Cursor = Mapping[str, int]
Marks = Mapping[str, str]
"""Where the sweep stands, by part: an instant as text, or a history row's id."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Read this item; the cursor is what its last reading gave."""

    ref: ItemRef
    cursor: Cursor = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """No complete reading: nothing may be decided. `final`: the portal will refuse it again."""

    ref: Subject
    error: str
    retry_at: datetime | None = None
    final: bool = False


@dataclass(frozen=True, slots=True)
class StampWork:
    """Write these SLA fields: code → canonical value (see model.Card.sla)."""

    ref: ItemRef
    wanted: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)  # the people's fields as we know them
    tried: Mapping[str, str] = field(default_factory=dict)  # of unknown fate: the card may hold these


@dataclass(frozen=True, slots=True)
class MessageWork:
    """Say this; with `portal_id` the message that was said before is edited."""

    message: Message
    portal_id: int | None = None


Work = StampWork | MessageWork


@dataclass(frozen=True, slots=True)
class Sighting:
    """What stood on a card right before we wrote, and who had put it there."""

    values: Mapping[str, str]
    by: int | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Written:
    """Done. For stamps `values` are the fields that were written, as the card holds them now."""

    portal_id: int | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    sighted: Sighting | None = None


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Not done, as far as we know. `unknown_fate`: it may have happened, look before repeating."""

    error: str
    retry_at: datetime | None = None
    unknown_fate: bool = False
    final: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What the sweep found: subjects to read again, and where it stands now."""

    refs: tuple[Subject, ...]
    marks: Marks
    failed: tuple[str, ...] = ()  # parts whose mark stays, with the reason
    spoken: frozenset[Subject] = frozenset()  # where somebody said something

    def joined(self, other: Changes) -> Changes:
        """With what another part found; its marks are the newer ones."""
        refs = tuple(dict.fromkeys([*self.refs, *other.refs]))
        failed = (*self.failed, *other.failed)
        return Changes(refs, {**self.marks, **other.marks}, failed, self.spoken | other.spoken)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `check` or `provision`."""

    level: Literal["OK", "WARN", "FAIL"]
    text: str
    remedy: str = ""


def unread(ref: Subject, error: PortalError) -> Unread:
    """An error as the reason why an item was not read."""
    return Unread(ref, str(error), _retry_at(error), isinstance(error, Refused))


def unwritten(error: PortalError) -> Unwritten:
    """An error as the reason why something was not written."""
    return Unwritten(str(error), _retry_at(error), error.unknown_fate, isinstance(error, Refused))


def unnumbered(result: object) -> Unwritten:
    """A message whose answer has no number: `false` is a refusal (im.notify), what makes no sense is none."""
    refused = result is False
    return Unwritten("портал не принял сообщение", unknown_fate=not refused, final=refused)


def _retry_at(error: PortalError) -> datetime | None:
    return error.at if isinstance(error, RetryLater) else None
