"""Histories that lack something: the ticket is computed all the same, and people are told how."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.gaps import AHEAD, BORN_LATE, GAPS, NO_BEGINNING, ONE_INSTANT, OUT_OF_ORDER, UNTIMED, gaps_of
from app.model import (
    Card,
    Fact,
    FactKind,
    ItemRef,
    Kind,
    Move,
    OutcomeWord,
    Reading,
    Side,
    State,
    Ticket,
    TicketClass,
)
from app.ticket_view import gap_in_words, gaps_in_words, ticket_json
from tests.lives import DEAL, Desk, at, card, move, said

SECOND = timedelta(seconds=1)


def ticket(*rows: Move, of: Card | None = None, now: str = "24.11 12:00") -> Ticket:
    shown = of or card()
    stage = rows[-1].stage if rows else shown.stage
    return Desk().reads(Reading(DEAL, at(now), replace(shown, stage=stage), rows)).ticket


FIRST = move(1, "24.11 10:00", "NEW")


@pytest.mark.parametrize(
    ("rows", "created", "note"),
    [
        ([FIRST, move(2, "24.11 11:00", "WAIT")], "24.11 10:00", ()),
        ([move(2, "24.11 11:00", "WAIT")], "24.11 10:00", (NO_BEGINNING,)),
        ([FIRST, move(2, "24.11 11:00", "WAIT")], "24.11 10:30", (BORN_LATE,)),
        (
            [FIRST, move(2, "24.11 11:00", "WAIT"), move(3, "24.11 10:30", "HOLD")],
            "24.11 10:00",
            (OUT_OF_ORDER,),
        ),
        (
            [FIRST, move(2, "24.11 11:00", "WAIT"), move(3, "24.11 11:00", "HOLD")],
            "24.11 10:00",
            (ONE_INSTANT,),
        ),
        ([FIRST, move(2, "24.11 11:00", "WAIT"), move(3, "24.11 11:00", "WAIT")], "24.11 10:00", ()),
        ([FIRST, move(2, "24.11 15:00", "WAIT")], "24.11 10:00", (AHEAD,)),
        ([FIRST, move(2, "24.11 11:00", "MYSTERY")], "24.11 10:00", ("unknown_stage:C3:MYSTERY",)),
    ],
    ids=["whole", "no beginning", "born late", "order", "one instant", "said twice", "ahead", "unknown"],
)
def test_a_gap_is_noted_and_the_ticket_computed(
    rows: list[Move], created: str, note: tuple[str, ...]
) -> None:
    found = ticket(*rows, of=card(created))

    assert found.notes == note
    assert found.now_cycle.reply.due_at
    assert found.now_cycle.solution.due_at


def _task(*stages: str) -> tuple[str, ...]:
    """The notes of a task that went through these at one instant."""
    ref, when = ItemRef(Kind.TASK, 7), at("24.11 11:00")
    facts = [
        Fact(ref, FactKind.STAGE, str(number), when, when, value={"stage": stage})
        for number, stage in enumerate(stages)
    ]
    return tuple(gaps_of(facts, when))


@pytest.mark.parametrize(
    ("stages", "noted"),
    [
        (("3", "stage:57"), ()),
        (("3", "stage:57", "4"), (ONE_INSTANT,)),
        (("stage:1", "stage:2"), (ONE_INSTANT,)),
    ],
)
def test_a_tasks_status_and_its_column_may_change_at_once(
    stages: tuple[str, ...], noted: tuple[str, ...]
) -> None:
    assert _task(*stages) == noted


def test_clocks_of_a_history_without_a_beginning_run_from_the_creation() -> None:
    found = ticket(move(7, "24.11 11:00", "WAIT"))

    assert found.started_at == at("24.11 10:00")
    assert found.now_cycle.reply.due_at == at("24.11 14:00")


def test_a_history_without_a_beginning_in_another_funnel_begins_where_it_comes_to_us() -> None:
    found = ticket(Move("7", at("24.11 11:00"), "C7:NEW", 7), move(8, "24.11 12:00", "NEW"))

    assert found.started_at == at("24.11 12:00")


@pytest.mark.parametrize("seconds", [0, 1, 5, 60])
def test_the_first_row_and_the_item_are_born_together(seconds: int) -> None:
    late = Move("1", at("24.11 10:00") + seconds * SECOND, "C3:NEW", 3)

    assert ticket(late).started_at == at("24.11 10:00")
    assert ticket(late).notes == ()


def test_a_first_row_that_came_late_is_no_act_of_a_person() -> None:
    row = Move("1", at("24.11 10:00") + SECOND, "C3:PREPARATION", 3)
    fire = said(2, "24.11 10:05", Side.CLIENT, "Пожарная машина стоит у закрытых ворот, въехать не может")
    shown = card(stage="C3:PREPARATION")

    found = Desk().reads(Reading(DEAL, at("24.11 10:06"), shown, (row,), (fire,))).ticket

    assert found.value is TicketClass.EMERGENCY


def test_rows_out_of_order_count_by_their_times() -> None:
    rows = [FIRST, move(2, "24.11 16:00", "WON"), move(3, "24.11 11:00", "PREPARATION")]
    found = ticket(*rows, now="24.11 17:00", of=card())

    assert found.state is State.CLOSED_CONFIRMED
    assert found.now_cycle.closed_at == at("24.11 16:00")


def test_of_stages_in_one_second_the_last_row_counts() -> None:
    rows = [FIRST, move(9, "24.11 11:00", "SOLVED"), move(10, "24.11 11:00", "PREPARATION")]

    assert ticket(*rows).state is State.IN_PROGRESS
    assert ticket(*rows).now_cycle.solved_at is None


def test_a_move_of_the_future_happened_when_it_was_read() -> None:
    found = ticket(FIRST, move(2, "25.11 15:00", "WON"))

    assert found.now_cycle.solution.outcome is OutcomeWord.MET
    assert found.now_cycle.solved_at == at("24.11 12:00")


def test_a_word_of_the_future_is_told_too() -> None:
    ahead = said(3, "24.11 12:02", Side.OURS)
    reading = Reading(DEAL, at("24.11 12:00"), card(), (FIRST,), (ahead,))

    assert Desk().reads(reading).ticket.notes == (AHEAD,)


def test_clocks_that_differ_by_less_than_a_minute_are_no_gap() -> None:
    shown = card("24.11 12:00")
    slow = Reading(DEAL, at("24.11 12:00") - 59 * SECOND, shown, (move(1, "24.11 12:00", "NEW"),))

    assert Desk().reads(slow).ticket.notes == ()


def test_a_move_that_only_the_card_shows_is_told() -> None:
    moved = card(stage="C3:WAIT", modified_at=at("24.11 11:40"))
    found = Desk().reads(Reading(DEAL, at("24.11 12:00"), moved, (FIRST,))).ticket

    assert found.state is State.WAITING_CLIENT
    assert found.notes == (UNTIMED,)


def test_a_history_that_only_lagged_is_no_gap_any_more() -> None:
    desk, moved = Desk(), card(stage="C3:WAIT", modified_at=at("24.11 11:40"))
    desk.reads(Reading(DEAL, at("24.11 12:00"), moved, (FIRST,)))
    caught_up = desk.reads(Reading(DEAL, at("24.11 12:05"), moved, (FIRST, move(2, "24.11 11:40", "WAIT"))))

    assert caught_up.ticket.notes == ()


def test_an_item_without_any_history_is_new_since_its_creation() -> None:
    assert ticket().started_at == at("24.11 10:00")
    assert ticket().notes == ()


@pytest.mark.parametrize("note", GAPS)
def test_every_gap_has_its_words(note: str) -> None:
    assert gap_in_words(note)


def test_the_gaps_stand_in_the_apis_ticket() -> None:
    found = ticket(move(2, "24.11 11:00", "MYSTERY"))
    item = ticket_json(found, (), portal_url="https://portal.test", names={})

    assert item["gaps"] == [
        "стадия «C3:MYSTERY» не описана в правилах: состояние осталось прежним",
        "в истории стадий нет начала: сроки идут с создания карточки",
    ]


def test_other_notes_are_no_gaps() -> None:
    assert gaps_in_words(["replies_unreadable", "extension_asked:2026-11-30T09:00:00Z"]) == ()
