"""The odd ways of fields (rest.md 4.3-4.6, 5.1), each met on the emulated portal by our own road."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.bitrix.config import NativeFields, SourceConfig
from app.bitrix.portal import Portal, StampWork, Unwritten, Written
from app.demo.portal import UNLIMITED, Profile, values
from app.model import ItemRef, Kind

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio
DUE = "2026-11-26T13:00:00Z"
STAMP = {"SLA_CLASS": "emergency", "SLA_STATE": "on_track", "SLA_SOLVE_DUE": DUE, "SLA_ESC_LEVEL": "2",
         "SLA_CLASS_SURE": "Y", "SLA_CLASS_WHY": "E2"}  # fmt: skip
OLD = replace(UNLIMITED, original_names=False)


async def wrote(world: World, ref: ItemRef, wanted: dict[str, str]) -> Written | Unwritten:
    [told] = await world.portal.write([StampWork(ref, wanted)])
    return told


async def held(world: World, ref: ItemRef) -> dict[str, str]:
    return {
        code: value for code, value in (await world.reading(ref)).card.sla.items() if value not in {"", "N"}
    }


def refs(world: World) -> Iterator[ItemRef]:
    yield from (world.deal(), world.item(), world.task())


async def provisioned(make: Make, portal: Profile, **config: Any) -> World:
    world = make(portal, **config)
    await world.portal.provision(dry_run=False, layout=False)
    return world


# --- names -------------------------------------------------------------------------------


@pytest.mark.parametrize("portal", [UNLIMITED, OLD])
async def test_fields_are_found_whether_their_names_are_converted_or_not(make: Make, portal: Profile) -> None:
    world = await provisioned(make, portal)
    for ref in refs(world):
        assert isinstance(await wrote(world, ref, STAMP), Written)
        assert await held(world, ref) == STAMP
    lines = await world.portal.provision(dry_run=False, layout=False)
    assert {line.level for line in lines} == {"OK"}


@pytest.mark.parametrize("portal", [UNLIMITED, OLD])
@pytest.mark.parametrize("name", ["UF_CRM_OBJECT", "UF_CRM_10_DIGIT10", "UF_CRM_1747309879"])
async def test_field_of_the_rules_is_read_under_either_rule(make: Make, portal: Profile, name: str) -> None:
    source = SourceConfig(Kind.DEAL, read=NativeFields(object=name, client=(name,)))
    world = await provisioned(make, portal, sources=(source,), extra=(name,))
    world.emulated.add_userfield("CRM_DEAL", name, "string")
    deal = world.deal(fields={name: "ЖК Лесной"})
    card = (await world.reading(deal)).card
    assert (card.object, card.client, card.extra[name]) == ("ЖК Лесной",) * 3


async def test_three_numbers_of_a_smart_process_are_told_apart(make: Make) -> None:
    world = make()
    world.emulated.add_type("Ещё один")
    entity_type, type_id = world.emulated.add_type("Обращения", entity_type=1032)
    category = world.emulated.add_funnel("Вторая", [("NEW", "Новое", "P")], entity_type=entity_type)
    assert len({entity_type, type_id, category}) == 3
    config = replace(world.config, sources=(SourceConfig(Kind.ITEM, category, entity_type),))
    portal = Portal(config, world.clock, httpx.ASGITransport(app=world.emulated.app))
    await portal.provision(dry_run=False, layout=False)
    assert {f.entity for f in world.emulated.world.userfields} == {f"CRM_{type_id}"}
    ref = ItemRef(Kind.ITEM, world.emulated.add_item(entity_type, "Заявка", category=category), entity_type)
    [told] = await portal.write([StampWork(ref, STAMP)])
    await portal.close()
    assert isinstance(told, Written)
    assert world.emulated.sla(entity_type, ref.id)["SLA_CLASS"] == "emergency"


# --- lists and booleans ------------------------------------------------------------------


async def test_lists_go_by_xml_id_whatever_people_call_the_options(world: World) -> None:
    for field in world.emulated.world.userfields:
        for option in field.options:
            option.value = f"Наше слово {option.sort}"
    for ref in (world.deal(), world.item()):
        assert isinstance(await wrote(world, ref, STAMP), Written)
        assert await held(world, ref) == STAMP


async def test_number_as_an_xml_id_is_a_text(world: World) -> None:
    deal = world.deal()
    for level in ("3", "1", "2"):
        await wrote(world, deal, {"SLA_ESC_LEVEL": level})
        assert world.emulated.sla(2, deal.id)["SLA_ESC_LEVEL"] == level
        assert (await held(world, deal))["SLA_ESC_LEVEL"] == level


@pytest.mark.parametrize(("language", "label"), [("ru", "Экстренное"), ("en", "Emergency")])
async def test_tasks_list_holds_the_label_of_the_desks_language(
    make: Make, language: str, label: str
) -> None:
    world = await provisioned(make, UNLIMITED, language=language)
    task = world.task()
    await wrote(world, task, {"SLA_CLASS": "emergency"})
    assert world.emulated.sla("task", task.id)["SLA_CLASS"] == label
    assert (await held(world, task))["SLA_CLASS"] == "emergency"


@pytest.mark.parametrize("written", ["экстренное", "Emergency", "EMERGENCY", " Экстренное "])
async def test_label_that_a_person_typed_into_a_task_is_understood(world: World, written: str) -> None:
    task = world.task(fields={"UF_SLA_CLASS": written})
    assert (await held(world, task))["SLA_CLASS"] == "emergency"


async def test_tick_is_set_and_taken_away(world: World) -> None:
    for ref in refs(world):
        for tick in ("Y", "N"):
            assert isinstance(await wrote(world, ref, {"SLA_CLASS_SURE": tick}), Written)
            assert (await world.reading(ref)).card.sla["SLA_CLASS_SURE"] == tick


@pytest.mark.parametrize("empty", [[], False, ""])
async def test_field_that_somebody_made_multiple(world: World, empty: Any) -> None:
    deal = world.deal()
    fields = {field.name: field for field in world.emulated.world.userfields if field.entity == "CRM_DEAL"}
    fields["UF_CRM_SLA_BREACH_REASON"].multiple = True
    item = world.emulated.world.items[2][deal.id]
    item["UF_CRM_SLA_BREACH_REASON"] = empty
    assert "SLA_BREACH_REASON" not in await held(world, deal)
    item["UF_CRM_SLA_BREACH_REASON"] = ["ждали деталь", "и ещё"]
    assert (await held(world, deal))["SLA_BREACH_REASON"] == "ждали деталь"


# --- moments -----------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-5, 3, 5, 12])
async def test_moments_survive_any_offset_of_portal_and_caller(make: Make, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    world = await provisioned(
        make, replace(UNLIMITED, portal_zone=zone, user_zone=timezone(timedelta(hours=9)))
    )
    for ref in refs(world):
        assert isinstance(await wrote(world, ref, {"SLA_SOLVE_DUE": DUE, "SLA_REPLY_DUE": DUE}), Written)
        sla = (await world.reading(ref)).card.sla
        assert (sla["SLA_SOLVE_DUE"], sla["SLA_REPLY_DUE"]) == (DUE, DUE)


async def test_seconds_that_a_person_left_are_no_change(world: World) -> None:
    at = datetime(2026, 11, 26, 13, 0, 59, tzinfo=UTC)
    deal, task = world.deal(fields={"UF_CRM_SLA_SOLVE_DUE": at}), world.task(deadline=at)
    for ref in (deal, task):
        assert (await held(world, ref))["SLA_SOLVE_DUE"] == DUE
    before = dict(world.emulated.writes)
    assert isinstance(await wrote(world, task, {"SLA_SOLVE_DUE": DUE}), Written)
    assert world.emulated.writes == before


async def test_field_without_seconds_and_with_a_zone_of_its_own(world: World) -> None:
    for field in world.emulated.world.userfields:
        field.settings |= {"USE_SECOND": "N", "USE_TIMEZONE": "Y"} if field.type == "datetime" else {}
    for ref in refs(world):
        assert isinstance(await wrote(world, ref, {"SLA_REPLY_DUE": DUE}), Written)
        assert (await held(world, ref))["SLA_REPLY_DUE"] == DUE


@pytest.fixture
def dates_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A portal that understands none of our dates says yes and keeps what it had."""
    monkeypatch.setitem(values._READERS, "datetime", lambda *_: values.SKIP)


