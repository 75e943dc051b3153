"""The documents keep their word: every test they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def written() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))}


@pytest.mark.parametrize(("name", "least"), [("security.md", 60), ("operations.md", 15)])
def test_every_test_that_a_document_names_exists(name: str, least: int) -> None:
    text = (ROOT / "docs" / name).read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", text)) - {"test_documents"}
    assert named - written() == set()
    assert len(named) >= least


def test_every_threat_names_a_test() -> None:
    rows = re.findall(r"^\|(.+)\|$", (ROOT / "docs" / "security.md").read_text("utf-8"), re.MULTILINE)
    tables = [row for row in rows if row.count("|") == 2 and "---" not in row and not row.endswith(" test ")]
    assert len(tables) > 35
    assert [row for row in tables if "`test_" not in row] == []
