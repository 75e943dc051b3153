"""CRM items of the emulated portal: values, stages, rights, filters (emulator-notes.md G)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

STAGES = [
    ("NEW", "Новая", "P"),
    ("WORK", "В работе", "P"),
    ("DONE", "Решено", "S"),
    ("VOID", "Не обращение", "F"),
]


async def ids(desk: Helpdesk, conditions: Any, entity_type: int = 2) -> list[int]:
    answer = await desk.call(
        "crm.item.list", entityTypeId=entity_type, filter=conditions, useOriginalUfNames="Y"
    )
    return [one["id"] for one in answer["items"]]


async def test_classic_answers_are_strings_and_nulls(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка", fields={"opportunity": 1000})
    deal = await desk.call("crm.deal.get", id=number)
    assert (deal["ID"], deal["OPPORTUNITY"], deal["LEAD_ID"]) == (str(number), "1000.00", None)
    assert all(value is None or isinstance(value, str) for value in deal.values())


async def test_universal_answers_are_typed(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка", fields={"opportunity": 1000.5})
    item = (await desk.call("crm.item.get", entityTypeId=2, id=number))["item"]
    assert (item["id"], item["opportunity"], item["opened"], item["contactId"]) == (number, 1000.5, "Y", 0)


async def test_close_date_is_a_plan_of_seven_days(desk: Helpdesk) -> None:
    deal = await desk.call("crm.deal.get", id=desk.portal.add_deal("Сделка"))
    assert (deal["BEGINDATE"], deal["CLOSEDATE"]) == (
        "2026-11-24T00:00:00+03:00",
        "2026-12-01T00:00:00+03:00",
    )


def test_stage_ids_have_the_prefix_of_their_funnel(desk: Helpdesk) -> None:
    portal = desk.portal
    funnel = portal.add_funnel("Поддержка", STAGES)
    entity_type, _ = portal.add_type("Заявка")
    smart = portal.add_funnel("Поддержка", STAGES, entity_type=entity_type)
    assert portal.stage(2, 0, "NEW") == "NEW"
    assert portal.stage(2, funnel, "WORK") == f"C{funnel}:WORK"
    assert portal.stage(entity_type, smart, "WORK") == f"DT{entity_type}_{smart}:WORK"


def test_numbers_of_a_smart_process_differ(desk: Helpdesk) -> None:
    entity_type, type_id = desk.portal.add_type("Заявка")
    assert len({entity_type, type_id, desk.portal.default_category(entity_type)}) == 3


async def test_status_directory(desk: Helpdesk) -> None:
    funnel = desk.portal.add_funnel("Поддержка", STAGES)
    rows = await desk.call("crm.status.list", filter={"ENTITY_ID": f"DEAL_STAGE_{funnel}"})
    assert [(one["STATUS_ID"], one["SEMANTICS"]) for one in rows] == [
        (f"C{funnel}:NEW", None), (f"C{funnel}:WORK", None), (f"C{funnel}:DONE", "S"), (f"C{funnel}:VOID",
        "F"),
    ]  # fmt: skip


async def test_unknown_directory_is_empty_not_an_error(desk: Helpdesk) -> None:
    assert await desk.call("crm.status.list", filter={"ENTITY_ID": "DEAL_STAGE_99"}) == []


async def test_stage_history_of_a_life(desk: Helpdesk) -> None:
    portal, funnel = desk.portal, desk.portal.add_funnel("Поддержка", STAGES)
    number = portal.add_deal("Сделка", category=funnel)
    for stage in ("WORK", "DONE"):
        desk.wait(minutes=10)
        portal.move(2, number, stage)
    portal.move_funnel(2, number, 0)
    rows = (await desk.call("crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": number}))["items"]
    assert [(one["TYPE_ID"], one["STAGE_SEMANTIC_ID"], one["STAGE_ID"]) for one in rows] == [
        (1, "P", f"C{funnel}:NEW"), (2, "P", f"C{funnel}:WORK"), (3, "S", f"C{funnel}:DONE"), (5, "P", "NEW"),
    ]  # fmt: skip
    assert "USER_ID" not in rows[0]


async def test_stage_history_is_caught_up_by_id(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.move(2, number, "EXECUTING")
    page = await desk.call("crm.stagehistory.list", entityTypeId=2, filter={">ID": 1}, order={"ID": "ASC"})
    assert [one["STAGE_ID"] for one in page["items"]] == ["EXECUTING"]


async def test_stage_of_another_funnel_is_refused(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    answer = await desk.refused("crm.item.update", entityTypeId=2, id=number, fields={"stageId": "C9:NEW"})
    assert answer == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")


async def test_classic_update_cannot_change_the_funnel(desk: Helpdesk) -> None:
    number, funnel = desk.portal.add_deal("Сделка"), desk.portal.add_funnel("Вторая", STAGES)
    await desk.call("crm.deal.update", id=number, fields={"CATEGORY_ID": funnel})
    assert desk.portal.item(2, number)["categoryId"] == 0  # type: ignore[index]


async def test_field_required_at_a_stage_blocks_the_move_alone(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.require(2, "EXECUTING", "additionalInfo")
    change = {"entityTypeId": 2, "id": number}
    assert (await desk.refused("crm.item.update", **change, fields={"stageId": "EXECUTING"}))[0] == 400
    assert (await desk.post("crm.item.update", **change, fields={"title": "Иначе"})).status_code == 200


async def test_unreadable_instant_is_skipped_silently(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_DUE", "datetime")
    number = desk.portal.add_deal("Сделка", fields={"UF_CRM_SLA_DUE": datetime(2026, 11, 24, tzinfo=UTC)})
    fields = {"UF_CRM_SLA_DUE": "after lunch", "title": "Новое"}
    answer = await desk.call(
        "crm.item.update", entityTypeId=2, id=number, fields=fields, useOriginalUfNames="Y"
    )
    assert answer["item"]["UF_CRM_SLA_DUE"] == "2026-11-24T03:00:00+03:00"
    assert answer["item"]["title"] == "Новое"


INSTANTS = [
    ("2026-11-24T12:00:00+00:00", "2026-11-24T15:00:00+03:00"),
    ("2026-11-24T12:00:00", "2026-11-24T12:00:00+03:00"),
    ("24.11.2026 12:00:05", "2026-11-24T12:00:05+03:00"),
    ("2026-11-24", "2026-11-24T00:00:00+03:00"),
]


@pytest.mark.parametrize(("sent", "answered"), INSTANTS)
async def test_instants_without_an_offset_are_in_the_portals_zone(
    sent: str, answered: str, desk: Helpdesk
) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_DUE", "datetime")
    number = desk.portal.add_deal("Сделка")
    fields = {"UF_CRM_SLA_DUE": sent}
    answer = await desk.call(
        "crm.item.update", entityTypeId=2, id=number, fields=fields, useOriginalUfNames="Y"
    )
    assert answer["item"]["UF_CRM_SLA_DUE"] == answered


async def test_hidden_record_is_refused_by_number_and_missing_from_lists(desk: Helpdesk) -> None:
    shown, hidden = desk.portal.add_deal("Видна"), desk.portal.add_deal("Скрыта")
    desk.portal.hide(2, hidden)
    assert await desk.refused("crm.item.get", entityTypeId=2, id=hidden) == (400, "ACCESS_DENIED")
    assert await desk.refused("crm.deal.get", id=hidden) == (400, "")
    assert await ids(desk, {}) == [shown]
    assert len((await desk.call("crm.stagehistory.list", entityTypeId=2))["items"]) == 1


async def test_hidden_funnel(desk: Helpdesk) -> None:
    desk.portal.hide_category(2, 0)
    desk.portal.add_deal("Сделка")
    assert await ids(desk, {}) == []
    assert (await desk.call("crm.category.list", entityTypeId=2))["categories"] == []


async def test_administrators_methods_refuse_others(desk: Helpdesk) -> None:
    desk.portal.set_user(9, admin=False)
    assert await desk.refused("crm.type.list") == (400, "ACCESS_DENIED")
    fields = {"USER_TYPE_ID": "string", "FIELD_NAME": "X"}
    assert await desk.refused("crm.deal.userfield.add", fields=fields) == (400, "")
    layout = {"entityTypeId": 2, "scope": "C", "data": [{"name": "main"}]}
    assert await desk.refused("crm.item.details.configuration.set", **layout) == (400, "ACCESS_DENIED")


async def test_deleted_item_is_gone_and_can_come_back(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.add_email((2, number), 1)
    desk.portal.delete_item(2, number)
    assert await desk.refused("crm.item.get", entityTypeId=2, id=number) == (400, "NOT_FOUND")
    assert await desk.call("crm.activity.list") == []
    desk.portal.restore(2, number)
    assert len(await desk.call("crm.activity.list")) == 1


FILTERS: list[tuple[Any, list[int]]] = [
    ({}, [1, 2, 3]),
    ({"id": [1, 3]}, [1, 3]),
    ({"@id": [1, 3]}, [1, 3]),
    ({"!@id": [1, 3]}, [2]),
    ({">id": 1}, [2, 3]),
    ({">=id": 2, "<id": 3}, [2]),
    ({"><id": [2, 3]}, [2, 3]),
    ({"!id": 2}, [1, 3]),
    ({"%title": "касса"}, [1, 2]),
    ({"!%title": "касса"}, [3]),
    ({"=%title": "%печатает"}, [3]),
    ({"title": "касса"}, [1]),
    ({"!contactId": ""}, [2]),
    ({"=additionalInfo": ""}, [1, 2, 3]),
    ({"stageId": "EXECUTING"}, [3]),
    ({">=updatedTime": "2026-11-24T06:30:00+00:00"}, [3]),
    ({">=updatedTime": "2026-11-24T09:30:00"}, [3]),
    ({"0": {"logic": "OR", "0": {"id": 1}, "1": {"stageId": "EXECUTING"}}}, [1, 3]),
    ({"0": {"logic": "OR", "0": {"id": 1, "title": "чужая"}, "1": {"id": 2}}, ">id": 1}, [2]),
    ({"@UF_CRM_SLA_CLASS": [101]}, [2]),
    ({"UF_CRM_SLA_CLASS": ""}, [1, 3]),
    ({"UF_CRM_SLA_SURE": 1}, [2]),
    ({"UF_CRM_SLA_SURE": "Y"}, []),
]


@pytest.mark.parametrize(("conditions", "found"), FILTERS)
async def test_filters(conditions: Any, found: list[int], desk: Helpdesk) -> None:
    portal = desk.portal
    portal.add_userfield("CRM_DEAL", "SLA_CLASS", "enumeration", options=[("emergency", "Авария")])
    portal.add_userfield("CRM_DEAL", "SLA_SURE", "boolean")
    portal.add_deal("Касса")
    sure = {"UF_CRM_SLA_CLASS": "emergency", "UF_CRM_SLA_SURE": "Y"}
    portal.add_deal("Касса зависла", contact=portal.add_contact("Иван"), fields=sure)
    third = portal.add_deal("Принтер не печатает")
    desk.wait(hours=1)
    portal.move(2, third, "EXECUTING")
    assert await ids(desk, conditions) == found


async def test_everything_includes_custom_fields(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "X", "string")
    desk.portal.add_deal("Сделка")
    answer = await desk.call("crm.item.list", entityTypeId=2, select=["*"], useOriginalUfNames="Y")
    assert "UF_CRM_X" in answer["items"][0]


async def test_order_and_select(desk: Helpdesk) -> None:
    for title in ("Б", "А"):
        desk.portal.add_deal(title)
    answer = await desk.call("crm.item.list", entityTypeId=2, select=["title"], order={"title": "ASC"})
    assert answer["items"] == [{"id": 2, "title": "А"}, {"id": 1, "title": "Б"}]


async def test_phones_come_only_with_everything(desk: Helpdesk) -> None:
    desk.portal.add_contact("Иван", phone="+70000000000")
    all_of_it = await desk.call("crm.item.list", entityTypeId=3, select=["*"])
    part = await desk.call("crm.item.list", entityTypeId=3, select=["id", "fm"])
    assert (all_of_it["items"][0]["fm"][0]["value"], part["items"]) == ("+70000000000", [{"id": 1}])


async def test_classic_list_ignores_what_it_does_not_know_and_notes_it(desk: Helpdesk) -> None:
    desk.portal.add_deal("Сделка")
    assert len(await desk.call("crm.deal.list", filter={"NOBODY": 1}, select=["ID"])) == 1
    assert desk.portal.unknown_fields == ["classic 2.NOBODY"]


async def test_unknown_fields_of_a_write_are_ignored_and_noted(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    await desk.call("crm.item.update", entityTypeId=2, id=number, fields={"UF_CRM_NOBODY": 1})
    assert (desk.portal.unknown_fields, desk.portal.idle_writes[2, number]) == (["2.UF_CRM_NOBODY"], 1)


async def test_layout_is_replaced_whole(desk: Helpdesk) -> None:
    section = {"name": "main", "title": "О сделке", "type": "section", "elements": []}
    params = {"entityTypeId": 2, "scope": "C", "extras": {"dealCategoryId": 1}}
    assert await desk.call("crm.item.details.configuration.get", **params) is None
    await desk.call("crm.item.details.configuration.set", **params, data=[section])
    assert await desk.call("crm.item.details.configuration.get", **params) == [section]
    assert await desk.call("crm.item.details.configuration.get", entityTypeId=2, scope="C") is None


async def test_contact_and_company_by_number(desk: Helpdesk) -> None:
    company = desk.portal.add_company("Ромашка", phone="+70000000000")
    contact = desk.portal.add_contact("Иван", email="ivan@example.com", company=company)
    assert (await desk.call("crm.contact.get", id=contact))["EMAIL"][0]["VALUE"] == "ivan@example.com"
    assert (await desk.call("crm.company.get", id=company))["HAS_PHONE"] == "Y"
    rows = await desk.call("crm.contact.list", filter={"COMPANY_ID": company}, select=["ID", "NAME"])
    assert rows == [{"ID": "1", "NAME": "Иван"}]


async def test_smart_items_live_as_deals_do(desk: Helpdesk) -> None:
    entity_type, _ = desk.portal.add_type("Заявка")
    made = (await desk.call("crm.item.add", entityTypeId=entity_type, fields={"title": "Заявка"}))["item"]
    place = {"entityTypeId": entity_type, "id": made["id"]}
    stage = f"DT{entity_type}_{made['categoryId']}:CLIENT"
    moved = (await desk.call("crm.item.update", **place, fields={"stageId": stage}))["item"]
    assert (moved["previousStageId"], moved["stageId"]) == (made["stageId"], stage)
    assert await desk.call("crm.item.delete", **place) == []
    assert desk.portal.item(entity_type, made["id"]) is None
