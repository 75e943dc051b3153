"""What commands tell programs about a department at work."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from app.commands import explaining, reporting
from app.metrics.periods import PeriodKind
from app.store import tickets
from app.web.answers import ExplainedAnswer
from tests.jobs.scenes import letter, ref_of, scene

pytestmark = pytest.mark.anyio


async def test_digest_for_programs_has_figures_and_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        settings = town.desk.settings
        assert await reporting.digest(settings, PeriodKind.DAY, None, send=False, out=tmp_path, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["text"].startswith("📋 Поддержка PASS24")
    assert {"period", "figures", "now", "late", "agents"} <= told.keys()
    assert len([file async for file in anyio.Path(tmp_path).glob("sla-*.png")]) == 1


async def test_explain_for_programs_is_the_apis_ticket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["ref"] == f"deal:{case.id}"
    assert told["class"] == "standard"
    assert told["url"].endswith(f"/crm/deal/details/{case.id}/")
    ExplainedAnswer.model_validate(told)
    assert [clock["clock"] for clock in told["explanation"][0]["clocks"]] == ["reply", "solution"]
    assert [alert["step"] for alert in told["alerts"]] == ["comment/class"]


async def test_explain_names_what_the_history_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        strange = replace(await town.ticket(case), notes=("gap:order",))
        async with town.desk.db.begin() as conn:
            await tickets.save(conn, strange, [])
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=False)
    assert "Пробел: записи истории стоят не по порядку времени" in capsys.readouterr().out


async def test_explain_sums_up_every_clock_with_its_verdict_and_what_was_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    for clock in ("Первый ответ: отведено 4 ч, отсчёт с ", "Решение: отведено 24 ч, отсчёт с "):
        assert [line for line in lines if line.startswith(clock)]
    assert len([line for line in lines if "Вердикт: ещё нет, часы идут" in line]) == 2
    assert len([line for line in lines if line.startswith("  Итого засчитано ")]) == 2
    assert lines[lines.index("Сообщения:") + 1].endswith("комментарий в карточке: класс и сроки")
