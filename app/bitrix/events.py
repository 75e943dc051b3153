"""What an outgoing webhook says: bytes → tree → Event (rest.md 3).

An event carries ids only, may be doubled, late or out of order, and is never resent. So it is
read as a hint: this subject changed, read it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from app.model import DEAL_TYPE, Event, Hint, HintKind, ItemRef, Kind, Subject

MAX_DEPTH = 10
MAX_KEYS = 1000
USUAL_KEY = 200  # signs; so much of each name stays in memory

Tree = dict[str, Any]
"""Scalars are strings, lists are maps with numeric keys, as PHP's parser gives them."""

_PART = re.compile(r"\[([^\[\]]*)\]")
_DYNAMIC = re.compile(r"ONCRMDYNAMICITEM(?:ADD|UPDATE|DELETE)(?:_(\d+))?")
_DEALS = frozenset({"ONCRMDEALADD", "ONCRMDEALUPDATE", "ONCRMDEALDELETE", "ONCRMDEALMOVETOCATEGORY"})
_TASKS = frozenset({"ONTASKADD", "ONTASKUPDATE", "ONTASKDELETE"})
_TASK_COMMENTS = frozenset({"ONTASKCOMMENTADD", "ONTASKCOMMENTUPDATE", "ONTASKCOMMENTDELETE"})
_HINTS = {
    f"{prefix}{verb}": kind
    for prefix, kind in (("ONCRMACTIVITY", HintKind.ACTIVITY), ("ONCRMTIMELINECOMMENT", HintKind.COMMENT))
    for verb in ("ADD", "UPDATE", "DELETE")
}


class Unreadable(Exception):
    """The body is no event; answer with `status` and `text`."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def read_form(body: bytes, content_type: str) -> Tree:
    """The tree of a form with PHP brackets, or of JSON of the same shape.

    Raises Unreadable for what is not UTF-8, broken, deeper than 10, wider than 1,000 keys, or
    without `event`. The caller limits the size.
    """
    try:
        text = body.decode("utf-8")
        is_json = content_type.partition(";")[0].strip().lower().endswith("json")
        tree = _from_json(text) if is_json else parse_php(text)
    except Unreadable:
        raise
    except (ValueError, RecursionError) as fault:
        raise Unreadable("the body is not readable UTF-8 form or JSON, or has too many fields") from fault
    if not isinstance(tree.get("event"), str) or not tree["event"].strip():
        raise Unreadable("the body names no event")
    return tree


def parse_php(text: str) -> Tree:
    """`a[b][]=1` as PHP's parse_str reads it. ValueError: not UTF-8 or too many fields."""
    tree: Tree = {}
    fields = text.split("&", MAX_KEYS)
    if len(fields) > MAX_KEYS:
        raise ValueError("too many fields")
    for field in filter(None, fields):
        key, _, value = field.partition("=")
        path, value = _path(key) if len(key) <= USUAL_KEY else _split_path(key), _decoded(value)
        if len(path) > MAX_DEPTH:
            raise Unreadable(f"the body nests deeper than {MAX_DEPTH}")
        if path:
            _place(tree, path, value)
    return tree


def event_of(tree: Mapping[str, Any]) -> Event:
    """The event of a tree; its subject is None when we know no use for it."""
    name = str(tree["event"]).strip().upper()
    return Event(name, _subject(name, _branch(tree, "data")), _instant(tree.get("ts")))


def token_of(tree: Mapping[str, Any]) -> str:
    """`auth[application_token]`, the secret of the outgoing webhook; empty if absent."""
    token = _branch(tree, "auth").get("application_token")
    return token if isinstance(token, str) else ""


@lru_cache(maxsize=512)
def _path(key: str) -> tuple[str, ...]:
    """Kept, because the portal's events have the same few keys; long ones are no keys of the portal's."""
    return _split_path(key)


def _split_path(key: str) -> tuple[str, ...]:
    """`a%5Bb%5D[]` → (a, b, ""); text after the last whole bracket is dropped, as PHP does."""
    key = _decoded(key)
    name, bracket, _ = key.partition("[")
    name = name.lstrip(" ").replace(".", "_").replace(" ", "_")
    if not name:
        return ()
    rest, path = key[len(key.partition("[")[0]) :], [name]
    while bracket and (part := _PART.match(rest)):
        path.append(part[1])
        rest = rest[part.end() :]
    return tuple(path)


