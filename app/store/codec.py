"""Values of app/model ⇄ plain JSON, by their type hints.

Promises: what `encode` writes, `decode` reads back equal; a value of the wrong type is refused
with its path, never guessed. A field missing from the JSON takes its default and an unknown one
is passed over: rows written before and after an upgrade stay readable to both versions.
Instants are RFC 3339 UTC, lengths whole microseconds, references their text (`deal:41`).
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from app.model import ItemRef

T = TypeVar("T")
Turn = Callable[[Any], Any]

MICROSECOND = timedelta(microseconds=1)


class CodecFault(ValueError):
    """A value is not of the form that its type asks for; the text holds the path and no value."""


def encode(value: object) -> Any:
    """The plain JSON of a value; a dataclass becomes an object with all its fields."""
    kind: Any = type(value)
    return _writer(kind)(value)


def decode(kind: type[T], data: object) -> T:
    """The value that `encode` had. CodecFault says where and what was expected."""
    hint: Any = kind
    return cast("T", _reader(hint)(data))


# --- to JSON -----------------------------------------------------------------------------


@cache
def _writer(kind: Any) -> Turn:
    for family, writer in _WRITERS:
        if issubclass(kind, family):
            return writer
    if is_dataclass(kind):
        names = tuple(each.name for each in fields(kind))
        return lambda value: {name: encode(getattr(value, name)) for name in names}
    raise CodecFault(f"{kind.__name__} has no plain form")


def _same(value: Any) -> Any:
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise CodecFault("a number that is not finite has no plain form")
    return value


def _instant_text(value: datetime) -> str:
    if value.tzinfo is None:
        raise CodecFault("a naive time cannot be stored: give it a zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _list(value: Any) -> list[Any]:
    return [encode(each) for each in value]


def _object(value: Mapping[Any, Any]) -> dict[str, Any]:
    if not all(isinstance(key, str) for key in value):
        raise CodecFault("the keys of an object are texts")
    return {str(key): encode(each) for key, each in value.items()}


_WRITERS: tuple[tuple[type, Turn], ...] = (
    (Enum, lambda value: value.value),  # before str: our words are both
    (str, _same),
    (int, _same),
    (types.NoneType, _same),
    (float, _finite),
    (datetime, _instant_text),
    (timedelta, lambda value: value // MICROSECOND),
    (ItemRef, str),
    (tuple, _list),
    (list, _list),
    (frozenset, lambda value: sorted(_list(value))),
    (Mapping, _object),
)


# --- from JSON ---------------------------------------------------------------------------


@cache
def _reader(kind: Any) -> Turn:
    """What reads a value of this type hint; made once per type."""
    if kind in _READERS:
        return _READERS[kind]
    origin, inside = get_origin(kind), get_args(kind)
    if origin is not None:
        return _reader_of_many(origin, inside)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum_reader(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass_reader(kind)
    raise CodecFault(f"{kind!r} has no plain form")


def _reader_of_many(origin: Any, inside: tuple[Any, ...]) -> Turn:
    if origin in {Union, types.UnionType}:
        return _optional_reader(inside)
    if origin is tuple and inside[-1] is Ellipsis:
        return _row_reader(_reader(inside[0]), tuple)
    if origin is tuple:
        return _tuple_reader([_reader(each) for each in inside])
    if origin is frozenset:
        return _row_reader(_reader(inside[0]), frozenset)
    if isinstance(origin, type) and issubclass(origin, Mapping) and inside[0] is str:
        return _mapping_reader(_reader(inside[1]))
    raise CodecFault(f"{origin!r} has no plain form")


def _exactly(kind: type) -> Turn:
    def read(data: Any) -> Any:
        if type(data) is not kind:
            raise CodecFault(f": expected {kind.__name__}, found {type(data).__name__}")
        return data

    return read


def _number(data: Any) -> float:
    if type(data) not in {int, float}:
        raise CodecFault(f": expected a number, found {type(data).__name__}")
    return float(data)


def _instant(data: Any) -> datetime:
    try:
        at = datetime.fromisoformat(data)
    except (TypeError, ValueError):
        raise CodecFault(": expected an instant such as 2026-11-24T06:15:00Z") from None
    if at.tzinfo is None:
        raise CodecFault(": expected an instant with its zone")
    return at.astimezone(UTC)


def _length(data: Any) -> timedelta:
    return timedelta(microseconds=_exactly(int)(data))


def _ref(data: Any) -> ItemRef:
    try:
        return ItemRef.parse(_exactly(str)(data))
    except CodecFault:
        raise
    except ValueError:
        raise CodecFault(": expected a reference such as deal:41") from None


def _enum_reader(kind: type[Enum]) -> Turn:
    words = {each.value: each for each in kind}

    def read(data: Any) -> Any:
        if not isinstance(data, (str, int)) or data not in words:
            raise CodecFault(f": expected a word of {kind.__name__}")
        return words[data]

    return read


def _optional_reader(inside: tuple[Any, ...]) -> Turn:
    kinds = [each for each in inside if each is not types.NoneType]
    if len(kinds) != 1 or len(kinds) == len(inside):
        raise CodecFault("a choice of types has no plain form unless it is `X | None`")
    one = _reader(kinds[0])
    return lambda data: None if data is None else one(data)


def _row_reader(one: Turn, make: Callable[[Any], Any]) -> Turn:
    def read(data: Any) -> Any:
        return make([one(each) for each in _exactly(list)(data)])

    return read


def _tuple_reader(readers: list[Turn]) -> Turn:
    def read(data: Any) -> Any:
        if len(_exactly(list)(data)) != len(readers):
            raise CodecFault(f": expected {len(readers)} values, found {len(data)}")
        return tuple(one(each) for one, each in zip(readers, data, strict=True))

    return read


def _mapping_reader(one: Turn) -> Turn:
    return lambda data: {key: one(each) for key, each in _exactly(dict)(data).items()}


def _dataclass_reader(kind: type) -> Turn:
    hints = get_type_hints(kind)
    parts = [(each.name, _reader(hints[each.name]), _has_default(each)) for each in fields(kind)]

    def read(data: Any) -> Any:
        given = _exactly(dict)(data)
        values = {}
        for name, one, has_default in parts:
            if name in given:
                values[name] = _field(name, one, given[name])
            elif not has_default:
                raise CodecFault(f".{name}: missing")
        return kind(**values)

    return read


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING


def _field(name: str, one: Turn, data: Any) -> Any:
    try:
        return one(data)
    except CodecFault as fault:
        raise CodecFault(f".{name}{fault}") from None


_READERS: dict[Any, Turn] = {
    Any: _same,  # facts and marks hold whatever JSON they were given
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    float: _number,
    datetime: _instant,
    timedelta: _length,
    ItemRef: _ref,
}
