"""CRM items of every type: how they are created, changed, moved, deleted; what each change leaves behind."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from . import errors, values
from .directories import default_category, directory_of, find_stage, stages_of
from .fields import COMPANY, CONTACT, DEAL, LEAD, NAMES, system_fields
from .world import HistoryRow, Record, Stage, UserField, World

CREATED, INTERMEDIATE, FINAL, FUNNEL = 1, 2, 3, 5
_LINKS = {"contactId", "contactIds"}
_PLACE = {"stageId", "categoryId"}


def entity_code(world: World, entity_type: int) -> str:
    """Whose user fields an item has: CRM_DEAL, …, CRM_<type id> (not the entity type)."""
    if entity_type in NAMES:
        return f"CRM_{NAMES[entity_type]}"
    return f"CRM_{world.types[entity_type].id}"


def user_fields(world: World, entity: str) -> dict[str, UserField]:
    return {one.name: one for one in world.userfields if one.entity == entity}


def fields_of(world: World, entity_type: int) -> dict[str, UserField]:
    return user_fields(world, entity_code(world, entity_type))


def parent_names(world: World, entity_type: int) -> dict[str, int]:
    """`parentId177` → 177 for each type whose items may be parents of this one's."""
    return {f"parentId{parent}": parent for parent, child in world.relations if child == entity_type}


def kind_of(world: World, entity_type: int, name: str) -> tuple[str, bool] | None:
    """Type of a writable field and whether it is multiple; None for what nobody may write."""
    info = system_fields(entity_type).get(name)
    if info:
        return None if info.read_only else (info.type, info.multiple)
    if name in parent_names(world, entity_type):
        return "crm_entity", False
    field = fields_of(world, entity_type).get(name)
    return (field.type, field.multiple) if field else None


def event_names(entity_type: int, verb: str) -> tuple[str, ...]:
    """Deals and the like have their own events; smart processes a common and a type's one."""
    if entity_type in NAMES:
        return (f"ONCRM{NAMES[entity_type]}{verb}",)
    return (f"ONCRMDYNAMICITEM{verb}", f"ONCRMDYNAMICITEM{verb}_{entity_type}")


def announce(world: World, entity_type: int, number: int, verb: str, by: int | None = None) -> None:
    fields: Record = {"ID": number}
    if entity_type not in NAMES:
        fields["ENTITY_TYPE_ID"] = entity_type
    for name in event_names(entity_type, verb):
        world.events.raise_event(name, {"FIELDS": fields}, by)


def create(world: World, entity_type: int, written: Mapping[str, Any], by: int) -> Record:
    """A new item from camelCase and UF_ names; with its history row, its event and the robots that follow."""
    item = _blank(world, entity_type, by)
    changes = _changes(world, entity_type, item, written)
    item |= {name: value for name, value in changes.items() if name not in _LINKS | _PLACE}
    _link(item, changes)
    if "stageId" in system_fields(entity_type):
        _place(world, entity_type, item, changes)
    if not item.get("title") and entity_type not in (CONTACT, COMPANY):
        item["title"] = f"{'Сделка' if entity_type == DEAL else 'Элемент'} #{item['id']}"
    world.items.setdefault(entity_type, {})[item["id"]] = item
    if "stageId" in item:
        _log(world, entity_type, item, CREATED)
    announce(world, entity_type, item["id"], "ADD", by)
    for fields in world.robots.get(entity_type, []):
        update(world, entity_type, item, fields, by=0)
    return item


def _blank(world: World, entity_type: int, by: int) -> Record:
    at = world.instant()
    today = at.astimezone(world.profile.portal_zone).date()
    known = {
        "id": world.next_id(f"item{entity_type}"),
        "createdTime": at, "updatedTime": at, "movedTime": at, "lastActivityTime": at,
        "createdBy": by or 1, "updatedBy": by or 1, "movedBy": by or 1, "lastActivityBy": by or 1,
        "assignedById": by or 1, "opened": "Y", "isManualOpportunity": "N", "currencyId": "RUB",
        "begindate": today, "closedate": today + timedelta(days=7),
    }  # fmt: skip
    names = system_fields(entity_type)
    return {name: known.get(name, [] if info.multiple else None) for name, info in names.items()}


