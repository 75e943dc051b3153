"""When the decree comes, open tickets that wait for it are counted anew, once (sla.md 1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.jobs.recount import recount
from app.model import Ledger
from app.rules import load_rules
from tests.jobs.scenes import Scene, letter, scene, write
from tests.lives import at

pytestmark = pytest.mark.anyio

OWN_CALENDAR = '[calendar.office]\nproduction_calendar = "days.json"\n\n[desk]'
OFF = {"date": "2026-11-26", "name": "перенос", "kind": "transferred_day_off"}


def days(*decreed: str) -> str:
    years: dict[str, Any] = {year: {"status": "decreed", "non_working": []} for year in decreed}
    if "2026" in years:
        years["2026"]["non_working"] = [OFF]
    return json.dumps({"years": years})


def the_decree_comes(town: Scene, folder: Path) -> None:
    write(folder / "days.json", days("2025", "2026"))
    town.desk.rules = load_rules(folder / "rules.toml")


async def test_open_provisional_tickets_move_and_the_ledger_says_why(tmp_path: Path) -> None:
    write(tmp_path / "days.json", days("2025"))
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", OWN_CALENDAR, 1)) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        before = (await town.ticket(case)).now_cycle.solution
        the_decree_comes(town, tmp_path)
        counted = [await recount(town.desk), await recount(town.desk)]
        await town.settle()
        ticket = await town.ticket(case)
        solution = ticket.now_cycle.solution
        again = await recount(town.desk)

        assert (before.due_at, before.provisional) == (at("26.11 16:00"), True)
        assert (solution.due_at, solution.provisional) == (at("27.11 16:00"), False)
        assert town.fields(case)["SLA_SOLVE_DUE"]
        assert causes(solution) == [f"decree:{ticket.rules_version}"]
        assert [*counted, again] == [1, 0, 0]


async def test_what_has_ended_is_not_touched(tmp_path: Path) -> None:
    write(tmp_path / "days.json", days("2025"))
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", OWN_CALENDAR, 1)) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        town.office.move(case, "closed_confirmed")
        await town.settle()
        the_decree_comes(town, tmp_path)

        assert await recount(town.desk) == 0


def causes(ledger: Ledger) -> list[str]:
    return [entry.cause for entry in ledger.entries if entry.kind.value == "retargeted"]
