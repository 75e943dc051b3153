"""crm.item.*: the universal methods (rest.md 4.3). Names are exact camelCase, answers are typed."""

from collections.abc import Callable
from typing import Any

from . import errors, items, query, values
from .directories import default_category, directory_of
from .fields import COMPANY, CONTACT, LEAD, camel_uf, system_fields
from .query import Column
from .registry import Call, Page, integer, mapping, rest, yes
from .world import Record, UserField, World

_WITH_FM = (LEAD, CONTACT, COMPANY)


def entity_type_of(call: Call) -> int:
    number = call.number("entityTypeId")
    if not items.known_type(call.world, number):
        raise errors.type_not_found()
    return number


def _found(call: Call, entity_type: int) -> Record:
    number = call.number("id")
    item = items.find(call.world, entity_type, number)
    if item is None:
        raise errors.item_not_found()
    if not visible(call, entity_type, item):
        raise errors.item_no_access()
    return item


def visible(call: Call, entity_type: int, item: Record) -> bool:
    place = (entity_type, item.get("categoryId") or 0)
    return call.sees(entity_type, item["id"]) and place not in call.world.hidden_categories


def original_names(call: Call) -> bool:
    """An older CRM does not know the flag (rest.md 4.3)."""
    return yes(call.params.get("useOriginalUfNames")) and call.world.profile.original_names


def uf_name(field: UserField, original: bool) -> str:
    return field.name if original else camel_uf(field.name)


def shown(world: World, entity_type: int, item: Record, original: bool) -> Record:
    """A whole item as crm.item.* answers it."""
    zone = world.profile.portal_zone
    answer: Record = {}
    for name, info in system_fields(entity_type).items():
        value = values.universal(info.type, item.get(name), zone)
        answer[name] = info.empty if value is None else value
    if entity_type in _WITH_FM:
        answer["fm"] = item.get("fm", [])
        _show_contacts(answer)
    for name in items.parent_names(world, entity_type):
        answer[name] = item.get(name)
    for field in items.fields_of(world, entity_type).values():
        answer[uf_name(field, original)] = _shown_uf(world, field, item.get(field.name))
    return answer | {"entityTypeId": entity_type}


def _show_contacts(answer: Record) -> None:
    for one in answer["fm"]:
        kind = one["typeId"].lower()
        flag = f"has{kind.capitalize()}"
        answer[flag] = "Y"
        if kind in answer:
            answer[kind] = answer[f"{kind}Work"] = one["value"]


def _shown_uf(world: World, field: UserField, value: Any) -> Any:
    if value is None:
        return [] if field.multiple else "N" if field.type == "boolean" else None
    return values.universal(field.type, value, world.profile.portal_zone)


def columns_of(world: World, entity_type: int, original: bool) -> dict[str, Column]:
    """What filters and orders of crm.item.list may name."""
    columns = {name: Column(info.type, _field(name)) for name, info in system_fields(entity_type).items()}
    for name in items.parent_names(world, entity_type):
        columns[name] = Column("crm_entity", _field(name))
    for field in items.fields_of(world, entity_type).values():
        columns[uf_name(field, original)] = Column(field.type, _field(field.name), user_field=True)
    return columns


def _field(name: str) -> Callable[[Record], Any]:
    return lambda item: item.get(name)


def read_fields(call: Call, entity_type: int) -> Record:
    """The `fields` of a call under the names kept; an unknown converted name stays and is ignored later."""
    raw = call.exact("fields")
    if not isinstance(raw, dict):
        raise errors.missing("fields")
    if original_names(call):
        return raw
    known = {camel_uf(name): name for name in items.fields_of(call.world, entity_type)}
    return {known.get(str(name), str(name)): value for name, value in raw.items()}


@rest("crm.item.get", "crm")
def get(call: Call) -> Any:
    entity_type = entity_type_of(call)
    item = _found(call, entity_type)
    return {"item": shown(call.world, entity_type, item, original_names(call))}


@rest("crm.item.list", "crm")
def list_(call: Call) -> Any:
    entity_type = entity_type_of(call)
    original, zone = original_names(call), call.world.profile.portal_zone
    columns = columns_of(call.world, entity_type, original)
    rows = [
        item for item in call.world.items.get(entity_type, {}).values() if visible(call, entity_type, item)
    ]
    rows = query.chosen(rows, call.params.get("filter"), columns, zone, _refuse("filter"))
    rows = query.in_order(rows, _order(call), columns, "id", _refuse("order"))
    part, total, following = query.page(rows, call.params.get("start"))
    wanted = _selected(call)
    shown_rows = [_cut(shown(call.world, entity_type, item, original), wanted, call.world) for item in part]
    return Page({"items": shown_rows}, total, following)


def _order(call: Call) -> Any:
    """`ID` is taken for `id`: fast-bitrix24 sends nothing else, and real portals answer it."""
    raw = mapping(call.params.get("order"))
    return {"id" if name == "ID" else name: way for name, way in raw.items()}


def _refuse(place: str) -> Callable[[str], None]:
    def refuse(name: str) -> None:
        raise errors.bad_value(f"Invalid {place}: field '{name}' is not allowed in {place}")

    return refuse


