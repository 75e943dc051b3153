"""Words go, the course stays: a ticket decided from bare facts has the same clocks and outcomes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.decision import Fold, fold
from app.forgetting import bare_outcome, bare_ticket, forgotten, is_forgotten, stays_ended
from app.model import Entry, EntryKind, Fact, FactKind, Side, Utterance
from app.pinning import judging
from app.sla.course import RULES
from tests.lives import Desk, at, card, move, reading, rules, said

SECRET = "Крылова"
LATER = at("29.11 12:00")
TEXTS = (
    f"Здравствуйте, это {SECRET}, шлагбаум не открывается", "Спасибо большое, всё заработало!", "принято",
    "Ваше обращение зарегистрировано, номер 5", "", f"{SECRET}: когда почините?", "Приняли в работу",
    f"Проверили, {SECRET} может проехать", "👍", f"срочно!!! {SECRET} не может выехать, скорая у ворот",
)  # fmt: skip
STAGES = ("PREPARATION", "WAIT", "HOLD", "DEV", "SOLVED", "WON", "PREPARATION")

MOMENTS = st.integers(0, 60 * 24 * 4).map(
    lambda minutes: f"{24 + minutes // 1440}.11 {minutes // 60 % 24:02}:{minutes % 60:02}"
)
UTTERANCES = st.lists(
    st.tuples(MOMENTS, st.sampled_from([Side.CLIENT, Side.OURS, Side.NOBODY]), st.sampled_from(TEXTS)),
    max_size=8,
)
MOVES = st.lists(st.tuples(MOMENTS, st.sampled_from(STAGES)), max_size=5)


def life(spoken: list[tuple[str, Side, str]], moves: list[tuple[str, str]]) -> Desk:
    shown = card(
        "24.11 00:00", title=f"Заявка {SECRET}", client="contact:5", client_name=SECRET, contact="5",
        sla={"SLA_SOLUTION": f"Открыли вручную, {SECRET} довольна", "SLA_BREACH_REASON": f"ждали {SECRET}"},
    )  # fmt: skip
    rows = [move(number, *each) for number, each in enumerate(sorted(moves), 2)]
    words: list[Utterance] = [said(number, *each) for number, each in enumerate(spoken, 1)]
    desk = Desk()
    desk.reads(reading("28.11 00:00", of=shown, moves=rows, spoken=words))
    return desk


def bare(facts: list[Fact]) -> list[Fact]:
    changed = {(fact.kind, fact.key): fact for fact in forgotten(facts, rules(), LATER)}
    return [changed.get((fact.kind, fact.key), fact) for fact in facts]


def folded(facts: list[Fact]) -> Fold:
    found = fold(facts, judging(facts, rules(), lambda _: rules()), LATER)
    assert found is not None
    return found


@settings(max_examples=60)
@given(UTTERANCES, MOVES)
def test_the_clocks_of_bare_facts_are_the_same(
    spoken: list[tuple[str, Side, str]], moves: list[tuple[str, str]]
) -> None:
    facts = life(spoken, moves).facts
    before, after = folded(facts), folded(bare(facts))
    assert after.ticket.cycles == before.ticket.cycles
    assert [bare_outcome(one) for one in after.outcomes] == [bare_outcome(one) for one in before.outcomes]


@settings(max_examples=60)
@given(UTTERANCES, MOVES)
def test_no_word_of_the_client_is_left(
    spoken: list[tuple[str, Side, str]], moves: list[tuple[str, str]]
) -> None:
    desk = life(spoken, moves)
    left = json.dumps([dict(fact.value) for fact in bare(desk.facts)], ensure_ascii=False)
    assert SECRET not in left
    assert "contact:5" not in left
    assert SECRET not in repr(bare_ticket(desk.ticket)) if desk.ticket else True


def test_reasons_of_waivers_and_authors_of_rules_are_words_too() -> None:
    ticket = life([], []).ticket
    assert ticket is not None
    written = (
        Entry(LATER, EntryKind.WAIVED, f"{SECRET} болела"),
        Entry(LATER, EntryKind.RETARGETED, f"{RULES}v2:{SECRET}"),
    )
    cycle = replace(ticket.now_cycle, solution=replace(ticket.now_cycle.solution, entries=written))
    bare = bare_ticket(replace(ticket, cycles=(cycle,)))
    assert [entry.cause for entry in bare.now_cycle.solution.entries] == ["…", f"{RULES}v2"]


def test_forgetting_twice_changes_nothing_more() -> None:
    desk = life([("24.11 09:00", Side.CLIENT, TEXTS[0])], [])
    assert forgotten(bare(desk.facts), rules(), LATER) == ()


def test_a_reading_after_it_is_told_from_what_was_kept() -> None:
    desk = life([("24.11 09:00", Side.CLIENT, TEXTS[0])], [])
    stripped = bare(desk.facts)
    new = Fact(
        stripped[0].ref,
        FactKind.FIELD,
        "title#9",
        LATER,
        at("30.11 10:00"),
        None,
        {"code": "title", "value": "x"},
    )
    assert [is_forgotten(facts) for facts in (desk.facts, stripped, [*stripped, new])] == [False, True, False]


@pytest.mark.parametrize(
    ("stage", "ended"),
    [
        ("C3:WON", True),
        ("C3:SOLVED", True),
        ("C3:SPAM", True),
        ("C3:PREPARATION", False),
        ("C3:NEW", False),
        ("C3:X", True),
    ],
)
def test_whether_anybody_works_on_a_card(stage: str, ended: bool) -> None:
    assert stays_ended(card(stage=stage), rules()) is ended
