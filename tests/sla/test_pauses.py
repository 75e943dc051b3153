"""When the solution's clock stands still (standard: solution 24 h)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sla.lives import (
    BREACHED,
    HOLD,
    MET,
    SOLVED,
    WAIT,
    WORK,
    at,
    client,
    cycle,
    hours,
    life,
    ours,
    shown,
    told,
)

# --- waiting for the client ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoken", "pauses"),
    [
        ([ours("23.11 12:00")], ["23.11 12:30 - 24.11 12:30"]),
        ([ours("23.11 13:00")], ["23.11 13:00 - 24.11 12:30"]),
        ([ours("23.11 12:00"), client("23.11 15:00")], ["23.11 12:30 - 23.11 15:00"]),
        ([ours("23.11 12:00"), client("23.11 15:00", thanks=True)], ["23.11 12:30 - 24.11 12:30"]),
        (
            [ours("23.11 12:00"), client("23.11 15:00"), ours("23.11 16:00")],
            ["23.11 12:30 - 23.11 15:00", "23.11 16:00 - 24.11 12:30"],
        ),
        ([ours("23.11 12:00"), ours("23.11 17:00")], ["23.11 12:30 - 24.11 12:30"]),
        ([ours("23.11 12:00", acknowledgement=True)], []),
        ([ours("23.11 12:00"), client("23.11 12:10"), ours("23.11 12:20", acknowledgement=True)], []),
        ([ours("23.11 12:00"), client("23.11 12:10")], []),
        ([client("23.11 10:00")], []),
        ([], []),
    ],
)
def test_waiting_pauses_while_the_latest_message_is_ours(spoken: list[object], pauses: list[str]) -> None:
    story = life("23.11 10:00", ("23.11 12:30", WAIT), ("24.11 12:30", WORK), spoken=spoken)

    found = cycle(story, "24.11 13:00")

    assert [f"{shown(span.start)} - {shown(span.end)}" for span in found.solution.pauses] == pauses
    assert found.waited_client is bool(pauses)


def test_where_replies_cannot_be_read_the_stage_is_trusted() -> None:
    story = life("23.11 10:00", ("23.11 12:00", WAIT), ("23.11 15:00", WORK), silent_channel=True)

    found = cycle(story, "24.11 10:00")

    assert shown(found.solution.due_at) == "26.11 10:00"
    assert ("23.11 12:00", "pause", "waiting_client:silent") in told(found.solution)
    assert found.waited_client


def test_the_handbooks_pause() -> None:
    story = life("23.11 10:00", ("24.11 16:00", WAIT), ("26.11 11:00", WORK), spoken=[ours("24.11 15:00")])

    found = cycle(story, "26.11 12:00")

    assert shown(found.solution.due_at) == "27.11 11:00"
    assert found.pause_total == timedelta(minutes=780)


def test_a_pause_over_a_weekend_shifts_nothing() -> None:
    story = life("20.11 10:00", ("20.11 18:00", HOLD), ("23.11 09:00", WORK))

    assert shown(cycle(story, "23.11 10:00").solution.due_at) == "24.11 16:00"


def test_while_paused_the_deadline_keeps_its_value_and_is_not_missed() -> None:
    story = life("23.11 10:00", ("25.11 15:00", HOLD))

    found = cycle(story, "27.11 12:00").solution

    assert (shown(found.due_at), found.paused, found.running) == ("25.11 16:00", True, False)
    assert found.outcome is None
    assert found.spent == hours(23)


def test_a_pause_that_begins_after_the_deadline_moves_nothing() -> None:
    story = life("23.11 10:00", ("25.11 16:00", HOLD), ("27.11 12:00", WORK))

    found = cycle(story, "27.11 13:00").solution

    assert (shown(found.due_at), found.outcome, shown(found.outcome_at)) == (
        "25.11 16:00",
        BREACHED,
        "25.11 16:00",
    )


def test_solved_while_paused_is_met() -> None:
    story = life("23.11 10:00", ("25.11 15:00", HOLD), ("30.11 12:00", SOLVED))

    found = cycle(story).solution

    assert (found.outcome, found.spent, shown(found.due_at)) == (MET, hours(23), "30.11 13:00")


# --- postponed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "due"),
    [
        ([], "26.11 16:00"),  # by hand at 24.11 12:00
        ([("23.11 12:00", "23.11 15:00")], "26.11 10:00"),
        ([("23.11 12:00", "30.11 09:00")], "26.11 16:00"),
        ([("20.11 12:00", "21.11 09:00")], "26.11 16:00"),  # a stale date of an earlier time
        ([("23.11 12:00", "23.11 14:00"), ("23.11 13:00", "23.11 17:00")], "26.11 12:00"),
        ([("23.11 12:00", "23.11 13:00"), ("23.11 15:00", "23.11 16:00")], "25.11 18:00"),
        ([("23.11 14:00", "23.11 13:00")], "25.11 18:00"),  # a past date ends it when it is set
    ],
)
def test_postponed_ends_at_its_date_or_by_hand(dates: list[tuple[str, str]], due: str) -> None:
    until = [(at(set_at), at(to)) for set_at, to in dates]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), ("24.11 12:00", WORK), postponed_until=until)

    assert shown(cycle(story, "24.11 13:00").solution.due_at) == due


def test_after_its_date_the_clock_runs_though_the_stage_stays() -> None:
    until = [(at("23.11 12:00"), at("24.11 12:00"))]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), postponed_until=until)

    before, after = cycle(story, "24.11 11:59").solution, cycle(story, "24.11 12:00").solution

    assert (before.paused, shown(before.pauses[0].end), shown(before.due_at)) == (
        True,
        "24.11 12:00",
        "25.11 16:00",
    )
    assert (after.paused, after.running, shown(after.due_at)) == (False, True, "26.11 16:00")
