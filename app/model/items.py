"""What we talk about: items of the portal, hints at them, how urgent they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a ticket is in the portal."""

    DEAL = "deal"
    ITEM = "item"
    TASK = "task"


DEAL_TYPE = 2  # entityTypeId of deals (rest.md 4.1)


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """The address of one item: `deal:41`, `item:177:5`, `task:17`."""

    kind: Kind
    id: int
    entity_type: int = 0  # smart processes only

    @classmethod
    def parse(cls, text: str) -> ItemRef:
        """Read `deal:41`, `item:177:5` or `task:17`; ValueError says what was expected."""
        kind, *numbers = text.strip().split(":")
        wanted = {"deal": 1, "task": 1, "item": 2}.get(kind)
        if wanted != len(numbers) or not all(n.isascii() and n.isdigit() and int(n) for n in numbers):
            raise ValueError(f"{text!r} is no item: expected deal:41, item:177:5 or task:17")
        ids = [int(number) for number in numbers]
        return cls(Kind(kind), ids[-1], ids[0] if kind == "item" else 0)

    def __str__(self) -> str:
        middle = f"{self.entity_type}:" if self.kind is Kind.ITEM else ""
        return f"{self.kind}:{middle}{self.id}"

    @property
    def is_real(self) -> bool:
        """Whether such an item can exist: a portal may answer 0 or nothing where a number belongs."""
        return self.id > 0 and (self.kind is not Kind.ITEM or self.entity_type > 0)

    @property
    def crm_type(self) -> int:
        """The entityTypeId for crm.* methods; 0 for tasks."""
        return DEAL_TYPE if self.kind is Kind.DEAL else self.entity_type


class HintKind(StrEnum):
    """Events that name something beside an item; its owner must be looked up."""

    ACTIVITY = "activity"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, order=True)
class Hint:
    """An activity or timeline comment whose owner may be a ticket: `activity:12`."""

    kind: HintKind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def is_real(self) -> bool:
        return self.id > 0


Subject = ItemRef | Hint


def parse_subject(text: str) -> Subject:
    """The inverse of `str()` for anything that the inbox holds. ValueError: no subject."""
    kind, _, number = text.partition(":")
    if kind in set(HintKind):
        return Hint(HintKind(kind), int(number))
    return ItemRef.parse(text)


class Lane(StrEnum):
    """How urgent a piece of work is; see `architecture.md` on the portal's budget."""

    URGENT = "urgent"
    LIVE = "live"
    SWEEP = "sweep"
    BACKFILL = "backfill"


_NEWS = ("ONCRMDEALADD", "ONCRMDYNAMICITEMADD", "ONTASKADD", "ONCRMACTIVITYADD", "ONTASKCOMMENTADD")
"""Events of something new or said. Mass edits are updates, so these few are never among thousands."""


@dataclass(frozen=True, slots=True)
class Event:
    """What an outgoing webhook told us: only a hint that a subject must be read again."""

    name: str
    subject: Subject | None  # None: an event that we know no use for
    sent_at: datetime | None = None

    @property
    def lane(self) -> Lane:
        """What is new may be an emergency: it is read before any number of changes."""
        return Lane.URGENT if self.name.startswith(_NEWS) else Lane.LIVE
