"""Hand-overs between the lines of support, as the facts tell them (domain.md 2, 6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.learning import PEOPLES_CODES, number_in, written
from app.model import Fact, FactKind, Handing, LevelAnswer, Side, StateChange
from app.rules import Rules
from app.sla.internal import STATE_LEVELS

LEVEL, REASON = "SLA_ESC_LEVEL", "SLA_ESC_REASON"


def handings(facts: Sequence[Fact]) -> Iterator[Handing]:
    """What people wrote as the level; emptied is the agent's own."""
    for fact in written(facts, LEVEL):
        yield Handing(fact.happened_at, number_in(fact.value["value"]) or 0)


def handing_reasons(facts: Sequence[Fact]) -> Iterator[tuple[datetime, str]]:
    """(when, code) of each reason that people wrote."""
    for fact in written(facts, REASON):
        yield fact.happened_at, fact.value["value"]


def level_answers(facts: Sequence[Fact], rules: Rules) -> Iterator[LevelAnswer]:
    """Words to the client, moves and changes of the card by people of an inner line."""
    lines = {1: rules.people.deciders, 2: frozenset(rules.people.development), 3: {rules.people.director}}
    for fact in facts:
        if _is_answer(fact):
            yield from (LevelAnswer(fact.happened_at, n) for n, who in lines.items() if fact.actor in who)


def _is_answer(fact: Fact) -> bool:
    """Somebody's own act: the portal's other changes of a card are nobody's answer."""
    if not fact.actor:
        return False
    if fact.kind is FactKind.FIELD:
        return fact.value["code"] in {*PEOPLES_CODES, "assignee"}
    return fact.kind is FactKind.STAGE or (
        fact.kind is FactKind.UTTERANCE and fact.value["side"] == Side.OURS
    )


def escalation_level(facts: Sequence[Fact], states: Sequence[StateChange]) -> int:
    """The highest level so far (domain.md 2), or what a person wrote, which wins (contract.md 5).

    Emptied by a person it stays empty until the stage hands the ticket over again.
    """
    last = written(facts, LEVEL)[-1:]
    by_person = number_in(last[0].value["value"]) if last else None
    if by_person is not None:
        return by_person
    later = [change for change in states if not last or change.at > last[0].happened_at]
    return max((STATE_LEVELS.get(change.state, 0) for change in later), default=0)
