"""What stands beside the figures: marks with their coverage, ages of the queue."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.metrics import moments
from app.model import Outcome
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


def felt_length(solved: Iterable[Outcome]) -> timedelta | None:
    """Median from arrival to solution by the calendar: nights and pauses too, as the client felt it."""
    seconds = [(it.solved_at - it.received_at).total_seconds() for it in solved if it.solved_at]
    return timedelta(seconds=statistics.median(seconds)) if seconds else None


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
