"""Random lives of tickets: the clocks say what an oracle says that only looks at every minute."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import (
    ClassChange,
    Cycle,
    Extension,
    ItemRef,
    Ledger,
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
from tests.sla.lives import ALWAYS, CONSULTATION, EMERGENCY, OFFICE, STANDARD, at, class_terms
from tests.sla.minutes import Clock, Happening, Life, Promise, Promises, Told, instant_of, minute_of, told

START = minute_of(at("19.11 10:00"))
CALENDARS: dict[str, Calendar] = {"office": OFFICE, "always": ALWAYS}
USUAL: Promises = {
    EMERGENCY: Promise("office", 15, 240),
    STANDARD: Promise("office", 240, 24 * 60),
    CONSULTATION: Promise("office", 480, 48 * 60),
}
AT_NIGHT: Promises = USUAL | {EMERGENCY: Promise("always", 15, 240)}


# --- lives -------------------------------------------------------------------------------

# Half of the moments are whole hours, so that deadlines, openings and equal instants are met exactly.
moments = st.one_of(st.integers(1, 20 * 24).map(lambda hour: hour * 60), st.integers(1, 20 * 24 * 60))
states = st.sampled_from([*State, State.WAITING_CLIENT, State.POSTPONED, State.RESOLVED, State.IN_PROGRESS])
values = st.sampled_from([*USUAL, *USUAL, TicketClass.NOT_TICKET])


@st.composite
def happenings(draw: st.DrawFn) -> Happening:
    when = START + draw(moments)
    what = draw(st.sampled_from(["state", "state", "state", "ours", "client", "class", "extend", "until"]))
    flag, call = draw(st.booleans()), draw(st.booleans())
    value: Any = None
    if what == "state":
        value = draw(states)
    elif what == "class":
        value = draw(values)
    elif what in {"extend", "until"}:
        value = when + draw(st.integers(-10, 100)) * 60
        value = None if what == "until" and call else value
    return Happening(when, what, value, flag, call and what == "ours")


@st.composite
def lives(draw: st.DrawFn) -> Life:
    born = [
        Happening(START, "state", State.NEW),
        Happening(START, "class", draw(st.sampled_from(list(USUAL)))),
    ]
    rest = draw(st.lists(happenings(), max_size=14))
    return Life(
        START,
        tuple(sorted([*born, *rest], key=lambda each: each.at)),
        draw(st.sampled_from([USUAL, AT_NIGHT])),
        draw(st.booleans()) and draw(st.booleans()),
    )


nows = st.integers(0, 40 * 24 * 60).map(lambda minutes: START + minutes)


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


@settings(deadline=None, max_examples=100)
@given(lives(), nows)
def test_every_life_is_told_as_the_minutes_tell_it(life: Life, now: int) -> None:
    cycles = cycles_of(story_of(life), terms_of(life.promises), instant_of(now))

    assert [as_told(cycle) for cycle in cycles] == told(life, now)
