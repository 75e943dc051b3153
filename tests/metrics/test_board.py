from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.metrics.board import Burning, Expiring, burning, expiring, longest_pauses
from app.model import ClockName, State, Ticket, TicketClass
from tests.metrics.example import ledger, ticket
from tests.metrics.outcomes import at, office, ref

NOW = "24.11 09:05"
AT_HEAD: dict[str, Any] = {"state": State.ESCALATED, "escalation_level": 1, "escalated_at": at("23.11 17:25")}


def now_burns(*tickets: Ticket) -> tuple[Burning, ...]:
    return burning(tickets, office(), at(NOW))


def today(*tickets: Ticket) -> Expiring:
    return expiring(tickets, office(), at(NOW))


@pytest.mark.parametrize(("due", "burns"), [("24.11 09:04", True), ("24.11 09:05", False)])
def test_an_overdue_ticket_burns(due: str, burns: bool) -> None:
    assert bool(now_burns(ticket(due=due))) is burns


@pytest.mark.parametrize(
    ("changes", "burns"),
    [
        ({}, False),
        ({"value": TicketClass.EMERGENCY}, True),
        (AT_HEAD, True),
        ({**AT_HEAD, "escalation_level": 2}, False),
    ],
)
def test_at_risk_burns_if_urgent_or_at_the_head(changes: dict[str, Any], burns: bool) -> None:
    assert bool(now_burns(ticket(warned="24.11 09:00", **changes))) is burns


def test_lengths_are_open_time() -> None:
    (found,) = now_burns(ticket(due="24.11 10:15", warned="24.11 09:00", **AT_HEAD))

    assert (found.left, found.waits_head) == (timedelta(minutes=70), timedelta(minutes=40))


def test_the_worst_comes_first() -> None:
    late, urgent = ticket(1, "23.11 10:00"), ticket(2, "23.11 17:00", value=TicketClass.EMERGENCY)
    at_risk = ticket(3, "24.11 09:06", warned="24.11 09:00", value=TicketClass.EMERGENCY)

    assert [found.ref for found in now_burns(at_risk, late, urgent)] == [ref(2), ref(1), ref(3)]


@pytest.mark.parametrize(
    "quiet",
    [
        {"state": State.RESOLVED},
        {"counted": False},
        {"solution": ledger(ClockName.SOLUTION, "24.11 09:00", running=False, paused=True)},
        {"solution": ledger(ClockName.SOLUTION, "24.11 09:00", waived=True)},
        {"solution": ledger(ClockName.SOLUTION, None)},
    ],
)
def test_a_clock_that_stands_burns_nothing(quiet: dict[str, Any]) -> None:
    assert now_burns(ticket(due="24.11 09:00", **quiet)) == ()


@pytest.mark.parametrize(
    ("due", "listed"), [("24.11 09:00", 0), ("24.11 09:05", 1), ("24.11 18:00", 1), ("25.11 09:00", 0)]
)
def test_the_rest_of_the_day_runs_out(due: str, listed: int) -> None:
    assert len(today(ticket(due=due)).refs) == listed


def test_what_runs_out_before_noon_and_has_nobody() -> None:
    found = today(ticket(1, "24.11 12:00"), ticket(2, "24.11 12:01"), ticket(3, "24.11 17:00", agent=None))

    assert (found.before_noon, found.unassigned) == (1, 1)


def test_what_burns_is_not_listed_twice() -> None:
    urgent = ticket(due="24.11 12:00", warned="24.11 09:00", value=TicketClass.EMERGENCY)

    assert today(urgent).refs == ()


def test_longest_pauses_of_the_open() -> None:
    def paused(number: int, hours: int) -> Ticket:
        made = ticket(number)
        return replace(made, cycles=(replace(made.now_cycle, pause_total=timedelta(hours=hours)),))

    found = longest_pauses([paused(1, 5), paused(2, 0), paused(3, 9), paused(4, 1), paused(5, 3)])

    assert found == ((ref(3), timedelta(hours=9)), (ref(1), timedelta(hours=5)), (ref(5), timedelta(hours=3)))
