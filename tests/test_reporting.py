"""When which digest is due."""

from __future__ import annotations

from datetime import datetime

import pytest

from app.reporting import due_slots
from tests.lives import at, rules

LONG_AGO = at("01.10 00:00")


def names(now: str, born: datetime = LONG_AGO) -> list[str]:
    return [slot.name for slot in due_slots(rules().digest, rules().calendar, born, at(now))]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("24.11 09:04", []),
        ("24.11 09:05", ["day/2026-11-23"]),
        ("21.11 12:00", []),  # Saturday
        ("23.11 09:05", ["day/2026-11-20"]),  # Monday covers the whole break
        ("23.11 09:30", ["day/2026-11-20", "week/2026-11-16"]),
        ("04.11 12:00", []),  # holiday
        ("05.11 09:05", ["day/2026-11-03"]),
        ("02.11 10:00", ["day/2026-10-30", "week/2026-10-26", "month/2026-10-01"]),
    ],
)
def test_slots_by_the_desks_calendar(now: str, due: list[str]) -> None:
    assert names(now) == due


def test_nothing_is_due_of_a_time_without_the_service() -> None:
    assert names("24.11 12:00", born=at("24.11 11:00")) == []
    assert names("24.11 12:00", born=at("24.11 00:05")) == []
    assert names("24.11 12:00", born=at("23.11 15:00")) == ["day/2026-11-23"]


def test_only_after_ten_minutes_a_digest_calls_itself_late() -> None:
    [slot] = due_slots(rules().digest, rules().calendar, LONG_AGO, at("24.11 12:00"))
    assert not slot.is_late(at("24.11 09:15"))
    assert slot.is_late(at("24.11 09:16"))
