"""The examples of docs/sla.md are what the engine says, under the rules of the package."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from app.account import Told
from app.commands.explaining import explanation
from app.explained import account_of
from app.model import ClassChange, Extension, ItemRef, Side, Spoken, State, StateChange, Story, TicketClass
from app.sla.ledger import cycles_of
from app.story import telling
from app.words import moment
from tests.lives import AGENT, Desk, card, move, reading, rules, said
from tests.sla.lives import MOSCOW, at

PAGE = (Path(__file__).parents[1] / "docs/sla.md").read_text()
EXAMPLES = re.findall(r"```пример\n(.*?)```", PAGE, re.DOTALL)
CLASSES = {
    "экстренное": TicketClass.EMERGENCY,
    "стандартное": TicketClass.STANDARD,
    "консультация": TicketClass.CONSULTATION,
}
STATES = {
    "ответили и ждём клиента": State.WAITING_CLIENT,
    "решено": State.RESOLVED,
    "вернули в работу": State.IN_PROGRESS,
}
SAYS = {"ответили и ждём клиента": Side.OURS, "клиент ответил": Side.CLIENT}


def lived(story: Story, when: datetime, event: str) -> Story:
    """The story with one line of an example more."""
    if event.startswith("класс "):
        change = ClassChange(when, CLASSES[event.removeprefix("класс ")], by_person=True)
        return replace(story, classes=(*story.classes, change))
    if event.startswith("продлено до "):
        extension = Extension(when, at(event.removeprefix("продлено до ")), 7)
        return replace(story, extensions=(*story.extensions, extension))
    assert event in STATES.keys() | SAYS.keys(), event
    states = [StateChange(when, STATES[event])] if event in STATES else []
    spoken = [Spoken(when, SAYS[event])] if event in SAYS else []
    return replace(story, states=(*story.states, *states), spoken=(*story.spoken, *spoken))


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_holds(example: str) -> None:
    first, *lines = example.strip().splitlines()
    start, value = first.removeprefix("начало ").split(", ")
    begun = StateChange(at(start), State.NEW)
    classed = ClassChange(at(start), CLASSES[value], by_person=False)
    story, now = Story(ItemRef.parse("deal:41"), at(start), (begun,), (classed,)), at(start)
    for line in (line for line in lines if not line.startswith("=>")):
        now = at(line[:16])
        story = lived(story, now, line[17:])
    cycle = cycles_of(story, rules().classes, now)[-1]
    due = {"первый ответ": cycle.reply.due_at, "решение": cycle.solution.due_at}
    told = {f"=> {name} до {moment(when, MOSCOW)}" for name, when in due.items() if when}
    assert {line for line in lines if line.startswith("=>")} <= told


PRINTED = re.findall(r"```text\n(deal:48.*?)```", PAGE, re.DOTALL)
VERSION = re.compile(r"\b[0-9a-f]{12,16}\b")
LIFE = [
    move(2, "05.11 10:05", "WAIT"), move(3, "06.11 12:00", "PREPARATION"), move(4, "09.11 11:00", "SOLVED"),
    move(5, "09.11 15:00", "PREPARATION"), move(6, "10.11 17:00", "SOLVED"), move(7, "11.11 10:00", "WON"),
]  # fmt: skip
LETTERS = [
    said(1, "03.11 10:00", Side.OURS), said(2, "05.11 10:00", Side.OURS), said(3, "06.11 12:00", Side.CLIENT),
]  # fmt: skip


def explained() -> list[str]:
    """What `b24sla explain` prints of the page's ticket."""
    desk, now = Desk(), at("11.11.2026 12:00")
    shown = card("02.11 16:00", ref=ItemRef.parse("deal:48"))
    ticket = desk.reads(reading("11.11 12:00", of=shown, moves=LIFE, spoken=LETTERS)).ticket
    known = telling(desk.facts, rules(), now)
    assert known is not None
    told = Told({AGENT: "Иванова А.", None: ""}.__getitem__, MOSCOW, known.story)
    return list(explanation(ticket, account_of(ticket, rules().calendars, told, (), now), told))


def test_the_printed_explanation_is_what_the_command_prints() -> None:
    [block] = PRINTED
    first, last = (part.splitlines() for part in VERSION.sub("…", block).rstrip().split("\n…\n"))
    lines = [VERSION.sub("…", line).replace("\u00a0", " ") for line in explained()]
    assert lines[: len(first)] == first
    assert lines[-len(last) :] == last
    assert last[0].startswith("Решение: отведено 24 ч")


def test_the_page_has_examples_of_every_turn() -> None:
    assert len(EXAMPLES) >= 9
    assert all("=> решение до " in example for example in EXAMPLES)
