"""Every formula of domain.md 7, a test each."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.metrics.kpi import FORMULAS, nine_of_ten
from app.metrics.targets import repeats_goal, targets_of
from app.metrics.view import Scope
from app.model import Outcome, State, TicketClass
from tests.metrics.outcomes import (
    BREACHED,
    MET,
    TUESDAY,
    at,
    closed,
    figures,
    outcome,
    ref,
    replied,
    solved,
)

_READING_ORDER = """
reply_sla solve_sla sla extensions reply_median reply_p90 solve_median solve_p90 created solved closed
backlog queue_days no_escalation escalations fcr repeats reopens confirmed csat documented kb_updates
load class_accuracy emergencies_off_hours
"""
CODES = _READING_ORDER.split()
COUNTS = {"created", "solved", "closed", "backlog", "emergencies_off_hours"}
OF_SHIFT = {"kb_updates", "load"}


def value(code: str, *outcomes: Outcome, **asked: Any) -> float | None:
    return figures(outcomes, **asked)[code].value


def parts(code: str, *outcomes: Outcome, **asked: Any) -> tuple[float | None, float | None]:
    found = figures(outcomes, **asked)[code]
    return found.numerator, found.denominator


def test_codes_are_those_of_the_contract() -> None:
    assert list(FORMULAS) == CODES
    assert list(figures([])) == CODES


@pytest.mark.parametrize("code", sorted(set(CODES) - COUNTS - OF_SHIFT))
def test_nothing_to_divide_is_no_data(code: str) -> None:
    assert value(code) is None


@pytest.mark.parametrize("code", sorted(COUNTS))
def test_a_count_of_nothing_is_zero(code: str) -> None:
    assert value(code) == 0


@pytest.mark.parametrize("code", sorted(OF_SHIFT))
def test_a_shift_of_nobody_is_no_data(code: str) -> None:
    assert value(code, agents=0) is None


def test_reply_sla_counts_outcomes_of_the_day() -> None:
    late = outcome(2, reply_outcome=BREACHED, reply_outcome_at=at("24.11 14:00"))
    other_day = replied(3, when="23.11 12:00")

    found = figures([replied(1), late, other_day])["reply_sla"]

    assert (found.value, found.refs, found.misses) == (0.5, (ref(1), ref(2)), (ref(2),))


def test_tickets_behind_a_figure_stand_in_the_order_of_their_numbers() -> None:
    assert figures([solved(10), solved(2), solved(1)])["solved"].refs == (ref(1), ref(2), ref(10))


def test_an_open_overdue_ticket_is_never_invisible() -> None:
    waiting = outcome(solve_outcome=BREACHED, solve_outcome_at=at("24.11 15:00"))

    assert value("solve_sla", waiting) == 0


def test_a_clock_without_outcome_is_not_counted() -> None:
    assert parts("solve_sla", replied(1), solved(2)) == (1, 1)


def test_overall_sla_needs_both_outcomes() -> None:
    assert parts("sla", replied(1), solved(2)) == (1, 1)


def test_overall_sla_is_missed_by_either_clock() -> None:
    late_reply = solved(1, reply_outcome=BREACHED)
    late_solution = solved(2, solve_outcome=BREACHED)

    assert parts("sla", late_reply, late_solution, solved(3)) == (1, 3)


def test_overall_sla_belongs_to_the_later_outcome() -> None:
    ticket = replied(when="23.11 12:00", solve_outcome=MET, solve_outcome_at=at("24.11 16:00"))

    assert parts("sla", ticket) == (1, 1)
    assert parts("sla", ticket, first=date(2026, 11, 23)) == (0, 0)


def test_a_waived_ticket_is_out_of_the_shares() -> None:
    assert parts("solve_sla", solved(1, waived=True), solved(2)) == (1, 1)


def test_extensions_are_told_beside_the_solved() -> None:
    assert parts("extensions", solved(1, extended=True), solved(2), outcome(3, extended=True)) == (1, 2)


def test_median_and_p90_of_the_first_reply() -> None:
    tickets = [replied(number, minutes=number * 10) for number in range(1, 11)]

    assert value("reply_median", *tickets) == 55
    assert value("reply_p90", *tickets) == 90


def test_median_and_p90_of_the_solution() -> None:
    tickets = [solved(number, minutes=minutes) for number, minutes in enumerate([60, 120, 600])]

    assert value("solve_median", *tickets) == 120
    assert value("solve_p90", *tickets) == 600


def test_a_closing_without_answer_has_no_reply_time() -> None:
    by_closing = solved(first_reply_at=None, reply_spent=None, reply_met_by="closing")

    assert value("reply_median", by_closing) is None
    assert value("reply_sla", by_closing) == 1


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_nine_of_ten_are_not_longer(lengths: list[float]) -> None:
    edge = nine_of_ten(sorted(lengths))

    assert edge in lengths
    assert sum(length <= edge for length in lengths) >= 0.9 * len(lengths)


def test_received_solved_and_closed_have_their_own_days() -> None:
    ticket = closed(when="25.11 11:00")
    counts = ["created", "solved", "closed"]

    assert [value(code, ticket, now="26.11 09:05") for code in counts] == [1, 1, 0]
    assert [value(code, ticket, first=date(2026, 11, 25), now="26.11 09:05") for code in counts] == [0, 0, 1]


@pytest.mark.parametrize(
    ("received", "counted"), [("23.11 23:59", 0), ("24.11 00:00", 1), ("24.11 23:59", 1), ("25.11 00:00", 0)]
)
def test_the_day_is_moscows(received: str, counted: int) -> None:
    assert value("created", outcome(received_at=at(received))) == counted


def test_backlog_is_what_stays_open_at_the_cut_off() -> None:
    tomorrow = outcome(3, received_at=at("25.11 08:00"))
    solved_later = solved(4, when="25.11 08:30")

    assert figures([outcome(1), solved(2), tomorrow, solved_later])["backlog"].refs == (ref(1), ref(4))


def test_backlog_of_a_running_day_is_cut_at_now() -> None:
    assert value("backlog", solved(when="24.11 16:00"), now="24.11 12:00") == 1


def test_queue_is_open_over_the_mean_solved_of_ten_working_days() -> None:
    done = [solved(number, when="12.11 12:00", received_at=at("11.11 10:00")) for number in range(1, 11)]
    too_old = solved(11, when="10.11 12:00", received_at=at("09.11 10:00"))
    waiting = [outcome(number) for number in (12, 13)]

    assert value("queue_days", *done, too_old, *waiting) == 2 / (10 / 10)


def test_queue_of_a_young_desk_counts_its_own_days() -> None:
    tickets = [solved(1), solved(2), outcome(3)]

    assert value("queue_days", *tickets, scope=Scope(since=TUESDAY)) == 1 / 2


@pytest.mark.parametrize("now", ["24.11 09:05", "24.11 17:59"])
def test_a_day_that_runs_is_not_one_of_the_queues_days(now: str) -> None:
    done = [solved(number, when="23.11 12:00", received_at=at("23.11 10:00")) for number in range(1, 11)]
    today = solved(11, when="24.11 09:01", received_at=at("23.11 10:00"))
    waiting = outcome(12, received_at=at("23.11 10:00"))
    young = Scope(since=date(2026, 11, 20))

    assert parts("queue_days", *done, today, waiting, now=now, scope=young) == (1, 10 / 2)


def test_a_day_is_over_when_the_desk_has_closed() -> None:
    young = Scope(since=date(2026, 11, 23))
    tickets = [solved(1, when="24.11 17:00"), solved(2, when="24.11 17:30"), outcome(3)]

    assert parts("queue_days", *tickets, now="24.11 18:00", scope=young) == (1, 2 / 2)


def test_ten_days_of_the_queue_are_whole_ones() -> None:
    done = [solved(number, when="10.11 12:00", received_at=at("09.11 10:00")) for number in range(1, 11)]

    assert parts("queue_days", *done, outcome(11, received_at=at("23.11 10:00")), now="24.11 12:00") == (1, 1)


def test_a_desk_has_no_queue_in_days_before_its_first_day_is_over() -> None:
    tickets = [solved(1, when="24.11 10:30"), outcome(2)]

    assert value("queue_days", *tickets, now="24.11 12:00", scope=Scope(since=TUESDAY)) is None


def test_no_escalation_looks_at_the_closed() -> None:
    handed_on = closed(1, escalated_at=at("20.11 12:00"), received_at=at("19.11 10:00"))

    assert parts("no_escalation", handed_on, closed(2), solved(3)) == (1, 2)


def test_no_escalation_leaves_wishes_out() -> None:
    wish = closed(
        1,
        value=TicketClass.CONSULTATION,
        escalated_at=at("24.11 12:00"),
        escalation_reason="development",
    )

    assert parts("no_escalation", wish, closed(2)) == (1, 1)


def test_an_escalation_that_came_back_stays_one() -> None:
    came_back = closed(escalated_at=at("24.11 12:00"), escalation_level=0)

    assert value("no_escalation", came_back) == 0


def test_escalations_are_first_hand_overs_over_the_received() -> None:
    old = outcome(1, received_at=at("20.11 10:00"), escalated_at=at("24.11 11:00"))

    assert parts("escalations", old, outcome(2), outcome(3)) == (1, 2)


def test_solved_at_once() -> None:
    assert value("fcr", solved()) == 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"escalated_at": at("24.11 12:00")},
        {"waited_client": True},
        {"reopened_at": (at("24.11 11:00"),)},
    ],
)
def test_what_went_on_was_not_solved_at_once(spoilt: dict[str, Any]) -> None:
    assert value("fcr", solved(**spoilt)) == 0


@pytest.mark.parametrize(
    ("kind", "came", "at_once"),
    [
        ("same", "30.11 10:00", 0),
        ("unsolved", "30.11 10:00", 0),
        ("related", "30.11 10:00", 1),
        ("same", "02.12 10:00", 1),
    ],
)
def test_a_repeat_within_a_week_spoils_it(kind: str, came: str, at_once: int) -> None:
    again = outcome(2, received_at=at(came), repeat_of="deal:1", repeat_kind=kind)

    assert value("fcr", solved(1), again, now="03.12 10:00") == at_once


def test_engineer_visits_are_left_out_of_fcr() -> None:
    assert value("fcr", solved(engineer_visit=True)) is None


@pytest.mark.parametrize(("now", "provisional"), [("01.12 23:59", True), ("02.12 00:00", False)])
def test_fcr_is_final_seven_days_later(now: str, provisional: bool) -> None:
    assert figures([solved()], now=now)["fcr"].provisional is provisional


@pytest.mark.parametrize(
    ("kind", "hits"), [("same", 1), ("unsolved", 1), ("related", 0), ("context", 0), ("", 0)]
)
def test_repeats_count_kinds_one_and_three(kind: str, hits: int) -> None:
    again = outcome(1, repeat_of="deal:3", repeat_kind=kind)

    assert parts("repeats", again, outcome(2)) == (hits, 2)


def test_reopens_are_a_cohort_of_the_first_solution() -> None:
    back = solved(1, reopened_at=(at("27.11 10:00"),), solved_at=at("28.11 10:00"))

    found = figures([back, solved(2)], now="28.11 12:00")["reopens"]

    assert (found.value, found.refs, found.provisional) == (0.5, (ref(1),), True)


def test_reopens_mature_in_fourteen_days() -> None:
    assert not figures([solved()], now="09.12 00:00")["reopens"].provisional


def test_silence_is_not_consent() -> None:
    silent = closed(1, confirmed=False, state=State.CLOSED_UNCONFIRMED)

    assert parts("confirmed", silent, closed(2)) == (1, 2)


def test_csat_is_the_share_of_good_marks() -> None:
    marks = [solved(number, csat=number) for number in (1, 2, 3, 4, 5)]

    assert parts("csat", *marks, solved(6)) == (2, 5)


def test_documented_of_the_closed() -> None:
    assert parts("documented", closed(1, documented=True), closed(2), solved(3)) == (1, 2)


def test_kb_updates_a_person_and_day() -> None:
    tickets = [solved(number, kb_link=number < 4) for number in range(1, 6)]

    assert value("kb_updates", *tickets) == 3 / 2


def test_kb_updates_counted_elsewhere_win() -> None:
    assert parts("kb_updates", solved(kb_link=True), scope=Scope(kb_updates=6)) == (6, 2)


@pytest.mark.parametrize(
    ("since", "days"), [(date(2026, 11, 1), 3 * 2), (date(2026, 11, 24), 2 * 2), (date(2026, 11, 26), 0)]
)
def test_norms_count_from_the_first_day_with_the_service(since: date, days: int) -> None:
    week = {"first": date(2026, 11, 23), "last": date(2026, 11, 25), "now": "26.11 09:05"}
    tickets = [solved(number, kb_link=True) for number in range(3)]

    assert parts("kb_updates", *tickets, scope=Scope(since=since), **week) == (3, days)
    assert parts("load", *tickets, scope=Scope(since=since), **week) == (3 * 30, days * 540)


def test_load_is_an_estimate_of_thirty_minutes_each() -> None:
    found = figures([solved(number) for number in range(9)])["load"]

    assert (found.value, found.estimated) == (9 * 30 / (2 * 540), True)


def test_class_accuracy_by_the_closed_that_were_classified() -> None:
    right = closed(1, class_auto=TicketClass.STANDARD)
    moved = closed(2, class_auto=TicketClass.CONSULTATION)

    assert parts("class_accuracy", right, moved, closed(3)) == (1, 2)


def test_emergencies_off_hours_by_their_arrival() -> None:
    night = outcome(1, value=TicketClass.EMERGENCY, off_hours=True)
    day = outcome(2, value=TicketClass.EMERGENCY)

    assert figures([night, day, outcome(3, off_hours=True)])["emergencies_off_hours"].refs == (ref(1),)


def test_uncounted_tickets_are_in_no_figure() -> None:
    found = figures([replace(closed(), counted=False)])

    assert {kpi.numerator for kpi in found.values()} <= {0, None}


def test_a_class_has_its_own_goal() -> None:
    emergency = solved(1, value=TicketClass.EMERGENCY)
    found = figures([emergency, solved(2)], scope=Scope(value=TicketClass.EMERGENCY))["solve_sla"]

    assert (found.target, found.refs) == (1.0, (ref(1),))


def test_all_classes_together_keep_the_lowest_goal() -> None:
    lower = targets_of({TicketClass.EMERGENCY: 1.0, TicketClass.STANDARD: 0.9})

    assert figures([])["sla"].target == 0.95
    assert figures([], targets=lower)["sla"].target == 0.9


@pytest.mark.parametrize(
    ("tickets", "code", "kept"),
    [
        ([closed()], "no_escalation", True),
        ([closed(escalated_at=at("24.11 11:00"))], "no_escalation", False),
        ([outcome(1, escalated_at=at("24.11 11:00"))], "escalations", False),
        ([], "no_escalation", None),
        ([closed()], "reply_median", None),
    ],
)
def test_goals_know_their_direction(tickets: list[Outcome], code: str, kept: bool | None) -> None:
    assert figures(tickets)[code].reached is kept


def test_goals_can_be_replaced() -> None:
    assert figures([], targets=targets_of(no_escalation=0.9))["no_escalation"].target == 0.9


def test_repeats_should_fall_by_a_tenth() -> None:
    assert repeats_goal(0.2) == pytest.approx(0.18)


def test_the_order_of_outcomes_changes_nothing() -> None:
    tickets = [solved(1), outcome(2), closed(3, when="24.11 12:00"), replied(4)]

    assert figures(tickets) == figures(reversed(tickets))


def test_a_reply_longer_than_days_is_told_in_business_minutes() -> None:
    slow = replace(replied(), reply_spent=timedelta(hours=20))

    assert value("reply_median", slow) == 1200
