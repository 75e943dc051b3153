"""The shape of answers: keys and types without any value, to compare a portal with another.

A shape is flat: path → the kinds seen there, `result.items[].id` → `integer`. So a recorded file is read, and
two of them are compared, line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

Shape = Mapping[str, str]
"""Path → kinds joined by «|». The whole answer stands at the path «.»."""

ROOT = "."
NOTHING = frozenset({"null", "empty"})
"""Kinds that say nothing of what stands there when something does."""

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_OWN = re.compile(r"uf_?(crm|task|usr|user|[a-z]*_)", re.IGNORECASE)
_NUMBERS = re.compile(r"\d{2,}")


def shape_of(*values: object) -> Shape:
    """What all of the values have in common and what only some. No key that people chose is told."""
    kinds: dict[str, set[str]] = {}
    for value in values:
        for path, kind in _seen(value, ""):
            kinds.setdefault(path or ROOT, set()).add(kind)
    return {path: "|".join(sorted(found)) for path, found in sorted(kinds.items())}


def _seen(value: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        yield path, "object"
        for key, inner in value.items():
            yield from _seen(inner, f"{path}.{_name(str(key))}".lstrip("."))
    elif isinstance(value, list) and value:
        yield path, "array"
        for inner in value:
            yield from _seen(inner, f"{path}[]")
    else:
        yield path, _kind(value)


def _kind(value: object) -> str:
    if value in ([], {}):
        return "empty"  # PHP writes an empty map as an empty list
    return _NAMES.get(type(value), "string")


_NAMES = {bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _name(key: str) -> str:
    """A key of the product stays; ids, stages, custom fields and whatever else people named do not."""
    if _OWN.match(key):
        return "UF_*"
    return _NUMBERS.sub("*", key) if _WORD.fullmatch(key) else "*"


# --- comparing ---------------------------------------------------------------------------


def differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> Iterator[str]:
    """What a developer should look at, a line each: methods that both have, path by path."""
    for method in sorted(recorded.keys() & here.keys()):
        one, other = recorded[method], here[method]
        if isinstance(one, str) or isinstance(other, str):  # «error CODE»
            if one != other:
                yield f"{method}: записано {_told(one)}, здесь {_told(other)}"
        else:
            yield from (f"{method} {line}" for line in _by_path(one, other))


def _told(answer: object) -> str:
    return answer if isinstance(answer, str) else "ответ"


def _by_path(recorded: Shape, here: Shape) -> Iterator[str]:
    for path in sorted(recorded.keys() | here.keys()):
        if path not in here or path not in recorded:
            if _tells(_above(path), recorded) and _tells(_above(path), here):
                yield f"{path}: только {'в записи' if path in recorded else 'здесь'}"
            continue
        before, now = _kinds(recorded[path]), _kinds(here[path])
        if before and now and not now <= before:
            yield f"{path}: записано {'|'.join(sorted(before))}, здесь {'|'.join(sorted(now))}"


def _above(path: str) -> str:
    """The path of what holds this one: `items[].id` is in `items[]`, `items[]` in `items`."""
    return (path[:-2] if path.endswith("[]") else path.rpartition(".")[0]) or ROOT


def _tells(path: str, shape: Shape) -> bool:
    return bool(_kinds(shape.get(path, "")))


def _kinds(joined: str) -> frozenset[str]:
    return frozenset(joined.split("|")) - NOTHING - {""}
