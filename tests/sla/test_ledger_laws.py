"""What must hold for any life of a ticket."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.model import (
    VOID_STATES,
    ClassChange,
    Cycle,
    Extension,
    ItemRef,
    OutcomeWord,
    Side,
    Spoken,
    State,
    StateChange,
    Story,
    TicketClass,
)
from app.sla.explanation import explained, way_to_due
from app.sla.ledger import cycles_of
from app.sla.state import next_moment, sla_state
from tests.sla.lives import OFFICE, TERMS, at

START = at("19.11 10:00")
MINUTES = 30 * 24 * 60
laws = settings(deadline=None, max_examples=80)

classes = st.sampled_from([TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION])
real_states = [state for state in State if state not in VOID_STATES]


def moment(minutes: int) -> datetime:
    return START + timedelta(minutes=minutes)


@st.composite
def lives(draw: st.DrawFn, *, states: tuple[State, ...] = tuple(State), steady: bool = False) -> Story:
    """Any life; every fact at a minute of its own. `steady`: no class changes, no extensions."""
    count = draw(st.integers(0, 14))
    minutes = draw(st.lists(st.integers(1, MINUTES), min_size=count, max_size=count, unique=True))
    told: dict[str, list[Any]] = {"states": [], "spoken": [], "classes": [], "extensions": [], "until": []}
    kinds = ["states", "spoken"] + ([] if steady else ["states", "spoken", "classes", "extensions", "until"])
    for at_minute in sorted(minutes):
        kind, when = draw(st.sampled_from(kinds)), moment(at_minute)
        told[kind].append(draw(_fact(kind, when, states)))
    return Story(
        ref=ItemRef.parse("deal:41"),
        started_at=START,
        states=(StateChange(START, State.NEW), *told["states"]),
        classes=(ClassChange(START, draw(classes), by_person=False), *told["classes"]),
        spoken=tuple(told["spoken"]),
        extensions=tuple(told["extensions"]),
        postponed_until=tuple(told["until"]),
        silent_channel=draw(st.booleans()),
    )


def _fact(kind: str, when: datetime, states: tuple[State, ...]) -> st.SearchStrategy[Any]:
    later = st.integers(-600, 9000).map(lambda minutes: when + timedelta(minutes=minutes))
    match kind:
        case "states":
            return st.sampled_from(states).map(lambda state: StateChange(when, state))
        case "spoken":
            sides = st.sampled_from([Side.CLIENT, Side.OURS])
            return st.builds(Spoken, st.just(when), sides, st.booleans(), st.booleans())
        case "classes":
            flag = st.booleans()
            return st.builds(ClassChange, st.just(when), classes, by_person=flag, correction=flag)
        case "extensions":
            return st.builds(Extension, st.just(when), later, st.just(7))
        case _:
            return st.tuples(st.just(when), later)


nows = st.integers(0, MINUTES + 9000).map(moment)


LISTS = ("states", "classes", "spoken", "extensions", "postponed_until")


def with_lists(story: Story, change: Callable[[tuple[Any, ...]], Iterable[Any]]) -> Story:
    changed: dict[str, Any] = {name: tuple(change(getattr(story, name))) for name in LISTS}
    return replace(story, **changed)


def shuffled(story: Story, seed: int) -> Story:
    chance = random.Random(seed)
    return with_lists(story, lambda facts: chance.sample(facts, len(facts)))


@laws
@given(lives(), nows, st.integers(0, 99))
def test_the_order_of_discovery_changes_nothing(story: Story, now: datetime, seed: int) -> None:
    assert cycles_of(shuffled(story, seed), TERMS, now) == cycles_of(story, TERMS, now)


def known_at(story: Story, now: datetime) -> Story:
    def known(fact: Any) -> bool:
        return bool((fact[0] if isinstance(fact, tuple) else fact.at) <= now)

    return with_lists(story, lambda facts: filter(known, facts))


@laws
@given(lives(), nows)
def test_the_future_is_not_looked_at(story: Story, now: datetime) -> None:
    assert cycles_of(known_at(story, now), TERMS, now) == cycles_of(story, TERMS, now)


@laws
@given(lives(states=tuple(real_states)), nows, nows)
def test_a_breach_stays(story: Story, one: datetime, other: datetime) -> None:
    early, late = sorted([one, other])

    for before, after in zip(cycles_of(story, TERMS, early), cycles_of(story, TERMS, late), strict=False):
        for was, is_now in ((before.reply, after.reply), (before.solution, after.solution)):
            if was.outcome is OutcomeWord.BREACHED:
                assert is_now.outcome is OutcomeWord.BREACHED
                assert is_now.outcome_at == was.outcome_at


@laws
@given(lives(states=(State.NEW, State.IN_PROGRESS), steady=True), nows, nows)
def test_a_pause_never_brings_the_deadline_nearer(story: Story, one: datetime, other: datetime) -> None:
    start, end = sorted([one, other])
    pause = (StateChange(start, State.POSTPONED), StateChange(end, State.NEW))
    held = replace(story, states=(StateChange(START, State.NEW), *pause))
    now = end + timedelta(days=60)

    plain = cycles_of(story, TERMS, now)[0].solution.due_at
    paused = cycles_of(held, TERMS, now)[0].solution.due_at

    assert plain is not None
    assert paused is not None
    assert paused >= plain
    if start < plain:
        assert OFFICE.between(plain, paused) == OFFICE.between(start, end)


@laws
@given(lives(states=tuple(real_states), steady=True), nows)
def test_time_spent_and_time_left_are_the_term(story: Story, now: datetime) -> None:
    found = cycles_of(story, TERMS, now)[-1].solution
    if not found.running or found.outcome is not None:
        return

    assert found.due_at is not None
    assert found.spent + OFFICE.between(now, found.due_at) == found.term


def all_ledgers(cycles: tuple[Cycle, ...]) -> list[Any]:
    return [ledger for each in cycles for ledger in (each.reply, each.solution)]


@laws
@given(lives(), nows)
def test_explained_minutes_are_the_time_spent(story: Story, now: datetime) -> None:
    for each in cycles_of(story, TERMS, now):
        spans = explained(each, {"office": OFFICE}, now)
        for ledger in (each.reply, each.solution):
            own = [span for span in spans if span.clock is ledger.clock]
            assert sum(span.minutes for span in own if span.counted) == ledger.spent // timedelta(minutes=1)
            assert all(one.end == two.start for one, two in itertools.pairwise(own))


@laws
@given(lives(), nows)
def test_a_deadline_is_the_sum_of_the_way_to_it(story: Story, now: datetime) -> None:
    for ledger in all_ledgers(cycles_of(story, TERMS, now)):
        way = way_to_due(ledger, OFFICE)
        if ledger.due_at is None or ledger.due_at <= ledger.anchor_at:  # agreed on a date before the start
            continue
        assert way[-1].end == ledger.due_at
        counted = sum((each.end - each.start for each in way if each.open), timedelta(0))
        assert ledger.extended or counted == ledger.term


@laws
@given(lives(), nows)
def test_ledgers_never_contradict_themselves(story: Story, now: datetime) -> None:
    for ledger in all_ledgers(cycles_of(story, TERMS, now)):
        assert not (ledger.running and ledger.paused)
        assert not (ledger.met_at and (ledger.running or ledger.paused))
        assert (ledger.outcome is None) == (ledger.outcome_at is None)
        if ledger.outcome is OutcomeWord.MET and ledger.due_at:  # none once it is no ticket
            assert ledger.outcome_at == ledger.met_at <= ledger.due_at
        assert ledger.spent >= timedelta(0)
        assert list(ledger.entries) == sorted(ledger.entries, key=lambda entry: entry.at)


@laws
@given(lives(), nows)
def test_between_two_moments_nothing_changes_by_the_clock(story: Story, now: datetime) -> None:
    """Whoever looks only at `next_moment` misses no change of state."""
    story = known_at(story, now)
    state = story.states[-1].state
    found = cycles_of(story, TERMS, now)[-1]
    following = next_moment(found, now)
    until = (following or now + timedelta(days=90)) - timedelta(seconds=1)
    if until <= now:
        return

    assert sla_state(cycles_of(story, TERMS, until)[-1], state, until) is sla_state(found, state, now)
