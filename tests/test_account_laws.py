"""Whatever a ticket has lived through, the sums that people read add up."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from app.account import due_line
from app.model import Ledger, State, TicketClass
from app.sla.ledger import cycles_of
from tests.sla.lives import MOSCOW
from tests.sla.minutes import Happening, Life, instant_of
from tests.sla.test_lives import CALENDARS, EXAMPLES, known_at, lives, story_of, terms_of

DAYS = re.compile(r"\d\d\.\d\d(?:–\d\d\.\d\d)? ")
LENGTH = re.compile(r"(?:(\d+) ч)? ?(?:(\d+) мин)?")


def length(text: str) -> timedelta:
    """«3 ч 20 мин» as a length."""
    found = LENGTH.fullmatch(text)
    assert found is not None, text
    hours, minutes = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes)


def added_up(line: str) -> timedelta:
    """The addends of «24 ч рабочего времени с …: 23.11 8 ч + 24.11–26.11 16 ч; …»."""
    addends = re.split(r": (?=\d\d\.)", line, maxsplit=1)[1].partition(";")[0].split(" + ")
    assert [each for each in addends if not DAYS.match(each)] == []
    return sum((length(DAYS.sub("", each, count=1)) for each in addends), timedelta(0))


def ledgers(life: Life, now: int) -> list[Ledger]:
    cycles = cycles_of(story_of(life), terms_of(life.promises), instant_of(now))
    found = [ledger for cycle in cycles for ledger in (cycle.reply, cycle.solution)]
    return [ledger for ledger in found if ledger.due_at is not None]


@settings(max_examples=EXAMPLES)
@given(known_at(lives()))
def test_the_addends_of_a_deadline_add_up_to_the_term(case: tuple[Life, int]) -> None:
    for each in ledgers(*case):
        line = due_line(each, CALENDARS[each.calendar], MOSCOW)
        assert each.extended or added_up(line) == each.term, line


@st.composite
def raised(draw: st.DrawFn) -> tuple[Life, int]:
    """Any life that is extended at last and then becomes an emergency."""
    life, turn = draw(known_at(lives()))
    turn = max(turn, life.happenings[-1].at)
    agreed = Happening(turn, "extend", turn + draw(st.integers(-600, 6000)))
    emergency = Happening(turn + draw(st.integers(1, 6000)), "class", TicketClass.EMERGENCY)
    now = emergency.at + draw(st.integers(0, 600))
    return replace(life, happenings=(*life.happenings, agreed, emergency)), now


@settings(max_examples=EXAMPLES // 2)
@given(raised() | known_at(lives()))
def test_only_a_date_that_was_agreed_on_is_called_extended(case: tuple[Life, int]) -> None:
    agreed = [extension.due_at for extension in story_of(case[0]).extensions]
    for each in ledgers(*case):
        assert each.due_at is not None
        came_back = any(entry.cause == "done" for entry in each.entries)
        dates = [date for date in agreed if date == each.due_at or (came_back and date <= each.due_at)]
        assert dates or not each.extended


@st.composite
def postponed(draw: st.DrawFn) -> tuple[Life, int]:
    """Any life that stands postponed to a date at last, looked at before that date, on it or after it."""
    life, turn = draw(known_at(lives()))
    turn = max(turn, life.happenings[-1].at)
    until = turn + draw(st.integers(1, 6000))
    held = (Happening(turn, "until", until), Happening(turn, "state", State.POSTPONED))
    now = turn + draw(st.integers(0, 6000))
    return replace(life, happenings=(*life.happenings, *held)), now


@settings(max_examples=EXAMPLES // 2)
@given(postponed())
def test_they_do_while_a_postponement_runs_to_its_date(case: tuple[Life, int]) -> None:
    for each in ledgers(*case):
        line = due_line(each, CALENDARS[each.calendar], MOSCOW)
        assert each.extended or added_up(line) == each.term, line
