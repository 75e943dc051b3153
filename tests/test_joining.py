"""When the service asks to be let into a task's chat."""

from __future__ import annotations

from dataclasses import replace

from app.model import Decision, ItemRef, Kind, MessageKind, Reading
from app.rules import Rules
from tests.lives import Desk, card, move, reading, rules

TASK = replace(card(), ref=ItemRef(Kind.TASK, 7), stage="2", category=None, group=12)
SHUT = "replies_unreadable"


def of_task(now: str = "24.11 10:01", *notes: str, stage: str = "2") -> Reading:
    first = replace(move(1, "24.11 10:00", "x"), stage="2", category=None)
    last = replace(move(2, "24.11 10:30", "x"), stage=stage, category=None)
    shown = reading(now, of=replace(TASK, stage=stage))
    return replace(shown, moves=(first, *([last] if stage != "2" else [])), notes=notes)


def letting() -> Rules:
    plain = rules()
    return replace(plain, tasks=replace(plain.tasks, join=True))


def wishes(decision: Decision) -> list[str]:
    return [m.key for m in decision.messages if m.kind is MessageKind.WATCH]


def test_chat_that_is_shut_is_asked_for_once() -> None:
    desk = Desk(letting())
    assert wishes(desk.reads(of_task("24.11 10:01", SHUT))) == ["task:7/join"]
    assert wishes(desk.reads(of_task("24.11 11:00"))) == []
    assert wishes(desk.reads(of_task("24.11 12:00", SHUT))) == []  # somebody took us out again


def test_rules_must_let_us() -> None:
    assert wishes(Desk().reads(of_task("24.11 10:01", SHUT))) == []


def test_open_chat_and_closed_task_need_nobody() -> None:
    assert wishes(Desk(letting()).reads(of_task())) == []
    assert wishes(Desk(letting()).reads(of_task("24.11 11:00", SHUT, stage="5"))) == []


def test_deals_have_no_auditors() -> None:
    assert wishes(Desk(letting()).reads(replace(reading("24.11 10:01"), notes=(SHUT,)))) == []
