"""A client's phone, address and card stay out of every message, file, page, answer and log line."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from openpyxl import load_workbook

from app import logs
from app.commands import explaining, reporting
from app.demo.office import Case
from app.desk import Desk
from app.jobs.report import make_report
from app.metrics.periods import PeriodKind
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene
from tests.web.town import deal, failed_work_in, live

pytestmark = pytest.mark.anyio

PHONE, MAIL, CARD = "+7 (903) 555-81-42", "krylova81@mail.example.ru", "4111 1111 1111 1111"
SIGNS = ("555-81-42", "5558142", "krylova81", "1111 1111")
WORDS = f"Не открывается шлагбаум, звоните {PHONE} или {MAIL}, карта {CARD}"

PAGES = ("/", "/tickets/deal:50", "/kpi", "/kpi/created", "/failed", "/docs")
PROGRAMS = (
    "/api/v1/tickets",
    "/api/v1/tickets/deal:50",
    "/api/v1/kpi/created/tickets",
    "/readyz",
    "/metrics",
)


def told(text: str) -> list[str]:
    return [sign for sign in SIGNS if sign in text]


@pytest.fixture
async def careless(desk: Desk) -> Desk:
    """A ticket whose every field holds what it should not."""
    await live(
        desk, 50, "24.11 09:30", title=WORDS, text=(WORDS,), client_name=f"Крылова {PHONE}",
        object=f"кв. 7, {PHONE}", channel="email", moves=(("24.11 09:40", "PREPARATION"),),
    )  # fmt: skip
    await failed_work_in(desk)
    desk.health.warnings["cards"] = "карточки не записываются"
    return desk


@pytest.mark.parametrize("path", [*PAGES, *PROGRAMS])
async def test_no_page_and_no_answer_tells_it(careless: Desk, client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, told(answer.text)) == (200, [])


async def test_no_form_of_the_digest_tells_it(careless: Desk) -> None:
    report = await make_report(careless, PeriodKind.DAY, careless.now().date())
    cells = [
        str(cell)
        for sheet in load_workbook(io.BytesIO(report.sheet)).worksheets
        for row in sheet.iter_rows(values_only=True)
        for cell in row
        if cell is not None
    ]
    assert any("шлагбаум" in cell for cell in cells)
    assert told("\n".join([report.text, *cells])) == []


@contextmanager
def everything_logged(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    lines: list[str] = []
    logs.configure("debug", "json")
    try:
        yield lines
    finally:
        lines += capsys.readouterr().err.splitlines()
        logging.basicConfig(handlers=[logging.NullHandler()], force=True, level="WARNING")


async def test_no_message_no_log_and_no_command_tells_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        with everything_logged(capsys) as lines:
            case = town.office.receive(letter(f"{FIRE}. {WORDS}", f"Пожар, {PHONE}"), town.office.agents[0])
            await town.settle()
            await town.until("24.11 15:00")
        said = json.dumps([*town.chat(), *_said_elsewhere(town, case)], ensure_ascii=False)
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=False)
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=True)
        await reporting.digest(
            town.desk.settings, PeriodKind.DAY, None, send=False, out=tmp_path / "out", as_json=True
        )
    assert "Пожар" in said
    assert told(said) == []
    assert told(capsys.readouterr().out) == []
    assert told("\n".join(lines)) == []
    assert all(isinstance(json.loads(line), dict) for line in lines)
    async for file in anyio.Path(tmp_path / "out").glob("*.txt"):
        assert told(await file.read_text("utf-8")) == []


def _said_elsewhere(town: Scene, case: Case) -> list[str]:
    people = [*town.office.agents, town.office.head]
    notices = [notice["text"] for person in people for notice in town.portal.notices(person)]
    return [*notices, *(str(comment) for comment in town.portal.timeline(2, case.id))]


async def test_a_log_line_is_masked_whoever_wrote_it(capsys: pytest.CaptureFixture[str]) -> None:
    with everything_logged(capsys) as lines:
        logging.getLogger("app.test").warning(
            "cannot reach %s", PHONE, extra={"who": MAIL, "ref": str(deal(7))}
        )
    assert told("\n".join(lines)) == []
    assert json.loads(lines[-1])["ref"] == "deal:7"
