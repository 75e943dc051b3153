"""What items stand in: funnels, status directories, smart processes, stage history (rest.md 4.4)."""

from collections.abc import Callable
from typing import Any

from . import crm, directories, errors, items, query
from .fields import DEAL, LEAD, NAMES
from .php import listed
from .query import Column
from .registry import Call, Page, integer, rest, whole
from .times import written
from .world import Category, HistoryRow, Record, SmartType, World

_TYPE_SWITCHES = {
    "isCategoriesEnabled": "Y", "isStagesEnabled": "Y", "isBeginCloseDatesEnabled": "Y",
    "isClientEnabled": "Y",
    "isUseInUserfieldEnabled": "Y", "isLinkWithProductsEnabled": "N", "isMycompanyEnabled": "N",
    "isDocumentsEnabled": "N", "isSourceEnabled": "Y", "isObserversEnabled": "Y", "isRecyclebinEnabled": "Y",
    "isAutomationEnabled": "Y", "isBizProcEnabled": "N", "isSetOpenPermissions": "Y",
    "isPaymentsEnabled": "N",
    "isCountersEnabled": "N",
}  # fmt: skip


@rest("crm.category.list", "crm")
def categories(call: Call) -> Any:
    entity_type = crm.entity_type_of(call)
    shown = [
        _category(one)
        for one in directories.categories_of(call.world, entity_type)
        if (entity_type, one.id) not in call.world.hidden_categories
    ]
    return Page({"categories": shown}, len(shown))


def _category(one: Category) -> Record:
    row = {
        "id": one.id,
        "name": one.name,
        "sort": one.sort,
        "entityTypeId": one.entity_type,
        "isDefault": "Y" if one.default else "N",
    }
    general = one.entity_type == DEAL and one.id == 0
    return row if general else row | {"originId": "", "originatorId": ""}


@rest("crm.status.list", "crm")
def statuses(call: Call) -> Any:
    """No paging; a wrong ENTITY_ID gives an empty list, not an error."""
    rows = [directories.status_row(stage) for stage in call.world.stages]
    columns = {name: Column("string", _key(name)) for name in rows[0] if name not in ("EXTRA", "SORT", "ID")}
    columns |= {name: Column("integer", _number(name)) for name in ("SORT", "ID")}
    zone = call.world.profile.portal_zone
    rows = query.chosen(rows, call.classic("filter"), columns, zone, _ignore)
    rows = query.in_order(rows, call.classic("order"), columns, "SORT", _ignore)
    return Page(rows, len(rows))


def _key(name: str) -> Callable[[Record], Any]:
    return lambda row: row[name]


def _number(name: str) -> Callable[[Record], Any]:
    return lambda row: int(row[name])


def _ignore(name: str) -> None:
    """A name this list does not know changes nothing."""


@rest("crm.status.entity.types", "crm")
def status_types(call: Call) -> Any:
    world = call.world
    rows: list[Record] = [_lead_types(world)]
    rows += [{"ID": code, "NAME": code} for code in directories.PLAIN]
    return rows + [_directory_row(world, one) for one in world.categories]


def _lead_types(world: World) -> Record:
    return {
        "ID": "STATUS",
        "NAME": "Стадии лида",
        "SEMANTIC_INFO": _semantics(world, LEAD, 0),
        "ENTITY_TYPE_ID": 1,
    }


def _semantics(world: World, entity_type: int, category: int) -> Record:
    stages = directories.stages_of(world, entity_type, category)
    first = {kind: next((one.status for one in stages if one.semantics == kind), "") for kind in "PSF"}
    return {
        "START_FIELD": first["P"],
        "FINAL_SUCCESS_FIELD": first["S"],
        "FINAL_UNSUCCESS_FIELD": first["F"],
        "FINAL_SORT": 0,
    }


