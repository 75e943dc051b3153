"""Classic methods of deals, contacts, companies: upper-case names, answers in strings (rest.md 4.2, 4.7)."""

from collections.abc import Callable
from typing import Any

from . import crm, errors, items, query, values
from .fields import COMPANY, CONTACT, DEAL, classic_names, system_fields, upper_name
from .php import listed
from .query import Column
from .registry import Call, Page, integer, rest
from .world import Record, UserField, World

_EMPTY_MULTIPLE: dict[str, Any] = {"list": [], "false": False, "text": ""}
_PLAIN_ZERO = {"COMPANY_ID", "REVENUE"}


def shown(world: World, entity_type: int, item: Record) -> Record:
    """A whole record as a classic method answers it: strings and nulls."""
    zone = world.profile.portal_zone
    answer = {
        info.classic: _shown_value(info.classic, info.type, item.get(info.name), world)
        for info in system_fields(entity_type).values()
        if info.classic
    }
    if entity_type == DEAL:
        answer["OPPORTUNITY"], answer["TAX_VALUE"] = (
            f"{item.get(name) or 0:.2f}" for name in ("opportunity", "taxValue")
        )
    for name in items.parent_names(world, entity_type):
        answer[upper_name(name)] = values.classic("integer", item.get(name), zone)
    for field in items.fields_of(world, entity_type).values():
        answer[field.name] = _shown_uf(world, field, item.get(field.name))
    return answer | _communications(item)


def _shown_value(name: str, kind: str, value: Any, world: World) -> str | None:
    if kind == "boolean":
        return value or "N"
    if value is None and name in _PLAIN_ZERO:
        return "0"
    shown_value = values.classic(kind, value, world.profile.portal_zone)
    return shown_value if shown_value is None else str(shown_value)


def _shown_uf(world: World, field: UserField, value: Any) -> Any:
    """An empty multiple field answers [], false or an empty string: which is not known, so any of them."""
    if field.multiple and not value:
        form = world.profile.empty_multiple
        return _EMPTY_MULTIPLE[world.random.choice(list(_EMPTY_MULTIPLE)) if form == "any" else form]
    return values.classic(field.type, value, world.profile.portal_zone, user_field=True)


def _communications(item: Record) -> Record:
    """PHONE and EMAIL of a contact or a company; the key is absent when there is none."""
    answer: Record = {}
    for one in item.get("fm", []):
        row = {
            "ID": str(one["id"]),
            "VALUE_TYPE": one["valueType"],
            "VALUE": one["value"],
            "TYPE_ID": one["typeId"],
        }
        answer.setdefault(one["typeId"], []).append(row)
    for kind in list(answer):
        answer[f"HAS_{kind}"] = "Y"
    return answer


def columns_of(world: World, entity_type: int) -> dict[str, Column]:
    known = system_fields(entity_type)
    columns = {
        classic: Column(known[name].type, _field(name))
        for classic, name in classic_names(entity_type).items()
    }
    for name in items.parent_names(world, entity_type):
        columns[upper_name(name)] = Column("crm_entity", _field(name))
    for field in items.fields_of(world, entity_type).values():
        columns[field.name] = Column(field.type, _field(field.name), user_field=True)
    return columns


def _field(name: str) -> Callable[[Record], Any]:
    return lambda item: item.get(name)


def _written(world: World, entity_type: int, fields: Record) -> Record:
    names = dict(classic_names(entity_type))
    names |= {upper_name(name): name for name in items.parent_names(world, entity_type)}
    names["CONTACT_IDS"] = "contactIds"
    return {names.get(str(name).upper(), str(name)): value for name, value in fields.items()}


def _fields(call: Call) -> Record:
    fields = call.classic("fields")
    if not isinstance(fields, dict):
        raise errors.classic("Parameter 'fields' must be array.")
    return fields


def _found(call: Call, entity_type: int) -> Record:
    number = integer(call.classic("id"))
    if number <= 0:
        raise errors.classic("ID is not defined or invalid.")
    item = items.find(call.world, entity_type, number)
    if item is None:
        raise errors.classic("Not found")
    if not crm.visible(call, entity_type, item):
        raise errors.classic("Access denied.")
    return item


def _get(entity_type: int) -> Callable[[Call], Any]:
    return lambda call: shown(call.world, entity_type, _found(call, entity_type))


def _list(entity_type: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        rows = [
            one
            for one in call.world.items.get(entity_type, {}).values()
            if crm.visible(call, entity_type, one)
        ]
        columns = columns_of(call.world, entity_type)
        note = _noted(call, entity_type)
        conditions = call.classic("filter")
        if conditions and not isinstance(conditions, (dict, list)):
            raise errors.classic("Parameter 'filter' must be array.")
        rows = query.chosen(rows, conditions, columns, call.world.profile.portal_zone, note)
        rows = query.in_order(rows, call.classic("order"), columns, "ID", note)
        part, total, following = query.page(rows, call.classic("start"))
        answer = [_cut(shown(call.world, entity_type, one), call) for one in part]
        return Page(answer, total, following)

    return run


def _noted(call: Call, entity_type: int) -> Callable[[str], None]:
    """The classic lists ignore names they do not know; the test may look at what was ignored."""
    return lambda name: call.world.unknown_fields.append(f"classic {entity_type}.{name}")


def _cut(row: Record, call: Call) -> Record:
    wanted = {str(name) for name in listed(call.classic("select"))}
    if not wanted:
        return row
    return {name: value for name, value in row.items() if _wanted(name, wanted)}


def _wanted(name: str, wanted: set[str]) -> bool:
    own = name.startswith("UF_")
    return name in wanted or name == "ID" or ("UF_*" in wanted if own else "*" in wanted)


def _add(entity_type: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        fields = _written(call.world, entity_type, _fields(call))
        return items.create(call.world, entity_type, fields, call.user)["id"]

    return run


def _update(entity_type: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        item = _found(call, entity_type)
        fields = _written(call.world, entity_type, _fields(call))
        fields.pop("categoryId", None)  # cannot be changed here (rest.md 4.2)
        changed = items.update(call.world, entity_type, item, fields, call.user)
        call.world.count_write(entity_type, item["id"], changed)
        return True

    return run


def _delete(entity_type: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        return items.delete(call.world, entity_type, _found(call, entity_type)["id"])

    return run


def _fields_of(entity_type: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        described = {
            info.classic: _described(info.type, info.classic, info.read_only)
            for info in system_fields(entity_type).values()
            if info.classic
        }
        for field in items.fields_of(call.world, entity_type).values():
            described[field.name] = _described(field.type, field.name, False) | {"isDynamic": True}
        return described

    return run


def _described(kind: str, title: str, read_only: bool) -> Record:
    return {
        "type": kind,
        "isRequired": False,
        "isReadOnly": read_only,
        "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False,
        "title": title,
    }


for _type, _name in ((DEAL, "deal"), (CONTACT, "contact"), (COMPANY, "company")):
    for _verb, _make in (
        ("get", _get), ("list", _list), ("add", _add), ("update", _update), ("delete", _delete), ("fields",
        _fields_of),
    ):  # fmt: skip
        rest(f"crm.{_name}.{_verb}", "crm")(_make(_type))
