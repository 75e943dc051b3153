from __future__ import annotations

import pytest

from app.model import SlaState, State, Story
from app.sla.state import next_moment, sla_state
from tests.sla.lives import (
    BREACHED,
    CLOSED,
    EMERGENCY,
    HOLD,
    SOLVED,
    STANDARD,
    WAIT,
    WORK,
    at,
    becomes,
    client,
    cycle,
    life,
    ours,
    shown,
)

REPLIED = [ours("23.11 11:00")]


def state_of(story: Story, now: str) -> SlaState | None:
    standing = [change.state for change in story.states if change.at <= at(now)][-1]
    return sla_state(cycle(story, now), standing, at(now))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("23.11 10:00", SlaState.ON_TRACK),
        ("23.11 10:10:02", SlaState.ON_TRACK),
        ("23.11 10:10:03", SlaState.AT_RISK),  # 67 % of 15 min
        ("23.11 10:15", SlaState.AT_RISK),
        ("23.11 10:15:01", SlaState.OVERDUE),
    ],
)
def test_an_unanswered_emergency_by_the_minute(now: str, expected: SlaState) -> None:
    assert state_of(life("23.11 10:00", value=EMERGENCY), now) is expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("25.11 09:59", SlaState.ON_TRACK),
        ("25.11 10:00", SlaState.AT_RISK),  # 75 % of 24 h
        ("25.11 16:00:01", SlaState.OVERDUE),
    ],
)
def test_an_answered_ticket_looks_at_its_solution(now: str, expected: SlaState) -> None:
    assert state_of(life("23.11 10:00", spoken=REPLIED), now) is expected


def test_a_paused_clock_does_not_run() -> None:
    risky = life("23.11 10:00", ("25.11 11:00", HOLD), spoken=REPLIED)
    late = life("23.11 10:00", ("25.11 17:00", HOLD), spoken=REPLIED)

    assert state_of(risky, "25.11 12:00") is SlaState.PAUSED
    assert state_of(late, "25.11 18:00") is SlaState.PAUSED


def test_an_overdue_reply_is_seen_behind_a_pause() -> None:
    assert state_of(life("23.11 10:00", ("23.11 11:00", HOLD)), "23.11 14:01") is SlaState.OVERDUE


@pytest.mark.parametrize(
    ("solved", "spoken", "expected"),
    [
        ("25.11 16:00", REPLIED, SlaState.MET),
        ("25.11 16:01", REPLIED, SlaState.BREACHED),
        ("25.11 12:00", [ours("23.11 14:01")], SlaState.BREACHED),  # only the reply was late
        ("23.11 14:00", [], SlaState.MET),  # answered by closing
    ],
)
@pytest.mark.parametrize("state", [SOLVED, CLOSED])
def test_the_end_tells_whether_any_clock_was_late(
    solved: str, spoken: list[object], expected: SlaState, state: State
) -> None:
    assert state_of(life("23.11 10:00", (solved, state), spoken=spoken), "30.11 10:00") is expected


@pytest.mark.parametrize("state", [State.DUPLICATE, State.NOT_TICKET, State.DELETED, State.LEFT])
def test_what_is_no_ticket_has_no_state(state: State) -> None:
    assert state_of(life("23.11 10:00", ("23.11 11:00", state)), "30.11 10:00") is None


def test_without_sla_there_is_no_state() -> None:
    story = life("23.11 10:00")

    assert sla_state(cycle(story, terms={STANDARD: None}), State.NEW, at("30.11 10:00")) is None


def test_a_breach_under_a_former_class_shows_at_the_end() -> None:
    story = life(
        "23.11 10:00",
        ("23.11 12:00", SOLVED),
        value=EMERGENCY,
        classes=[becomes("23.11 10:20", STANDARD)],
    )

    assert state_of(story, "23.11 11:00") is SlaState.ON_TRACK
    assert state_of(story, "23.11 12:00") is SlaState.BREACHED


# --- when to look again ------------------------------------------------------------------


def test_every_warning_and_breach_has_its_moment() -> None:
    story = life("23.11 10:00", value=EMERGENCY)
    found = cycle(story, "23.11 10:00")
    moments = []
    looked_at = at("23.11 10:00")
    while following := next_moment(found, looked_at):
        moments.append(f"{shown(following)}:{following:%S}")
        looked_at = following

    assert moments == [
        "23.11 10:10:03",
        "23.11 10:15:01",
        "23.11 12:00:00",
        "23.11 13:00:00",
        "23.11 13:36:00",
        "23.11 14:00:01",
    ]


def test_at_the_moment_of_a_breach_the_state_is_overdue() -> None:
    story = life("23.11 10:00")
    moment = next_moment(cycle(story, "23.11 12:00"), at("23.11 12:00"))

    assert moment is not None
    assert sla_state(cycle(story, f"{shown(moment)}:01"), State.NEW, moment) is SlaState.OVERDUE


def test_a_paused_solution_has_no_moment_of_its_own() -> None:
    story = life("23.11 10:00", ("23.11 12:00", WAIT), spoken=REPLIED)

    assert next_moment(cycle(story, "23.11 13:00"), at("23.11 13:00")) is None


def test_a_paused_ticket_without_a_reply_still_has_the_replys_moments() -> None:
    story = life("23.11 10:00", ("23.11 12:00", HOLD))

    assert shown(next_moment(cycle(story, "23.11 13:00"), at("23.11 13:00"))) == "23.11 14:00"


def test_a_postponement_ends_at_its_moment() -> None:
    until = [(at("23.11 12:00"), at("24.11 12:00"))]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), spoken=REPLIED, postponed_until=until)

    assert next_moment(cycle(story, "23.11 13:00"), at("23.11 13:00")) == at("24.11 12:00")
    assert shown(next_moment(cycle(story, "24.11 12:00"), at("24.11 12:00"))) == "26.11 10:00"


@pytest.mark.parametrize("state", [SOLVED, CLOSED, State.DUPLICATE])
def test_an_ended_ticket_is_not_looked_at_again(state: State) -> None:
    story = life("23.11 10:00", ("23.11 12:00", state))

    assert next_moment(cycle(story, "23.11 12:00"), at("23.11 12:00")) is None


def test_an_answer_of_the_client_brings_the_moments_back() -> None:
    story = life(
        "23.11 10:00", ("23.11 12:00", WAIT), ("23.11 16:00", WORK), spoken=[*REPLIED, client("23.11 15:00")]
    )

    assert shown(next_moment(cycle(story, "23.11 15:00"), at("23.11 15:00"))) == "24.11 10:00"  # next reply
    assert shown(next_moment(cycle(story, "24.11 11:00"), at("24.11 11:00"))) == "25.11 13:00"  # solution


def test_the_clocks_beside_reply_and_solution_do_not_colour_the_card() -> None:
    silent = life("23.11 10:00", ("23.11 12:00", WORK), spoken=[*REPLIED, client("23.11 12:30")])

    assert cycle(silent, "24.11 09:00").next_replies[0].outcome is BREACHED
    assert state_of(silent, "24.11 09:00") is SlaState.ON_TRACK
