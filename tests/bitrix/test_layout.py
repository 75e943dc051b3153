"""`provision --layout`: one section «SLA» in the common look of the card, whatever else is in it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.bitrix.card_fields import FIELDS
from app.bitrix.config import SourceConfig
from app.bitrix.layout import with_section
from app.bitrix.portal import Line, Portal
from app.model import Kind

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio
CODES = {field.code for field in FIELDS}
MAIN = {
    "name": "main", "title": "О сделке", "type": "section",
    "elements": [
        {"name": "TITLE", "optionFlags": "0"},
        {"name": "CLIENT", "optionFlags": "1", "options": {"defaultCountry": "RU"}},
    ],
}  # fmt: skip


async def laid_out(world: World, *, dry_run: bool = False) -> list[Line]:
    lines = await world.portal.provision(dry_run=dry_run, layout=True)
    return [line for line in lines if "раздел" in line.text]


def look(world: World, funnel: int | None = None, kind: int = 2) -> list[dict[str, Any]]:
    whose = (kind, world.funnel if funnel is None else funnel, "C", None)
    found: list[dict[str, Any]] = world.emulated.world.layouts.get(whose, [])
    return found


def set_look(world: World, *sections: dict[str, Any]) -> None:
    world.emulated.world.layouts[(2, world.funnel, "C", None)] = deepcopy(list(sections))


def names(section: dict[str, Any]) -> list[str]:
    return [row["name"] for row in section["elements"]]


async def test_section_is_added_and_the_rest_stays_as_it_was(world: World) -> None:
    set_look(world, MAIN)
    await laid_out(world)
    main, sla = look(world)
    assert main == MAIN
    assert (sla["name"], sla["title"], sla["type"]) == ("sla", "SLA", "section")
    assert {name.removeprefix("UF_CRM_") for name in names(sla)} == CODES


async def test_second_run_writes_nothing(world: World) -> None:
    set_look(world, MAIN)
    await laid_out(world)
    before = world.emulated.calls_of("crm.item.details.configuration.set")
    assert {line.level for line in await laid_out(world)} == {"OK"}
    assert world.emulated.calls_of("crm.item.details.configuration.set") == before


async def test_dry_run_tells_and_writes_nothing(world: World) -> None:
    set_look(world, MAIN)
    assert {line.level for line in await laid_out(world, dry_run=True)} == {"WARN"}
    assert look(world) == [MAIN]
    assert world.emulated.calls_of("crm.item.details.configuration.set") == 0


async def test_look_that_nobody_has_set_keeps_what_the_portal_shows(world: World) -> None:
    world.emulated.add_userfield("CRM_DEAL", "UF_CRM_OBJECT", "string")
    await laid_out(world)
    shown = {section["name"]: names(section) for section in look(world)}
    assert list(shown) == ["main", "additional", "products", "recurring", "sla"]
    assert {"TITLE", "CLIENT", "STAGE_ID"} <= set(shown["main"])
    assert "UF_CRM_OBJECT" in shown["additional"]


async def test_look_of_a_smart_process_shows_only_what_it_has(world: World) -> None:
    await laid_out(world)
    category = next(funnel for kind, funnel, *_ in world.emulated.world.layouts if kind == world.smart)
    shown = [name for section in look(world, category, world.smart) for name in names(section)]
    assert {"TITLE", "ASSIGNED_BY_ID"} <= set(shown)
    assert "TYPE_ID" not in shown
    assert len(shown) == len(set(shown))


async def test_source_of_every_funnel_has_each_of_them_laid_out(world: World) -> None:
    second = world.emulated.add_funnel("Вторая", [("NEW", "Новое", "P")])
    config = replace(world.config, sources=(SourceConfig(Kind.DEAL),))
    portal = Portal(config, world.clock, httpx.ASGITransport(app=world.emulated.app))
    await portal.provision(dry_run=False, layout=True)
    await portal.close()
    laid = {funnel for kind, funnel, *_ in world.emulated.world.layouts if kind == 2}
    assert laid == {0, world.funnel, second}


async def test_who_is_no_administrator_is_told_what_to_do(make: Make) -> None:
    world = make()
    await world.portal.provision(dry_run=False, layout=False)
    world.emulated.set_user(9, admin=False)
    lines = await world.portal.provision(dry_run=False, layout=True)
    told = [line for line in lines if "раздел" in line.text and line.level == "FAIL"]
    assert told
    assert all("администратор" in line.remedy for line in told)


async def test_portal_that_does_not_answer_is_no_lack_of_rights(world: World) -> None:
    world.emulated.faults.fail("crm.item.details.configuration.get", "http502")
    [first, *_] = await laid_out(world)
    assert (first.level, first.remedy) == ("FAIL", "повторите позже")


# --- what is put where -------------------------------------------------------------------

OURS = ["UF_CRM_SLA_STATE", "UF_CRM_SLA_CLASS"]


def section(name: str, *elements: str) -> dict[str, Any]:
    rows = [{"name": element, "optionFlags": "0"} for element in elements]
    return {"name": name, "title": name, "type": "section", "elements": rows}


def shape(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {row["name"]: names(row) for row in rows}


def test_first_time_our_fields_are_gathered_from_everywhere() -> None:
    before = [section("main", "TITLE", "UF_CRM_SLA_STATE"), section("more", "UF_CRM_OTHER")]
    assert shape(with_section(before, OURS)) == {"main": ["TITLE"], "more": ["UF_CRM_OTHER"], "sla": OURS}
    assert shape(before)["main"] == ["TITLE", "UF_CRM_SLA_STATE"]  # what was read is not touched


def test_what_a_person_moved_away_stays_there() -> None:
    moved = [section("main", "TITLE", "UF_CRM_SLA_CLASS"), section("sla", "UF_CRM_SLA_STATE")]
    assert with_section(moved, OURS) == moved


def test_field_made_later_joins_the_section() -> None:
    before = [section("sla", "UF_CRM_SLA_STATE", "UF_CRM_OTHER"), section("main", "TITLE")]
    assert shape(with_section(before, OURS))["sla"] == [
        "UF_CRM_SLA_STATE",
        "UF_CRM_OTHER",
        "UF_CRM_SLA_CLASS",
    ]


def test_sections_in_columns() -> None:
    column = {"name": "default_column", "type": "column", "elements": [section("main", "TITLE")]}
    [found] = with_section([column], OURS)
    assert shape(found["elements"]) == {"main": ["TITLE"], "sla": OURS}
    assert with_section([found], OURS) == [found]


def test_empty_elements_come_as_php_has_them() -> None:
    before = [{"name": "main", "title": "О сделке", "type": "section", "elements": {"0": {"name": "TITLE"}}}]
    assert shape(with_section(before, OURS)) == {"main": ["TITLE"], "sla": OURS}
