"""Which rules a ticket is judged under: those of its start, unless others were applied to it on purpose.

The pins are facts like any other (sla.md 2), so that what was known at any moment can be folded
again: `terms` is the version whose terms, calendars and phrases count, `desk` the one whose
sources, people and chats were in force when the ticket was last decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from app.model import Fact, FactKind, ItemRef
from app.rules import Rules

RulesOf = Callable[[str], Rules]
"""Rules by their version."""


@dataclass(frozen=True, slots=True)
class Pin:
    """From `at` on a ticket is judged by these versions; `by` applied them, "": the service itself."""

    at: datetime
    terms: str
    desk: str
    by: str = ""


def pins_of(facts: Iterable[Fact]) -> tuple[Pin, ...]:
    """A ticket's pins in their order; none in facts of an item that was never decided."""
    told = sorted((fact for fact in facts if fact.kind is FactKind.RULES), key=lambda fact: int(fact.key))
    return tuple(_pin(fact) for fact in told)


def _pin(fact: Fact) -> Pin:
    return Pin(fact.happened_at, fact.value["terms"], fact.value["desk"], fact.value.get("by", ""))


def pinned(ref: ItemRef, known: Iterable[Fact], pin: Pin) -> Fact:
    """The fact that pins a ticket, numbered after those known."""
    number = sum(fact.kind is FactKind.RULES for fact in known) + 1
    value = {"terms": pin.terms, "desk": pin.desk, "by": pin.by}
    return Fact(ref, FactKind.RULES, str(number), pin.at, pin.at, None, value)


def composed(terms: Rules, desk: Rules) -> Rules:
    """Terms, calendars and phrases of one version; stages, people and chats of another."""
    return replace(
        terms,
        desk=desk.desk,
        sources=desk.sources,
        people=desk.people,
        chats=desk.chats,
        alerts=desk.alerts,
        calendars={**desk.calendars, **terms.calendars},
    )


@dataclass(frozen=True, slots=True)
class Judging:
    """The rules of one ticket: what tells its story, the terms of its start, those applied later."""

    rules: Rules
    first: Rules
    later: tuple[tuple[Pin, Rules], ...] = ()
    desk: str = ""  # the version whose sources and people are in `rules`
    lost: bool = False  # today's rules stand for some that it began or was counted under


def judging(facts: Iterable[Fact], rules: Rules, rules_of: RulesOf | None = None) -> Judging:
    """`rules` are those the ticket is told under now; `rules_of` finds the versions before them."""
    pins = pins_of(facts) if rules_of else ()
    if not pins or rules_of is None:
        return Judging(rules, rules, desk=rules.version)
    steps = [pin for before, pin in pairwise(pins) if before.terms != pin.terms]
    later = tuple((pin, rules_of(pin.terms)) for pin in steps)
    lost = any(pin.terms and rules_of(pin.terms).version != pin.terms for pin in (pins[0], *steps))
    return Judging(rules, rules_of(pins[0].terms), later, pins[-1].desk, lost)


def rules_then(facts: Sequence[Fact], rules_of: RulesOf) -> Rules:
    """What these facts are told under: the last pin; without one whatever `rules_of` has for ""."""
    pins = pins_of(facts)
    return composed(rules_of(pins[-1].terms), rules_of(pins[-1].desk)) if pins else rules_of("")