def _directory_row(world: World, one: Category) -> Record:
    where = directories.directory_of(one.entity_type, one.id)
    row: Record = {"ID": where.code, "NAME": one.name}
    if one.entity_type == DEAL:
        row |= {"PARENT_ID": "DEAL_STAGE"} if one.id else {}
        row["SEMANTIC_INFO"] = _semantics(world, DEAL, one.id)
        row |= {"PREFIX": where.prefix} if one.id else {}
        scope = f"category_{one.id}" if one.id else ""
        number: int | str = str(one.id) if one.id else 0
        return row | {"FIELD_ATTRIBUTE_SCOPE": scope, "ENTITY_TYPE_ID": DEAL, "CATEGORY_ID": number}
    return row | {
        "NAME": f"{world.types[one.entity_type].title} ({one.name})",
        "SEMANTIC_INFO": [],
        "PREFIX": where.prefix,
        "FIELD_ATTRIBUTE_SCOPE": f"category_{one.id}",
        "ENTITY_TYPE_ID": one.entity_type,
        "IS_ENABLED": True,
        "CATEGORY_ID": one.id,
        "CATEGORY_NAME": one.name,
        "CATEGORY_SORT": one.sort,
        "IS_DEFAULT_CATEGORY": one.default,
    }


@rest("crm.type.list", "crm")
def types(call: Call) -> Any:
    call.needs_admin(errors.item_no_access())
    rows = [_type(call.world, one) for one in call.world.types.values()]
    columns = {name: Column("string", _text(name)) for name in rows[0]} if rows else {}
    rows = query.chosen(rows, call.params.get("filter"), columns, call.world.profile.portal_zone, _ignore)
    part, total, following = query.page(rows, call.params.get("start"))
    return Page({"types": part}, total, following)


def _text(name: str) -> Callable[[Record], Any]:
    return lambda row: None if row[name] is None else str(row[name])


@rest("crm.type.get", "crm")
def type_(call: Call) -> Any:
    call.needs_admin(errors.item_no_access())
    number = call.number("id")
    found = next((one for one in call.world.types.values() if one.id == number), None)
    if found is None:
        raise errors.type_not_found()
    return {
        "type": _type(call.world, found) | {"relations": {"parent": [], "child": []}, "linkedUserFields": []}
    }


@rest("crm.type.getByEntityTypeId", "crm")
def type_by_entity(call: Call) -> Any:
    found = call.world.types.get(call.number("entityTypeId"))
    if found is None:
        raise errors.type_not_found()
    return {"type": _type(call.world, found)}


def _type(world: World, one: SmartType) -> Record:
    at = written(one.created_at, world.profile.portal_zone)
    head = {"id": one.id, "title": one.title, "code": "", "createdBy": 1, "entityTypeId": one.entity_type}
    tail = {"createdTime": at, "updatedTime": at, "updatedBy": 1}
    return head | {"customSectionId": None} | _TYPE_SWITCHES | tail


@rest("crm.stagehistory.list", "crm")
def stage_history(call: Call) -> Any:
    """Stage changes without a user, by `>ID` for catching up. Its errors have the code 0."""
    raw = call.params.get("entityTypeId")
    entity_type = integer(raw) if whole(raw) else 0
    if entity_type not in NAMES and entity_type not in call.world.types:
        raise errors.RestError(0, "Entity is not supported")
    zone = call.world.profile.portal_zone
    rows = [row for row in call.world.stage_history if row.entity_type == entity_type and _visible(call, row)]
    rows = query.chosen(rows, call.classic("filter"), _HISTORY, zone, _refuse)
    rows = query.in_order(rows, call.classic("order"), _HISTORY, "ID", _refuse)
    part, total, following = query.page(rows, call.classic("start"))
    names = {str(name) for name in listed(call.classic("select"))}
    return Page({"items": [_history_row(call.world, row, names) for row in part]}, total, following)


def _refuse(name: str) -> None:
    raise errors.RestError(0, f"Unknown field definition `{name}`")


def _visible(call: Call, row: HistoryRow) -> bool:
    item = items.find(call.world, row.entity_type, row.owner)
    return item is not None and crm.visible(call, row.entity_type, item)


_HISTORY = {
    "ID": Column("integer", lambda row: row.id),
    "TYPE_ID": Column("integer", lambda row: row.type),
    "OWNER_ID": Column("integer", lambda row: row.owner),
    "CREATED_TIME": Column("datetime", lambda row: row.at),
    "CATEGORY_ID": Column("integer", lambda row: row.category),
    "STAGE_SEMANTIC_ID": Column("string", lambda row: row.semantics),
    "STAGE_ID": Column("string", lambda row: row.stage),
}


def _history_row(world: World, row: HistoryRow, names: set[str]) -> Record:
    answer = {name: column.value(row) for name, column in _HISTORY.items()}
    answer["CREATED_TIME"] = written(row.at, world.profile.portal_zone)
    return (
        answer
        if not names or "*" in names
        else {name: answer[name] for name in answer if name in names | {"ID"}}
    )
