"""The clock of a client who writes again (standard: reply 4 h; 23.11.2026 is a Monday)."""

from __future__ import annotations

from typing import Any

import pytest

from app.model import Ledger, Spoken, State
from app.sla.ledger import cycles_of
from app.sla.targets import TermsChange
from tests.sla.lives import (
    BREACHED,
    CLOSED,
    CONSULTATION,
    EMERGENCY,
    HOLD,
    MET,
    SOLVED,
    STANDARD,
    TERMS,
    WAIT,
    WORK,
    TermsMap,
    at,
    becomes,
    class_terms,
    client,
    cycle,
    cycles,
    hours,
    life,
    ours,
    shown,
    told,
)

REPLIED = ours("23.11 10:30")
NEVER = "31.12 09:00"


def clocks(
    *spoken: Spoken, now: str = NEVER, moves: tuple[tuple[str, State], ...] = (), **rest: Any
) -> tuple[Ledger, ...]:
    return cycle(life("23.11 10:00", *moves, spoken=[REPLIED, *spoken], **rest), now).next_replies


def test_it_runs_from_the_clients_message_to_our_next_one() -> None:
    (clock,) = clocks(client("23.11 11:00"), ours("23.11 14:59"))

    assert (shown(clock.started_at), shown(clock.due_at)) == ("23.11 11:00", "23.11 15:00")
    assert (clock.outcome, clock.met_by, clock.spent) == (MET, "message", hours(4) - hours(1 / 60))


def test_met_exactly_at_the_deadline_is_met_and_a_second_later_is_not() -> None:
    (exact,) = clocks(client("23.11 11:00"), ours("23.11 15:00"))
    (late,) = clocks(client("23.11 11:00"), ours("23.11 15:00:01"))

    assert (exact.outcome, late.outcome, shown(late.outcome_at)) == (MET, BREACHED, "23.11 15:00")


def test_the_oldest_unanswered_message_rules() -> None:
    (clock,) = clocks(client("23.11 11:00"), client("23.11 13:00"), client("24.11 09:00"), now="24.11 09:00")

    assert (shown(clock.due_at), clock.outcome, clock.running) == ("23.11 15:00", BREACHED, True)


def test_each_new_wait_is_a_clock_of_its_own() -> None:
    found = clocks(
        client("23.11 11:00"),
        ours("23.11 12:00"),
        client("23.11 13:00"),
        ours("24.11 10:00"),
        client("24.11 11:00"),
        now="24.11 12:00",
    )

    assert [(shown(clock.started_at), clock.outcome) for clock in found] == [
        ("23.11 11:00", MET),
        ("23.11 13:00", BREACHED),
        ("24.11 11:00", None),
    ]


@pytest.mark.parametrize(
    "spoken",
    [
        [client("23.11 11:00", thanks=True)],
        [client("23.11 10:10")],  # before the first reply: that one answers it
        [client("23.11 10:30")],  # in the second of the reply
        [ours("23.11 11:00"), ours("23.11 12:00")],
    ],
    ids=["thanks", "before the reply", "with the reply", "only ours"],
)
def test_what_asks_nothing_starts_nothing(spoken: list[Spoken]) -> None:
    assert clocks(*spoken) == ()


def test_thanks_do_not_move_a_wait_that_runs() -> None:
    (clock,) = clocks(client("23.11 11:00"), client("23.11 12:00", thanks=True), now="23.11 13:00")

    assert shown(clock.started_at) == "23.11 11:00"


def test_no_next_reply_before_the_first() -> None:
    story = life("23.11 10:00", spoken=[client("23.11 10:00"), client("23.11 12:00")])

    assert cycle(story).next_replies == ()


def test_a_call_answers_too() -> None:
    (clock,) = clocks(client("23.11 11:00"), ours("23.11 12:00", call=True))

    assert clock.met_by == "call"


@pytest.mark.parametrize("state", [WAIT, HOLD, State.ESCALATED])
def test_it_never_pauses(state: State) -> None:
    (clock,) = clocks(client("23.11 11:00"), moves=(("23.11 11:30", state),), now="23.11 16:00")

    assert (clock.pauses, shown(clock.due_at), clock.outcome) == ((), "23.11 15:00", BREACHED)


@pytest.mark.parametrize("state", [SOLVED, CLOSED])
def test_it_does_not_run_on_after_solving_or_closing(state: State) -> None:
    (clock,) = clocks(client("23.11 11:00"), moves=(("23.11 12:00", state),))

    assert (clock.running, clock.outcome, clock.spent) == (False, None, hours(1))
    assert told(clock) == [("23.11 11:00", "start", ""), ("23.11 12:00", "ended", "done")]


def test_a_breach_before_the_solution_stays() -> None:
    (clock,) = clocks(client("23.11 11:00"), moves=(("23.11 16:00", SOLVED),))

    assert (clock.outcome, shown(clock.outcome_at), clock.running) == (BREACHED, "23.11 15:00", False)


def test_a_question_to_a_solved_ticket_waits_from_the_return_to_work() -> None:
    moves = (("23.11 11:00", SOLVED), ("23.11 13:00", WORK))
    (clock,) = clocks(client("23.11 12:00"), moves=moves, now="23.11 14:00")

    assert (shown(clock.started_at), shown(clock.due_at)) == ("23.11 13:00", "23.11 17:00")


