"""Hand-overs as the facts tell them, and the level that a card shows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.handing import level_answers
from app.model import Decision, Fact, FactKind, Ledger, OutcomeWord, Side
from tests.lives import AGENT, DEAL, HEAD, Desk, at, card, move, reading, rules, said

DEVELOPER = 12
DEVELOPERS = replace(rules(), people=replace(rules().people, development=(DEVELOPER,)))
DEV = move(2, "24.11 11:00", "DEV")


def handed(desk: Desk | None = None, *, now: str = "24.11 11:01") -> Desk:
    desk = desk or Desk(DEVELOPERS)
    desk.reads(reading("24.11 10:01"))
    desk.reads(reading(now, moves=[DEV]))
    return desk


def changed(desk: Desk, by: int, when: str, **fields: str) -> Decision:
    touched = replace(desk.stamped(card(), **fields), modified_at=at(when), modified_by=by)
    return desk.reads(reading(when, of=touched, moves=[DEV]))


def inner(desk: Desk) -> tuple[Ledger, ...]:
    assert desk.ticket is not None
    return desk.ticket.now_cycle.internal


def test_the_head_has_an_hour_from_the_stage() -> None:
    (clock,) = inner(handed())

    assert (clock.level, clock.due_at, clock.running) == (1, at("24.11 12:00"), True)


def test_a_level_on_the_card_hands_on_to_development() -> None:
    desk = handed()
    changed(desk, AGENT, "24.11 11:10", SLA_ESC_LEVEL="2", SLA_ESC_REASON="bug")
    head, development = inner(desk)

    assert (head.met_by, development.level, development.due_at, development.reason) == (
        "handed_on", 2, at("25.11 10:10"), "bug",
    )  # fmt: skip


@pytest.mark.parametrize("author", [HEAD, AGENT])
def test_a_letter_of_the_head_is_his_answer(author: int) -> None:
    desk = handed()
    letter = said(3, "24.11 11:20", Side.OURS, author=author)
    desk.reads(reading("24.11 11:30", moves=[DEV], spoken=[letter]))

    assert (inner(desk)[0].met_by == "answer") is (author == HEAD)


def test_a_change_of_the_card_by_the_head_is_his_answer() -> None:
    desk = handed()
    changed(desk, HEAD, "24.11 11:40", SLA_EXT_REASON="беру на себя")

    assert (inner(desk)[0].met_at, inner(desk)[0].outcome) == (at("24.11 11:40"), OutcomeWord.MET)


def test_a_move_by_the_head_is_his_answer_where_the_portal_tells_who_moved() -> None:
    moved = Fact(DEAL, FactKind.STAGE, "7", at("24.11 11:20"), at("24.11 11:21"), HEAD, {"stage": "stage:57"})

    assert [(each.level, each.at) for each in level_answers([moved], DEVELOPERS)] == [(1, at("24.11 11:20"))]
    assert list(level_answers([replace(moved, actor=None)], DEVELOPERS)) == []


def test_a_developers_word_answers_for_development_only() -> None:
    desk = handed()
    changed(desk, AGENT, "24.11 11:10", SLA_ESC_LEVEL="2")
    changed(desk, DEVELOPER, "24.11 15:00", SLA_SOLUTION="Исправлено в сборке 42")

    assert [(clock.level, clock.met_by) for clock in inner(desk)] == [(1, "handed_on"), (2, "answer")]


# --- the level on the card ----------------------------------------------------------------


def test_a_level_emptied_by_a_person_is_not_filled_again() -> None:
    desk = handed()
    assert desk.wanted["SLA_ESC_LEVEL"] == "1"
    emptied = changed(desk, AGENT, "24.11 11:10", SLA_ESC_LEVEL="")

    assert emptied.ticket.escalation_level == 0
    assert "SLA_ESC_LEVEL" not in desk.wanted
    assert inner(desk)[0].met_by == "hand_back"


def test_a_later_hand_over_fills_it_again() -> None:
    desk = handed()
    changed(desk, AGENT, "24.11 11:10", SLA_ESC_LEVEL="")
    again = [DEV, move(3, "24.11 12:00", "PREPARATION"), move(4, "24.11 13:00", "VISIT")]
    desk.reads(reading("24.11 13:01", of=replace(card(), sla=dict(desk.confirmed)), moves=again))

    assert desk.wanted["SLA_ESC_LEVEL"] == "2"


def test_a_level_that_a_person_wrote_outlives_the_stage() -> None:
    desk = handed()
    changed(desk, AGENT, "24.11 11:10", SLA_ESC_LEVEL="3")
    back = [DEV, move(3, "24.11 12:00", "PREPARATION")]
    ticket = desk.reads(
        reading("24.11 12:01", of=replace(card(), sla=dict(desk.confirmed)), moves=back)
    ).ticket

    assert ticket.escalation_level == 3
