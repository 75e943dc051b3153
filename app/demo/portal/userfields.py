"""Custom fields of deals, smart processes and tasks: what they are and what is refused (rest.md 4.5, 5.2)."""

import re
from hashlib import md5
from typing import Any

from . import errors, items
from .php import listed
from .registry import Call, integer, yes
from .world import Option, Record, UserField, World

LABELS = ("EDIT_FORM_LABEL", "LIST_COLUMN_LABEL", "LIST_FILTER_LABEL", "ERROR_MESSAGE", "HELP_MESSAGE")
LONGEST = 50
CRM_TYPES = frozenset(
    "string integer double boolean date datetime money url address enumeration file employee crm_status crm "
    "iblock_section iblock_element resourcebooking".split()
)
TASK_TYPES = frozenset({"string", "double", "datetime", "boolean"})
_SETTINGS: dict[str, Record] = {
    "string": {"SIZE": 20, "ROWS": 1, "REGEXP": "", "MIN_LENGTH": 0, "MAX_LENGTH": 0, "DEFAULT_VALUE": ""},
    "double": {"PRECISION": 0, "SIZE": 20, "MIN_VALUE": 0, "MAX_VALUE": 0, "DEFAULT_VALUE": 0},
    "integer": {"SIZE": 20, "MIN_VALUE": 0, "MAX_VALUE": 0, "DEFAULT_VALUE": ""},
    "boolean": {"DEFAULT_VALUE": 0, "DISPLAY": "CHECKBOX", "LABEL": ["", ""], "LABEL_CHECKBOX": ""},
    "datetime": {"DEFAULT_VALUE": {"TYPE": "NONE", "VALUE": ""}, "USE_SECOND": "Y", "USE_TIMEZONE": "N"},
    "enumeration": {"DISPLAY": "LIST", "LIST_HEIGHT": 1, "CAPTION_NO_VALUE": "", "SHOW_NO_VALUE": "Y"},
}


def full_name(raw: Any, prefix: str) -> str:
    """The whole name: `SLA` and `UF_SLA` become `UF_CRM_SLA`; lower case is raised."""
    name = str(raw or "").upper()
    if name.startswith(prefix):
        return name
    return prefix + name.removeprefix("UF_")


def create(
    world: World, entity: str, name: str, kind: str, fields: Record, allowed: frozenset[str]
) -> UserField:
    """A new field from UPPER_SNAKE settings. Raises RestError for what the product refuses."""
    if kind not in allowed and not kind.startswith("rest_"):
        raise errors.core(f"Тип «{kind}» не поддерживается")
    if len(name) > LONGEST:
        raise errors.core(f"Длина кода поля не может превышать {LONGEST} символов")
    if not re.fullmatch(r"UF_[A-Z0-9_]+", name):
        raise errors.core("Код поля содержит недопустимые символы (допустимы A-Z, 0-9, _)")
    if name in items.user_fields(world, entity):
        raise errors.core(f"Поле {name} уже существует")
    multiple = yes(fields.get("MULTIPLE"))
    if kind == "boolean" and multiple:
        raise errors.core("Поле типа «Да/Нет» не может быть множественным")
    field = UserField(world.next_id("userfield"), entity, name, kind, multiple)
    field.settings = dict(_SETTINGS.get(kind, {}))
    if kind == "enumeration":
        field.settings |= {"SHOW_NO_VALUE": "Y"}
    change(world, field, fields)
    world.userfields.append(field)
    return field


def change(world: World, field: UserField, fields: Record) -> None:
    """Apply UPPER_SNAKE settings; absent keys keep what they are."""
    if "MANDATORY" in fields:
        field.mandatory = yes(fields["MANDATORY"])
    if fields.get("XML_ID") is not None:
        field.xml_id = str(fields["XML_ID"])
    field.sort = integer(fields.get("SORT", field.sort)) or field.sort
    field.show_filter = _letter(fields, "SHOW_FILTER", field.show_filter)
    field.show_in_list = _letter(fields, "SHOW_IN_LIST", field.show_in_list)
    field.edit_in_list = _letter(fields, "EDIT_IN_LIST", field.edit_in_list)
    field.searchable = _letter(fields, "IS_SEARCHABLE", field.searchable)
    if isinstance(fields.get("SETTINGS"), dict):
        field.settings |= fields["SETTINGS"]
    _change_labels(field, fields)
    if fields.get("LIST"):
        _change_options(world, field, listed(fields["LIST"]))


