"""`check` as a command: lines for people and programs, its exit, recordings and what changed since."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.commands import preparing
from app.commands.speech import Mistake
from app.desk import Desk
from app.store import tickets
from app.words import NBSP
from tests.jobs.scenes import Scene, letter, scene

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:

        @asynccontextmanager
        async def opened(settings: Any) -> AsyncIterator[Desk]:
            yield made.desk

        monkeypatch.setattr(preparing, "open_desk", opened)
        yield made


async def check(town: Scene, **more: Any) -> bool:
    return await preparing.check(town.desk.settings, **{"as_json": False} | more)


async def test_good_portal_is_lines_of_ok_and_a_good_end(
    town: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await check(town)
    lines = capsys.readouterr().out.splitlines()
    assert {line[:4] for line in lines} == {"OK  "}
    assert "OK   портал отвечает, вебхук действует" in lines


async def test_failure_says_what_to_do_and_ends_badly(
    town: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = town.portal.world.userfields
    fields[:] = [one for one in fields if not one.name.endswith("SLA_STATE")]
    assert not await check(town)
    assert "FAIL сделки: нет полей: Состояние SLA. Выполните b24sla provision" in capsys.readouterr().out


async def test_programs_get_level_text_and_remedy(town: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    town.portal.faults.fail("crm.activity.list", "internal")
    assert not await check(town, as_json=True)
    lines = json.loads(capsys.readouterr().out)
    assert {frozenset(line) for line in lines} == {frozenset({"level", "text", "remedy"})}
    assert [line["text"][:15] for line in lines if line["level"] == "FAIL"] == ["открытые линии:"]


async def test_everybody_whom_the_rules_name_is_looked_for(tmp_path: Path) -> None:
    def strangers(rules: str) -> str:
        lines = (
            line for line in rules.splitlines() if not line.startswith(("head =", "duty =", "director ="))
        )
        named = "[people]\nhead = 0\nleads = [9001]\nduty = [9002]\ndirector = 9003\ndevelopment = [9004]"
        return "\n".join(lines).replace("[people]", named)

    async with scene(tmp_path, rewritten=strangers) as town:
        lines = await town.desk.working_portal.check()
    told = [line.text for line in lines if line.level == "FAIL"]
    places = {9001: "leads", 9002: "duty", 9003: "director", 9004: "development"}
    assert told == [f"сотрудника № {one} на портале нет ([people] {place})" for one, place in places.items()]
    assert "руководитель не указан" in "".join(line.text for line in lines if line.level == "WARN")


async def test_recording_is_compared_with_the_portal_of_today(
    town: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "shapes.json"
    await check(town, record=file)
    await check(town, compare=file)
    assert "OK   портал отвечает так, как записано" in capsys.readouterr().out
    older = json.loads(await anyio.Path(file).read_text("utf-8"))
    older["profile"] |= {"ID": "integer"}
    await anyio.Path(file).write_text(json.dumps(older), "utf-8")
    assert await check(town, compare=file)
    assert "profile ID: записано integer, здесь string" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[1]", "не JSON"])
async def test_file_that_is_no_recording_is_a_mistake(town: Scene, tmp_path: Path, text: str) -> None:
    file = tmp_path / "shapes.json"
    await anyio.Path(file).write_text(text, "utf-8")
    with pytest.raises(Mistake, match="check --record"):
        await check(town, compare=file)


async def test_gaps_of_histories_are_counted(town: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    strange = replace(await town.ticket(case), notes=("unknown_stage:C3:X", "gap:beginning"))
    async with town.desk.db.begin() as conn:
        await tickets.save(conn, strange, [])

    assert await check(town)

    look = f"Посмотрите, например, b24sla explain deal:{case.id}"
    said = capsys.readouterr().out.replace(NBSP, " ").splitlines()
    assert [line for line in said if "explain" in line] == [
        f"WARN у 1 обращения стадия не описана в правилах: состояние осталось прежним. {look}",
        f"WARN у 1 обращения в истории стадий нет начала: сроки идут с создания карточки. {look}",
    ]
