from __future__ import annotations

import struct
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from app.metrics.digest import Freshness
from app.metrics.periods import Period, PeriodKind
from app.metrics.picture import picture_of
from tests.metrics.example import example
from tests.metrics.outcomes import IVANOVA, at, outcome


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height as the file's first chunk tells them."""
    signature, _, _, width, height = struct.unpack(">8sI4sII", png[:24])
    assert signature == b"\x89PNG\r\n\x1a\n"
    return width, height


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"outcomes": [], "tickets": []},
        {"period": Period(PeriodKind.WEEK, date(2026, 11, 16), date(2026, 11, 22))},
        {"period": Period(PeriodKind.MONTH, date(2026, 10, 1), date(2026, 10, 31)), "months": 3},
    ],
)
def test_a_picture_is_as_wide_as_a_phone_likes(asked: dict[str, Any]) -> None:
    width, height = size_of(picture_of(example(**asked), "Поддержка"))

    assert width == 1080
    assert height > width


def test_unread_data_makes_a_short_picture() -> None:
    unread = example(fresh=Freshness(at("23.11 18:00"), trouble="портал не отвечает"))

    assert size_of(picture_of(unread, "Поддержка"))[1] < size_of(picture_of(example(), "Поддержка"))[1] / 2


def test_a_name_with_a_formula_is_only_a_name() -> None:
    digest = example([outcome(agent=IVANOVA, received_at=at("23.11 10:00"))], [])

    assert picture_of(digest, r"Поддержка $\frac{1}{0}$ $")


def test_the_same_digest_is_the_same_picture() -> None:
    assert picture_of(example(), "Поддержка") == picture_of(example(), "Поддержка")


def test_matplotlib_waits_until_something_is_drawn() -> None:
    script = "import sys, app.metrics.picture; sys.exit('matplotlib' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