def _place(world: World, entity_type: int, item: Record, changes: Record) -> None:
    """Funnel and stage of a new item: what was asked, else the first stage of the default funnel."""
    category = changes.get("categoryId")
    category = default_category(world, entity_type) if category is None else category
    if "categoryId" in system_fields(entity_type):
        item["categoryId"] = category
    stage = _stage(world, entity_type, category, changes.get("stageId"))
    item["stageId"] = stage.status
    _follow_stage(item, stage)


def _stage(world: World, entity_type: int, category: int, code: str | None) -> Stage:
    if code is None:
        stages = stages_of(world, entity_type, category)
        if not stages:
            raise errors.bad_value(f"Category {category} is not found")
        return stages[0]
    found = find_stage(world, entity_type, category, code)
    if found is None:
        raise errors.RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", "Неверное значение поля «Стадия»")
    return found


def _follow_stage(item: Record, stage: Stage) -> None:
    if "stageSemanticId" in item:
        item["stageSemanticId"] = stage.semantics
    if "closed" in item:
        item["closed"] = "N" if stage.semantics == "P" else "Y"


def _link(item: Record, changes: Record) -> None:
    """The first of `contactIds` and `contactId` are one thing."""
    if "contactIds" in changes:
        item["contactIds"] = changes["contactIds"]
        item["contactId"] = next(iter(changes["contactIds"]), None)
    elif "contactId" in changes:
        item["contactId"] = changes["contactId"]
        item["contactIds"] = [changes["contactId"]] if changes["contactId"] else []


def _changes(world: World, entity_type: int, item: Record, written: Mapping[str, Any]) -> Record:
    """What would really change, as kept; unknown, read-only and unreadable is ignored silently."""
    changes: Record = {}
    for name, raw in written.items():
        kind = kind_of(world, entity_type, name)
        if kind is None:
            if name not in system_fields(entity_type):
                world.unknown_fields.append(f"{entity_type}.{name}")
            continue
        value = _read(world, entity_type, name, kind, raw)
        if value is not values.SKIP and value != item.get(name, [] if kind[1] else None):
            changes[name] = value
    return changes


def _read(world: World, entity_type: int, name: str, kind: tuple[str, bool], raw: Any) -> Any:
    zone = world.profile.portal_zone
    if kind[1]:
        return values.read_many(kind[0], raw, zone)
    if kind[0] == "enumeration":
        return _option(fields_of(world, entity_type)[name], raw)
    return values.read(kind[0], raw, zone)


def _option(field: UserField, raw: Any) -> int | None:
    """An option by its id; anything else is refused."""
    if values.empty(raw):
        return None
    found = next((one.id for one in field.options if str(one.id) == str(raw)), None)
    if found is None:
        raise errors.RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Неверное значение поля «{field.name}»")
    return found


def update(world: World, entity_type: int, item: Record, written: Mapping[str, Any], by: int) -> bool:
    """Change an item; a save without a real change writes nothing and says nothing (rest.md 3.2)."""
    changes = _changes(world, entity_type, item, written)
    if not changes:
        return False
    before = dict(item)
    target = _target(world, entity_type, item, changes)
    if target:
        _check_required(world, entity_type, item | changes, target.status)
    item.update({name: value for name, value in changes.items() if name not in _LINKS | _PLACE})
    _link(item, changes)
    item["updatedTime"], item["updatedBy"] = world.instant(), by or item["updatedBy"]
    if target:
        _move(world, entity_type, item, before, target, by)
    _announce_update(world, entity_type, item, before, by)
    return True


