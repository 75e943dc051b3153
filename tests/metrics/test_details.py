from __future__ import annotations

from datetime import timedelta

import pytest

from app.metrics.details import aging, felt_length, satisfaction
from tests.metrics.outcomes import at, office, outcome, solved


def test_csat_comes_with_mean_n_and_coverage() -> None:
    found = satisfaction([solved(1, csat=5), solved(2, csat=4), solved(3), solved(4)])

    assert (found.mean, found.marks, found.coverage) == (4.5, 2, 0.5)


def test_no_marks_have_no_mean() -> None:
    assert satisfaction([solved()]).mean is None
    assert satisfaction([]).coverage is None


@pytest.mark.parametrize(
    ("received", "group"),
    [
        ("24.11 10:00", 0),
        ("23.11 18:00", 0),  # exactly one working day
        ("23.11 17:59", 1),
        ("19.11 18:00", 1),
        ("19.11 17:00", 2),
        ("17.11 17:00", 3),
    ],
)
def test_ages_of_the_queue_in_working_days(received: str, group: int) -> None:
    found = aging([outcome(received_at=at(received))], at("24.11 18:00"), office())

    assert found.ages.index(1) == group


def test_the_paused_are_shown_apart() -> None:
    found = aging([outcome(1, paused=True), outcome(2), solved(3)], at("24.11 18:00"), office())

    assert (found.total, found.paused) == (2, 1)


def test_the_client_feels_nights_and_pauses() -> None:
    overnight = solved(received_at=at("23.11 16:00"), when="24.11 16:00")

    assert felt_length([overnight]) == timedelta(hours=24)
    assert felt_length([]) is None
