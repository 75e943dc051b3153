"""The rules people argue about (domain.md 7.1)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.metrics.moments import breaches, open_at
from app.metrics.periods import PeriodKind, midnight, period_of
from app.metrics.view import Scope
from app.model import ClockName, Outcome
from tests.metrics.example import example
from tests.metrics.outcomes import (
    BREACHED,
    IVANOVA,
    MOSCOW,
    PETROV,
    TUESDAY,
    at,
    closed,
    figures,
    office,
    outcome,
    replied,
    solved,
)

NOW = "08.12 09:00"


def spanning(*, late: bool = False) -> Outcome:
    """Came on the 20th, solved on the 25th; late: due on the 24th."""
    ticket = solved(received_at=at("20.11 12:00"), when="25.11 11:00")
    if not late:
        return ticket
    return solved(
        received_at=at("20.11 12:00"),
        when="25.11 11:00",
        solve_outcome=BREACHED,
        solve_outcome_at=at("24.11 15:00"),
    )


def on(day: int, ticket: Outcome) -> list[float | None]:
    """Поступило, открыто, решено, в срок, из скольких of a day of November."""
    found = figures([ticket], date(2026, 11, day), now=NOW)
    share = found["solve_sla"]
    counts = [found[code].value for code in ("created", "backlog", "solved")]
    return [*counts, share.numerator, share.denominator]


@pytest.mark.parametrize(
    ("day", "expected"),
    [(20, [1, 1, 0, 0, 0]), (23, [0, 1, 0, 0, 0]), (24, [0, 1, 0, 0, 0]), (25, [0, 0, 1, 1, 1])],
)
def test_a_ticket_over_several_days(day: int, expected: list[float]) -> None:
    assert on(day, spanning()) == expected


@pytest.mark.parametrize(("day", "expected"), [(24, [0, 1, 0, 0, 1]), (25, [0, 0, 1, 0, 0])])
def test_a_breach_belongs_to_its_deadline_and_comes_once(day: int, expected: list[float]) -> None:
    assert on(day, spanning(late=True)) == expected


def test_two_breaches_of_one_ticket_are_one_late_ticket() -> None:
    late = outcome(
        reply_outcome=BREACHED,
        reply_outcome_at=at("24.11 14:00"),
        solve_outcome=BREACHED,
        solve_outcome_at=at("24.11 16:00"),
    )
    day = midnight(date(2026, 11, 24), MOSCOW), midnight(date(2026, 11, 25), MOSCOW)

    assert breaches(late, *day) == (ClockName.REPLY, ClockName.SOLUTION)
    assert len(example([late], [], period=period_of(PeriodKind.DAY, TUESDAY, office())).late) == 1


def test_a_return_takes_the_solution_back() -> None:
    back = solved(reopened_at=(at("25.11 10:00"),), solve_outcome=None, solve_outcome_at=None)
    found = figures([back], now=NOW)

    assert (found["solved"].value, found["solve_sla"].denominator, found["reopens"].value) == (0, 0, 1)


@pytest.mark.parametrize(
    ("when", "is_open"), [("24.11 17:00", False), ("25.11 11:00", True), ("27.11 10:00", False)]
)
def test_a_return_is_work_again_until_solved(when: str, is_open: bool) -> None:
    back = solved(
        reopened_at=(at("25.11 10:00"),), first_solved_at=at("24.11 16:00"), solved_at=at("26.11 10:00")
    )

    assert open_at(back, at(when)) is is_open


def test_a_week_counts_the_last_solution_only() -> None:
    twice = solved(reopened_at=(at("25.11 10:00"),), first_solved_at=at("24.11 16:00"), when="26.11 10:00")
    week = figures([twice], date(2026, 11, 23), date(2026, 11, 29), now=NOW)

    assert week["solved"].value == 1
    assert figures([twice], date(2026, 11, 26), now=NOW)["solved"].value == 1


def test_a_late_return_is_received_once_more() -> None:
    first = closed(received_at=at("02.11 10:00"), when="03.11 12:00")
    again = outcome(cycle=2, repeat_of="deal:41", repeat_kind="same")
    found = figures([first, again])

    assert (found["created"].value, found["repeats"].value, found["backlog"].value) == (1, 1, 1)


def test_a_reply_belongs_to_who_should_have_replied() -> None:
    ticket = replied(agent=PETROV, reply_agent=IVANOVA, solve_agent=PETROV)

    assert figures([ticket], scope=Scope(agent=IVANOVA))["reply_sla"].denominator == 1
    assert figures([ticket], scope=Scope(agent=PETROV))["reply_sla"].denominator == 0


def test_a_solution_belongs_to_the_assignee_of_its_moment() -> None:
    ticket = solved(agent=IVANOVA, reply_agent=IVANOVA, solve_agent=PETROV)

    assert figures([ticket], scope=Scope(agent=PETROV))["solve_sla"].value == 1
    assert figures([ticket], scope=Scope(agent=IVANOVA))["solve_sla"].value is None


def test_a_bulk_closing_is_in_nobodys_figures_but_the_desks() -> None:
    together = [closed(number, agent=IVANOVA) for number in range(10)]

    assert figures(together)["closed"].value == 10
    assert figures(together, scope=Scope(agent=IVANOVA))["closed"].value == 0


def test_a_busy_hour_is_no_bulk_closing() -> None:
    close = at("24.11 17:00")
    apart = [closed(n, agent=IVANOVA, closed_at=close + timedelta(minutes=n)) for n in range(10)]

    assert figures(apart, scope=Scope(agent=IVANOVA))["closed"].value == 10


def test_absence_changes_the_norm_only() -> None:
    tickets = [solved(number) for number in range(4)]
    both, alone = figures(tickets, agents=2), figures(tickets, agents=1)

    assert alone["load"].value == 2 * (both["load"].value or 0)
    assert alone["solve_sla"] == both["solve_sla"]
