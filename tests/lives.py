"""Builders of readings and decisions with defaults, for tests of what decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any

from app.decision import Around, Known, decide
from app.learning import UNSEEN, CardMemory, learned
from app.model import Card, Decision, Fact, Gone, ItemRef, Kind, Move, Reading, Side, Ticket, Utterance
from app.rules import Rules, load_rules

MOSCOW = timezone(timedelta(hours=3))
DEAL = ItemRef(Kind.DEAL, 41)
AGENT, HEAD, ROBOT = 5, 7, 9


def at(text: str) -> datetime:
    """«24.11 10:00» of 2026, Moscow."""
    return datetime.strptime(f"2026 {text} +0300", "%Y %d.%m %H:%M %z").astimezone(UTC)


@cache
def rules() -> Rules:
    """The packaged rules with a desk that has existed for long, with people and a chat."""
    plain = load_rules(None)
    return replace(
        plain,
        desk=replace(plain.desk, since=at("01.11 00:00")),
        people=replace(plain.people, head=HEAD, leads=(), duty=(8,), director=1, robots=(ROBOT,)),
        chats=replace(plain.chats, alerts="chat12", digest="chat12"),
    )


def card(created: str = "24.11 10:00", **changes: Any) -> Card:
    plain = Card(
        ref=DEAL,
        title="Не приходит код по SMS",
        stage="C3:NEW",
        category=3,
        group=None,
        created_at=at(created),
        modified_at=at(created),
        created_by=ROBOT,
        modified_by=ROBOT,
        assignee=AGENT,
        text=("Житель не получает код для входа в приложение, пробовал три раза.",),
        client="contact:5",
    )
    return replace(plain, **changes)


def move(number: int, when: str, stage: str) -> Move:
    return Move(str(number), at(when), f"C3:{stage}", 3)


def said(
    number: int, when: str, side: Side, text: str = "Проверили, поправили настройки.", **changes: Any
) -> Utterance:
    author = AGENT if side is Side.OURS else None
    return replace(Utterance(f"activity:{number}", at(when), side, "email", author, text), **changes)


def reading(
    now: str, *, of: Card | None = None, moves: Sequence[Move] = (), spoken: Sequence[Utterance] = ()
) -> Reading:
    shown = of or card()
    stage = moves[-1].stage if moves else shown.stage
    first = Move("1", shown.created_at, "C3:NEW", 3)
    return Reading(shown.ref, at(now), replace(shown, stage=stage), (first, *moves), tuple(spoken))


class Desk:
    """Reads and decides again and again, as the handler does, without any I/O."""

    def __init__(self, with_rules: Rules | None = None) -> None:
        self.rules = with_rules or rules()
        self.facts: list[Fact] = []
        self.ticket: Ticket | None = None
        self.public = False  # whether the service has an address for people
        self.said: set[str] = set()
        self.confirmed: dict[str, str] = {}
        self.wanted: dict[str, str] = {}

    def reads(self, shown: Reading | Gone, now: datetime | None = None) -> Decision:
        memory = CardMemory(self.confirmed, self.wanted) if self.facts else UNSEEN
        self.facts += learned(shown, self.facts, memory)
        around = Around(
            name_of=lambda person: f"№{person}" if person else "",
            card_url=lambda ref: f"https://portal.test/{ref}",
            page_url=lambda ticket: f"https://sla.test/tickets/{ticket.ref}" if self.public else "",
            read_at=shown.read_at,
            cursor={},
            notes=shown.notes if isinstance(shown, Reading) else (),
        )
        known = Known(self.ticket, frozenset(self.said))
        decision = decide(self.facts, known, around, self.rules, now or shown.read_at)
        assert decision is not None
        self._keep(decision, shown)
        return decision

    def _keep(self, decision: Decision, shown: Reading | Gone) -> None:
        self.facts += decision.facts
        self.ticket = decision.ticket
        for message in decision.messages:
            self.said |= {message.key, *message.covers}
        if isinstance(shown, Reading):
            self.confirmed = dict(shown.card.sla)
        if decision.stamp:
            self.wanted = dict(decision.stamp.wanted)

    def stamped(self, of: Card, **people: str) -> Card:
        """The card as the portal shows it after our stamp, with what people changed."""
        self.confirmed = dict(self.wanted)
        return replace(of, sla=dict(self.wanted) | people)
