"""What a class promises: how soon an answer, how soon a solution, on which calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from app.model import TicketClass
from app.sla.calendar import Calendar


@dataclass(frozen=True, slots=True)
class ClassTerms:
    """The terms of one class, already with the ticket's policy in them; lengths in open time."""

    value: TicketClass
    label: str
    calendar_name: str
    calendar: Calendar
    respond: timedelta
    resolve: timedelta
    progress: timedelta | None = None
    announce: bool = False  # said at once when it appears, at any hour
    warn_respond: tuple[float, ...] = ()  # shares of the term, ascending
    warn_resolve: tuple[float, ...] = ()
    target: float = 0.95  # goal of compliance, 0..1
    next_respond: timedelta | None = None  # for later messages of the client; None: as for the first

    @property
    def answer_again(self) -> timedelta:
        """How soon a client who writes again is answered."""
        return self.next_respond or self.respond


WISH = "development"
"""The reason of a hand-over that asks for something new: it has a term of its own (domain.md 6)."""


@dataclass(frozen=True, slots=True)
class Ola:
    """How soon each inner line answers the one before it, on the desk's calendar (domain.md 6)."""

    calendar_name: str
    calendar: Calendar
    head: timedelta
    development: timedelta
    wishes: timedelta | None = None  # level 2 with the reason «нужна доработка»; None: as development
    director: timedelta | None = None  # None: his answer has no term

    def term(self, level: int, reason: str) -> timedelta | None:
        """The term of a hand-over to a level of domain.md 2."""
        if level == 2 and reason == WISH and self.wishes:
            return self.wishes
        return {1: self.head, 2: self.development, 3: self.director}.get(level)
