"""The bonus coefficient of domain.md 7.3: a proposal to be agreed, so every number is an argument."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"sla": 0.40, "quality": 0.25, "no_escalation": 0.20, "kb_updates": 0.10, "confirmed": 0.05}
)
BONUS_GOALS: Mapping[str, float] = MappingProxyType(
    {"sla": 0.95, "quality": 0.95, "no_escalation": 0.85, "kb_updates": 2.0, "confirmed": 0.80}
)
BEST, WORST_COUNTED = 1.1, 0.8
EMERGENCY_CAP = 0.5
CSAT_MARKS = 10
"""Marks a month from which a person's CSAT says something."""


@dataclass(frozen=True, slots=True)
class BonusRules:
    """Weights and goals by part."""

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    goals: Mapping[str, float] = field(default_factory=lambda: BONUS_GOALS)


def coefficient(
    facts: Mapping[str, float | None], rules: BonusRules, *, emergency_late: bool
) -> float | None:
    """K between 0 and 1.1; None while any part has no data, since the weights would not add up.

    `emergency_late`: an emergency was late without a reason that the head accepted.
    """
    parts = {name: part(facts.get(name), rules.goals[name]) for name in rules.weights}
    known = {name: value for name, value in parts.items() if value is not None}
    if len(known) < len(parts):
        return None
    if emergency_late:
        known["sla"] = min(known["sla"], EMERGENCY_CAP)
    total = sum(rules.weights[name] * value for name, value in known.items())
    return min(BEST, max(0.0, total))


def part(fact: float | None, goal: float) -> float | None:
    """Fact over goal, at most 1.1; below 80 % of the goal nothing."""
    if fact is None:
        return None
    share = fact / goal
    return 0.0 if share < WORST_COUNTED else min(share, BEST)


def quality(reopens: float | None, repeats: float | None, csat: float | None, marks: int) -> float | None:
    """Mean of the tickets that did not come back, were not repeated and, from ten marks on, pleased."""
    if reopens is None or repeats is None:
        return None
    parts = [1 - reopens, 1 - repeats]
    if csat is not None and marks >= CSAT_MARKS:
        parts.append(csat)
    return statistics.fmean(parts)
