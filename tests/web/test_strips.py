"""A clock's time as a strip and a table."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.explained import CountedSpan
from app.model import ClockName, ExplainedSpan
from app.ticket_view import why_words
from app.web.strips import WIDTH, Look, key_of, pieces_of, span_rows
from tests.lives import at

ZONE = ZoneInfo("Europe/Moscow")


def span(start: str, end: str, why: str = "work", minutes: int = 60) -> ExplainedSpan:
    return ExplainedSpan(ClockName.SOLUTION, at(start), at(end), why == "work", minutes, why)


def drawn(spans: list[ExplainedSpan], due_at: datetime | None = None) -> list[tuple[Look, float]]:
    return [(piece.look, float(piece.width)) for piece in pieces_of(spans, due_at, ZONE)]


def test_working_time_is_drawn_to_scale_and_nights_are_thin() -> None:
    spans = [
        span("23.11 16:00", "23.11 18:00"),
        span("23.11 18:00", "24.11 09:00", "night"),
        span("24.11 09:00", "24.11 10:00"),
    ]
    widths = drawn(spans)
    assert [look for look, _ in widths] == [Look.COUNTED, Look.OFF, Look.COUNTED]
    assert widths[0][1] == pytest.approx(2 * widths[2][1], abs=0.2)
    assert widths[1][1] == 12


def test_time_after_the_term_is_cut_off_and_marked() -> None:
    widths = drawn([span("24.11 09:00", "24.11 12:00")], at("24.11 10:00"))
    assert [look for look, _ in widths] == [Look.COUNTED, Look.LATE]
    assert [width for _, width in widths] == pytest.approx([333.3, 666.7])


def test_a_long_pause_takes_no_more_than_what_counts() -> None:
    spans = [span("02.11 09:00", "02.11 10:00"), span("02.11 10:00", "24.11 10:00", "pause:waiting_client")]
    assert drawn(spans) == [(Look.COUNTED, 500), (Look.PAUSE, 500)]


def test_time_in_which_it_was_solved_is_no_pause() -> None:
    spans = [
        span("24.11 09:00", "24.11 11:00"),
        span("24.11 11:00", "24.11 12:00", "pause:done"),
        span("24.11 12:00", "24.11 13:00", "pause:waiting_client"),
    ]
    pieces = pieces_of(spans, None, ZONE)
    assert drawn(spans) == [(Look.COUNTED, 500), (Look.DONE, 250), (Look.PAUSE, 250)]
    assert [entry.label for entry in key_of(pieces)] == ["засчитано", "пауза", "было решено"]


@pytest.mark.parametrize("why", ["pause:waiting_client", "night", "pause:done", "pause:void"])
def test_a_clock_that_only_waited_is_drawn_too(why: str) -> None:
    assert drawn([span("23.11 18:00", "24.11 09:00", why)])[0][1] > 0


@given(st.lists(st.sampled_from(["work", "night", "weekend", "pause:postponed"]), max_size=200))
def test_the_strip_is_never_wider_than_it_is(reasons: list[str]) -> None:
    spans = [span("24.11 09:00", "24.11 10:00", why) for why in reasons]
    assert sum(width for _, width in drawn(spans)) <= WIDTH + 0.1 * len(spans)


def test_the_key_names_only_what_is_drawn() -> None:
    pieces = pieces_of([span("24.11 09:00", "24.11 12:00")], at("24.11 10:00"), ZONE)
    assert [entry.label for entry in key_of(pieces)] == ["засчитано", "после срока"]


@pytest.mark.parametrize(
    ("end", "why", "row"),
    [
        ("23.11 17:00", "work", ("23.11 16:00", "17:00", "1 ч", "рабочее время")),
        ("24.11 09:00", "weekend", ("23.11 16:00", "24.11 09:00", "—", "выходной")),
        ("23.11 17:00", "holiday:Новый год", ("23.11 16:00", "17:00", "—", "праздник: Новый год")),
    ],
)
def test_a_row_says_from_when_to_when_how_long_and_why(end: str, why: str, row: tuple[str, ...]) -> None:
    counted = CountedSpan(span("23.11 16:00", end, why), timedelta(hours=1), why_words(why))
    (found,) = span_rows([counted], ZONE)
    assert (found.start, found.end, found.minutes.replace("\u00a0", " "), found.why) == row
