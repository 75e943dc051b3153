"""REST methods over user fields; who may, under which names, in which shape."""

from collections.abc import Callable
from typing import Any

from . import errors, query, userfields
from .query import Column
from .registry import Call, Page, integer, mapping, rest, whole
from .userfields import LABELS
from .world import Option, Record, UserField

_DENIED = errors.classic("Access denied.")


def _columns() -> dict[str, Column]:
    def key(name: str) -> Callable[[UserField], Any]:
        return lambda field: userfields.row(field, labels=None).get(name)

    columns = {name: Column("string", key(name)) for name in _FILTERABLE}
    columns["ID"] = Column("integer", lambda field: field.id)
    columns["SORT"] = Column("integer", lambda field: field.sort)
    return columns


_FILTERABLE = (
    "ENTITY_ID",
    "FIELD_NAME",
    "USER_TYPE_ID",
    "XML_ID",
    "MULTIPLE",
    "MANDATORY",
    "SHOW_FILTER",
    "LANG",
)


def _ignore(name: str) -> None:
    """These lists ignore names they do not know."""


def _chosen(call: Call, fields: list[UserField], conditions: Record, order: Any) -> list[UserField]:
    zone = call.world.profile.portal_zone
    rows = query.chosen(fields, conditions, _columns(), zone, _ignore)
    return query.in_order(rows, order, _columns(), "ID", _ignore)


def _deal_field(call: Call) -> UserField:
    call.needs_admin(_DENIED)
    found = userfields.find(call, integer(call.classic("id")), "CRM_DEAL")
    if found is None:
        raise errors.classic("The entity with ID is not found.")
    return found


@rest("crm.deal.userfield.list", "crm")
def deal_list(call: Call) -> Any:
    conditions = dict(mapping(call.classic("filter")))
    language = str(conditions.pop("LANG", "ru"))
    mine = [one for one in call.world.userfields if one.entity == "CRM_DEAL"]
    rows = _chosen(call, mine, conditions, call.classic("order"))
    return Page([userfields.row(one, labels=True, language=language) for one in rows], len(rows))


@rest("crm.deal.userfield.get", "crm")
def deal_get(call: Call) -> Any:
    return userfields.row(_deal_field(call), labels=False)


@rest("crm.deal.userfield.add", "crm")
def deal_add(call: Call) -> Any:
    call.needs_admin(_DENIED)
    fields = mapping(call.classic("fields"))
    for name in ("USER_TYPE_ID", "FIELD_NAME"):
        if not fields.get(name):
            raise errors.classic(f"The '{name}' field is not found.")
    name = userfields.full_name(fields["FIELD_NAME"], "UF_CRM_")
    kind = str(fields["USER_TYPE_ID"])
    return userfields.create(call.world, "CRM_DEAL", name, kind, fields, userfields.CRM_TYPES).id


@rest("crm.deal.userfield.update", "crm")
def deal_update(call: Call) -> Any:
    field = _deal_field(call)
    userfields.change(call.world, field, mapping(call.classic("fields")))
    return True


@rest("crm.deal.userfield.delete", "crm")
def deal_delete(call: Call) -> Any:
    userfields.remove(call.world, _deal_field(call))
    return True


# userfieldconfig.*: camelCase names, options in `enum`; UPPER_SNAKE inside `settings`

_CAMEL = {
    "id": "ID", "entityId": "ENTITY_ID", "fieldName": "FIELD_NAME", "userTypeId": "USER_TYPE_ID",
    "xmlId": "XML_ID",
    "sort": "SORT", "multiple": "MULTIPLE", "mandatory": "MANDATORY", "showFilter": "SHOW_FILTER",
    "showInList": "SHOW_IN_LIST", "editInList": "EDIT_IN_LIST", "isSearchable": "IS_SEARCHABLE",
    "settings": "SETTINGS", "editFormLabel": "EDIT_FORM_LABEL", "listColumnLabel": "LIST_COLUMN_LABEL",
    "listFilterLabel": "LIST_FILTER_LABEL", "errorMessage": "ERROR_MESSAGE", "helpMessage": "HELP_MESSAGE",
}  # fmt: skip
_IGNORED = {"showInList", "listColumnLabel", "listFilterLabel", "errorMessage"}


