"""Rules in force at the start stay with the ticket; a change touches new ones only (sla.md 2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.commands import explaining, preparing
from app.demo.office import Case
from app.gaps import LOST_RULES
from app.model import Fact
from app.pinning import Pin, pinned
from app.rules import load_rules, rules_from
from app.store import facts, rules_log, schema
from tests.jobs.scenes import Scene, letter, ref_of, scene, write

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


async def forget_how_to_read(town: Scene, version: str) -> None:
    """The text of these rules says something that today's package does not understand."""
    async with town.desk.db.begin() as conn:
        text = await rules_log.load(conn, version)
        assert text is not None
        tree = json.loads(text)
        tree["class"]["standard"]["respond"] = "half a day"
        change = sa.update(schema.rules_log).where(schema.rules_log.c.version == version)
        await conn.execute(change.values(text=json.dumps(tree)))
    town.desk.pinned.clear()


async def test_under_rules_that_are_not_understood_any_more_todays_stand_and_this_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        await forget_how_to_read(town, town.desk.rules.version)
        write(tmp_path / "rules.toml", town.office.rules() + STRICTER)
        town.desk.rules = load_rules(tmp_path / "rules.toml")
        town.office.reply(case, "Проверили, код отправлен.")
        await town.settle()
        ticket = await town.ticket(case)
        assert ticket.now_cycle.reply.term == timedelta(hours=1)
        assert ticket.notes == (LOST_RULES,)
        assert await explaining.explain(town.desk.settings, ref_of(case), as_json=False)
        await preparing.check(town.desk.settings, as_json=False)
    told = "правила, с которыми оно началось, больше не читаются: сроки посчитаны по нынешним"
    said = capsys.readouterr().out
    assert f"Пробел: {told}" in said
    assert f"WARN у 1\u00a0обращения {told}. Посмотрите" in said
    assert f"Версии: правила {town.desk.rules.version}," in said


async def test_a_text_that_no_new_rules_would_get_through_still_judges_its_tickets(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        idle = {"when": {"company": [12]}, "set": {"resolve": "8h"}}
        async with town.desk.db.begin() as conn:
            text = json.dumps({**json.loads(town.desk.rules.text), "policy": [idle, idle]})
            version = rules_from(text).version
            await rules_log.pin(conn, version, text, town.clock.now())
            await facts.add(conn, [pinned_by(version, case, await facts.load(conn, ref_of(case)), town)])
        write(tmp_path / "rules.toml", town.office.rules() + STRICTER)
        town.desk.rules = load_rules(tmp_path / "rules.toml")
        town.office.write(case, SLA_SOLUTION="Код отправлен")
        await town.settle()
        ticket = await town.ticket(case)
    assert (ticket.now_cycle.reply.term, ticket.notes) == (timedelta(hours=4), ())
    assert ticket.rules_version == version


def pinned_by(version: str, case: Case, known: Sequence[Fact], town: Scene) -> Fact:
    return pinned(ref_of(case), known, Pin(town.clock.now(), version, version))
