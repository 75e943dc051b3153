"""Solved, closed, reopened: what belongs to one cycle."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.model import State
from tests.sla.lives import (
    BREACHED,
    CLOSED,
    CONSULTATION,
    DEV,
    EMERGENCY,
    MET,
    NO_ANSWER,
    SOLVED,
    STANDARD,
    WORK,
    at,
    becomes,
    cycle,
    cycles,
    hours,
    life,
    ours,
    shown,
    told,
)


def test_time_spent_solved_moves_the_deadline() -> None:
    story = life("23.11 10:00", ("24.11 10:00", SOLVED), ("25.11 10:00", WORK))

    found = cycle(story, "25.11 11:00")

    assert (found.number, shown(found.solution.due_at)) == (1, "26.11 16:00")
    assert (found.solution.outcome, found.solved_at) == (None, None)
    assert (found.reopened_at, found.pause_total) == ((at("25.11 10:00"),), timedelta(0))


@pytest.mark.parametrize(
    ("closed", "again", "number"),
    [
        (CLOSED, "01.12 12:00", 1),  # seven days after the closing, to the second
        (CLOSED, "01.12 12:00:01", 2),
        (NO_ANSWER, "02.12 12:00", 2),
        (SOLVED, "28.12 12:00", 1),  # never closed
    ],
)
def test_seven_days_after_the_closing_a_new_cycle_begins(closed: State, again: str, number: int) -> None:
    story = life("23.11 10:00", ("24.11 10:00", SOLVED), ("24.11 12:00", closed), (again, WORK))

    assert cycle(story).number == number


def test_a_new_cycle_has_full_targets_and_leaves_the_old_one_alone() -> None:
    story = life(
        "23.11 10:00", ("24.11 10:00", CLOSED), ("07.12 10:00", WORK), ("07.12 16:00", SOLVED),
        spoken=[ours("23.11 11:00"), ours("07.12 15:00")],
    )  # fmt: skip

    first, second = cycles(story, "08.12 10:00")

    assert (first.reply.outcome, first.solution.outcome, shown(first.closed_at)) == (MET, MET, "24.11 10:00")
    assert (shown(second.reply.due_at), second.reply.outcome, second.solution.spent) == (
        "07.12 14:00",
        BREACHED,
        hours(6),
    )
    assert told(second.solution)[0] == ("07.12 10:00", "start", "new_cycle")


def test_a_new_cycle_begins_with_the_class_of_that_day() -> None:
    story = life(
        "23.11 10:00", ("24.11 10:00", CLOSED), ("07.12 10:00", WORK), value=CONSULTATION,
        classes=[becomes("23.11 12:00", EMERGENCY), becomes("07.12 11:00", STANDARD)],
    )  # fmt: skip

    assert shown(cycles(story, "07.12 10:30")[1].solution.due_at) == "07.12 14:00"
    assert shown(cycles(story, "07.12 11:30")[1].solution.due_at) == "09.12 16:00"


def test_met_before_may_be_breached_after_a_return() -> None:
    story = life("23.11 10:00", ("25.11 15:00", SOLVED), ("25.11 17:00", WORK), ("26.11 16:00", SOLVED))

    found = cycle(story)

    assert (found.solution.outcome, shown(found.solution.outcome_at)) == (BREACHED, "25.11 18:00")
    assert (shown(found.first_solved_at), shown(found.solved_at)) == ("25.11 15:00", "26.11 16:00")


def test_a_late_solution_stays_late_after_a_return() -> None:
    story = life("23.11 10:00", ("26.11 10:00", SOLVED), ("26.11 11:00", WORK), ("26.11 12:00", CLOSED))

    found = cycle(story).solution

    assert (found.outcome, shown(found.outcome_at), shown(found.met_at)) == (
        BREACHED,
        "25.11 16:00",
        "26.11 12:00",
    )


def test_confirmation_after_the_solution_is_no_second_solution() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED), ("24.11 12:00", CLOSED))

    found = cycle(story)

    assert (shown(found.solved_at), shown(found.closed_at), shown(found.confirmed_at)) == (
        "23.11 12:00", "24.11 12:00", "24.11 12:00",
    )  # fmt: skip


def test_a_hand_over_is_our_time_and_is_remembered() -> None:
    story = life("23.11 10:00", ("23.11 12:00", DEV), ("24.11 12:00", WORK))

    found = cycle(story, "24.11 13:00")

    assert (shown(found.escalated_at), shown(found.solution.due_at)) == ("23.11 12:00", "25.11 16:00")
