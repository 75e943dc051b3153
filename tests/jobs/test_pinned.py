"""Rules in force at the start stay with the ticket; a change touches new ones only (sla.md 2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.rules import load_rules
from tests.jobs.scenes import letter, scene, write

pytestmark = pytest.mark.anyio

STRICTER = '\n[class.standard]\nrespond = "1h"\n'


async def test_changed_terms_touch_new_tickets_only(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        old = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        write(tmp_path / "stricter.toml", town.office.rules() + STRICTER)
        town.desk.rules = load_rules(tmp_path / "stricter.toml")
        town.office.write(old, SLA_SOLUTION="Код отправлен")
        new = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        terms = [(await town.ticket(case)).now_cycle.reply.term for case in (old, new)]
        assert terms == [timedelta(hours=4), timedelta(hours=1)]
