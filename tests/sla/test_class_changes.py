"""What a change of class does (standard: reply 4 h, solution 24 h; emergency: 15 min, 4 h)."""

from __future__ import annotations

import pytest

from app.model import ClassChange, TicketClass
from tests.sla.lives import (
    BREACHED,
    CONSULTATION,
    EMERGENCY,
    HOLD,
    MET,
    SOLVED,
    STANDARD,
    WORK,
    at,
    becomes,
    cycle,
    hours,
    life,
    ours,
    shown,
    told,
)


@pytest.mark.parametrize(
    ("first", "change", "reply_by", "solve_by"),
    [
        # From the start with the new terms.
        (CONSULTATION, becomes("23.11 11:00", STANDARD), "23.11 14:00", "25.11 16:00"),
        (STANDARD, becomes("23.11 11:00", CONSULTATION), "23.11 18:00", "30.11 13:00"),
        (EMERGENCY, becomes("23.11 10:05", STANDARD), "23.11 14:00", "25.11 16:00"),
        # Raised: the change plus the new term, unless the old deadline is earlier.
        (STANDARD, becomes("23.11 11:00", EMERGENCY), "23.11 11:15", "23.11 15:00"),
        (STANDARD, becomes("23.11 13:50", EMERGENCY), "23.11 14:00", "23.11 17:50"),
        (STANDARD, becomes("25.11 15:00", EMERGENCY), "23.11 14:00", "25.11 16:00"),
        # A correction counts from the start.
        (STANDARD, becomes("23.11 10:08", EMERGENCY, correction=True), "23.11 10:15", "23.11 14:00"),
        (STANDARD, becomes("23.11 11:00", STANDARD), "23.11 14:00", "25.11 16:00"),
    ],
)
def test_a_class_change_sets_new_deadlines(
    first: TicketClass, change: ClassChange, reply_by: str, solve_by: str
) -> None:
    found = cycle(life("23.11 10:00", value=first, classes=[change]), "25.11 15:00")

    assert (shown(found.reply.due_at), shown(found.solution.due_at)) == (reply_by, solve_by)


def test_what_was_no_ticket_and_becomes_an_emergency_begins_then() -> None:
    story = life("23.11 10:00", value=TicketClass.NOT_TICKET, classes=[becomes("24.11 10:00", EMERGENCY)])

    assert shown(cycle(story, "24.11 10:01").reply.due_at) == "24.11 10:15"


def test_what_was_no_ticket_and_becomes_standard_counts_from_the_start() -> None:
    story = life("23.11 10:00", value=TicketClass.NOT_TICKET, classes=[becomes("23.11 12:00", STANDARD)])

    assert shown(cycle(story, "23.11 12:01").reply.due_at) == "23.11 14:00"


def test_a_reply_already_given_stays_met() -> None:
    story = life(spoken=[ours("23.11 13:00")], classes=[becomes("23.11 13:30", EMERGENCY)])

    found = cycle(story, "23.11 14:00").reply

    assert (found.outcome, shown(found.due_at)) == (MET, "23.11 14:00")


def test_pauses_are_kept_over_a_class_change() -> None:
    story = life(
        "23.11 10:00", ("23.11 12:00", HOLD), ("23.11 15:00", WORK),
        value=CONSULTATION, classes=[becomes("24.11 10:00", STANDARD)],
    )  # fmt: skip

    assert shown(cycle(story, "24.11 11:00").solution.due_at) == "26.11 10:00"


def test_a_pause_after_the_raise_shifts_the_chosen_deadline() -> None:
    story = life(
        "23.11 10:00", ("23.11 12:00", HOLD), ("23.11 13:00", WORK),
        classes=[becomes("23.11 11:00", EMERGENCY)],
    )  # fmt: skip

    assert shown(cycle(story, "23.11 14:00").solution.due_at) == "23.11 16:00"


def test_the_choice_at_a_raise_does_not_change_with_later_pauses() -> None:
    story = life(
        "23.11 10:00", ("25.11 13:30", HOLD), ("26.11 13:30", WORK),
        classes=[becomes("25.11 13:00", EMERGENCY)],
    )  # fmt: skip  # old 25.11 16:00 is earlier than 17:00

    found = cycle(story, "26.11 14:00").solution

    assert (shown(found.due_at), found.anchor_at, found.term) == ("26.11 16:00", at("23.11 10:00"), hours(24))


@pytest.mark.parametrize("value", [CONSULTATION, STANDARD])
def test_a_recorded_breach_stays_under_any_class(value: TicketClass) -> None:
    story = life(value=EMERGENCY, classes=[becomes("23.11 10:20", value)], spoken=[ours("23.11 10:30")])

    found = cycle(story).reply

    assert (found.outcome, shown(found.outcome_at)) == (BREACHED, "23.11 10:15")
    assert [kind for _, kind, _ in told(found)] == ["start", "breached", "superseded", "retargeted", "met"]


def test_a_shorter_term_may_be_missed_at_once() -> None:
    story = life(value=CONSULTATION, classes=[becomes("27.11 10:00", STANDARD)])

    found = cycle(story, "27.11 10:01").solution

    assert (found.outcome, shown(found.outcome_at)) == (BREACHED, "25.11 16:00")
    assert ("25.11 16:00", "breached", "reclassified") in told(found)


def test_the_class_of_the_solving_second_counts() -> None:
    story = life("23.11 10:00", ("26.11 12:00", SOLVED), classes=[becomes("26.11 12:00", CONSULTATION)])

    assert shown(cycle(story).solution.due_at) == "30.11 13:00"


def test_a_class_change_after_the_solution_changes_no_verdict() -> None:
    story = life("23.11 10:00", ("23.11 16:00", SOLVED), classes=[becomes("23.11 17:00", EMERGENCY)])

    assert cycle(story).solution.outcome is MET


@pytest.mark.parametrize("answered", ["23.11 10:40", "23.11 11:00"])
def test_what_is_found_to_be_no_ticket_has_no_verdict_though_it_was_late(answered: str) -> None:
    story = life(
        value=EMERGENCY,
        classes=[becomes("23.11 10:40", TicketClass.NOT_TICKET)],
        spoken=[ours(answered)],
    )

    assert cycle(story).reply.outcome is None
