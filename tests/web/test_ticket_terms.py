"""What the panel of one clock says of it."""

from __future__ import annotations

import pytest

from app import words
from app.account import Told
from app.explained import CycleAccount, clock_account
from app.model import Ledger, State, Story
from app.web.board import Surroundings
from app.web.ticket_terms import Term, open_terms
from tests.sla.lives import (
    ALWAYS,
    HOLD,
    MOSCOW,
    OFFICE,
    SOLVED,
    TERMS,
    WAIT,
    WORK,
    TermsMap,
    at,
    client,
    cycle,
    extended,
    hours,
    life,
    one_class,
    ours,
)

SHIFTS = "Пока пауза не закончилась, срок показан без неё; потом он сдвинется."
ROUND_THE_CLOCK = one_class(ALWAYS, 4, 54, calendar_name="always")


def solution(story: Story, now: str, terms: TermsMap = TERMS) -> Term:
    return panel(cycle(story, now, terms).solution, story, now)


def panel(ledger: Ledger, story: Story, now: str) -> Term:
    calendars = {"office": OFFICE, "always": ALWAYS}
    around = Surroundings(lambda _: "", OFFICE, calendars, MOSCOW, "https://portal.test")
    told = Told(lambda _: "", MOSCOW, story)
    clock = clock_account(ledger, calendars[ledger.calendar], told, at(now))
    [term] = open_terms(CycleAccount(1, story.started_at, (clock,)), around, at(now))
    return term


def plain(text: str) -> str:
    return text.replace(words.NBSP, " ")


def test_a_pause_that_began_in_time_is_said_to_move_the_term() -> None:
    story = life("23.11 10:00", ("25.11 15:59", WAIT), spoken=[ours("25.11 15:59")])
    assert SHIFTS in solution(story, "27.11 12:00").remarks


@pytest.mark.parametrize("start", ["25.11 16:00", "27.11 10:00"])
def test_a_pause_that_began_after_the_term_is_not_said_to_move_it(start: str) -> None:
    story = life("23.11 10:00", (start, WAIT), spoken=[ours(start)])
    assert SHIFTS not in solution(story, "27.11 12:00").remarks


def test_a_pause_that_began_after_the_term_leaves_it_overdue() -> None:
    story = life("23.11 10:00", ("27.11 10:00", WAIT), spoken=[ours("27.11 10:00")])
    assert plain(solution(story, "27.11 12:00").left) == "просрочено на 1 раб. дн. 5 ч"


def test_a_pause_is_not_said_to_move_an_agreed_date() -> None:
    story = life("23.11 10:00", ("24.11 10:00", HOLD), extensions=[extended("23.11 12:00", "30.11 12:00")])
    assert solution(story, "24.11 12:00").remarks == ("Срок продлён руководителем.",)


def test_a_term_that_ended_without_a_verdict_is_a_stopped_term() -> None:
    assert solution(life("23.11 10:00", ("23.11 12:00", State.DUPLICATE)), "23.11 13:00").verdict == (
        "срок остановлен"
    )


def test_an_answer_that_never_came_is_a_missed_term() -> None:
    hourly = one_class(OFFICE, 4, 24, next_respond=hours(1))
    story = life("23.11 10:00", ("23.11 15:00", SOLVED), spoken=[ours("23.11 10:30"), client("23.11 11:00")])
    [waiting] = cycle(story, "23.11 16:00", hourly).next_replies
    assert panel(waiting, story, "23.11 16:00").verdict == "срок нарушен"


def test_time_between_solution_and_return_is_not_called_a_pause() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED), ("23.11 14:00", WORK), spoken=[ours("23.11 11:00")])
    assert plain(solution(story, "23.11 15:00").summary) == "засчитано 3 ч, было решено 2 ч"


def test_what_is_given_around_the_clock_is_told_in_hours() -> None:
    term = solution(life("23.11 10:00"), "25.11 16:00", ROUND_THE_CLOCK)
    assert plain(term.spent) == "Отведено рабочего времени: 54 ч"
    assert plain(term.summary) == "засчитано 54 ч"


@pytest.mark.parametrize(
    ("now", "left"),
    [("23.11 12:00", "осталось 2 раб. дн. 4 ч"), ("26.11 22:00", "просрочено на 1 раб. дн. 6 ч")],
)
def test_a_working_day_is_as_long_as_the_clocks_own(now: str, left: str) -> None:
    assert plain(solution(life("23.11 10:00"), now, ROUND_THE_CLOCK).left) == left
