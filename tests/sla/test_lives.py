"""Random lives of tickets: the clocks say what an oracle says that only looks at every minute."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import (
    VOID_STATES,
    ClassChange,
    Cycle,
    EntryKind,
    Extension,
    Handing,
    ItemRef,
    Ledger,
    LevelAnswer,
    Side,
    Spoken,
    State,
    StateChange,
    Story,
    TicketClass,
)
from app.sla.calendar import Calendar
from app.sla.ledger import cycles_of
from app.sla.targets import TermsByClass
from app.sla.terms import Ola
from tests.sla.lives import ALWAYS, CONSULTATION, EMERGENCY, OFFICE, STANDARD, at, class_terms
from tests.sla.minutes import Happening, Life, Promise, Promises, instant_of, minute_of
from tests.sla.oracle import Clock, Told, told
from tests.sla.oracle_levels import Answered, Terms, internal
from tests.sla.oracle_turns import Turn, next_replies, progress

EXAMPLES = int(os.environ.get("B24SLA_EXAMPLES", "200"))
"""How many lives to try: more of them for a night's run."""
START = minute_of(at("19.11 10:00"))
CALENDARS: dict[str, Calendar] = {"office": OFFICE, "always": ALWAYS}
USUAL: Promises = {
    EMERGENCY: Promise("office", 15, 240),
    STANDARD: Promise("office", 240, 24 * 60),
    CONSULTATION: Promise("office", 480, 48 * 60),
}
AT_NIGHT: Promises = USUAL | {EMERGENCY: Promise("always", 15, 240)}


# --- lives -------------------------------------------------------------------------------

# From one thing to the next: nothing at all, a term, a night, the week after which a return is a new cycle.
EXACT = [0, 0, 1, 15, 60, 240, 540, 24 * 60, 7 * 24 * 60, 7 * 24 * 60 + 1]
waits = st.one_of(st.sampled_from(EXACT), st.integers(0, 36).map(lambda n: n * 60), st.integers(0, 5000))
aims = st.tuples(st.sampled_from(["reply", "solution"]), st.sampled_from([0, 0, 1]))
"""To the deadline of a clock, or a minute over."""
OFTEN = [State.WAITING_CLIENT, State.POSTPONED, State.IN_PROGRESS, State.RESOLVED, State.CLOSED_CONFIRMED]
states = st.sampled_from([*State, *OFTEN, *OFTEN, *OFTEN])
values = st.sampled_from([EMERGENCY, EMERGENCY, *USUAL, *USUAL, TicketClass.NOT_TICKET])
KINDS = ["state", "state", "state", "ours", "client", "class", "extend", "until"]


LINES = [*KINDS, "level", "level", "answer", "answer", "reason"]


@st.composite
def happening(draw: st.DrawFn, when: int, kinds: Sequence[str]) -> Happening:
    what = draw(st.sampled_from(kinds))
    flag, call = draw(st.booleans()), draw(st.booleans())
    value: Any = None
    if what == "state":
        value = draw(states)
    elif what == "class":
        value = draw(values)
    elif what in {"extend", "until"}:
        value = when + draw(st.integers(-10, 100)) * 60
        value = None if what == "until" and call else value
    elif what in {"level", "answer"}:
        value = draw(st.integers(0 if what == "level" else 1, 3))
    elif what == "reason":
        value = draw(st.sampled_from(["bug", "development"]))
    return Happening(when, what, value, flag, call and what == "ours")


def steady(each: Happening) -> bool:
    """Of one class from beginning to end, and always a ticket."""
    return each.what not in {"class", "extend"} and each.value not in VOID_STATES


@st.composite
def lives(
    draw: st.DrawFn, wanted: Callable[[Happening], bool] = lambda _: True, kinds: Sequence[str] = KINDS
) -> Life:
    """Any life of a month or so, in order of time."""
    told_of = [
        Happening(START, "state", State.NEW),
        Happening(START, "class", draw(st.sampled_from(list(USUAL)))),
    ]
    promises = draw(st.sampled_from([USUAL, AT_NIGHT]))
    silent = draw(st.integers(0, 3)) == 3
    when = START
    for wait in draw(st.lists(waits | aims, min_size=draw(st.integers(0, 6)), max_size=14)):
        when = aimed(Life(START, tuple(told_of), promises, silent), when, wait)
        told_of.append(draw(happening(when, kinds).filter(wanted)))
    return Life(START, tuple(told_of), promises, silent)


def aimed(life: Life, when: int, wait: int | tuple[str, int]) -> int:
    if isinstance(wait, int):
        return when + wait
    due = getattr(told(life, when)[-1], wait[0]).due
    return when if due is None else max(when, due + wait[1])


@st.composite
def known_at(draw: st.DrawFn, of: st.SearchStrategy[Life]) -> tuple[Life, int]:
    """A life and when somebody looks: at, soon or long after one of its turns."""
    life = draw(of)
    turn = draw(st.sampled_from([*life.happenings, life.happenings[-1], life.happenings[-1]]))
    return life, turn.at + draw(st.sampled_from([0, 1, 60, 24 * 60, 9 * 24 * 60, 40 * 24 * 60]))


# --- the same life for the clocks --------------------------------------------------------


