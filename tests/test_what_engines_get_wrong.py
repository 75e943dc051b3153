"""What other engines get wrong (sla.md 5), a row each.

`ROWS` names the test of every row: those that need a calendar, a ledger or a desk stand below,
the others where their subject is.
"""

from __future__ import annotations

import ast
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.model import Decision, MessageKind, OutcomeWord, SlaState, State, TicketClass
from app.model import Side as Who
from app.sla.calendar import calendar_of
from tests.lives import Desk, move, reading, said
from tests.sla.lives import (
    ALWAYS,
    CONSULTATION,
    HOLD,
    MOSCOW,
    OFFICE,
    STANDARD,
    WORK,
    at,
    becomes,
    client,
    cycle,
    day,
    extended,
    hours,
    life,
    ours,
    shown,
)

HERE = Path(__file__).parent
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

UNREAD = "bitrix/test_reading.py::test_partial_reading_is_none"
ROWS = {
    "24/7 closed for one minute at midnight": "test_around_the_clock_is_open_at_midnight",
    "09:00-00:00 loops": "test_hours_till_midnight_end_at_midnight",
    "86,400 seconds added for a day": "test_a_day_with_a_clock_change_has_its_own_length",
    "pause lost on class change": "test_a_change_of_class_keeps_the_pause",
    "pause counted on wall clock": "test_a_pause_counts_open_time_only",
    "merged ticket escalates": "test_a_merged_ticket_is_silent",
    "warning fires at creation for a level before its time": "test_no_warning_comes_before_its_share",
    "the same alert at every poll": "test_no_alert_is_said_twice_however_often_somebody_looks",
    "only the first level ever fires": "test_every_level_fires",
    "the next-reply clock runs on after closing": "test_nobody_waits_for_an_answer_after_the_closing",
    "an automatic note counts as first response": "test_an_automatic_text_is_no_reply",
    "a deadline set by hand drifts when a pause ends": "test_a_deadline_set_by_hand_does_not_drift",
    "a ticket closed late but before the poll counts as met": "test_late_is_late_whenever_somebody_looks",
    "a warned ticket is never marked breached": "test_a_warned_ticket_is_marked_breached",
    "holidays from a public feed with regional days in it": "test_regional_holidays_are_working_days",
    "a moved working Saturday treated as a day off": "test_a_moved_working_saturday_is_worked",
    "a failed sub-command of a batch read as no messages": UNREAD,
}


def test_every_row_has_its_test() -> None:
    assert len(ROWS) == 17
    for name in ROWS.values():
        path, _, function = name.rpartition("::")
        tree = ast.parse((HERE / (path or Path(__file__).name)).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if hasattr(node, "name")}


# --- calendars ---------------------------------------------------------------------------


def test_around_the_clock_is_open_at_midnight() -> None:
    midnight, half = at("24.11 00:00"), timedelta(seconds=30)
    for seconds in (-60, -1, 0, 1, 60):
        assert ALWAYS.is_open(midnight + timedelta(seconds=seconds))
    assert ALWAYS.between(midnight - hours(1), midnight + hours(1)) == hours(2)
    assert ALWAYS.add(midnight - half, 2 * half) == midnight + half


@pytest.mark.parametrize("till", ["00:00", "24:00"])
def test_hours_till_midnight_end_at_midnight(till: str) -> None:
    calendar = calendar_of(zone=MOSCOW, weekly={"mon": [f"09:00-{till}"]})

    assert calendar.add(at("23.11 09:00"), hours(15)) == at("24.11 00:00")
    assert calendar.add(at("23.11 23:00"), hours(2)) == at("30.11 10:00")
    assert not calendar.is_open(at("24.11 00:00"))


@pytest.mark.parametrize(
    ("zone", "first", "length"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Europe/Moscow", date(2026, 3, 29), 24),
    ],
)
def test_a_day_with_a_clock_change_has_its_own_length(zone: str, first: date, length: float) -> None:
    own = ZoneInfo(zone)
    calendar = calendar_of(zone=own, weekly={key: ["00:00-24:00"] for key in WEEK})
    midnight = datetime(first.year, first.month, first.day, tzinfo=own)
    next_midnight = datetime(first.year, first.month, first.day + 1, tzinfo=own)

    assert calendar.between(midnight, next_midnight) == hours(length)
    assert calendar.add(midnight, hours(length)) == next_midnight


@pytest.mark.parametrize("text", ["20.03.2026", "27.05.2026", "06.11.2026", "11.10.2027", "14.04.2026"])
def test_regional_holidays_are_working_days(text: str) -> None:
    """Uraza-bairam, Kurban-bairam, Tatarstan's and Bashkortostan's days, Radonitsa."""
    assert OFFICE.is_working_day(day(text))


