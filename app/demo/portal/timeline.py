"""Comments in the timeline of CRM items (rest.md 4.8)."""

from typing import Any

from . import errors, items, query
from .fields import NAMES
from .php import listed
from .query import Column
from .registry import Call, Page, integer, mapping, rest
from .times import written
from .world import Comment, Owner, Record, World


def entity_name(entity_type: int) -> str:
    """`deal`, or `dynamic_177` for a smart process."""
    return NAMES[entity_type].lower() if entity_type in NAMES else f"dynamic_{entity_type}"


def entity_type(world: World, name: Any) -> int | None:
    text = str(name or "").lower()
    known = {entity_name(number): number for number in (*NAMES, *world.types)}
    return known.get(text)


def create(world: World, owner: Owner, text: str, by: int, files: list[Record] | None = None) -> Comment:
    made = Comment(world.next_id("comment"), owner, by, text, world.instant(), files or [])
    world.comments[made.id] = made
    items.touch(world, *owner, by)
    announce(world, made.id, "ADD", by)
    return made


def announce(world: World, number: int, verb: str, by: int | None = None) -> None:
    """`data[FIELDS][ID]` (source) or `data[ID]` (docs), by the profile."""
    data: Record = {"ID": number}
    wrapped = {"FIELDS": data} if world.profile.timeline_event == "fields" else data
    world.events.raise_event(f"ONCRMTIMELINECOMMENT{verb}", wrapped, by)


def shown(world: World, comment: Comment) -> Record:
    kind, number = comment.owner
    return {
        "ID": str(comment.id),
        "ENTITY_ID": str(number),
        "ENTITY_TYPE": entity_name(kind),
        "CREATED": written(comment.at, world.profile.portal_zone),
        "COMMENT": comment.text,
        "AUTHOR_ID": str(comment.author),
        "FILES": {str(one["id"]): one for one in comment.files},
    }


def _owner(call: Call, fields: Record) -> Owner:
    kind = entity_type(call.world, fields.get("ENTITY_TYPE"))
    number = integer(fields.get("ENTITY_ID"))
    if kind is None or items.find(call.world, kind, number) is None:
        raise errors.RestError("OWNER_NOT_FOUND", "Owner not found.")
    if not call.sees(kind, number):
        raise errors.RestError("ACCESS_DENIED", "Access denied.")
    return kind, number


@rest("crm.timeline.comment.add", "crm")
def add(call: Call) -> Any:
    """Takes only lower-case `fields` (rest.md 1.2)."""
    fields = mapping(call.exact("fields"))
    text = str(fields.get("COMMENT", ""))
    if not text and not fields.get("FILES"):
        raise errors.bad_value("COMMENT is empty")
    owner = _owner(call, fields)
    files = [_file(call, one) for one in listed(fields.get("FILES"))]
    return create(call.world, owner, text, call.user, files).id


def _file(call: Call, pair: Any) -> Record:
    name = str(listed(pair)[0])
    number = call.world.next_id("file")
    user = call.world.users[call.user]
    at = written(call.world.instant(), call.world.profile.portal_zone)
    link = f"/disk/showFile/{number}/?&ncc=1&filename={name}"
    return {
        "id": number, "date": at, "type": "file", "name": name, "size": len(str(listed(pair)[-1])) * 3 // 4,
        "image": False, "authorId": call.user, "authorName": user.full_name,
        "urlPreview": link, "urlShow": link, "urlDownload": link,
    }  # fmt: skip


def _found(call: Call) -> Comment:
    comment = call.world.comments.get(integer(call.classic("id")))
    if comment is None:
        raise errors.RestError("NOT_FOUND", "Not found.")
    if not call.sees(*comment.owner):
        raise errors.RestError("ACCESS_DENIED", "Access denied.")
    return comment


@rest("crm.timeline.comment.get", "crm")
def get(call: Call) -> Any:
    return shown(call.world, _found(call))


@rest("crm.timeline.comment.list", "crm")
def list_(call: Call) -> Any:
    """Only of one item: the filter needs its type and number."""
    conditions = dict(mapping(call.classic("filter")))
    owner = _owner(
        call, {"ENTITY_TYPE": conditions.pop("ENTITY_TYPE", ""), "ENTITY_ID": conditions.pop("ENTITY_ID", 0)}
    )
    rows = [one for one in call.world.comments.values() if one.owner == owner]
    zone = call.world.profile.portal_zone
    rows = query.chosen(rows, conditions, _COLUMNS, zone, _ignore)
    rows = query.in_order(rows, call.classic("order"), _COLUMNS, "ID", _ignore)
    part, total, following = query.page(rows, call.classic("start"))
    names = {str(name) for name in listed(call.classic("select"))}
    return Page([_cut(shown(call.world, one), names) for one in part], total, following)


def _ignore(name: str) -> None:
    """A name this list does not know changes nothing."""


_COLUMNS = {
    "ID": Column("integer", lambda one: one.id),
    "CREATED": Column("datetime", lambda one: one.at),
    "AUTHOR_ID": Column("integer", lambda one: one.author),
    "COMMENT": Column("string", lambda one: one.text),
}


def _cut(row: Record, names: set[str]) -> Record:
    return (
        row
        if not names or "*" in names
        else {name: value for name, value in row.items() if name in names | {"ID"}}
    )


@rest("crm.timeline.comment.update", "crm")
def update(call: Call) -> Any:
    comment = _found(call)
    text = mapping(call.exact("fields")).get("COMMENT")
    if text is not None and str(text) != comment.text:
        comment.text = str(text)
        announce(call.world, comment.id, "UPDATE")
    return True


@rest("crm.timeline.comment.delete", "crm")
def delete(call: Call) -> Any:
    comment = _found(call)
    del call.world.comments[comment.id]
    announce(call.world, comment.id, "DELETE")
    return True
