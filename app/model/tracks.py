"""One cycle of a ticket in numbers: all that its two verdicts need, for questions over very many tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.model.items import ItemRef
from app.model.story import ClassChange, Extension, Span
from app.model.vocabulary import TicketClass


@dataclass(frozen=True, slots=True)
class Track:
    """A cycle that is or was somebody's ticket; an item that is none now has no tracks."""

    ref: ItemRef
    cycle: int
    value: TicketClass  # the class of the start
    started_at: datetime
    replied_at: datetime | None  # what met the reply's clock
    solved_at: datetime | None  # what met the solution's
    steps: tuple[ClassChange | Extension, ...] = ()  # what moved its deadlines later, in order of time
    pauses: tuple[Span, ...] = ()  # of the solution, in order; `end` None or in the future: going on
    asked: Mapping[str, str] = field(default_factory=dict)  # what policies look at; empty values left out
    terms: str = ""  # the versions of the rules by which it is judged (pinning.py)
    desk: str = ""
    plain: bool = True  # these numbers say all; else its facts must be folded