@pytest.mark.usefixtures("dates_are_skipped")
async def test_date_that_was_skipped_silently_is_named(world: World) -> None:
    for ref in (world.deal(), world.item()):
        told = await wrote(world, ref, STAMP)
        assert isinstance(told, Unwritten)
        assert told.final
        assert "портал не сохранил поля: «Срок решения»" in told.error


# --- fields that are there no longer -----------------------------------------------------


async def test_field_deleted_since_waits_for_provision(world: World) -> None:
    for ref in refs(world):
        await wrote(world, ref, {"SLA_CLASS_WHY": "E1"})
    assert world.emulated.remove_userfields("SLA_CLASS_WHY") == 3
    world.clock.advance(timedelta(minutes=2))
    for ref in refs(world):
        told = await wrote(world, ref, STAMP)
        assert isinstance(told, Unwritten)
        assert not told.final
        assert "нет полей: «Почему такой класс»" in told.error
        assert "SLA_CLASS_WHY" not in (await world.reading(ref)).card.sla
    assert all(name.endswith("SLA_CLASS_WHY") for name in world.emulated.unknown_fields)
    world.emulated.unknown_fields.clear()  # that a field is gone shows only when it was written to
    lines = await world.portal.check()
    assert len([line for line in lines if line.level == "FAIL" and "Почему такой класс" in line.text]) == 3
    await world.portal.provision(dry_run=False, layout=False)
    for ref in refs(world):
        assert isinstance(await wrote(world, ref, STAMP), Written)
