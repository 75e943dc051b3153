"""The suite's own switch: which tests run on which kind of portal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.clock import SetClock
from app.demo.portal import SELF_HOSTED, UNLIMITED, EmulatedPortal, Profile
from tests import portals
from tests.lives import at

TESTS = Path(__file__).parent


def test_kind_of_the_test_is_what_a_scene_is_built_on(portal_kind: Profile) -> None:
    assert portals.profile() is portal_kind
    assert portal_kind in (UNLIMITED, SELF_HOSTED)


@pytest.mark.parametrize(
    ("kind", "mark", "only", "wanted"),
    [
        ("cloud-std", None, None, True),
        ("self-hosted", None, "self-hosted", True),
        ("cloud-std", None, "self-hosted", False),
        ("self-hosted", ("cloud-std",), None, False),
        ("cloud-std", ("cloud-std",), "cloud-std", True),
        (None, None, "self-hosted", True),
    ],
)
def test_choice_of_tests(
    kind: str | None, mark: tuple[str, ...] | None, only: str | None, wanted: bool
) -> None:
    assert portals.is_wanted(kind, mark, only) is wanted


def test_marked_tests_say_why_one_kind_is_enough() -> None:
    marks = [
        mark
        for path in TESTS.rglob("test_*.py")
        for mark in re.findall(r"mark\.portals\((.*?)\)", path.read_text("utf-8"))
        if not mark.startswith(".*")
    ]
    assert len(marks) > 10
    assert [mark for mark in marks if 'reason="' not in mark] == []


def test_every_portal_is_judged_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    judged = portals.spoken_well.__wrapped__(monkeypatch, ())  # type: ignore[attr-defined]
    next(judged)
    portal = EmulatedPortal(SetClock(at("24.11 10:00")).now)
    portal.spec_faults.append("crm.item.list: unknown parameter page")
    with pytest.raises(AssertionError, match="unknown parameter page"):
        next(judged)
    portal.spec_faults.clear()
