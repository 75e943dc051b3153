"""One item: its reading and all that is known become a decision, saved in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from app.decision import Around, Known, bound_to, decide
from app.desk import Desk, rule_book
from app.forgetting import is_forgotten, stays_ended
from app.learning import CardMemory, is_overtaken, learned
from app.model import Decision, Fact, FactKind, Gone, ItemRef, Reading, Stamp, State, Ticket
from app.pinning import Pin, composed, pinned, pins_of
from app.store import facts as fact_store
from app.store import outbox, rules_log, stamps, tickets

DECISIONS = Counter("b24sla_decisions", "Readings that were decided")


async def decide_and_save(conn: AsyncConnection, desk: Desk, reading: Reading | Gone) -> bool:
    """False: we wrote the card while it was read, so its fields tell of nobody's change."""
    now = desk.now()
    ticket = await tickets.load(conn, reading.ref)
    if ticket is not None and ticket.read_at > reading.read_at:
        return True  # another pass has read it since: what we hold is the past, no news
    known_facts = await fact_store.load(conn, reading.ref)
    memory = await stamps.memory(conn, reading.ref)
    pin = _pin_of(desk, ticket, known_facts, now)
    recalled = await _recalled(conn, desk, reading, ticket, known_facts, pin, CardMemory(*memory))
    learnt = learned(reading, known_facts, recalled)
    silent = _is_closed_book(desk, ticket, reading, known_facts)
    news = learnt or (ticket is not None and is_overtaken(known_facts, ticket.read_at))
    if ticket is not None and (silent or (not news and _stands(desk, ticket, pin, reading, memory))):
        await tickets.touch(conn, reading.ref, reading.read_at)
        return True
    if not (known_facts or learnt):
        return True
    # Known from this transaction on: what a report saw before it must be told apart for ever.
    new = [replace(fact, recorded_at=now) for fact in learnt] + _ours(reading.ref, known_facts, pin, now)
    facts = _ordered([*known_facts, *new])
    rules_of = await rule_book(conn, desk, (each.terms for each in pins_of(facts)))
    known = Known(ticket, await outbox.said(conn, reading.ref))
    around = replace(_around(desk, reading, ticket), rules_of=rules_of)
    decision = decide(facts, known, around, composed(rules_of(pin.terms), desk.rules), now)
    if decision is None:
        await _forget(conn, ticket, reading, new)
        return True
    if isinstance(reading, Reading) and not await stamps.saw(
        conn, reading.ref, reading.card.sla, reading.read_at
    ):
        return False
    await fact_store.add(conn, [*new, *decision.facts])
    for rules in (rules_of(pin.terms), desk.rules):
        await rules_log.pin(conn, rules.version, rules.text, now)
    await _save(conn, desk, decision, now)
    DECISIONS.inc()
    return True


async def _recalled(
    conn: AsyncConnection,
    desk: Desk,
    reading: Reading | Gone,
    ticket: Ticket | None,
    known: Sequence[Fact],
    pin: Pin,
    memory: CardMemory,
) -> CardMemory:
    """What we wrote and a restored copy has forgotten, else it would be taken for people's own choice.

    It is what we should write now, had nobody but us touched the card.
    """
    seen_since = ticket is not None and desk.gap is not None and ticket.read_at > desk.gap[1]
    if desk.gap is None or seen_since or isinstance(reading, Gone):
        return memory
    nobody = CardMemory(memory.confirmed, {**memory.attempted, **reading.card.sla})
    facts = _ordered([*known, *learned(reading, known, nobody)])
    rules_of = await rule_book(conn, desk, (pin.terms,))
    around = replace(_around(desk, reading, ticket), rules_of=rules_of)
    terms = composed(rules_of(pin.terms), desk.rules)
    decision = decide(facts, Known(ticket, frozenset()), around, terms, desk.now())
    ours = decision.stamp.wanted if decision and decision.stamp else {}
    return CardMemory(memory.confirmed, {**ours, **memory.attempted})


def _pin_of(desk: Desk, ticket: Ticket | None, known: Sequence[Fact], now: datetime) -> Pin:
    """The rules by which to decide now: a ticket keeps its terms, the desk's own are those of today."""
    pins, today = pins_of(known), desk.rules.version
    if pins:
        return replace(pins[-1], at=now, desk=today, by="")
    return Pin(now, ticket.rules_version if ticket else today, today)


