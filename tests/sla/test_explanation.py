from __future__ import annotations

from datetime import timedelta

from app.model import ClockName, ExplainedSpan, State, Story
from app.sla.explanation import explained
from tests.sla.lives import ALWAYS, HOLD, OFFICE, SOLVED, WAIT, WORK, at, cycle, life, one_class, ours, shown

CALENDARS = {"office": OFFICE}


def spans(story: Story, now: str, clock: ClockName = ClockName.SOLUTION) -> list[ExplainedSpan]:
    return [span for span in explained(cycle(story, now), CALENDARS, at(now)) if span.clock is clock]


def lines(story: Story, now: str) -> list[tuple[str, str, int, bool, str]]:
    return [(shown(s.start), shown(s.end), s.minutes, s.counted, s.why) for s in spans(story, now)]


def test_every_stretch_is_told_with_its_reason() -> None:
    story = life("20.11 16:00", ("23.11 12:00", WAIT), ("24.11 10:00", WORK), spoken=[ours("20.11 17:00")])

    assert lines(story, "24.11 11:00") == [
        ("20.11 16:00", "20.11 18:00", 120, True, "work"),
        ("20.11 18:00", "21.11 00:00", 360, False, "night"),
        ("21.11 00:00", "23.11 00:00", 2880, False, "weekend"),
        ("23.11 00:00", "23.11 09:00", 540, False, "night"),
        ("23.11 09:00", "23.11 12:00", 180, True, "work"),
        ("23.11 12:00", "23.11 18:00", 360, False, "pause:waiting_client"),
        ("23.11 18:00", "24.11 09:00", 900, False, "night"),
        ("24.11 09:00", "24.11 10:00", 60, False, "pause:waiting_client"),
        ("24.11 10:00", "24.11 11:00", 60, True, "work"),
    ]


def test_a_running_pause_is_told_up_to_now() -> None:
    until = [(at("23.11 12:00"), at("27.11 12:00"))]
    story = life("23.11 10:00", ("23.11 12:00", HOLD), postponed_until=until)

    assert lines(story, "23.11 13:00")[-1] == ("23.11 12:00", "23.11 13:00", 60, False, "pause:postponed")


def test_time_spent_solved_is_a_pause_of_its_own() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED), ("23.11 14:00", WORK))

    assert [why for *_, why in lines(story, "23.11 15:00")] == ["work", "pause:done", "work"]


def test_a_clock_is_told_to_its_end_only() -> None:
    story = life("23.11 10:00", ("23.11 12:00", SOLVED), spoken=[ours("23.11 11:00")])

    assert spans(story, "30.11 10:00", ClockName.REPLY)[-1].end == at("23.11 11:00")
    assert spans(story, "30.11 10:00")[-1].end == at("23.11 12:00")


def test_a_clock_that_ended_without_a_verdict_is_told_to_that_end() -> None:
    story = life("23.11 10:00", ("23.11 12:00", State.DUPLICATE))

    assert spans(story, "30.11 10:00")[-1].end == at("23.11 12:00")


def test_seconds_are_carried_so_that_minutes_add_up() -> None:
    moves = [("23.11 10:00:40", HOLD), ("23.11 10:05", WORK), ("23.11 10:05:40", HOLD), ("23.11 10:10", WORK)]
    story = life("23.11 10:00", *moves)

    counted = [span.minutes for span in spans(story, "23.11 10:10:50") if span.counted]

    assert cycle(story, "23.11 10:10:50").solution.spent == timedelta(seconds=130)
    assert counted == [0, 1, 1]


def test_without_terms_there_is_nothing_to_tell() -> None:
    story = life("23.11 10:00")

    assert explained(cycle(story, "23.11 11:00", {}), CALENDARS, at("23.11 11:00")) == ()


def test_each_clock_is_told_on_its_own_calendar() -> None:
    terms = one_class(ALWAYS, 4, 24, calendar_name="always")
    found = explained(cycle(life("23.11 17:00"), "24.11 09:00", terms), {"always": ALWAYS}, at("24.11 09:00"))

    assert [(span.why, span.minutes) for span in found] == [("work", 960), ("work", 960)]
