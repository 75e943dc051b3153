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
