"""Preparing a portal, and the self-check that says whether it is prepared."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from app.bitrix.card_fields import FIELDS, TASK_KIND
from app.bitrix.portal import Line, MessageWork, StampWork
from app.model import Hint, HintKind, Message, MessageKind

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio


def levels(lines: list[Line], text: str) -> set[str]:
    return {line.level for line in lines if text in line.text}


async def test_fields_are_created_with_their_kinds_labels_and_options(world: World) -> None:
    fields = {field.name: field for field in world.emulated.world.userfields}
    for wanted in FIELDS:
        deal = fields[f"UF_CRM_{wanted.code}"]
        assert (deal.type, deal.labels["EDIT_FORM_LABEL"]["ru"]) == (wanted.kind, wanted.ru)
        assert [option.xml_id for option in deal.options] == [option.xml_id for option in wanted.options]
        if wanted.code != "SLA_SOLVE_DUE":
            assert fields[f"UF_{wanted.code}"].type == TASK_KIND[wanted.kind]


async def test_second_run_finds_nothing_to_do(world: World) -> None:
    before = len(world.emulated.world.userfields)
    lines = await world.portal.provision(dry_run=False, layout=False)
    assert {line.level for line in lines} == {"OK"}
    assert len(lines) == 3
    assert len(world.emulated.world.userfields) == before


async def test_dry_run_tells_and_creates_nothing(make: Make) -> None:
    world = make()
    lines = await world.portal.provision(dry_run=True, layout=True)
    assert "WARN" in {line.level for line in lines}
    assert world.emulated.world.userfields == []


async def test_missing_option_is_added_and_peoples_own_stay(world: World) -> None:
    lists = [
        field
        for field in world.emulated.world.userfields
        if field.name.endswith("SLA_CLASS") and field.options
    ]
    for field in lists:
        field.options = [replace(field.options[0], xml_id="own", value="Своё"), *field.options[2:]]
    await world.portal.provision(dry_run=False, layout=False)
    known = [{option.xml_id for option in field.options} for field in lists]
    assert known == [{"own", "emergency", "standard", "consultation", "not_ticket"}] * 2


async def test_process_that_cannot_be_seen_is_a_line_and_the_others_are_prepared(make: Make) -> None:
    world = make()
    world.emulated.faults.fail("crm.item.fields", "access")
    world.emulated.faults.fail("crm.type.list", "access")
    lines = await world.portal.provision(dry_run=False, layout=False)
    assert [line.text.partition(":")[0] for line in lines if line.level == "FAIL"] == [
        "сделки",
        f"смарт-процесс {world.smart}",
    ]
    assert {line.level for line in lines if line.text.startswith("задачи")} == {"OK"}


# --- promises ----------------------------------------------------------------------------


async def test_every_method_that_we_call_is_published_by_the_vendor(world: World) -> None:
    """The parameters are compared after every test (conftest)."""
    deal, item, task = world.deal(), world.item(), world.task()
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    await world.read(deal, item, task)
    activity = world.emulated.add_email((3, world.client), 1)
    await world.portal.owners([Hint(HintKind.ACTIVITY, activity)])
    note = Message("k", MessageKind.TIMELINE, str(deal), "SLA", ref=deal)
    alert = Message("k", MessageKind.CHAT_CARD, chat, "SLA")
    told = await world.portal.write(
        [StampWork(task, {"SLA_STATE": "met"}), MessageWork(note), MessageWork(alert)]
    )
    await world.portal.write([MessageWork(note, told[1].portal_id), MessageWork(alert, told[2].portal_id)])  # type: ignore[union-attr]
    await world.portal.upload(chat, "a.png", b"1", "Файл")
    await world.portal.find_said(chat, "SLA")
    await world.portal.changes({})
    await world.portal.people()
    await world.portal.check()
    await world.portal.provision(dry_run=False, layout=True)
    published = json.loads(files("app.demo.portal").joinpath("spec.json").read_text("utf-8"))
    unpublished = {"batch", "profile", "scope", "server.time"}
    assert set(world.emulated.calls) - unpublished <= {method.lower() for method in published}
