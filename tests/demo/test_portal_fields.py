"""Custom fields of the emulated portal (emulator-notes.md G)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.demo.portal.fields import camel_uf, upper_name
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

NAMES = [
    ("UF_CRM_3_1747309727", "ufCrm3_1747309727"),
    ("UF_CRM_3_DIGIT", "ufCrm3Digit"),
    ("UF_CRM_10_DIGIT10", "ufCrm_10_DIGIT10"),
    ("UF_CRM_1747309879", "ufCrm_1747309879"),
    ("UF_CRM_SLA_CLASS", "ufCrmSlaClass"),
]


@pytest.mark.parametrize(("original", "converted"), NAMES)
def test_converted_names(original: str, converted: str) -> None:
    assert camel_uf(original) == converted


@pytest.mark.parametrize(("name", "upper"), [("stageId", "STAGE_ID"), ("parentId1220", "PARENT_ID_1220")])
def test_upper_names(name: str, upper: str) -> None:
    assert upper_name(name) == upper


async def test_names_are_converted_unless_the_originals_are_asked_for(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_SOLUTION", "string")
    number = desk.portal.add_deal("Сделка", fields={"UF_CRM_SLA_SOLUTION": "Перезапуск"})
    converted = (await desk.call("crm.item.get", entityTypeId=2, id=number))["item"]
    original = (await desk.call("crm.item.get", entityTypeId=2, id=number, useOriginalUfNames="Y"))["item"]
    assert converted["ufCrmSlaSolution"] == original["UF_CRM_SLA_SOLUTION"] == "Перезапуск"
    assert ("UF_CRM_SLA_SOLUTION" in converted, "ufCrmSlaSolution" in original) == (False, False)


PREFIXES = ["MANAGER_NOTE", "UF_MANAGER_NOTE", "UF_CRM_MANAGER_NOTE", "manager_note"]


@pytest.mark.parametrize("given", PREFIXES)
async def test_deal_field_gets_its_prefix(given: str, desk: Helpdesk) -> None:
    await desk.call("crm.deal.userfield.add", fields={"USER_TYPE_ID": "string", "FIELD_NAME": given})
    rows = await desk.call("crm.deal.userfield.list", filter={"FIELD_NAME": "UF_CRM_MANAGER_NOTE"})
    assert [one["FIELD_NAME"] for one in rows] == ["UF_CRM_MANAGER_NOTE"]


REFUSED_FIELDS: list[dict[str, Any]] = [
    {"USER_TYPE_ID": "string", "FIELD_NAME": "X" * 44},
    {"USER_TYPE_ID": "string", "FIELD_NAME": "КЛАСС"},
    {"USER_TYPE_ID": "nonsense", "FIELD_NAME": "X"},
    {"USER_TYPE_ID": "boolean", "FIELD_NAME": "X", "MULTIPLE": "Y"},
    {"USER_TYPE_ID": "string", "FIELD_NAME": "TAKEN"},
]


@pytest.mark.parametrize("fields", REFUSED_FIELDS)
async def test_field_that_the_product_refuses(fields: dict[str, Any], desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "TAKEN", "string")
    assert await desk.refused("crm.deal.userfield.add", fields=fields) == (400, "ERROR_CORE")


async def test_forty_three_characters_of_ones_own_fit(desk: Helpdesk) -> None:
    fields = {"USER_TYPE_ID": "string", "FIELD_NAME": "X" * 43}
    assert await desk.call("crm.deal.userfield.add", fields=fields) > 0


async def test_options_are_written_by_id_and_known_by_xml_id(desk: Helpdesk) -> None:
    options = [{"VALUE": "Авария", "XML_ID": "emergency"}, {"VALUE": "Обычная", "XML_ID": "standard"}]
    fields = {"USER_TYPE_ID": "enumeration", "FIELD_NAME": "SLA_CLASS", "LIST": options}
    await desk.call("crm.deal.userfield.add", fields=fields)
    (field,) = await desk.call("crm.deal.userfield.list")
    by_code = {one["XML_ID"]: one["ID"] for one in field["LIST"]}
    number = desk.portal.add_deal("Сделка")
    written = {"UF_CRM_SLA_CLASS": by_code["standard"]}
    await desk.call("crm.item.update", entityTypeId=2, id=number, fields=written, useOriginalUfNames="Y")
    assert desk.portal.sla(2, number) == {"SLA_CLASS": "standard"}


async def test_option_by_anything_but_its_id_is_refused(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_CLASS", "enumeration", options=[("standard", "Обычная")])
    fields = {"UF_CRM_SLA_CLASS": "standard"}
    number = desk.portal.add_deal("Сделка")
    params = {"entityTypeId": 2, "id": number, "fields": fields, "useOriginalUfNames": "Y"}
    assert await desk.refused("crm.item.update", **params) == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")


async def test_options_are_added_changed_and_dropped(desk: Helpdesk) -> None:
    number = desk.portal.add_userfield(
        "CRM_DEAL", "AREA", "enumeration", options=[("a", "Один"), ("b", "Два")]
    )
    first, second = (one["ID"] for one in (await desk.call("crm.deal.userfield.get", id=number))["LIST"])
    changes = [{"ID": first, "VALUE": "Иначе"}, {"ID": second, "DEL": "Y"}, {"VALUE": "Три", "XML_ID": "c"}]
    await desk.call("crm.deal.userfield.update", id=number, fields={"LIST": changes})
    rows = (await desk.call("crm.deal.userfield.get", id=number))["LIST"]
    assert [(one["XML_ID"], one["VALUE"]) for one in rows] == [("a", "Иначе"), ("c", "Три")]


async def test_smart_process_fields_belong_to_the_type_id(desk: Helpdesk) -> None:
    entity_type, type_id = desk.portal.add_type("Заявка")
    field = {"entityId": f"CRM_{type_id}", "fieldName": f"UF_CRM_{type_id}_SLA_DUE", "userTypeId": "datetime"}
    await desk.call("userfieldconfig.add", moduleId="crm", field=field)
    number = desk.portal.add_item(entity_type, "Заявка", fields={field["fieldName"]: desk.at})
    assert desk.portal.sla(entity_type, number) == {"SLA_DUE": desk.at}


async def test_smart_process_field_needs_the_type_id_in_its_name(desk: Helpdesk) -> None:
    _, type_id = desk.portal.add_type("Заявка")
    field = {"entityId": f"CRM_{type_id}", "fieldName": "UF_CRM_SLA_DUE", "userTypeId": "datetime"}
    assert await desk.refused("userfieldconfig.add", moduleId="crm", field=field) == (400, "ERROR_CORE")


async def test_userfieldconfig_needs_both_scopes(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, scopes=["userfieldconfig"])
    assert (await desk.refused("userfieldconfig.list", moduleId="crm"))[1] == "insufficient_scope"


async def test_userfieldconfig_ignores_most_labels(desk: Helpdesk) -> None:
    field = {"entityId": "CRM_DEAL", "fieldName": "UF_CRM_X", "userTypeId": "string", "showInList": "N"}
    field |= {"listColumnLabel": "x", "editFormLabel": {"ru": "Поле"}}  # type: ignore[dict-item]
    made = (await desk.call("userfieldconfig.add", moduleId="crm", field=field))["field"]
    assert (made["showInList"], made["listColumnLabel"]) == ("Y", {"en": None, "ru": None})
    assert made["editFormLabel"] == {"ru": "Поле"}


async def test_field_of_a_deal_by_the_other_route(desk: Helpdesk) -> None:
    number = desk.portal.add_userfield("CRM_DEAL", "X", "enumeration", options=[("a", "Один")])
    one = (await desk.call("userfieldconfig.get", moduleId="crm", id=number))["field"]
    listed = (await desk.call("userfieldconfig.list", moduleId="crm", filter={"entityId": "CRM_DEAL"}))[
        "fields"
    ]
    assert ([option["xmlId"] for option in one["enum"]], "enum" in listed[0]) == (["a"], False)
    await desk.call("userfieldconfig.update", moduleId="crm", id=number, field={"mandatory": "Y"})
    assert (await desk.call("crm.deal.userfield.get", id=number))["MANDATORY"] == "Y"
    await desk.call("userfieldconfig.delete", moduleId="crm", id=number)
    assert await desk.call("crm.deal.userfield.list") == []


@pytest.mark.parametrize("kind", ["enumeration", "employee", "url", "integer", "date"])
async def test_task_fields_know_four_types(kind: str, desk: Helpdesk) -> None:
    params = {"USER_TYPE_ID": kind, "FIELD_NAME": "X"}
    assert await desk.refused("task.item.userfield.add", PARAMS=params) == (400, "ERROR_CORE")


async def test_task_field_gets_its_prefix_and_stands_beside_the_system_ones(desk: Helpdesk) -> None:
    await desk.call("task.item.userfield.add", PARAMS={"USER_TYPE_ID": "string", "FIELD_NAME": "SLA_CLASS"})
    answer = await desk.body("task.item.userfield.getlist")
    assert [one["FIELD_NAME"] for one in answer["result"]] == [
        "UF_CRM_TASK", "UF_MAIL_MESSAGE", "UF_TASK_WEBDAV_FILES", "UF_SLA_CLASS",
    ]  # fmt: skip
    assert answer["total"] == 0


async def test_empty_multiple_field_of_a_classic_answer_takes_any_of_three_forms(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "AREAS", "string", multiple=True)
    number = desk.portal.add_deal("Сделка")
    forms = [(await desk.call("crm.deal.get", id=number))["UF_CRM_AREAS"] for _ in range(30)]
    assert {str(form) for form in forms} == {"[]", "False", ""}


VALUES: list[tuple[str, Any, Any, Any]] = [
    ("string", "текст", "текст", "текст"),
    ("integer", "5", 5, "5"),
    ("double", "1.5", 1.5, "1.5"),
    ("boolean", "1", "Y", "1"),
    ("boolean", "N", "N", "0"),
    ("employee", 9, 9, "9"),
    ("money", "100|RUB", "100|RUB", "100|RUB"),
    ("datetime", "2026-11-24T12:00:07+03:00", "2026-11-24T12:00:07+03:00", "2026-11-24T12:00:07+03:00"),
    ("date", "2026-11-24", "2026-11-24T00:00:00+03:00", "2026-11-24T00:00:00+03:00"),
]


@pytest.mark.parametrize(("kind", "sent", "universal", "classic"), VALUES)
async def test_values_by_family_of_methods(
    kind: str, sent: Any, universal: Any, classic: Any, desk: Helpdesk
) -> None:
    desk.portal.add_userfield("CRM_DEAL", "X", kind)
    number = await desk.call("crm.deal.add", fields={"TITLE": "x", "UF_CRM_X": sent})
    item = (await desk.call("crm.item.get", entityTypeId=2, id=number, useOriginalUfNames="Y"))["item"]
    deal = await desk.call("crm.deal.get", id=number)
    assert (item["UF_CRM_X"], deal["UF_CRM_X"]) == (universal, classic)


async def test_multiple_values_are_replaced_whole(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "X", "string", multiple=True)
    number = desk.portal.add_deal("Сделка", fields={"UF_CRM_X": ["а", "б"]})
    change = {"entityTypeId": 2, "id": number, "useOriginalUfNames": "Y"}
    answer = await desk.call("crm.item.update", **change, fields={"UF_CRM_X": ["в"]})
    assert answer["item"]["UF_CRM_X"] == ["в"]
    assert await desk.refused("crm.item.update", **change, fields={"UF_CRM_X": "г"}) == (400, "100")


@pytest.mark.parametrize("nothing", [None, "", False, []])
async def test_field_is_emptied_by_any_nothing(nothing: Any, desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_DUE", "datetime")
    number = desk.portal.add_deal("Сделка", fields={"UF_CRM_SLA_DUE": datetime(2026, 11, 24, tzinfo=UTC)})
    fields = {"UF_CRM_SLA_DUE": nothing}
    answer = await desk.call(
        "crm.item.update", entityTypeId=2, id=number, fields=fields, useOriginalUfNames="Y"
    )
    assert answer["item"]["UF_CRM_SLA_DUE"] is None