def _decoded(text: str) -> str:
    """What a form's encoding stands for. UnicodeDecodeError: not UTF-8."""
    plain = text.replace("+", " ")
    return unquote(plain, errors="strict") if "%" in plain else plain


def _place(tree: Tree, path: Sequence[str], value: str) -> None:
    for part in path[:-1]:
        index = part or _next_index(tree)
        if not isinstance(tree.get(index), dict):
            tree[index] = {}
        tree = tree[index]
    tree[path[-1] or _next_index(tree)] = value


def _next_index(tree: Tree) -> str:
    return str(1 + max((int(key) for key in tree if key.isascii() and key.isdigit()), default=-1))


def _from_json(text: str) -> Tree:
    found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    if not isinstance(found, dict):
        raise Unreadable("the JSON body is no object")
    budget = [MAX_KEYS]
    return {key: _as_php(value, 1, budget) for key, value in _spent(found.items(), budget)}


def _as_php(value: object, depth: int, budget: list[int]) -> Any:
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        if depth >= MAX_DEPTH and value:
            raise Unreadable(f"the body nests deeper than {MAX_DEPTH}")
        return {key: _as_php(item, depth + 1, budget) for key, item in _spent(value.items(), budget)}
    scalar = {True: "1", False: "0", None: ""}.get(value) if value in (True, False, None) else str(value)
    if scalar is not None:
        scalar.encode()  # a lone surrogate is no text: UnicodeEncodeError is a ValueError
    return scalar


def _spent(pairs: Iterable[tuple[str, Any]], budget: list[int]) -> Iterable[tuple[str, Any]]:
    """The pairs, paid for one by one from the budget of keys."""
    for key, value in pairs:
        budget[0] -= 1
        if budget[0] < 0:
            raise Unreadable(f"the body has more than {MAX_KEYS} keys")
        key.encode()
        yield key, value


def _subject(name: str, data: Mapping[str, Any]) -> Subject | None:
    if name in _DEALS:
        return _item(Kind.DEAL, _branch(data, "FIELDS").get("ID"))
    if name in _TASKS:
        return _item(Kind.TASK, _either(data, "ID"))
    if name in _TASK_COMMENTS:
        return _item(Kind.TASK, _either(data, "TASK_ID"))
    if name in _HINTS:
        # The product's source sends data[FIELDS][ID], the documents print data[ID] (rest.md 3.2).
        number = _number(_branch(data, "FIELDS").get("ID")) or _number(data.get("ID"))
        return Hint(_HINTS[name], number) if number else None
    if dynamic := _DYNAMIC.fullmatch(name):
        return _dynamic(_branch(data, "FIELDS"), dynamic[1])
    return None


def _dynamic(fields: Mapping[str, Any], suffix: str | None) -> ItemRef | None:
    entity_type = _number(fields.get("ENTITY_TYPE_ID")) or _number(suffix)
    if entity_type == DEAL_TYPE:
        return _item(Kind.DEAL, fields.get("ID"))
    return _item(Kind.ITEM, fields.get("ID"), entity_type) if entity_type else None


def _item(kind: Kind, value: object, entity_type: int = 0) -> ItemRef | None:
    number = _number(value)
    return ItemRef(kind, number, entity_type) if number else None


def _either(data: Mapping[str, Any], name: str) -> object:
    """A field of a task event; the missing side is the literal text «undefined»."""
    after, before = _branch(data, "FIELDS_AFTER"), _branch(data, "FIELDS_BEFORE")
    return after.get(name) if _number(after.get(name)) else before.get(name)


def _branch(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    branch = tree.get(name)
    return branch if isinstance(branch, Mapping) else {}


def _number(value: object) -> int:
    """A positive id, else 0. Eighteen digits fit every database's big integer."""
    text = str(value or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0


def _instant(ts: object) -> datetime | None:
    seconds = _number(ts)
    return datetime.fromtimestamp(seconds, tz=UTC) if 0 < seconds < 10**11 else None
