"""The document of the emulated portal keeps its word: every line of the notes is answered, tests exist."""

import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
DOCUMENT = (TESTS.parent / "docs" / "emulated-portal.md").read_text(encoding="utf-8")
NOTES = (TESTS / "data" / "bitrix24" / "emulator-notes.md").read_text(encoding="utf-8")
LINE = re.compile(r"^- \[(?P<done>[ x])\] (?P<code>[A-I]\d*|more)\. (?P<text>.*)$", re.MULTILINE)


def numbered(notes: str) -> Iterator[str]:
    """A1, A2 … by the order of the checklist in each section; of the last, which is prose, I."""
    section, number = "", 0
    for line in notes.splitlines():
        if found := re.match(r"## ([A-I])\.", line):
            section, number = found[1], 0
        elif line.startswith("- [ ]"):
            number += 1
            yield f"{section}{number}"
    yield section


def test_every_line_of_the_notes_has_its_counterpart() -> None:
    answered = {line["code"] for line in LINE.finditer(DOCUMENT)} - {"more"}
    assert answered == set(numbered(NOTES))
    assert len(answered) == 60


def test_every_line_of_the_document_has_a_number() -> None:
    lines = [line for line in DOCUMENT.splitlines() if line.startswith("- [")]
    assert [line for line in lines if not LINE.match(line)] == []


def test_every_test_named_in_the_document_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", DOCUMENT))
    written = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert named - written == set()
    assert len(named) > 150


def test_every_file_of_tests_named_in_the_document_exists() -> None:
    named = set(re.findall(r"`(?:tests/)?(?:\w+/)*(test_\w+\.py)`", DOCUMENT))
    assert named - {path.name for path in TESTS.rglob("test_*.py")} == set()


def test_what_is_done_names_its_test_and_what_is_left_out_its_reason() -> None:
    for line in LINE.finditer(DOCUMENT):
        assert "`test" in line["text"] if line["done"] == "x" else ": " in line["text"], line["text"]
