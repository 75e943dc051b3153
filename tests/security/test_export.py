"""`export`: everything that is kept, masked unless a client asks for their own; no live formula."""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from app.commands import exporting
from app.commands.speech import Mistake
from app.demo.office import Case
from tests.jobs.scenes import SMS, Scene, letter, scene

pytestmark = pytest.mark.anyio

PHONE, FORMULA = "+7 (903) 555-81-42", '=HYPERLINK("http://evil.example")'


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[tuple[Scene, list[Case]]]:
    async with scene(tmp_path) as made:
        cases = [
            made.office.receive(letter(f"{SMS} Телефон {PHONE}", title), made.office.agents[0])
            for title in (f"Код, {PHONE}", FORMULA, "Третье")
        ]
        await made.settle()
        yield made, cases


async def test_json_for_programs_is_one_list(
    town: tuple[Scene, list[Case]], capsys: pytest.CaptureFixture[str]
) -> None:
    made, cases = town
    assert await exporting.export(made.desk.settings, "", None, full=False, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert {record["ref"] for record in told} == {f"deal:{case.id}" for case in cases}
    assert {"facts", "messages", "outcomes", "spans", "class", "title"} <= told[0].keys()
    assert PHONE not in json.dumps(told, ensure_ascii=False)


async def test_lines_hold_a_ticket_each(town: tuple[Scene, list[Case]], tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl"
    assert await exporting.export(town[0].desk.settings, "", out, full=False, as_json=False)
    records = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(records) == 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


async def test_a_client_gets_all_of_their_own_and_nothing_else(
    town: tuple[Scene, list[Case]], tmp_path: Path
) -> None:
    made, cases = town
    out = tmp_path / "own.json"
    assert await exporting.export(
        made.desk.settings, f"contact:{cases[0].contact}", out, full=True, as_json=False
    )
    [record] = json.loads(out.read_text("utf-8"))
    assert (record["ref"], record["title"]) == (f"deal:{cases[0].id}", f"Код, {PHONE}")
    assert any(PHONE in str(fact["value"].get("text", "")) for fact in record["facts"])


async def test_a_table_holds_text_only(town: tuple[Scene, list[Case]], tmp_path: Path) -> None:
    out = tmp_path / "all.xlsx"
    assert await exporting.export(town[0].desk.settings, "", out, full=False, as_json=False)
    book = load_workbook(out)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    assert any(cell.value == FORMULA for cell in cells)
    assert book.sheetnames == ["Обращения", "События", "Сообщения"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("client", "name", "full", "words"),
    [
        ("", "all.csv", False, ".jsonl, .json, .xlsx"),
        ("", "rules.toml", False, "вид файла"),
        ("", "all.json", True, "--client"),
        ("contact:999", "x.json", False, "в базе нет"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    town: tuple[Scene, list[Case]], tmp_path: Path, client: str, name: str, full: bool, words: str
) -> None:
    with pytest.raises(Mistake, match=words):
        await exporting.export(town[0].desk.settings, client, tmp_path / name, full=full, as_json=False)
    assert left_in(tmp_path) <= {"rules.toml", "desk.db", "desk.db-wal", "desk.db-shm"}


def left_in(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


async def test_a_file_that_is_there_is_not_overwritten(
    town: tuple[Scene, list[Case]], tmp_path: Path
) -> None:
    (tmp_path / "all.json").write_text("mine", "utf-8")
    with pytest.raises(Mistake, match="уже есть"):
        await exporting.export(town[0].desk.settings, "", tmp_path / "all.json", full=False, as_json=False)
    assert (tmp_path / "all.json").read_text("utf-8") == "mine"
