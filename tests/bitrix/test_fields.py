"""Values of the portal and their canonical forms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.card_fields import BY_CODE, EVERY_FIELD, FIELDS, FieldKind
from app.bitrix.fields import (
    Entity,
    UnknownOption,
    camel,
    crm_name,
    crm_sla,
    crm_written,
    entity_of,
    meant,
    native,
    options_of,
    task_sla,
    task_written,
)
from app.bitrix.stamping import same
from app.bitrix.times import canonical, instant, to_portal

CLASS = "UF_CRM_SLA_CLASS"
DEALS = Entity(2, {"SLA_CLASS": CLASS}, frozenset({CLASS}), options={CLASS: {"31": "emergency"}})


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (FieldKind.STRING, None, ""),
        (FieldKind.STRING, False, ""),
        (FieldKind.STRING, " текст ", "текст"),
        (FieldKind.INTEGER, 0, ""),
        (FieldKind.INTEGER, "5", "5"),
        (FieldKind.INTEGER, 5.0, "5"),
        (FieldKind.EMPLOYEE, "7", "7"),
        (FieldKind.BOOLEAN, "Y", "Y"),
        (FieldKind.BOOLEAN, 1, "Y"),
        (FieldKind.BOOLEAN, "0", "N"),
        (FieldKind.BOOLEAN, None, "N"),
        (FieldKind.DATETIME, "2026-11-24T09:15:42+03:00", "2026-11-24T06:15:00Z"),
        (FieldKind.DATETIME, "", ""),
        (FieldKind.DATETIME, "24.11.2026 09:15:00", ""),
    ],
)
def test_value_has_one_canonical_form(kind: FieldKind, value: Any, wanted: str) -> None:
    assert meant(kind, value) == wanted


@pytest.mark.parametrize("value", [31, "31", [31], {"0": "31"}])
def test_option_is_known_by_its_xml_id(value: Any) -> None:
    assert crm_sla(DEALS, {CLASS: value}) == {"SLA_CLASS": "emergency"}


@pytest.mark.parametrize("value", [None, "", 0, False, []])
def test_empty_list_is_empty(value: Any) -> None:
    assert crm_sla(DEALS, {CLASS: value}) == {"SLA_CLASS": ""}


def test_option_that_nobody_told_us_of_is_not_guessed() -> None:
    with pytest.raises(UnknownOption):
        crm_sla(DEALS, {CLASS: 99})


def test_option_is_written_by_its_id() -> None:
    assert crm_written(DEALS, {"SLA_CLASS": "emergency", "SLA_AREA": "passes"}) == {CLASS: "31"}
    with pytest.raises(UnknownOption):
        crm_written(DEALS, {"SLA_CLASS": "standard"})


def test_options_are_read_in_both_spellings() -> None:
    upper = [{"ID": "31", "VALUE": "Экстренное", "XML_ID": "emergency"}]
    lower = [{"id": 32, "value": "Стандартное", "xmlId": "a1b2c3"}]
    assert options_of("SLA_CLASS", upper) == {"31": "emergency"}
    assert options_of("SLA_CLASS", lower) == {"32": "standard"}, "known by its label"


def test_names_of_a_smart_process_hold_the_id_of_its_type() -> None:
    entity = entity_of(177, {"id": {}, "UF_CRM_7_SLA_STATE": {}, "UF_CRM_7_SLA_STATE_OLD": {}}, {})
    assert entity.names == {"SLA_STATE": "UF_CRM_7_SLA_STATE"}


def test_name_of_the_rules_wins() -> None:
    entity = entity_of(2, {"UF_CRM_SLA_STATE": {}, "UF_CRM_MINE": {}}, {"SLA_STATE": "UF_CRM_MINE"})
    assert entity.names == {"SLA_STATE": "UF_CRM_MINE"}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("SOURCE_DESCRIPTION", "sourceDescription"), ("TITLE", "title"), ("UF_CRM_OBJECT", "UF_CRM_OBJECT"),
     ("contactId", "contactId")],
)  # fmt: skip
def test_names_for_items(name: str, wanted: str) -> None:
    assert crm_name(name) == wanted


def test_task_answers_under_either_spelling() -> None:
    assert camel("UF_SLA_CLASS_WHY") == "ufSlaClassWhy"
    assert task_sla({"ufSlaClass": "Экстренное"}, {})["SLA_CLASS"] == "emergency"
    assert task_sla({"UF_SLA_CLASS": "Emergency"}, {})["SLA_CLASS"] == "emergency"


def test_task_keeps_a_label_that_we_do_not_know() -> None:
    assert task_sla({"ufSlaClass": "Срочное"}, {})["SLA_CLASS"] == "Срочное"


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("card_field", [f for f in FIELDS if f.options], ids=lambda f: f.code)
def test_task_list_survives_the_road_in_any_language(card_field: Any, language: str) -> None:
    for option in card_field.options:
        written = task_written({card_field.code: option.xml_id}, {}, language)
        assert task_sla(written, {})[card_field.code] == option.xml_id


@given(st.datetimes(datetime(1970, 1, 2), timezones=st.timezones()))  # noqa: DTZ001 - bounds are naive
def test_moment_survives_the_road_to_the_minute(at: Any) -> None:
    assert canonical(to_portal(at)) == canonical(at.isoformat())


@given(st.sampled_from(list(FieldKind)), st.text(max_size=20))
def test_what_is_written_is_meant(kind: FieldKind, text: str) -> None:
    value = meant(kind, text)
    assert meant(kind, native(kind, value)) == value


@pytest.mark.parametrize(
    "value", ["2026-11-24 09:15:00", "2026-11-24T09:15:00", "24.08.2023", "", None, {}, 5]
)
def test_moment_without_an_offset_is_none(value: Any) -> None:
    assert instant(value) is None


@pytest.mark.parametrize(
    ("code", "one", "other", "wanted"),
    [
        ("SLA_REPLY_DUE", "2026-11-24T06:15:00Z", "2026-11-24T09:15:30+03:00", True),
        ("SLA_REPLY_DUE", "2026-11-24T06:15:00Z", "2026-11-24T06:16:00Z", False),
        ("SLA_CLASS_SURE", "", "N", True),
        ("SLA_CLASS_SURE", "Y", "N", False),
        ("SLA_CLASS_WHY", "текст ", "текст", True),
    ],
)
def test_values_that_mean_one_thing(code: str, one: str, other: str, wanted: bool) -> None:
    assert same(code, one, other) is wanted


def test_names_fit_the_portals_fifty_signs() -> None:
    assert all(len(f"UF_CRM_1000_{card_field.code}") <= 50 for card_field in EVERY_FIELD)
    assert len(BY_CODE) == len(EVERY_FIELD)