def _ours(ref: ItemRef, known: Sequence[Fact], pin: Pin, now: datetime) -> list[Fact]:
    """What we do ourselves by deciding: an item is a ticket of its own again, and judged by these rules."""
    free = [_bound(ref, known, "", now)] if bound_to(known) else []
    pins = pins_of(known)
    same = bool(pins) and (pins[-1].terms, pins[-1].desk) == (pin.terms, pin.desk)
    return free if same else [*free, pinned(ref, known, pin)]


def _bound(ref: ItemRef, known: Sequence[Fact], to: str, now: datetime) -> Fact:
    number = sum(fact.kind is FactKind.BOUND for fact in known) + 1
    return Fact(ref, FactKind.BOUND, str(number), now, now, None, {"to": to})


async def bind(conn: AsyncConnection, reading: Reading | Gone, owner: ItemRef, now: datetime) -> None:
    """It is the owner's work from now on."""
    known = await fact_store.load(conn, reading.ref)
    ticket = await tickets.load(conn, reading.ref)
    await _forget(conn, ticket, reading, [_bound(reading.ref, known, str(owner), now)])


def _is_closed_book(
    desk: Desk, ticket: Ticket | None, reading: Reading | Gone, known: Sequence[Fact]
) -> bool:
    """Its words were taken away and nobody works on it: what the card still says is not kept again."""
    if ticket is None or isinstance(reading, Gone) or ticket.state is State.DELETED:
        return False
    return is_forgotten(known) and stays_ended(reading.card, desk.rules)


def _ordered(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.happened_at, fact.recorded_at, fact.kind, fact.key))


def _stands(
    desk: Desk, ticket: Ticket, pin: Pin, reading: Reading | Gone, memory: tuple[stamps.Values, stamps.Values]
) -> bool:
    """Nothing new was read and nothing has come due: the decision would be the last one again."""
    if isinstance(reading, Gone) or (ticket.next_at is not None and ticket.next_at <= desk.now()):
        return False
    same_card = dict(reading.card.sla) == dict(memory[0])
    same_notes = set(reading.notes) <= set(ticket.notes)
    same_rules = pin.terms == ticket.rules_version
    return same_card and same_notes and same_rules and dict(reading.cursor) == dict(ticket.cursor)


def _around(desk: Desk, reading: Reading | Gone, ticket: Ticket | None) -> Around:
    cursor = reading.cursor if isinstance(reading, Reading) else (ticket.cursor if ticket else {})
    notes = reading.notes if isinstance(reading, Reading) else ()
    card_url = desk.working_portal.card_url
    return Around(desk.name_of, card_url, desk.page_url, reading.read_at, cursor, notes, gap=desk.gap)


async def _forget(
    conn: AsyncConnection, ticket: Ticket | None, reading: Reading | Gone, why: Sequence[Fact]
) -> None:
    """A ticket that has left, for a source of nobody's or into another's work: it never comes due again.

    One that had ended before keeps what it was, so what took it away is not noted either.
    """
    if ticket is None or not ticket.open:
        return
    await fact_store.add(conn, why)
    ended = replace(ticket, state=State.LEFT, sla_state=None, next_at=None, read_at=reading.read_at)
    await tickets.save(conn, ended, ())
    await stamps.want(conn, Stamp(ticket.ref, {}), reading.read_at)
    await outbox.withdraw(conn, ticket.ref, ())


async def _save(conn: AsyncConnection, desk: Desk, decision: Decision, now: datetime) -> None:
    if not await tickets.save(conn, decision.ticket, decision.outcomes, decision.tracks):
        return  # somebody saved a newer reading
    await stamps.want(conn, decision.stamp or Stamp(decision.ticket.ref, {}), now)
    await outbox.withdraw(conn, decision.ticket.ref, decision.standing)
    if decision.ticket.state is State.DELETED:
        await outbox.forget_comments(conn, decision.ticket.ref)
    await outbox.put(conn, decision.messages, now, uncertain=desk.forgot_what_it_said())
