"""The inner lines' clock: the head answers in 1 h, development in 8 h, in 48 h to wishes (domain.md 6)."""

from __future__ import annotations

from typing import Any

import pytest

from app.model import Handing, Ledger, LevelAnswer, State
from app.sla.ledger import cycles_of
from app.sla.terms import Ola
from tests.sla.lives import (
    BREACHED,
    CLOSED,
    DEV,
    MET,
    OFFICE,
    SOLVED,
    TERMS,
    WAIT,
    WORK,
    at,
    hours,
    life,
    shown,
    told,
)

OLA = Ola("office", OFFICE, head=hours(1), development=hours(8), wishes=hours(48))
VISIT = State.ENGINEER


def lines(*moves: tuple[str, State], now: str = "30.11 10:00", **rest: Any) -> tuple[Ledger, ...]:
    return cycles_of(life("23.11 10:00", *moves, **rest), TERMS, at(now), ola=OLA)[-1].internal


def card(text: str, level: int) -> Handing:
    return Handing(at(text), level)


def answer(text: str, level: int) -> LevelAnswer:
    return LevelAnswer(at(text), level)


def test_the_stage_hands_over_and_takes_back() -> None:
    (clock,) = lines(("23.11 11:00", DEV), ("23.11 11:40", WORK))

    assert (clock.level, clock.term, shown(clock.due_at)) == (1, hours(1), "23.11 12:00")
    assert (clock.outcome, clock.met_by, shown(clock.met_at)) == (MET, "hand_back", "23.11 11:40")


def test_a_visit_is_the_second_level() -> None:
    (clock,) = lines(("23.11 11:00", VISIT), now="23.11 12:00")

    assert (clock.level, shown(clock.due_at), clock.running) == (2, "24.11 10:00", True)


def test_a_level_that_nobody_answers_is_late_at_its_deadline() -> None:
    (clock,) = lines(("23.11 17:30", DEV))

    assert (clock.outcome, shown(clock.outcome_at), clock.running) == (BREACHED, "24.11 09:30", True)


def test_an_answer_of_that_level_meets_it_though_the_ticket_stays_there() -> None:
    (clock,) = lines(("23.11 11:00", DEV), level_answers=[answer("23.11 11:30", 1), answer("23.11 15:00", 1)])

    assert (clock.outcome, clock.met_by, shown(clock.met_at)) == (MET, "answer", "23.11 11:30")
    assert (clock.running, clock.spent) == (False, hours(0.5))


@pytest.mark.parametrize(
    "wrong", [answer("23.11 11:30", 2), answer("23.11 10:59", 1), answer("23.11 11:00", 1)]
)
def test_another_levels_or_an_earlier_word_is_no_answer(wrong: LevelAnswer) -> None:
    (clock,) = lines(("23.11 11:00", DEV), level_answers=[wrong], now="23.11 11:45")

    assert (clock.met_at, clock.running) == (None, True)


def test_the_level_on_the_card_tells_which_line_the_stage_means() -> None:
    (clock,) = lines(("23.11 11:00", DEV), handings=[card("23.11 11:00", 2)], now="23.11 12:00")

    assert (clock.level, shown(clock.due_at)) == (2, "24.11 10:00")


def test_a_level_on_the_card_hands_over_without_a_stage() -> None:
    (clock,) = lines(
        ("23.11 11:00", WORK),
        ("23.11 12:00", WAIT),
        handings=[card("23.11 11:30", 1), card("23.11 12:15", 0)],
    )

    assert (shown(clock.started_at), shown(clock.met_at), clock.met_by) == (
        "23.11 11:30",
        "23.11 12:15",
        "hand_back",
    )


def test_handed_on_the_first_line_has_answered_and_the_next_begins() -> None:
    head, development = lines(("23.11 11:00", DEV), handings=[card("23.11 11:45", 2)], now="23.11 13:00")

    assert (head.level, head.outcome, head.met_by) == (1, MET, "handed_on")
    assert (development.level, shown(development.started_at), development.running) == (2, "23.11 11:45", True)


