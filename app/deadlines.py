"""What people did to a ticket's deadlines: extensions, requests, postponements, waivers (sla.md 2).

The head and the leads decide; the same change by anybody else only asks them (contract.md 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest

from app.learning import written
from app.model import Extension, Fact
from app.rules import Rules

EXTENSION_ASKED = "extension_asked:"  # notes of a ticket: the moment wished for follows
EXTENSION_UNEXPLAINED = "extension_unexplained"
WAIVER_ASKED = "waiver_asked"

UNMEANT = timedelta(days=3653)

DUE, REASON, UNTIL, WAIVER = "SLA_SOLVE_DUE", "SLA_EXT_REASON", "SLA_PAUSE_UNTIL", "SLA_WAIVER"


def extensions(facts: Sequence[Fact], rules: Rules) -> Iterator[Extension]:
    """What the head and the leads agreed on, each with the reason that stood on the card till the next.

    An extension counts at once: who may decide need not ask. Its reason may follow; until then it
    is shown as one without.
    """
    agreed = [fact for fact in written(facts, DUE) if _may(fact, rules) and _instant(fact)]
    for fact, after in zip_longest(agreed, agreed[1:]):
        if due_at := _instant(fact):
            yield Extension(fact.happened_at, due_at, fact.actor, _reason(facts, after))


def _reason(facts: Sequence[Fact], after: Fact | None) -> str:
    told = [
        str(fact.value["value"]).strip()
        for fact in written(facts, REASON)
        if after is None or fact.happened_at < after.happened_at
    ]
    return told[-1] if told else ""


def requests(facts: Sequence[Fact], rules: Rules) -> tuple[datetime, ...]:
    """The dates that somebody wished who may not decide, since the last one who may."""
    wished: dict[datetime, None] = {}
    for fact in written(facts, DUE):
        due_at = _instant(fact)
        if _may(fact, rules):
            wished.clear()
        elif due_at:
            wished[due_at] = None
    return tuple(wished)


def postponements(facts: Sequence[Fact]) -> Iterator[tuple[datetime, datetime | None]]:
    """(when, until) as people wrote it; a date that was removed, or is none, leaves the end to them."""
    for fact in written(facts, UNTIL):
        yield fact.happened_at, _instant(fact)


def waivers(facts: Sequence[Fact], rules: Rules) -> Iterator[tuple[datetime, str]]:
    """(when, reason) as the head or a lead wrote it; emptied, it is taken back."""
    for fact in written(facts, WAIVER):
        if _may(fact, rules):
            yield fact.happened_at, str(fact.value["value"]).strip()


def waiver_is_asked(facts: Sequence[Fact], rules: Rules) -> bool:
    """Somebody else's reason stands on the card: it counts when the head writes one himself."""
    last = written(facts, WAIVER)[-1:]
    return any(fact.value["value"] and not _may(fact, rules) for fact in last)


def _may(fact: Fact, rules: Rules) -> bool:
    return fact.actor in rules.people.deciders


def _instant(fact: Fact) -> datetime | None:
    """A date as people wrote it; one that is decades away is a slip of the pen (2062 for 2026)."""
    try:
        at = datetime.fromisoformat(fact.value["value"])
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo and abs(at - fact.happened_at) < UNMEANT else None
