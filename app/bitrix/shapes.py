"""The shape of answers: keys and types without any value, to compare a portal with another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Any
"""A type's name, {key: shape}, or [shapes of the elements, each once]."""


def shape_of(value: object) -> Shape:
    """Values are left out: a recorded file holds nobody's data. Keys that are ids become «*»."""
    if isinstance(value, Mapping):
        shapes: dict[str, Shape] = {}
        for key, item in value.items():
            name = "*" if str(key).isdigit() else str(key)
            shapes[name] = _joined(shapes.get(name), shape_of(item))
        return dict(sorted(shapes.items()))
    if isinstance(value, list):
        found: list[Shape] = []
        for item in value:
            if (shape := shape_of(item)) not in found:
                found.append(shape)
        return found
    return _NAMES.get(type(value), "string")


_NAMES = {bool: "boolean", int: "integer", float: "number", type(None): "null"}


def _joined(one: Shape, other: Shape) -> Shape:
    """Two shapes seen under one key: maps key by key, anything else side by side."""
    if one is None or one == other:
        return other
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: _joined(one.get(key), other.get(key, one.get(key))) for key in sorted({*one, *other})}
    return sorted({*_texts(one), *_texts(other)})


def _texts(shape: Shape) -> list[str]:
    return [str(part) for part in shape] if isinstance(shape, list) else [str(shape)]