def test_a_question_to_a_solved_ticket_that_was_a_double_for_a_while_waits_from_the_return_too() -> None:
    moves = (("23.11 11:00", SOLVED), ("23.11 12:00", State.DUPLICATE), ("23.11 13:00", WORK))
    (clock,) = clocks(client("23.11 11:30"), moves=moves, now="23.11 14:00")

    assert shown(clock.started_at) == "23.11 13:00"


@pytest.mark.parametrize(
    "spoken", [(client("23.11 11:00"), ours("23.11 11:00")), (ours("23.11 11:00"), client("23.11 11:00"))]
)
def test_our_word_in_the_second_of_the_clients_answers_it(spoken: tuple[Spoken, ...]) -> None:
    (clock,) = clocks(*spoken)

    assert (clock.outcome, clock.spent) == (MET, hours(0))


def test_a_question_answered_while_solved_waits_for_nobody() -> None:
    moves = (("23.11 11:00", SOLVED), ("23.11 13:00", WORK))

    assert clocks(client("23.11 12:00"), ours("23.11 12:30"), moves=moves) == ()


def test_a_question_to_a_ticket_that_stays_solved_starts_nothing() -> None:
    assert clocks(client("23.11 12:00"), moves=(("23.11 11:00", SOLVED),)) == ()


def test_a_new_cycle_has_its_own_first_reply_before_any_next_one() -> None:
    moves = (("23.11 11:00", CLOSED), ("03.12 10:00", WORK))
    story = life("23.11 10:00", *moves, spoken=[REPLIED, client("03.12 11:00")])
    first, second = cycles(story, "03.12 12:00")

    assert (first.next_replies, second.next_replies, second.reply.running) == ((), (), True)


@pytest.mark.parametrize("state", [State.DUPLICATE, State.NOT_TICKET, State.DELETED, State.LEFT])
def test_it_ends_without_a_verdict_with_what_is_no_ticket(state: State) -> None:
    (clock,) = clocks(client("23.11 11:00"), client("24.11 10:00"), moves=(("23.11 16:00", state),))

    assert (clock.running, clock.outcome, clock.due_at) == (False, None, None)
    assert told(clock)[-1] == ("23.11 16:00", "ended", state.value)


def test_words_to_a_duplicate_start_nothing() -> None:
    assert clocks(client("23.11 17:00"), moves=(("23.11 16:00", State.DUPLICATE),)) == ()


def test_the_rules_may_give_it_a_term_of_its_own() -> None:
    quick: TermsMap = {STANDARD: class_terms(STANDARD, 4, 24, next_respond=hours(1))}
    story = life("23.11 10:00", spoken=[REPLIED, client("23.11 11:00")])

    assert shown(cycle(story, "23.11 11:30", quick).next_replies[0].due_at) == "23.11 12:00"


def test_a_change_of_class_counts_from_the_wait_and_a_raise_from_itself() -> None:
    lowered = clocks(client("23.11 11:00"), classes=[becomes("23.11 12:00", CONSULTATION)], now="23.11 13:00")
    raised = clocks(client("23.11 11:00"), classes=[becomes("23.11 12:00", EMERGENCY)], now="23.11 12:05")

    assert (shown(lowered[0].due_at), shown(raised[0].due_at)) == ("24.11 10:00", "23.11 12:15")


def test_without_terms_there_is_no_clock() -> None:
    story = life("23.11 10:00", spoken=[REPLIED, client("23.11 11:00")])

    assert cycle(story, terms={STANDARD: None}).next_replies == ()


def test_a_waiver_is_about_the_terms_that_figures_count() -> None:
    (clock,) = clocks(client("23.11 11:00"), waived=[(at("23.11 12:00"), "авария у провайдера")])

    assert (clock.waived, clock.outcome) == (False, BREACHED)


def test_rules_applied_before_the_wait_are_its_rules_from_the_start() -> None:
    applied = TermsChange(at("23.11 10:45"), {STANDARD: class_terms(STANDARD, 1, 24)}, "v2", by="7")
    story = life("23.11 10:00", spoken=[REPLIED, client("23.11 11:00")])
    (clock,) = cycles_of(story, TERMS, at("23.11 11:30"), [applied])[-1].next_replies

    assert (shown(clock.due_at), told(clock)) == ("23.11 12:00", [("23.11 11:00", "start", "")])


def test_a_channel_that_cannot_be_read_accuses_nobody() -> None:
    assert clocks(client("23.11 11:00"), silent_channel=True) == ()


def test_what_came_after_the_moment_asked_about_is_not_known() -> None:
    spoken = [REPLIED, client("23.11 11:00"), ours("23.11 12:00")]
    (clock,) = cycle(life("23.11 10:00", spoken=spoken), "23.11 11:30", TERMS).next_replies

    assert (clock.met_at, clock.running, clock.spent) == (None, True, hours(0.5))


def test_our_words_in_any_order_make_the_same_clocks() -> None:
    spoken = [REPLIED, client("23.11 11:00"), ours("23.11 12:00"), client("23.11 13:00")]
    straight, back = (life("23.11 10:00", spoken=each) for each in (spoken, spoken[::-1]))

    assert cycle(straight).next_replies == cycle(back).next_replies
    assert at("23.11 13:00") == cycle(back).next_replies[-1].started_at
