"""The document of the emulated portal keeps its word: every test it names exists."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_test_named_in_the_document_exists() -> None:
    text = (HERE.parents[1] / "docs" / "emulated-portal.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", text))
    written = {
        name
        for path in HERE.glob("test_portal_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert named - written == set()
    assert len(named) > 80


def test_every_line_left_out_says_why() -> None:
    text = (HERE.parents[1] / "docs" / "emulated-portal.md").read_text(encoding="utf-8")
    left_out = re.findall(r"^- \[ \] (.*)$", text, re.MULTILINE)
    assert [line for line in left_out if ":" not in line] == []