def test_a_moved_working_saturday_is_worked() -> None:
    assert OFFICE.add(at("20.02.2027 10:00"), hours(4)) == at("20.02.2027 14:00")


# --- ledgers -----------------------------------------------------------------------------


def test_a_change_of_class_keeps_the_pause() -> None:
    held = [("24.11 16:00", HOLD), ("26.11 11:00", WORK)]  # 13 h of open time
    story = life("23.11 10:00", *held, value=CONSULTATION, classes=[becomes("26.11 12:00", STANDARD)])

    assert shown(cycle(story).solution.due_at) == "27.11 11:00"


def test_a_pause_counts_open_time_only() -> None:
    story = life("23.11 10:00", ("24.11 17:00", HOLD), ("25.11 10:00", WORK))  # 17 h by the wall, 2 h open

    assert shown(cycle(story).solution.due_at) == "25.11 18:00"


def test_nobody_waits_for_an_answer_after_the_closing() -> None:
    closed = ("23.11 13:00", State.CLOSED_CONFIRMED)
    story = life("23.11 10:00", closed, spoken=[ours("23.11 10:30"), client("23.11 12:00")])

    [waiting] = cycle(story, "30.11 10:00").next_replies

    assert (waiting.running, waiting.outcome, waiting.spent) == (False, None, hours(1))


def test_a_deadline_set_by_hand_does_not_drift() -> None:
    held = [("25.11 10:00", HOLD), ("26.11 10:00", WORK)]
    story = life("23.11 10:00", *held, extensions=[extended("24.11 12:00", "30.11 12:00")])

    assert shown(cycle(story).solution.due_at) == "30.11 12:00"


def test_late_is_late_whenever_somebody_looks() -> None:
    story = life("23.11 10:00", ("25.11 16:01", State.CLOSED_CONFIRMED), spoken=[ours("23.11 10:30")])

    for looked in ("25.11 16:01", "25.11 16:02", "31.12 09:00"):
        found = cycle(story, looked).solution
        assert (found.outcome, shown(found.outcome_at)) == (OutcomeWord.BREACHED, "25.11 16:00")


# --- alerts ------------------------------------------------------------------------------


def steps(decision: Decision) -> set[str]:
    """What is said of it in private and in the chat, summaries included."""
    silent = {MessageKind.TIMELINE, MessageKind.DIGEST}
    keys = [key for m in decision.messages if m.kind not in silent for key in (m.key, *m.covers)]
    return {key.split("/")[2] for key in keys} - {"card"}


def test_a_merged_ticket_is_silent() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    merged = [move(2, "24.11 10:30", "DOUBLE")]

    for later in ("24.11 10:31", "24.11 13:30", "24.11 14:01", "30.11 12:00"):
        decision = desk.reads(reading(later, moves=merged))
        assert steps(decision) == set()
        assert decision.next_at is None


def test_no_warning_comes_before_its_share() -> None:
    desk = Desk()

    assert steps(desk.reads(reading("24.11 10:00"))) == set()
    assert steps(desk.reads(reading("24.11 12:59"))) == set()  # 75 % of 4 h: 13:00
    assert steps(desk.reads(reading("24.11 13:00"))) == {"reply_warn_75"}


def test_no_alert_is_said_twice_however_often_somebody_looks() -> None:
    desk = Desk()
    first = steps(desk.reads(reading("24.11 13:00")))

    assert first == {"reply_warn_75"}
    assert [steps(desk.reads(reading(f"24.11 13:{minute:02}"))) for minute in range(1, 36)] == [set()] * 35


def test_every_level_fires() -> None:
    desk, answered = Desk(), [said(2, "24.11 10:30", Who.OURS)]
    shown_at = ["24.11 11:00", "26.11 10:00", "26.11 13:36", "26.11 16:01", "27.11 16:01"]
    found = [steps(desk.reads(reading(when, spoken=answered))) for when in shown_at]

    assert found == [set(), {"solve_warn_75"}, {"solve_warn_90"}, {"solve_breach"}, {"solve_breach_again"}]


def test_a_warned_ticket_is_marked_breached() -> None:
    desk = Desk()
    desk.reads(reading("24.11 13:00"))
    ticket = desk.reads(reading("24.11 14:01")).ticket

    assert ticket.sla_state is SlaState.OVERDUE
    assert ticket.now_cycle.reply.outcome is OutcomeWord.BREACHED


def test_an_automatic_text_is_no_reply() -> None:
    robot = said(2, "24.11 10:00", Who.OURS, "Здравствуйте! Ваше обращение зарегистрировано под номером 41.")
    ticket = Desk().reads(reading("24.11 10:05", spoken=[robot])).ticket

    assert ticket.now_cycle.reply.met_at is None
    assert ticket.value is TicketClass.STANDARD