def _selected(call: Call) -> list[str] | None:
    """Names to answer; None for all. `fm` comes only with `*`."""
    raw = call.params.get("select")
    names = [str(name) for name in mapping(raw).values()] if raw else []
    return None if not names or "*" in names else ["id", *names]


def _cut(item: Record, wanted: list[str] | None, world: World) -> Record:
    if wanted is None:
        return item if world.profile.all_has_own else _without_own(item)
    for name in wanted:
        if name not in item:
            world.unknown_fields.append(f"select {item['entityTypeId']}.{name}")
    return {name: value for name, value in item.items() if name in wanted and name != "fm"}


def _without_own(item: Record) -> Record:
    return {name: value for name, value in item.items() if not name.lower().startswith("uf")}


@rest("crm.item.add", "crm")
def add(call: Call) -> Any:
    entity_type = entity_type_of(call)
    item = items.create(call.world, entity_type, read_fields(call, entity_type), call.user)
    return {"item": shown(call.world, entity_type, item, original_names(call))}


@rest("crm.item.update", "crm")
def update(call: Call) -> Any:
    entity_type = entity_type_of(call)
    item = _found(call, entity_type)
    changed = items.update(call.world, entity_type, item, read_fields(call, entity_type), call.user)
    call.world.count_write(entity_type, item["id"], changed)
    return {"item": shown(call.world, entity_type, item, original_names(call))}


@rest("crm.item.delete", "crm")
def delete(call: Call) -> Any:
    entity_type = entity_type_of(call)
    items.delete(call.world, entity_type, _found(call, entity_type)["id"])
    return []


@rest("crm.item.fields", "crm")
def fields(call: Call) -> Any:
    entity_type = entity_type_of(call)
    world, original = call.world, original_names(call)
    described = {
        name: _described(info.type, name, info.upper, read_only=info.read_only, multiple=info.multiple)
        for name, info in system_fields(entity_type).items()
    }
    for name, more in _MORE_ABOUT.items():
        if name in described:
            described[name] |= more
    for name, directory in _directories(world, entity_type).items():
        if name in described:
            described[name]["statusType"] = directory
    if "contactIds" in described:
        described["contacts"] = _described("crm_contact", "contacts", "CONTACTS", multiple=True)
    for name, parent in items.parent_names(world, entity_type).items():
        described[name] = _described("crm_entity", name, f"PARENT_ID_{parent}")
        described[name]["settings"] = {"parentEntityTypeId": parent}
    for field in items.fields_of(world, entity_type).values():
        described[uf_name(field, original)] = _described_uf(field)
    return {"fields": described}


def _directories(world: World, entity_type: int) -> dict[str, str]:
    """Which status directory a field's values are from; stages: that of the default funnel."""
    stages = directory_of(entity_type, default_category(world, entity_type)).code
    return {"stageId": stages, "previousStageId": stages, "sourceId": "SOURCE"}


_MORE_ABOUT: dict[str, Record] = {
    "companyId": {"settings": {"parentEntityTypeId": COMPANY}},
    "contactId": {"isDeprecated": True},
    "mycompanyId": {
        "settings": {"isMyCompany": True, "parentEntityTypeId": COMPANY, "isEmbeddedEditorEnabled": True}
    },
}


def _described(
    kind: str, title: str, upper: str, *, read_only: bool = False, multiple: bool = False
) -> Record:
    return {
        "type": kind,
        "isRequired": False,
        "isReadOnly": read_only,
        "isImmutable": False,
        "isMultiple": multiple,
        "isDynamic": False,
        "title": title,
        "upperName": upper,
    }


def _described_uf(field: UserField) -> Record:
    label = field.labels.get("EDIT_FORM_LABEL", {}).get("ru") or field.name
    described = _described(field.type, label, field.name, multiple=field.multiple)
    described |= {"isRequired": field.mandatory, "isDynamic": True}
    if field.type == "enumeration":
        described["items"] = [{"ID": str(one.id), "VALUE": one.value} for one in field.options]
    return described | {"settings": field.settings}


@rest("crm.item.details.configuration.get", "crm")
def layout(call: Call) -> Any:
    return call.world.layouts.get(_layout_key(call))


@rest("crm.item.details.configuration.set", "crm")
def set_layout(call: Call) -> Any:
    """Replaces the whole layout; the common one needs an administrator (rest.md 4.9)."""
    if str(call.params.get("scope", "P")).upper() == "C":
        call.needs_admin(errors.item_no_access())
    data = call.exact("data")
    call.world.layouts[_layout_key(call)] = list(mapping(data).values())
    return True


def _layout_key(call: Call) -> tuple[Any, ...]:
    extras = mapping(call.params.get("extras"))
    category = next((extras[name] for name in ("categoryId", "dealCategoryId") if name in extras), 0)
    scope = str(call.params.get("scope", "P")).upper()
    raw = call.params.get("userId")
    person = None if scope == "C" else integer(raw) or call.user
    return entity_type_of(call), int(category or 0), scope, person
