"""What is left of a ticket whose words are taken away (152-FZ): its course, and nothing that a client said.

Where something was said or written stands a stand-in that means the same to the clocks: an automatic
answer stays automatic, thanks stay thanks. So a ticket that is decided again has the course it had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.model import (
    DONE_STATES,
    VOID_STATES,
    Card,
    Cycle,
    Entry,
    EntryKind,
    Fact,
    FactKind,
    Ledger,
    Outcome,
    Side,
    Ticket,
)
from app.rules import Rules
from app.sla.course import RULES
from app.triage.phrases import is_acknowledgement, is_automatic, is_thanks

SOMETHING = "…"
"""Stands where words were."""
PURGED = "purged"
"""Key in a fact's value: when its words were taken away."""

WRITTEN = frozenset(
    "title text SLA_SOLUTION SLA_OTHER_TOPICS SLA_CLASS_WHY SLA_PAUSE_REASON SLA_BREACH_REASON "
    "SLA_EXT_REASON SLA_WAIVER".split()
)
NAMES = frozenset("client client_name".split())
"""The numbers of contact and company stay: terms may depend on them, and they name nobody here."""

THANKS = "спасибо"

Phrase = Callable[[str], tuple[bool, ...]]


def forgotten(facts: Sequence[Fact], rules: Rules, now: datetime) -> tuple[Fact, ...]:
    """Those of these facts that hold words, without them. Nothing: the words are gone already."""
    found = ((fact, _without_words(fact, rules)) for fact in facts)
    return tuple(
        replace(fact, value={**value, PURGED: now.isoformat()})
        for fact, value in found
        if value is not None and value != fact.value and PURGED not in fact.value
    )


def is_forgotten(facts: Sequence[Fact]) -> bool:
    """The words were taken away, and none have been read since."""
    purged = [str(fact.value[PURGED]) for fact in facts if PURGED in fact.value]
    if not purged:
        return False
    at = datetime.fromisoformat(max(purged))
    return all(fact.recorded_at <= at for fact in facts if fact.kind in {FactKind.FIELD, FactKind.UTTERANCE})


def stays_ended(card: Card, rules: Rules) -> bool:
    """As this card stands nobody works on it: what it says is no concern of ours."""
    source = rules.source_for(card.ref.kind, card.ref.entity_type, card.category, card.group)
    state = source.stages.get(card.stage) if source else None
    return state is None or state in DONE_STATES or state in VOID_STATES


def bare_ticket(ticket: Ticket) -> Ticket:
    """The ticket without title, reasons and client; object and channel are nobody's own."""
    bare = replace(ticket, title="", class_why="", other_topics="", client="", client_name="")
    return wordless(bare)


def wordless(ticket: Ticket) -> Ticket:
    """Its ledgers without what people wrote and who they are: reasons of waivers, authors of rules."""
    return replace(ticket, cycles=tuple(_wordless_cycle(cycle) for cycle in ticket.cycles))


def _wordless_cycle(cycle: Cycle) -> Cycle:
    return replace(
        cycle,
        reply=_wordless_ledger(cycle.reply),
        solution=_wordless_ledger(cycle.solution),
        next_replies=tuple(map(_wordless_ledger, cycle.next_replies)),
        progress=tuple(map(_wordless_ledger, cycle.progress)),
        internal=tuple(map(_wordless_ledger, cycle.internal)),
    )


def _wordless_ledger(ledger: Ledger) -> Ledger:
    return replace(ledger, entries=tuple(map(_wordless_entry, ledger.entries)))


def _wordless_entry(entry: Entry) -> Entry:
    if entry.kind is EntryKind.WAIVED and entry.cause:
        return replace(entry, cause=SOMETHING)  # not empty: that would be the waiver's end
    if entry.cause.startswith(RULES):
        version, _, _ = entry.cause.removeprefix(RULES).partition(":")
        return replace(entry, cause=f"{RULES}{version}")
    return entry


def bare_outcome(outcome: Outcome) -> Outcome:
    """Everything that a KPI counts stays."""
    return replace(outcome, title="", breach_reason="")


def bare_values(values: Mapping[str, str]) -> dict[str, str]:
    """A card's SLA fields without those in which people write."""
    return {code: value for code, value in values.items() if code not in WRITTEN}


def _without_words(fact: Fact, rules: Rules) -> Mapping[str, Any] | None:
    if fact.kind is FactKind.UTTERANCE:
        return {**fact.value, "text": _same_to_clocks(fact, rules)}
    if fact.kind is FactKind.CLASSIFIED:
        return {**fact.value, "why": "", "other_topics": ""}
    if fact.kind is FactKind.FIELD:
        return {**fact.value, "value": _bare_field(str(fact.value["code"]), str(fact.value["value"]))}
    return None


def _bare_field(code: str, value: str) -> str:
    if code in NAMES:
        return ""
    if code not in WRITTEN or not value.strip():
        return value
    return SOMETHING * 30 if code == "SLA_SOLUTION" and len(value.strip()) >= 30 else SOMETHING


def _same_to_clocks(fact: Fact, rules: Rules) -> str:
    text = str(fact.value.get("text", ""))
    if not text.strip():
        return ""
    meaning = _meaning(fact, rules)
    wanted = meaning(text)
    return next((stand_in for stand_in in _stand_ins(rules) if meaning(stand_in) == wanted), SOMETHING)


def _meaning(fact: Fact, rules: Rules) -> Phrase:
    """What the story asks of an utterance of this side."""
    phrases = rules.phrases
    ours = fact.value.get("side") == Side.OURS

    def meaning(text: str) -> tuple[bool, ...]:
        polite = (
            is_acknowledgement(text, phrases.acknowledgements) if ours else is_thanks(text, phrases.thanks)
        )
        return is_automatic(text, phrases.automatic), polite

    return meaning


def _stand_ins(rules: Rules) -> Iterator[str]:
    yield SOMETHING
    yield THANKS
    yield from rules.phrases.acknowledgements
    yield from rules.phrases.automatic
