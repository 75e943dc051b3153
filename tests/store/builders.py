"""Values with defaults for the store's tests."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from app.model import (
    Area,
    ClockName,
    Cycle,
    Fact,
    FactKind,
    ItemRef,
    Ledger,
    Message,
    MessageKind,
    Outcome,
    SlaState,
    State,
    Ticket,
    TicketClass,
)

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DEAL = ItemRef.parse("deal:41")
TASK = ItemRef.parse("task:17")
ITEM = ItemRef.parse("item:177:5")


def deal(number: int) -> ItemRef:
    return ItemRef.parse(f"deal:{number}")


def fact(key: str = "1", ref: ItemRef = DEAL, **changes: Any) -> Fact:
    values: dict[str, Any] = {
        "kind": FactKind.STAGE,
        "happened_at": NOW,
        "recorded_at": NOW,
        "value": {"stage": "C3:NEW", "category": 3},
    }
    return Fact(ref=ref, key=key, **values | changes)


def ledger(clock: ClockName = ClockName.SOLUTION, **changes: Any) -> Ledger:
    values: dict[str, Any] = {
        "cycle": 1,
        "started_at": NOW,
        "anchor_at": NOW,
        "term": 9 * HOUR,
        "calendar": "office",
        "due_at": NOW + 9 * HOUR,
        "running": True,
    }
    return Ledger(clock=clock, **values | changes)


def cycle(number: int = 1, *, due_at: datetime | None = NOW + 9 * HOUR, **changes: Any) -> Cycle:
    values: dict[str, Any] = {
        "started_at": NOW,
        "reply": ledger(ClockName.REPLY, cycle=number, due_at=due_at),
        "solution": ledger(cycle=number, due_at=due_at),
    }
    return Cycle(number=number, **values | changes)


def ticket(ref: ItemRef = DEAL, *, due_at: datetime | None = NOW + 9 * HOUR, **changes: Any) -> Ticket:
    values: dict[str, Any] = {
        "cycle": 1,
        "title": "Не открывается шлагбаум",
        "state": State.NEW,
        "value": TicketClass.STANDARD,
        "area": Area.BARRIER_GATE,
        "class_why": "B2",
        "class_sure": True,
        "class_by_person": False,
        "confidence": 0.9,
        "other_topics": "",
        "created_at": NOW,
        "started_at": NOW,
        "read_at": NOW,
        "cycles": (cycle(due_at=due_at),),
        "sla_state": SlaState.ON_TRACK,
    }
    return Ticket(ref=ref, **values | changes)


def closed_ticket(ref: ItemRef = DEAL, at: datetime = NOW, **changes: Any) -> Ticket:
    ended = cycle(closed_at=at)
    values = {"state": State.CLOSED_CONFIRMED, "sla_state": SlaState.MET, "cycles": (ended,)}
    return ticket(ref, **values | changes)


def outcome(ref: ItemRef = DEAL, number: int = 1, **changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "title": "Не открывается шлагбаум",
        "value": TicketClass.STANDARD,
        "area": Area.BARRIER_GATE,
        "state": State.NEW,
        "received_at": NOW,
        "reopened_at": (),
        "repeat_of": "",
        "repeat_kind": "",
        "object": "",
        "channel": "",
        "escalation_level": 0,
        "counted": True,
    }
    flags = dict.fromkeys(
        ("confirmed", "waited_client", "paused", "extended", "waived", "documented", "off_hours"), False
    )
    unknown = {each.name: None for each in fields(Outcome) if each.default is MISSING}
    return Outcome(**unknown | flags | values | {"ref": ref, "cycle": number} | changes)


def message(key: str = "deal:41/1/solve_breach/7", **changes: Any) -> Message:
    values: dict[str, Any] = {"kind": MessageKind.NOTICE, "to": "7", "text": "Срок истёк", "ref": DEAL}
    return Message(key=key, **values | changes)
