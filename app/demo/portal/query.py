"""Filters, orders and pages of list methods, over rows held in memory."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

from . import values
from .errors import RestError
from .php import listed

PAGE = 50
NO_VALUE: Any = object()
"""A filter value that no row can have (a boolean user field asked for with Y)."""

_PREFIX = re.compile(r"^(!=%|!%=|!=|!@|!%|!|>=|<=|><|>|<|=%|%=|=|@|%)?(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Column:
    """How a field is read from a row and how a filter's value for it is understood."""

    kind: str
    value: Callable[[Any], Any]
    user_field: bool = False

    def wanted(self, raw: Any, zone: timezone) -> Any:
        if self.user_field and self.kind == "boolean":
            return {"1": "Y", "0": "N"}.get(str(int(raw) if isinstance(raw, bool) else raw), NO_VALUE)
        try:
            read = values.read(self.kind, raw, zone)
        except RestError:  # a filter value of a wrong type finds nothing
            return NO_VALUE
        return NO_VALUE if read is values.SKIP else read


Columns = Mapping[str, Column]
Unknown = Callable[[str], None]
"""What to do about a field that the method does not know: raise, or note it and go on."""


def split(key: str) -> tuple[str, str]:
    """`>=id` → (`>=`, `id`)."""
    match = _PREFIX.match(key)
    return (match[1] or "", match[2]) if match else ("", key)


def chosen(
    rows: Iterable[Any], conditions: Any, columns: Columns, zone: timezone, unknown: Unknown
) -> list[Any]:
    """The rows that meet the conditions; conditions nest: `{"0": {"logic": "OR", "0": {…}, "1": {…}}}`."""
    test = _group(conditions, columns, zone, unknown)
    return [row for row in rows if test(row)]


def _group(conditions: Any, columns: Columns, zone: timezone, unknown: Unknown) -> Callable[[Any], bool]:
    pairs = conditions.items() if isinstance(conditions, dict) else enumerate(conditions or [])
    tests, join = [], all
    for key, wanted in pairs:
        if str(key).lower() == "logic":
            join = any if str(wanted).upper() == "OR" else all
        elif str(key).isdigit():
            tests.append(_group(wanted, columns, zone, unknown))
        elif (test := _condition(str(key), wanted, columns, zone, unknown)) is not None:
            tests.append(test)
    return lambda row: join(test(row) for test in tests) if tests else True


def _condition(
    key: str, raw: Any, columns: Columns, zone: timezone, unknown: Unknown
) -> Callable[[Any], bool] | None:
    prefix, name = split(key)
    column = columns.get(name)
    if column is None:
        unknown(name)
        return None
    if "%" in prefix:
        return _like(prefix, str(raw), column)
    wanted = [column.wanted(one, zone) for one in listed(raw)] if isinstance(raw, (list, dict)) else None
    if wanted is None:
        no_value = values.empty(raw) and not (raw is False and column.kind == "boolean")
        wanted = [None if no_value else column.wanted(raw, zone)]
    return _comparison(prefix, wanted, column)


def _like(prefix: str, pattern: str, column: Column) -> Callable[[Any], bool]:
    whole = prefix.strip("!") in ("=%", "%=")
    body = ".*".join(re.escape(part) for part in pattern.split("%")) if whole else f".*{re.escape(pattern)}.*"
    found = re.compile(body, re.IGNORECASE | re.DOTALL)
    negative = prefix.startswith("!")
    return lambda row: bool(found.fullmatch(str(column.value(row) or ""))) != negative


def _comparison(prefix: str, wanted: list[Any], column: Column) -> Callable[[Any], bool]:
    if prefix in (">", ">=", "<", "<="):
        return lambda row: any(_ordered(prefix, column.value(row), one) for one in wanted)
    if prefix == "><":
        low, high = (wanted + wanted)[:2]
        return lambda row: _ordered(">=", column.value(row), low) and _ordered("<=", column.value(row), high)
    negative = prefix.startswith("!")
    sought = frozenset(_folded(one) for one in wanted)
    return lambda row: _among(column.value(row), sought) != negative


def _among(value: Any, sought: frozenset[Any]) -> bool:
    mine = value if isinstance(value, list) else [value]
    return any(_folded(one) in sought for one in mine or [None])


def _folded(value: Any) -> Any:
    """The database compares text without regard to case; 0 and empty are one for links."""
    return value.casefold() if isinstance(value, str) else value


def _ordered(prefix: str, value: Any, wanted: Any) -> bool:
    if value is None or wanted is None or wanted is NO_VALUE:
        return False
    left, right = _comparable(value), _comparable(wanted)
    return bool({">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[prefix])


def _comparable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return value.toordinal() if isinstance(value, date) else _folded(value)


def in_order(rows: Sequence[Any], order: Any, columns: Columns, default: str, unknown: Unknown) -> list[Any]:
    """The rows sorted by `{field: asc|desc}`; unset values first, as MySQL does."""
    result = list(rows)
    wanted = list(order.items()) if isinstance(order, dict) and order else [(default, "ASC")]
    for name, direction in reversed(wanted):
        column = columns.get(str(name))
        if column is None:
            unknown(str(name))
            continue
        result.sort(
            key=lambda row: _sort_key(column.value(row)), reverse=str(direction).upper().startswith("DESC")
        )
    return result


def _sort_key(value: Any) -> tuple[bool, Any]:
    present = value is not None and not isinstance(value, list)
    return present, _comparable(value) if present else 0


def page(rows: Sequence[Any], start: Any) -> tuple[list[Any], int, int | None]:
    """The page that begins at `start` (whole pages of 50), `total` and `next`; -1 turns the counting off."""
    offset = int(start) if str(start).lstrip("-").isdigit() else 0
    if offset < 0:
        return list(rows[:PAGE]), 0, None
    offset = offset // PAGE * PAGE
    following = offset + PAGE if offset + PAGE < len(rows) else None
    return list(rows[offset : offset + PAGE]), len(rows), following
