"""What the figures are measured against (domain.md 1 and 7). One table; every value can be replaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

from app.model import TicketClass

CLASS_GOALS: Mapping[TicketClass, float] = MappingProxyType(
    {TicketClass.EMERGENCY: 1.0, TicketClass.STANDARD: 0.95, TicketClass.CONSULTATION: 0.95}
)
"""Shares in time by class (domain.md 5); the rules file has its own."""

GOALS: Mapping[str, float] = MappingProxyType(
    {
        "no_escalation": 0.85,  # domain.md 1, S3
        "escalations": 0.14,  # S5: 1-2 of 14-15
        "repeats": 0.10,  # the department expects 5-10 %; see `repeats_goal`
        "documented": 1.0,
        "confirmed": 0.80,  # domain.md 7.3
        "kb_updates": 2.0,  # S4, a person and day
        "class_accuracy": 0.90,  # domain.md 11
    }
)

SMALLER_IS_BETTER = frozenset(
    {"extensions", "reply_median", "reply_p90", "solve_median", "solve_p90", "backlog", "queue_days"}
    | {"escalations", "repeats", "reopens", "load", "emergencies_off_hours"}
)

SLA_CODES = frozenset({"reply_sla", "solve_sla", "sla"})

CSAT_GOAL = 4.5
"""Mean mark; the KPI `csat` is the share of good marks and has no goal of its own."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Goals and norms of one desk."""

    classes: Mapping[TicketClass, float] = field(default_factory=lambda: CLASS_GOALS)
    goals: Mapping[str, float] = field(default_factory=lambda: GOALS)
    requests_per_day: tuple[int, int] = (14, 15)  # a person, S1
    kb_per_day: tuple[int, int] = (2, 4)  # a person, S4
    handling: timedelta = timedelta(minutes=30)  # a ticket, until time is tracked (domain.md 1.1)
    csat: float = CSAT_GOAL

    def goal(self, code: str, value: TicketClass | None = None) -> float | None:
        """A class has its own share in time; for all classes together the lowest of them holds."""
        if code not in SLA_CODES:
            return self.goals.get(code)
        if value is not None:
            return self.classes.get(value)
        return min(self.classes.values(), default=None)


def targets_of(classes: Mapping[TicketClass, float] | None = None, **goals: float) -> Targets:
    """The usual goals with some replaced: `targets_of(no_escalation=0.9)`."""
    return Targets(classes=classes or CLASS_GOALS, goals=MappingProxyType({**GOALS, **goals}))


def repeats_goal(previous_quarter: float) -> float:
    """Ten percent fewer than the quarter before (domain.md 7)."""
    return previous_quarter * 0.9


def reached(code: str, value: float | None, target: float | None) -> bool | None:
    """Whether a figure keeps its goal; None when there is nothing to compare."""
    if value is None or target is None:
        return None
    slack = 1e-9
    return value <= target + slack if code in SMALLER_IS_BETTER else value >= target - slack
