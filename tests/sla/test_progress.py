"""The clock of news to a waiting client: emergency every 2 h; 23.11.2026 is a Monday."""

from __future__ import annotations

from typing import Any

import pytest

from app.model import Ledger, Spoken, State
from tests.sla.lives import (
    BREACHED,
    CLOSED,
    EMERGENCY,
    HOLD,
    MET,
    SOLVED,
    STANDARD,
    TERMS,
    WAIT,
    WORK,
    TermsMap,
    becomes,
    class_terms,
    client,
    cycle,
    hours,
    life,
    ours,
    shown,
    told,
)

EVERY_TWO_HOURS: TermsMap = {**TERMS, EMERGENCY: class_terms(EMERGENCY, 0.25, 4, progress=hours(2))}
REPLIED = ours("23.11 10:00")


def news(
    *spoken: Spoken, now: str = "23.11 18:00", moves: tuple[tuple[str, State], ...] = (), **rest: Any
) -> tuple[Ledger, ...]:
    story = life("23.11 09:00", *moves, value=EMERGENCY, spoken=[REPLIED, *spoken], **rest)
    return cycle(story, now, EVERY_TWO_HOURS).progress


def test_each_of_our_messages_promises_the_next() -> None:
    found = news(ours("23.11 11:59"), ours("23.11 14:00"), now="23.11 14:00")

    assert [(shown(clock.due_at), clock.outcome) for clock in found] == [
        ("23.11 12:00", MET),
        ("23.11 13:59", BREACHED),
        ("23.11 16:00", None),
    ]


def test_the_solution_is_news_enough() -> None:
    (clock,) = news(moves=(("23.11 11:00", SOLVED),))

    assert (clock.outcome, clock.met_by, clock.running) == (MET, "done", False)


def test_a_solution_too_late_is_a_breach_at_the_deadline() -> None:
    (clock,) = news(moves=(("23.11 13:00", CLOSED),))

    assert (clock.outcome, shown(clock.outcome_at)) == (BREACHED, "23.11 12:00")


def test_it_pauses_as_the_solution_does() -> None:
    asked = news(
        client("23.11 12:30"), moves=(("23.11 10:30", WAIT), ("23.11 12:30", WORK)), now="23.11 13:00"
    )
    held = news(moves=(("23.11 10:30", HOLD), ("23.11 12:30", WORK)), now="23.11 13:00")

    for (clock,) in (asked, held):
        assert (shown(clock.due_at), clock.spent, clock.running) == ("23.11 14:00", hours(1), True)


def test_it_stands_still_while_we_wait_for_the_client() -> None:
    (clock,) = news(moves=(("23.11 10:30", WAIT),))

    assert (clock.paused, clock.running, clock.outcome) == (True, False, None)


def test_a_pause_before_our_message_is_none_of_its_own() -> None:
    found = news(ours("23.11 11:00"), moves=(("23.11 09:30", HOLD), ("23.11 11:30", WORK)), now="23.11 12:00")

    assert [(entry_at, kind) for entry_at, kind, _ in told(found[-1])] == [
        ("23.11 11:00", "start"),
        ("23.11 11:00", "pause"),
        ("23.11 11:30", "resume"),
    ]
    assert shown(found[-1].due_at) == "23.11 13:30"


def test_a_pause_that_was_over_before_our_message_is_nothing_to_it() -> None:
    found = news(ours("23.11 11:00"), moves=(("23.11 10:15", HOLD), ("23.11 10:45", WORK)), now="23.11 12:00")

    assert (found[-1].pauses, shown(found[-1].due_at)) == ((), "23.11 13:00")


def test_a_class_without_it_takes_the_term_away_and_says_so() -> None:
    (clock,) = news(classes=[becomes("23.11 11:00", STANDARD)], now="23.11 18:00")

    assert (clock.due_at, clock.outcome) == (None, None)
    assert told(clock)[-1] == ("23.11 11:00", "retargeted", "class:standard:lifted")


def test_before_our_first_word_there_is_none() -> None:
    story = life("23.11 09:00", value=EMERGENCY, spoken=[client("23.11 09:10")])

    assert cycle(story, "23.11 12:00", EVERY_TWO_HOURS).progress == ()


def test_our_word_to_a_solved_ticket_promises_nothing() -> None:
    found = news(ours("23.11 12:00"), moves=(("23.11 11:00", SOLVED), ("23.11 13:00", WORK)))

    assert [shown(clock.started_at) for clock in found] == ["23.11 10:00"]


def test_after_a_return_the_next_message_begins_anew() -> None:
    moves = (("23.11 11:00", SOLVED), ("23.11 13:00", WORK))

    assert [shown(clock.started_at) for clock in news(ours("23.11 14:00"), moves=moves)] == [
        "23.11 10:00",
        "23.11 14:00",
    ]


def test_a_class_without_it_has_none() -> None:
    story = life("23.11 09:00", value=STANDARD, spoken=[REPLIED])

    assert cycle(story, "23.11 18:00", EVERY_TWO_HOURS).progress == ()


def test_a_raise_to_emergency_counts_from_the_raise() -> None:
    story = life("23.11 09:00", spoken=[REPLIED], classes=[becomes("23.11 12:00", EMERGENCY)])
    (clock,) = cycle(story, "23.11 12:30", EVERY_TWO_HOURS).progress

    assert (shown(clock.due_at), clock.outcome) == ("23.11 14:00", None)


@pytest.mark.parametrize("state", [State.DUPLICATE, State.NOT_TICKET])
def test_it_ends_without_a_verdict_with_what_is_no_ticket(state: State) -> None:
    (clock,) = news(moves=(("23.11 13:00", state),))

    assert (clock.running, clock.outcome, told(clock)[-1]) == (False, None, ("23.11 13:00", "ended", state))


def test_two_messages_of_one_second_are_one() -> None:
    assert len(news(ours("23.11 10:00"), now="23.11 11:00")) == 1
