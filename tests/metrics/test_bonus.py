from __future__ import annotations

import pytest

from app.metrics.bonus import BonusRules, coefficient, part, quality

EXAMPLE = {"sla": 0.96, "quality": 0.93, "no_escalation": 0.88, "kb_updates": 2.4, "confirmed": 0.70}


def test_the_example_of_the_handbook() -> None:
    assert coefficient(EXAMPLE, BonusRules(), emergency_late=False) == pytest.approx(1.01, abs=0.005)


def test_a_late_emergency_caps_the_sla_part() -> None:
    usual = coefficient(EXAMPLE, BonusRules(), emergency_late=False)
    capped = coefficient(EXAMPLE, BonusRules(), emergency_late=True)

    assert usual is not None
    assert capped == pytest.approx(usual - 0.40 * (0.96 / 0.95 - 0.5))


@pytest.mark.parametrize(
    ("fact", "share"), [(0.5, 0.0), (0.79, 0.0), (0.8, 0.8), (1.0, 1.0), (2.0, 1.1), (None, None)]
)
def test_a_part_between_nothing_and_a_tenth_more(fact: float | None, share: float | None) -> None:
    assert part(fact, 1.0) == share


def test_no_data_gives_no_coefficient() -> None:
    assert coefficient({**EXAMPLE, "confirmed": None}, BonusRules(), emergency_late=False) is None


def test_marks_count_from_ten_on() -> None:
    assert quality(0.1, 0.1, 0.3, marks=9) == pytest.approx(0.9)
    assert quality(0.1, 0.1, 0.3, marks=10) == pytest.approx(0.7)


def test_quality_needs_returns_and_repeats() -> None:
    assert quality(None, 0.1, None, marks=0) is None
