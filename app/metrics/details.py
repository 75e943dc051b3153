"""What stands beside the figures: marks with their coverage, ages of the queue, moved classes."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.metrics import moments
from app.model import ItemRef, Outcome, TicketClass
from app.sla.calendar import Calendar

AGE_EDGES = (1, 3, 5)
"""Working days that part the ages of the queue (domain.md 7)."""


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """Clients' marks: never shown without n and coverage (domain.md 1.1)."""

    mean: float | None
    marks: int
    asked: int

    @property
    def coverage(self) -> float | None:
        """Marks among the solved."""
        return self.marks / self.asked if self.asked else None


def satisfaction(solved: Sequence[Outcome]) -> Satisfaction:
    """Mean mark, n and how many were asked, of the solved of a period."""
    marks = [outcome.csat for outcome in solved if outcome.csat is not None]
    return Satisfaction(statistics.fmean(marks) if marks else None, len(marks), len(solved))


@dataclass(frozen=True, slots=True)
class Aging:
    """The open by age in working days: 0-1, 1-3, 3-5, over 5; the paused are within, and apart."""

    ages: tuple[int, int, int, int] = (0, 0, 0, 0)
    paused: int = 0

    @property
    def total(self) -> int:
        """All that are open."""
        return sum(self.ages)


def aging(outcomes: Iterable[Outcome], cut_at: datetime, calendar: Calendar) -> Aging:
    """The queue at the cut-off by age; an age exactly on an edge is the younger."""
    waiting = [outcome for outcome in outcomes if outcome.counted and moments.open_at(outcome, cut_at)]
    ages = Counter(_group(calendar.between(it.received_at, cut_at), calendar.hours_per_day) for it in waiting)
    return Aging((ages[0], ages[1], ages[2], ages[3]), sum(outcome.paused for outcome in waiting))


def _group(age: timedelta, workday: timedelta) -> int:
    return sum(age > edge * workday for edge in AGE_EDGES)


def confusions(outcomes: Iterable[Outcome]) -> Mapping[tuple[TicketClass, TicketClass], int]:
    """How often people moved a class: (the service's word, theirs) → times."""
    return Counter(
        (outcome.class_auto, outcome.value)
        for outcome in outcomes
        if outcome.counted and outcome.class_auto is not None and outcome.class_auto is not outcome.value
    )


def late_tickets(outcomes: Iterable[Outcome], start_at: datetime, end_at: datetime) -> tuple[ItemRef, ...]:
    """Tickets with a breach in the half-open period: two breaches of one are one ticket (domain.md 7.1)."""
    late = {it.ref for it in outcomes if it.counted and moments.breaches(it, start_at, end_at)}
    return tuple(sorted(late))