def _upper(field: Record) -> Record:
    """The settings in UPPER_SNAKE; those that userfieldconfig ignores are left out (rest.md 4.5)."""
    fields = {_CAMEL[name]: value for name, value in field.items() if name in _CAMEL and name not in _IGNORED}
    options = [{_OPTION.get(name, name): value for name, value in one.items()} for one in _options(field)]
    return fields | ({"LIST": options} if options else {})


_OPTION = {"id": "ID", "value": "VALUE", "def": "DEF", "sort": "SORT", "xmlId": "XML_ID", "del": "DEL"}


def _options(field: Record) -> list[Record]:
    return [one for one in mapping(field.get("enum")).values() if isinstance(one, dict)]


def _config_row(field: UserField, language: str | None, *, with_enum: bool) -> Record:
    """All languages, or the one asked for: then labels are null when there is none in it."""
    base = userfields.row(field, labels=None)
    answer = {camel: base[upper] for camel, upper in _CAMEL.items() if upper in base}
    answer["languageId"] = {language: language} if language else {"en": "en", "ru": "ru"}
    for camel, upper in _CAMEL.items():
        if upper in LABELS:
            answer[camel] = _config_label(field, upper, language)
    if field.type == "enumeration" and with_enum:
        answer["enum"] = [_config_option(field, one) for one in field.options]
    return answer


def _config_label(field: UserField, name: str, language: str | None) -> Record | None:
    texts = field.labels.get(name, {})
    if language is None:
        return dict(texts) or {"en": None, "ru": None}
    return {language: texts[language]} if language in texts else None


def _config_option(field: UserField, one: Option) -> Record:
    return {
        "id": str(one.id),
        "userFieldId": str(field.id),
        "value": one.value,
        "def": "Y" if one.default else "N",
        "sort": str(one.sort),
        "xmlId": one.xml_id,
    }


def _config_checked(call: Call) -> None:
    if "crm" not in call.scopes:
        raise errors.bad_scope(call.world.profile)
    call.needs_admin(errors.classic("You do not have permission to view user field settings"))
    if call.params.get("moduleId") != "crm":
        raise errors.RestError("MODULE_ID_ERROR", "moduleId is not supported")


def _config_field(call: Call) -> UserField:
    _config_checked(call)
    found = userfields.find(call, call.number("id"), "CRM_")
    if found is None:
        raise errors.RestError("ERROR_NOT_FOUND", "Поле не найдено")
    return found


@rest("userfieldconfig.list", "userfieldconfig")
def config_list(call: Call) -> Any:
    """Options are not in the list (the sample has none), only in `get`."""
    _config_checked(call)
    mine = [one for one in call.world.userfields if one.entity.startswith("CRM_")]
    conditions = {_prefixed(name): value for name, value in mapping(call.params.get("filter")).items()}
    order = {_CAMEL.get(name, name): way for name, way in mapping(call.params.get("order")).items()}
    part, total, following = query.page(_chosen(call, mine, conditions, order), call.params.get("start"))
    language = mapping(call.params.get("select")).get("language")
    return Page({"fields": [_config_row(one, language, with_enum=False) for one in part]}, total, following)


def _prefixed(name: str) -> str:
    prefix, field = query.split(name)
    return prefix + _CAMEL.get(field, field)


@rest("userfieldconfig.get", "userfieldconfig")
def config_get(call: Call) -> Any:
    return {"field": _config_row(_config_field(call), None, with_enum=True)}


@rest("userfieldconfig.add", "userfieldconfig")
def config_add(call: Call) -> Any:
    _config_checked(call)
    fields = _upper(mapping(call.exact("field")))
    entity, name = str(fields.get("ENTITY_ID", "")), str(fields.get("FIELD_NAME", "")).upper()
    if not name:
        raise errors.classic("The 'FIELD_NAME' field is not found.")
    prefix = _config_prefix(call, entity)
    if not name.startswith(prefix):
        raise errors.core(f"Код поля должен начинаться с {prefix}")
    kind = str(fields.get("USER_TYPE_ID", ""))
    made = userfields.create(call.world, entity, name, kind, fields, userfields.CRM_TYPES)
    return {"field": _config_row(made, None, with_enum=True)}