def _letter(fields: Record, name: str, current: str) -> str:
    value = str(fields.get(name, current)).upper()
    return "E" if name == "SHOW_FILTER" and value == "Y" else value


def _change_labels(field: UserField, fields: Record) -> None:
    common = fields.get("LABEL")
    for name in LABELS:
        given = fields.get(name, common)
        if isinstance(given, dict):
            field.labels[name] = {**field.labels.get(name, {}), **given}
        elif given is not None:
            field.labels[name] = {"ru": str(given), "en": str(given)}


def _change_options(world: World, field: UserField, rows: list[Any]) -> None:
    """Options with an ID are changed (DEL drops), others are added."""
    known = {one.id: one for one in field.options}
    for row in rows:
        old = known.get(integer(row.get("ID")))
        if old is None:
            field.options.append(_new_option(world, row))
        elif yes(row.get("DEL")):
            field.options.remove(old)
        else:
            old.value, old.sort = str(row.get("VALUE", old.value)), integer(row.get("SORT", old.sort))
            old.xml_id = str(row.get("XML_ID", old.xml_id))
    field.options.sort(key=lambda one: (one.sort, one.id))


def _new_option(world: World, row: Record) -> Option:
    """An option without an XML_ID gets an invented one."""
    number = world.next_id("option")
    xml_id = str(row.get("XML_ID") or md5(f"option {number}".encode(), usedforsecurity=False).hexdigest())
    sort = integer(row.get("SORT")) or 100
    return Option(number, str(row.get("VALUE", "")), xml_id, sort, yes(row.get("DEF")))


def remove(world: World, field: UserField) -> None:
    """The field and what it held: its values do not come back with a field of the same name."""
    world.userfields.remove(field)
    for entity_type, rows in world.items.items():
        if items.entity_code(world, entity_type) == field.entity:
            for row in rows.values():
                row.pop(field.name, None)
    if field.entity == "TASKS_TASK":
        for task in world.tasks.values():
            task.fields.pop(field.name, None)


def find(call: Call, number: int, belongs: str) -> UserField | None:
    return next(
        (one for one in call.world.userfields if one.id == number and one.entity.startswith(belongs)), None
    )


def row(field: UserField, *, labels: bool | None, language: str = "ru") -> Record:
    """A field in UPPER_SNAKE. `labels`: True one language, False all, None left out (tasks)."""
    answer: Record = {
        "ID": str(field.id),
        "ENTITY_ID": field.entity,
        "FIELD_NAME": field.name,
        "USER_TYPE_ID": field.type,
        "XML_ID": field.xml_id,
        "SORT": str(field.sort),
        "MULTIPLE": "Y" if field.multiple else "N",
        "MANDATORY": "Y" if field.mandatory else "N",
        "SHOW_FILTER": field.show_filter,
        "SHOW_IN_LIST": field.show_in_list,
        "EDIT_IN_LIST": field.edit_in_list,
        "IS_SEARCHABLE": field.searchable,
        "SETTINGS": field.settings,
    }
    if labels is not None:
        answer |= {
            name: _label(field, name, language) if labels else _all_labels(field, name) for name in LABELS
        }
    if field.type == "enumeration":
        answer["LIST"] = [_option_row(one) for one in field.options]
    return answer


def _label(field: UserField, name: str, language: str) -> str | None:
    texts = field.labels.get(name, {})
    return texts.get(language) or texts.get("ru") or next(iter(texts.values()), None)


def _all_labels(field: UserField, name: str) -> dict[str, str | None]:
    return {"en": "", "ru": ""} | field.labels.get(name, {})


def _option_row(one: Option) -> Record:
    flag = "Y" if one.default else "N"
    return {"ID": str(one.id), "SORT": str(one.sort), "VALUE": one.value, "DEF": flag, "XML_ID": one.xml_id}
