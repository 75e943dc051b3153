"""A ticket's life in our own words, ready for the clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.model.items import ItemRef
from app.model.vocabulary import Side, State, TicketClass


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of absolute time; `end` None: still going on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class StateChange:
    """From `at` on the ticket stood in `state`."""

    at: datetime
    state: State
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance that counts: nobody's and automatic ones are already left out."""

    at: datetime
    side: Side  # CLIENT or OURS
    call: bool = False
    acknowledgement: bool = False  # "приняли в работу": a reply, but no reason for a pause
    thanks: bool = False  # the client only thanks
    author: int | None = None


@dataclass(frozen=True, slots=True)
class ClassChange:
    """From `at` on the ticket had this class."""

    at: datetime
    value: TicketClass
    by_person: bool
    correction: bool = False  # terms from the start, never a raise (sla.md 2)
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """The head or a lead moved the solution's deadline."""

    at: datetime
    due_at: datetime
    by: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Handing:
    """A person wrote on the card whose turn it is: a level of domain.md 2, 0 when it came back."""

    at: datetime
    level: int


@dataclass(frozen=True, slots=True)
class LevelAnswer:
    """Somebody of that level spoke to the client or changed the card."""

    at: datetime
    level: int


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket's life, ready for the clocks. All tuples are ordered by time."""

    ref: ItemRef
    started_at: datetime
    states: tuple[StateChange, ...]  # the first stands at started_at
    classes: tuple[ClassChange, ...]
    spoken: tuple[Spoken, ...] = ()
    extensions: tuple[Extension, ...] = ()
    waived: tuple[tuple[datetime, str], ...] = ()  # (when, reason); an empty reason takes it back
    postponed_until: tuple[tuple[datetime, datetime | None], ...] = ()  # (set at, until; None: date removed)
    silent_channel: bool = False  # replies cannot be read: the stage alone is trusted
    handings: tuple[Handing, ...] = ()
    handing_reasons: tuple[tuple[datetime, str], ...] = ()  # (written at, code of SLA_ESC_REASON)
    level_answers: tuple[LevelAnswer, ...] = ()