def _target(world: World, entity_type: int, item: Record, changes: Record) -> Stage | None:
    """The stage a save leads to, if it moves the item; a new funnel without a stage means its first one."""
    if not changes.keys() & _PLACE:
        return None
    category = changes.get("categoryId", item.get("categoryId")) or 0
    code = changes.get("stageId") if "categoryId" in changes else changes.get("stageId", item["stageId"])
    target = _stage(world, entity_type, category, code)
    same = target.status == item["stageId"] and target.directory == _directory(entity_type, item)
    return None if same else target


def _directory(entity_type: int, item: Record) -> str:
    return directory_of(entity_type, item.get("categoryId") or 0).code


def _check_required(world: World, entity_type: int, item: Record, stage: str) -> None:
    for name in world.required.get((entity_type, stage), []):
        if values.empty(item.get(name)):
            raise errors.RestError(world.profile.required_code, f"Поле «{name}» обязательно для заполнения")


def _move(world: World, entity_type: int, item: Record, before: Record, target: Stage, by: int) -> None:
    item["stageId"] = target.status
    if "categoryId" in item:
        item["categoryId"] = target.category or 0
    if "previousStageId" in item:
        item["previousStageId"] = before["stageId"]
    item["movedTime"], item["movedBy"] = world.instant(), by or item["movedBy"]
    _follow_stage(item, target)
    if before.get("categoryId") != item.get("categoryId"):
        _log(world, entity_type, item, FUNNEL)
    else:
        _log(world, entity_type, item, INTERMEDIATE if target.semantics == "P" else FINAL)


def _announce_update(world: World, entity_type: int, item: Record, before: Record, by: int) -> None:
    moved = entity_type == DEAL and before["categoryId"] != item["categoryId"]
    if moved:
        fields = {"ID": item["id"], "CATEGORY_ID": item["categoryId"], "STAGE_ID": item["stageId"]}
        world.events.raise_event("ONCRMDEALMOVETOCATEGORY", {"FIELDS": fields}, by)
    if not moved or world.profile.funnel_move == "both":
        announce(world, entity_type, item["id"], "UPDATE", by)


def _log(world: World, entity_type: int, item: Record, kind: int) -> None:
    category = item.get("categoryId") or 0
    stage = _stage(world, entity_type, category, item["stageId"])
    number = world.next_id(f"history{entity_type}")
    row = HistoryRow(
        number, entity_type, item["id"], kind, world.instant(), category, stage.semantics, item["stageId"]
    )
    world.stage_history.append(row)


def find(world: World, entity_type: int, number: int) -> Record | None:
    return world.items.get(entity_type, {}).get(number)


def delete(world: World, entity_type: int, number: int) -> bool:
    """Into the recycle bin, with its activities."""
    item = world.items.get(entity_type, {}).pop(number, None)
    if item is None:
        return False
    kept = {key: one for key, one in world.activities.items() if one["owner"] == (entity_type, number)}
    for key in kept:
        del world.activities[key]
    world.bin[(entity_type, number)] = {"item": item, "activities": kept}
    announce(world, entity_type, number, "DELETE")
    return True


def restore(world: World, entity_type: int, number: int) -> None:
    """Out of the bin under the same number, written anew; the profile says what others hear of it."""
    kept = world.bin.pop((entity_type, number))
    world.items[entity_type][number] = kept["item"] | {"updatedTime": world.instant()}
    world.activities.update(kept["activities"])
    if world.profile.restored != "nothing":
        announce(world, entity_type, number, world.profile.restored.upper())


def touch(world: World, entity_type: int, number: int, by: int) -> None:
    """An activity or a comment happened: the item's last activity moves, the item itself is not changed."""
    item = find(world, entity_type, number)
    if item and "lastActivityTime" in item:
        item["lastActivityTime"], item["lastActivityBy"] = world.instant(), by or item["lastActivityBy"]


def known_type(world: World, entity_type: int) -> bool:
    return entity_type in (LEAD, DEAL, CONTACT, COMPANY) or entity_type in world.types