def test_handed_back_to_the_head_his_clock_begins_anew() -> None:
    found = lines(("23.11 11:00", DEV), handings=[card("23.11 11:00", 2), card("23.11 15:00", 1)])

    assert [(clock.level, shown(clock.started_at), clock.met_by) for clock in found] == [
        (2, "23.11 11:00", "hand_back"),
        (1, "23.11 15:00", ""),
    ]


@pytest.mark.parametrize("state", [SOLVED, CLOSED])
def test_the_solution_settles_it(state: State) -> None:
    (clock,) = lines(("23.11 11:00", DEV), ("23.11 11:30", state))

    assert (clock.outcome, clock.met_by) == (MET, "done")


@pytest.mark.parametrize("state", [State.DUPLICATE, State.NOT_TICKET, State.DELETED, State.LEFT])
def test_what_is_no_ticket_ends_it_without_a_verdict(state: State) -> None:
    (clock,) = lines(("23.11 11:00", DEV), ("23.11 16:00", state))

    assert (clock.outcome, clock.running) == (None, False)
    assert told(clock) == [("23.11 11:00", "start", "level:1"), ("23.11 16:00", "ended", state)]


def test_an_answer_exactly_at_the_deadline_is_in_time() -> None:
    (clock,) = lines(("23.11 11:00", DEV), ("23.11 12:00", WORK))

    assert clock.outcome is MET


def test_handing_on_is_told_as_such_though_it_is_an_act_of_theirs() -> None:
    head, _ = lines(
        ("23.11 11:00", DEV), handings=[card("23.11 11:45", 2)], level_answers=[answer("23.11 11:45", 1)]
    )

    assert head.met_by == "handed_on"


def test_a_level_that_did_not_last_a_second_was_nobodys() -> None:
    (clock,) = lines(("23.11 11:00", VISIT), handings=[card("23.11 11:00", 1)], now="23.11 12:00")

    assert clock.level == 2


def test_a_level_written_on_a_solved_card_hands_nothing_over() -> None:
    moves = (("23.11 11:00", SOLVED), ("23.11 15:00", WORK))

    assert lines(*moves, handings=[card("23.11 12:00", 2)]) == ()
    assert len(lines(*moves, handings=[card("23.11 12:00", 2), card("23.11 16:00", 1)])) == 1


def test_a_second_hand_over_is_a_clock_of_its_own() -> None:
    found = lines(("23.11 11:00", DEV), ("23.11 11:30", WORK), ("24.11 11:00", DEV), now="24.11 13:00")

    assert [(shown(clock.started_at), clock.outcome) for clock in found] == [
        ("23.11 11:00", MET),
        ("24.11 11:00", BREACHED),
    ]


@pytest.mark.parametrize(
    ("reason", "due"), [("bug", "24.11 10:00"), ("development", "30.11 14:00"), ("", "24.11 10:00")]
)
def test_a_wish_has_a_term_of_its_own_even_if_the_reason_came_after(reason: str, due: str) -> None:
    (clock,) = lines(("23.11 11:00", VISIT), handing_reasons=[(at("23.11 11:05"), reason)], now="23.11 12:00")

    assert (shown(clock.due_at), clock.reason) == (due, reason)


def test_the_head_has_his_hour_for_a_wish_too() -> None:
    (clock,) = lines(
        ("23.11 11:00", DEV), handing_reasons=[(at("23.11 11:00"), "development")], now="23.11 11:30"
    )

    assert clock.term == hours(1)


def test_a_level_without_a_term_has_no_clock() -> None:
    assert lines(handings=[card("23.11 11:00", 3)]) == ()
    assert cycles_of(life("23.11 10:00", ("23.11 11:00", DEV)), TERMS, at("24.11 10:00"))[-1].internal == ()


def test_each_cycle_has_its_own() -> None:
    story = life("23.11 10:00", ("23.11 11:00", DEV), ("23.11 12:00", CLOSED), ("03.12 10:00", WORK))
    first, second = cycles_of(story, TERMS, at("03.12 12:00"), ola=OLA)

    assert ([clock.met_by for clock in first.internal], second.internal) == (["done"], ())
