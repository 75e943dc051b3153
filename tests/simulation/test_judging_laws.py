"""Any life on the half hours of a week, where moments fall together: columns say what the ledgers say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.model import (
    ClassChange,
    ClockName,
    Extension,
    ItemRef,
    Ledger,
    OutcomeWord,
    Side,
    Spoken,
    State,
    StateChange,
    Story,
    TicketClass,
)
from app.pinning import Judging
from app.rules import Rules
from app.simulation.columns import NONE, Tracks, Words, tracks_from
from app.simulation.judging import BREACHED, MET, UNJUDGED, verdicts_of
from app.simulation.terms import TermsTable, terms_table
from app.sla.ledger import cycles_of
from app.sla.many import instants_of
from app.store.tracks import NAMES, row_of
from app.store.tracks import NONE as NO_NUMBER
from app.tracking import tracks_of
from tests.sla.lives import TERMS, at

MONDAY = at("23.11 08:00")
HALF = timedelta(minutes=30)
WORDS = {UNJUDGED: None, MET: OutcomeWord.MET, BREACHED: OutcomeWord.BREACHED}
Told = tuple[OutcomeWord | None, datetime | None]


class OnlyTerms:
    """What `terms_table` asks of rules."""

    version, policies = "v1", ()

    def terms_for(self, **_: object) -> object:
        return TERMS


TABLE: TermsTable = terms_table(cast("Rules", OnlyTerms()), Words(("",), np.zeros(1, dtype=np.int64)))
BY = Judging(cast("Rules", OnlyTerms()), cast("Rules", OnlyTerms()), desk="v1")

moments = st.integers(0, 2 * 24 * 9).map(lambda halves: MONDAY + halves * HALF)
STATES = (State.IN_PROGRESS, State.WAITING_CLIENT, State.POSTPONED, State.RESOLVED, State.CLOSED_CONFIRMED)
states = st.lists(st.tuples(moments, st.sampled_from(STATES)), max_size=7)
spoken = st.lists(st.tuples(moments, st.sampled_from([Side.CLIENT, Side.OURS]), st.booleans()), max_size=5)
CLASSES = (TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION)
classes = st.lists(st.tuples(moments, st.sampled_from(CLASSES), st.booleans()), max_size=4)
agreed = st.lists(st.tuples(moments, moments), max_size=2)


def story(
    first: TicketClass,
    moves: Sequence[tuple[datetime, State]],
    said: Sequence[tuple[datetime, Side, bool]],
    changes: Sequence[tuple[datetime, TicketClass, bool]],
    dates: Sequence[tuple[datetime, datetime]],
) -> Story:
    told = (StateChange(MONDAY, State.NEW), *(StateChange(when, state) for when, state in sorted(moves)))
    by_time = sorted(changes, key=lambda change: change[0])
    return Story(
        ref=ItemRef.parse("deal:41"),
        started_at=MONDAY,
        states=told,
        classes=(
            ClassChange(MONDAY, first, by_person=False, correction=True),
            *(ClassChange(when, value, True, correction) for when, value, correction in by_time),
        ),
        spoken=tuple(
            Spoken(when, side, acknowledgement=bare and side is Side.OURS)
            for when, side, bare in sorted(said, key=lambda each: each[0])
        ),
        extensions=tuple(Extension(when, date, 7) for when, date in sorted(dates)),
    )


def in_columns(life: Story, now: datetime) -> tuple[Tracks, list[bool]]:
    cycles = cycles_of(life, TERMS, now)
    made = list(tracks_of(life, cycles, {}, BY, now))
    rows = [row_of(track) for track in made]
    plain = [[NO_NUMBER if row[name] is None else row[name] for name in NAMES] for row in rows]
    return tracks_from(plain), [track.plain for track in made]


def told(ledger: Ledger) -> Told:
    return ledger.outcome, ledger.outcome_at if ledger.outcome is OutcomeWord.BREACHED else None


@given(st.sampled_from(CLASSES), states, spoken, classes, agreed, moments)
@example(  # lowered after a raise: from the start again
    TicketClass.STANDARD, [], [],
    [(at("23.11 15:00"), TicketClass.EMERGENCY, False), (at("23.11 16:00"), TicketClass.CONSULTATION, False)],
    [], at("30.11 09:00"),
)  # fmt: skip
@example(  # the term is used up when the pause begins
    TicketClass.EMERGENCY, [(at("23.11 13:00"), State.WAITING_CLIENT)],
    [(at("23.11 09:00"), Side.OURS, False)], [], [], at("24.11 12:00"),
)  # fmt: skip
@settings(max_examples=400)
def test_columns_say_what_the_ledgers_say(
    first: TicketClass,
    moves: list[tuple[datetime, State]],
    said: list[tuple[datetime, Side, bool]],
    changes: list[tuple[datetime, TicketClass, bool]],
    dates: list[tuple[datetime, datetime]],
    now: datetime,
) -> None:
    life = story(first, moves, said, changes, dates)
    tracks, plain = in_columns(life, now)
    [asked_at] = instants_of([max(now, MONDAY)]).tolist()
    table = TermsTable(TABLE.row.repeat(len(tracks)), TABLE.length, TABLE.calendar, TABLE.calendars)
    for clock in (ClockName.REPLY, ClockName.SOLUTION):
        found = verdicts_of(clock, tracks, table, asked_at)
        for place, cycle in enumerate(cycles_of(life, TERMS, now)):
            ledger = cycle.reply if clock is ClockName.REPLY else cycle.solution
            if plain[place]:
                verdict, due = int(found.verdict[place]), int(found.due[place])
                missed = EPOCH + timedelta(microseconds=due) if verdict == BREACHED and due != NONE else None
                assert (WORDS[verdict], missed) == told(ledger), (clock, place)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
