"""What was known at a moment: facts learned later left out, the rest folded as it was folded then.

One fold for the report of today and for that of any day before: nothing else can keep them equal
(sla.md 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.decision import Fold, fold
from app.model import Fact, Outcome, Ticket
from app.pinning import RulesOf, judging, rules_then

Life = Sequence[Fact]
"""The facts of one item."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Between what is known and what is not: facts recorded later than `known_at` are not.

    `at` is the moment of the question, from which deadlines are looked at.
    """

    known_at: datetime
    at: datetime


def outcomes_as_known(lives: Iterable[Life], rules_of: RulesOf, cut: Cut) -> list[Fold]:
    """Every ticket of these lives as it was known; items that were none then are left out."""
    known = ([fact for fact in life if fact.recorded_at <= cut.known_at] for life in lives)
    folds = (_fold(life, rules_of, cut.at) for life in known if life)
    return [each for each in folds if each is not None]


def _fold(life: Life, rules_of: RulesOf, at: datetime) -> Fold | None:
    ordered = sorted(life, key=lambda fact: (fact.happened_at, fact.recorded_at, fact.kind, fact.key))
    return fold(ordered, judging(ordered, rules_then(ordered, rules_of), rules_of), at)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What a report looks at: cycles alive in its stretch of time, and the tickets open at the moment."""

    outcomes: tuple[Outcome, ...]
    waiting: tuple[Ticket, ...]


def knowledge(folds: Iterable[Fold], settled: Knowledge, start_at: datetime, end_at: datetime) -> Knowledge:
    """`folds` together with what is stored of other tickets: no moment of theirs has come since."""
    folds = list(folds)
    going_on = [
        outcome
        for each in folds
        for outcome in each.outcomes
        if (each.ticket.open and outcome.cycle == each.ticket.cycle) or outcome.last_at >= start_at
    ]
    alive = [outcome for outcome in (*going_on, *settled.outcomes) if outcome.received_at < end_at]
    alive.sort(key=lambda outcome: (outcome.received_at, str(outcome.ref), outcome.cycle))
    waiting = [*(each.ticket for each in folds if each.ticket.open), *settled.waiting]
    return Knowledge(tuple(alive), tuple(sorted(waiting, key=_nearest)))


NOTHING = Knowledge((), ())


def _nearest(ticket: Ticket) -> tuple[bool, float, str]:
    """The nearest deadline first, those without one last."""
    clocks = (ticket.now_cycle.reply, ticket.now_cycle.solution)
    due_at = min((clock.due_at for clock in clocks if clock.running and clock.due_at), default=None)
    return due_at is None, due_at.timestamp() if due_at else 0.0, str(ticket.ref)
