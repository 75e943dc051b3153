"""Activities of the timeline: e-mails, calls, to-dos, open lines (rest.md 4.8). Answers are strings."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import errors, items, query
from .php import listed
from .query import Column
from .registry import Call, Page, integer, mapping, rest, yes
from .times import read_instant, written
from .world import Owner, Record, World

MEETING, CALL, TASK, EMAIL, PROVIDED = 1, 2, 3, 4, 6
_INSTANTS = ("CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE")
_PROVIDERS = {
    CALL: ("VOXIMPLANT_CALL", "CALL"),
    EMAIL: ("CRM_EMAIL", "EMAIL"),
    MEETING: ("CRM_MEETING", "MEETING"),
    TASK: ("CRM_TASKS_TASK", "TASKS_TASK"),
}
_TEXTS = ("SUBJECT", "DESCRIPTION", "LOCATION", "COMPLETED", "PROVIDER_ID", "PROVIDER_TYPE_ID")
_NUMBERS = (
    "TYPE_ID",
    "DIRECTION",
    "RESPONSIBLE_ID",
    "PRIORITY",
    "STATUS",
    "DESCRIPTION_TYPE",
    "ASSOCIATED_ENTITY_ID",
)
_PLAIN: Record = {
    "PROVIDER_GROUP_ID": None, "SETTINGS": {}, "ORIGINATOR_ID": None, "ORIGIN_ID": None,
    "PROVIDER_PARAMS": {},
    "PROVIDER_DATA": None, "RESULT_MARK": 0, "RESULT_VALUE": None, "RESULT_SUM": None,
    "RESULT_CURRENCY_ID": None,
    "RESULT_STATUS": 0, "RESULT_STREAM": 0, "RESULT_SOURCE_ID": None, "AUTOCOMPLETE_RULE": 0,
    "NOTIFY_TYPE": 1, "NOTIFY_VALUE": 15,
}  # fmt: skip


def create(world: World, owner: Owner, fields: Record, by: int, bindings: tuple[Owner, ...] = ()) -> Record:
    """A new activity from UPPER_SNAKE fields (instants aware); the owner is the first binding."""
    at = world.instant()
    provider = _PROVIDERS.get(fields.get("TYPE_ID", PROVIDED), ("CRM_TODO", "TODO"))
    made: Record = {
        "ID": world.next_id("activity"), "owner": owner, "bindings": [owner, *bindings],
        "TYPE_ID": PROVIDED, "PROVIDER_ID": provider[0], "PROVIDER_TYPE_ID": provider[1],
        "ASSOCIATED_ENTITY_ID": 0,
        "SUBJECT": "", "DESCRIPTION": "", "DESCRIPTION_TYPE": 1, "LOCATION": "",
        "CREATED": at, "LAST_UPDATED": at, "START_TIME": at, "END_TIME": at, "DEADLINE": at,
        "COMPLETED": "N", "STATUS": 1, "RESPONSIBLE_ID": by, "PRIORITY": 2, "DIRECTION": 0,
        "AUTHOR_ID": by, "EDITOR_ID": by, "COMMUNICATIONS": [], **_PLAIN, **fields,
    }  # fmt: skip
    made["STATUS"] = 2 if made["COMPLETED"] == "Y" else 1
    world.activities[made["ID"]] = made
    for kind, number in made["bindings"]:
        items.touch(world, kind, number, by)
    world.events.raise_event("ONCRMACTIVITYADD", {"FIELDS": {"ID": made["ID"]}}, by)
    return made


def change(world: World, activity: Record, fields: Record, by: int) -> bool:
    """Change an activity; nothing different, nothing said."""
    changes = {name: value for name, value in fields.items() if activity.get(name) != value}
    if not changes:
        return False
    activity.update(changes, LAST_UPDATED=world.instant(), EDITOR_ID=by)
    activity["STATUS"] = 2 if activity["COMPLETED"] == "Y" else 1
    world.events.raise_event("ONCRMACTIVITYUPDATE", {"FIELDS": {"ID": activity["ID"]}}, by)
    return True


def remove(world: World, number: int) -> bool:
    if world.activities.pop(number, None) is None:
        return False
    world.events.raise_event("ONCRMACTIVITYDELETE", {"FIELDS": {"ID": number}})
    return True


def shown(world: World, activity: Record) -> Record:
    zone = world.profile.portal_zone
    kind, number = activity["owner"]
    answer: Record = {name: activity[name] for name in _ORDER if name in activity}
    answer |= {"OWNER_ID": number, "OWNER_TYPE_ID": kind}
    for name in _INSTANTS:
        answer[name] = written(activity[name], zone)
    return {name: _string(answer[name]) for name in _ORDER}


def _string(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


_ORDER = (
    "ID", "OWNER_ID", "OWNER_TYPE_ID", "TYPE_ID", "PROVIDER_ID", "PROVIDER_TYPE_ID", "PROVIDER_GROUP_ID",
    "ASSOCIATED_ENTITY_ID", "SUBJECT", "CREATED", "LAST_UPDATED", "START_TIME", "END_TIME", "DEADLINE",
    "COMPLETED",
    "STATUS", "RESPONSIBLE_ID", "PRIORITY", "NOTIFY_TYPE", "NOTIFY_VALUE", "DESCRIPTION", "DESCRIPTION_TYPE",
    "DIRECTION", "LOCATION", "SETTINGS", "ORIGINATOR_ID", "ORIGIN_ID", "AUTHOR_ID", "EDITOR_ID",
    "PROVIDER_PARAMS",
    "PROVIDER_DATA", "RESULT_MARK", "RESULT_VALUE", "RESULT_SUM", "RESULT_CURRENCY_ID", "RESULT_STATUS",
    "RESULT_STREAM", "RESULT_SOURCE_ID", "AUTOCOMPLETE_RULE",
)  # fmt: skip


def _columns() -> dict[str, Column]:
    def key(name: str) -> Callable[[Record], Any]:
        return lambda activity: activity.get(name)

    columns = {name: Column("string", key(name)) for name in _ORDER}
    columns |= {name: Column("integer", key(name)) for name in ("ID", *_NUMBERS, "AUTHOR_ID", "EDITOR_ID")}
    columns |= {name: Column("datetime", key(name)) for name in _INSTANTS}
    columns["OWNER_TYPE_ID"] = Column("integer", lambda activity: activity["owner"][0])
    columns["OWNER_ID"] = Column("integer", lambda activity: activity["owner"][1])
    return columns


_COLUMNS = _columns()


@rest("crm.activity.list", "crm")
def list_(call: Call) -> Any:
    conditions = dict(mapping(call.classic("filter")))
    rows = [one for one in call.world.activities.values() if _visible(call, one)]
    rows = _bound(rows, conditions)
    zone = call.world.profile.portal_zone
    rows = query.chosen(rows, conditions, _COLUMNS, zone, _noted(call))
    rows = query.in_order(rows, call.classic("order"), _COLUMNS, "START_TIME", _noted(call))
    part, total, following = query.page(rows, call.classic("start"))
    names = {str(name) for name in listed(call.classic("select"))}
    return Page([_cut(call.world, one, names) for one in part], total, following)


def _noted(call: Call) -> Callable[[str], None]:
    return lambda name: call.world.unknown_fields.append(f"crm.activity.list {name}")


def _visible(call: Call, activity: Record) -> bool:
    return any(call.sees(kind, number) for kind, number in activity["bindings"])


def _bound(rows: list[Record], conditions: Record) -> list[Record]:
    """`BINDINGS: [{OWNER_TYPE_ID, OWNER_ID}]`: also as a second owner, unlike OWNER_* (rest.md 4.8)."""
    raw = conditions.pop("BINDINGS", None)
    if raw is None:
        return rows
    if isinstance(raw, dict) and "OWNER_ID" in raw:
        raw = [raw]
    owners = {(integer(one.get("OWNER_TYPE_ID")), integer(one.get("OWNER_ID"))) for one in listed(raw)}
    return [row for row in rows if owners & set(row["bindings"])]


def _cut(world: World, activity: Record, names: set[str]) -> Record:
    answer = shown(world, activity)
    if names and "*" not in names:
        answer = {name: value for name, value in answer.items() if name in names | {"ID"}}
    if "COMMUNICATIONS" in names:
        answer["COMMUNICATIONS"] = activity["COMMUNICATIONS"]
    if "BINDINGS" in names:
        answer["BINDINGS"] = [
            {"OWNER_TYPE_ID": str(kind), "OWNER_ID": str(number)} for kind, number in activity["bindings"]
        ]
    return answer


def _found(call: Call) -> Record:
    activity = call.world.activities.get(integer(call.classic("id")))
    if activity is None:
        raise errors.classic("Activity not found.")
    if not _visible(call, activity):
        raise errors.classic("Access denied.")
    return activity


@rest("crm.activity.get", "crm")
def get(call: Call) -> Any:
    return shown(call.world, _found(call))


def _owner(call: Call, kind: Any, number: Any) -> Owner:
    owner = (integer(kind), integer(number))
    if not items.known_type(call.world, owner[0]) or items.find(call.world, *owner) is None:
        raise errors.RestError("OWNER_NOT_FOUND", "Элемент, к которому добавляется дело, не найден")
    if not call.sees(*owner):
        raise errors.classic("Access denied.")
    return owner


def _written(call: Call, fields: Record) -> Record:
    zone = call.world.profile.portal_zone
    read: Record = {name: str(fields[name]) for name in _TEXTS if name in fields}
    read |= {name: integer(fields[name]) for name in _NUMBERS if name in fields}
    for name in ("START_TIME", "END_TIME", "DEADLINE"):
        at = read_instant(fields.get(name), zone)
        read |= {name: at} if at else {}
    if "COMMUNICATIONS" in fields:
        read["COMMUNICATIONS"] = listed(fields["COMMUNICATIONS"])
    if "COMPLETED" in read:
        read["COMPLETED"] = "Y" if yes(fields["COMPLETED"]) else "N"
    return read


@rest("crm.activity.add", "crm")
def add(call: Call) -> Any:
    fields = mapping(call.classic("fields"))
    owner = _owner(call, fields.get("OWNER_TYPE_ID"), fields.get("OWNER_ID"))
    kind = integer(fields.get("TYPE_ID"))
    if kind not in (MEETING, CALL, EMAIL, PROVIDED):
        raise errors.classic("The field TYPE_ID is required.")
    return create(call.world, owner, _written(call, fields), call.user)["ID"]


@rest("crm.activity.update", "crm")
def update(call: Call) -> Any:
    activity = _found(call)
    change(call.world, activity, _written(call, mapping(call.classic("fields"))), call.user)
    return True


@rest("crm.activity.delete", "crm")
def delete(call: Call) -> Any:
    return remove(call.world, _found(call)["ID"])


@rest("crm.activity.todo.add", "crm")
def add_todo(call: Call) -> Any:
    world = call.world
    kind, number = call.number("ownerTypeId"), call.number("ownerId")
    if not items.known_type(world, kind) or items.find(world, kind, number) is None:
        raise errors.RestError("NOT_FOUND", "Not found.")
    deadline = read_instant(call.exact("deadline"), world.profile.portal_zone)
    if deadline is None:
        raise errors.RestError("WRONG_DATETIME_FORMAT", "Неверный формат даты")
    return {"id": create(world, (kind, number), _todo(call, deadline), call.user)["ID"]}


def _todo(call: Call, deadline: datetime) -> Record:
    responsible = call.params.get("responsibleId")
    return {
        "TYPE_ID": PROVIDED,
        "SUBJECT": str(call.params.get("title", "")),
        "DESCRIPTION": str(call.params.get("description", "")),
        "DEADLINE": deadline,
        "RESPONSIBLE_ID": integer(responsible) or call.user,
    }
