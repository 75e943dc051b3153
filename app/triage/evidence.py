"""What speaks for a class."""

from __future__ import annotations

from dataclasses import dataclass

from app.model import TicketClass
from app.triage.reading import Clause


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a class: the rule, the writer's words, how much they weigh (0..1)."""

    value: TicketClass
    rule: str
    quote: str
    weight: float
    clause: Clause | None = None