def _config_prefix(call: Call, entity: str) -> str:
    """Smart processes want their type's id in the name: `UF_CRM_7_`."""
    tail = entity.removeprefix("CRM_")
    if not whole(tail):
        return "UF_CRM_"
    if all(one.id != int(tail) for one in call.world.types.values()):
        raise errors.RestError("ERROR_ENTITY_NOT_FOUND", f"{entity} is not found")
    return f"UF_CRM_{tail}_"


@rest("userfieldconfig.update", "userfieldconfig")
def config_update(call: Call) -> Any:
    field = _config_field(call)
    userfields.change(call.world, field, _upper(mapping(call.exact("field"))))
    return {"field": _config_row(field, None, with_enum=True)}


@rest("userfieldconfig.delete", "userfieldconfig")
def config_delete(call: Call) -> Any:
    userfields.remove(call.world, _config_field(call))
    return None


# task.item.userfield.*: positional names PARAMS, ID, DATA; three system fields come along

TASK_SYSTEM: tuple[tuple[str, str, bool, str, Record], ...] = (
    ("UF_CRM_TASK", "crm", True, "", {"LEAD": "Y", "CONTACT": "Y", "COMPANY": "Y", "DEAL": "Y"}),
    ("UF_MAIL_MESSAGE", "mail_message", False, "", {}),
    (
        "UF_TASK_WEBDAV_FILES", "disk_file", True, "TASK_WEBDAV_FILES",
        {"IBLOCK_ID": 0, "SECTION_ID": 0, "UF_TO_SAVE_ALLOW_EDIT": ""},
    ),
)  # fmt: skip


def _task_system() -> list[UserField]:
    return [
        UserField(
            20 + place, "TASKS_TASK", name, kind, many, xml_id=xml_id, settings=settings,
            show_in_list="N", edit_in_list="N",
        )
        for place, (name, kind, many, xml_id, settings) in enumerate(TASK_SYSTEM)
    ]  # fmt: skip


def _task_field(call: Call, number: Any) -> UserField:
    found = userfields.find(call, integer(number), "TASKS_TASK")
    if found is None:
        raise errors.core("Поле не найдено")
    return found


@rest("task.item.userfield.getlist", "task")
def task_list(call: Call) -> Any:
    """`total` is always 0 (rest.md 1.6)."""
    mine = _task_system() + [one for one in call.world.userfields if one.entity == "TASKS_TASK"]
    rows = _chosen(call, mine, mapping(call.classic("filter")), call.classic("order"))
    return Page([userfields.row(one, labels=None) for one in rows], 0)


@rest("task.item.userfield.add", "task")
def task_add(call: Call) -> Any:
    call.needs_admin(errors.core("Доступ запрещен"))
    fields = mapping(call.classic("params") or call.position(0))
    for name in ("USER_TYPE_ID", "FIELD_NAME"):
        if not fields.get(name):
            raise errors.core(f"The '{name}' field is not found.")
    name = userfields.full_name(fields["FIELD_NAME"], "UF_")
    kind = str(fields["USER_TYPE_ID"])
    return userfields.create(call.world, "TASKS_TASK", name, kind, fields, userfields.TASK_TYPES).id


@rest("task.item.userfield.get", "task")
def task_get(call: Call) -> Any:
    return userfields.row(_task_field(call, call.classic("id") or call.position(0)), labels=False)


@rest("task.item.userfield.update", "task")
def task_update(call: Call) -> Any:
    call.needs_admin(errors.core("Доступ запрещен"))
    field = _task_field(call, call.classic("id") or call.position(0))
    userfields.change(call.world, field, mapping(call.classic("data") or call.position(1)))
    return True


@rest("task.item.userfield.delete", "task")
def task_delete(call: Call) -> Any:
    call.needs_admin(errors.core("Доступ запрещен"))
    userfields.remove(call.world, _task_field(call, call.classic("id") or call.position(0)))
    return True
