"""What a ticket's history lacks. The clocks count with what there is; people are told what that was.

The portal's history may begin late, end early, run back or ahead: none of it stops a ticket, each is
a note of it, shown in its explanation and counted by `check`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from app.learning import CLAIMED, is_kanban
from app.model import Fact, FactKind

BORN_WITHIN = timedelta(minutes=1)
"""The first row and the item are born together, whatever the portal's seconds say."""

NO_BEGINNING = "gap:beginning"
BORN_LATE = "gap:born_late"
UNTIMED = "gap:untimed"
OUT_OF_ORDER = "gap:order"
ONE_INSTANT = "gap:instant"
AHEAD = "gap:ahead"
LOST_RULES = "gap:rules"
UNKNOWN_STAGE = "unknown_stage:"  # the stage follows
GAPS = (UNKNOWN_STAGE, NO_BEGINNING, BORN_LATE, UNTIMED, OUT_OF_ORDER, ONE_INSTANT, AHEAD, LOST_RULES)


def gaps_of(facts: Sequence[Fact], created_at: datetime) -> Iterator[str]:
    """Notes of a ticket."""
    stages = [fact for fact in facts if fact.kind is FactKind.STAGE]
    begun_at = min((fact.happened_at for fact in stages), default=created_at)
    if begun_at - created_at > BORN_WITHIN:
        yield NO_BEGINNING
    if created_at - begun_at > BORN_WITHIN:
        yield BORN_LATE
    rows = sorted((fact for fact in stages if fact.key.isdigit()), key=lambda fact: int(fact.key))
    if any(_is_untimed(fact, created_at, rows) for fact in stages if not fact.key.isdigit()):
        yield UNTIMED
    if any(later.happened_at < earlier.happened_at for earlier, later in pairwise(rows)):
        yield OUT_OF_ORDER
    if any(_is_lost(*both) for side in _sides(rows) for both in pairwise(side)):
        yield ONE_INSTANT
    if any(CLAIMED in fact.value for fact in facts):
        yield AHEAD


def _is_untimed(fact: Fact, created_at: datetime, rows: Sequence[Fact]) -> bool:
    """A move that only the card showed: when it happened the portal never told."""
    told = any(row.value["stage"] == fact.value["stage"] for row in rows)
    return fact.key.startswith("card:") and fact.happened_at > created_at and not told


def _is_lost(earlier: Fact, later: Fact) -> bool:
    same = earlier.happened_at == later.happened_at
    return same and earlier.value["stage"] != later.value["stage"]


def _sides(rows: Sequence[Fact]) -> Iterator[list[Fact]]:
    """A task's status and its place on the board change in one act: neither hides the other."""
    for side in (True, False):
        yield [row for row in rows if is_kanban(row.value["stage"]) is side]