def story_of(life: Life) -> Story:
    def of(*kinds: str) -> list[Happening]:
        return [each for each in life.happenings if each.what in kinds]

    return Story(
        ref=ItemRef.parse("deal:41"),
        started_at=instant_of(life.start),
        states=tuple(StateChange(instant_of(each.at), each.value) for each in of("state")),
        classes=tuple(
            ClassChange(instant_of(each.at), each.value, by_person=not each.flag, correction=each.flag)
            for each in of("class")
        ),
        spoken=tuple(spoken(each) for each in of("ours", "client")),
        extensions=tuple(Extension(instant_of(each.at), instant_of(each.value), 7) for each in of("extend")),
        postponed_until=tuple(
            (instant_of(each.at), None if each.value is None else instant_of(each.value))
            for each in of("until")
        ),
        silent_channel=life.silent,
        handings=tuple(Handing(instant_of(each.at), each.value) for each in of("level")),
        handing_reasons=tuple((instant_of(each.at), each.value) for each in of("reason")),
        level_answers=tuple(LevelAnswer(instant_of(each.at), each.value) for each in of("answer")),
    )


def spoken(each: Happening) -> Spoken:
    if each.what == "ours":
        return Spoken(instant_of(each.at), Side.OURS, call=each.call, acknowledgement=each.flag)
    return Spoken(instant_of(each.at), Side.CLIENT, thanks=each.flag)


def terms_of(promises: Promises) -> TermsByClass:
    return {
        value: class_terms(
            value,
            each.respond / 60,
            each.resolve / 60,
            calendar_name=each.calendar,
            calendar=CALENDARS[each.calendar],
        )
        for value, each in promises.items()
    }


def as_clock(ledger: Ledger) -> Clock:
    def minute(moment: Any) -> int | None:
        return None if moment is None else minute_of(moment)

    return Clock(
        due=minute(ledger.due_at),
        met=minute(ledger.met_at),
        by=ledger.met_by or ("done" if ledger.met_at else ""),
        outcome=ledger.outcome,
        outcome_at=minute(ledger.outcome_at),
        running=ledger.running,
        paused=ledger.paused,
        spent=ledger.spent // timedelta(minutes=1),
    )


def as_told(cycle: Cycle) -> Told:
    return Told(
        cycle.number,
        minute_of(cycle.started_at),
        as_clock(cycle.reply),
        as_clock(cycle.solution),
        cycle.pause_total // timedelta(minutes=1),
    )


@settings(max_examples=EXAMPLES)
@given(known_at(lives()))
def test_every_life_is_told_as_the_minutes_tell_it(case: tuple[Life, int]) -> None:
    life, now = case
    cycles = cycles_of(story_of(life), terms_of(life.promises), instant_of(now))

    assert [as_told(cycle) for cycle in cycles] == told(life, now)


AGAIN, PROGRESS = 120, 540


def as_turns(ledgers: tuple[Ledger, ...]) -> list[Turn]:
    return [
        Turn(
            minute_of(each.started_at),
            minute_of(each.met_at or ended[0]) if each.met_at or (ended := ended_at(each)) else None,
            each.met_at is not None,
            minute_of(each.due_at) if each.due_at else -1,
            each.outcome,
        )
        for each in ledgers
    ]


def ended_at(ledger: Ledger) -> list[datetime]:
    return [entry.at for entry in ledger.entries if entry.kind is EntryKind.ENDED]


@settings(max_examples=EXAMPLES // 2)
@given(known_at(lives(steady)))
def test_who_speaks_next_is_told_as_the_minutes_tell_it(case: tuple[Life, int]) -> None:
    life, now = replace(case[0], silent=False), case[1]
    value = life.happenings[1].value
    terms = {
        each: replace(usual, next_respond=timedelta(minutes=AGAIN), progress=timedelta(minutes=PROGRESS))
        for each, usual in terms_of(life.promises).items()
        if usual
    }

    cycles = cycles_of(story_of(life), terms, instant_of(now))

    promise = life.promises[value]
    assert [as_turns(cycle.next_replies) for cycle in cycles] == next_replies(life, now, promise, AGAIN)
    assert [as_turns(cycle.progress) for cycle in cycles] == progress(life, now, promise, PROGRESS)


OLA = Ola(
    "office", OFFICE, head=timedelta(minutes=60), development=timedelta(hours=8), wishes=timedelta(hours=48)
)
DIRECTOR = replace(OLA, director=timedelta(hours=4))


def terms_of_lines(ola: Ola) -> Terms:
    director = None if ola.director is None else 240
    return Terms({1: 60, 2: 480, 3: director}, wishes=48 * 60)


def as_answered(ledger: Ledger) -> Answered:
    (turn,) = as_turns((ledger,))
    return Answered(ledger.level, turn.start, turn.end, ledger.met_by, turn.due, turn.outcome)


@settings(max_examples=EXAMPLES // 2)
@given(known_at(lives(kinds=LINES)), st.sampled_from([OLA, DIRECTOR]))
def test_whose_turn_it_was_inside_is_told_as_the_minutes_tell_it(case: tuple[Life, int], ola: Ola) -> None:
    life, now = case
    cycles = cycles_of(story_of(life), terms_of(life.promises), instant_of(now), ola=ola)

    found = [[as_answered(ledger) for ledger in cycle.internal] for cycle in cycles]
    assert found == internal(life, now, terms_of_lines(ola))
