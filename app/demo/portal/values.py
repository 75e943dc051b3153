"""Field values: from what a caller wrote to what is kept, and from there to what is answered.

Kept: whole numbers as int, money and doubles as float, booleans as Y/N, instants as aware UTC, days as date,
unset as None.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timezone
from typing import Any, Final

from . import errors
from .php import listed
from .times import midnight, read_day, read_instant, written

SKIP: Final = object()
"""A value that cannot be read and leaves the field as it was (dates, rest.md 4.3)."""

_WHOLE = frozenset(
    {"integer", "user", "employee", "crm_company", "crm_contact", "crm_category", "crm_entity", "enumeration"}
)


def empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def read(kind: str, raw: Any, zone: timezone) -> Any:
    """One value as kept; SKIP when it is a date that cannot be read; refused when it is no number."""
    if empty(raw) and kind != "boolean":
        return None
    if kind in _WHOLE:
        return _whole(kind, raw)
    reader = _READERS.get(kind)
    return reader(raw, zone) if reader else _text(raw, zone)


def read_many(kind: str, raw: Any, zone: timezone) -> list[Any]:
    """The values of a multiple field; a scalar is refused as the product does."""
    if not isinstance(raw, (list, dict)) and not empty(raw):
        text = f"Expected iterable value for multiple field, but got {type(raw).__name__} instead"
        raise errors.RestError("100", text)
    values = [read(kind, one, zone) for one in listed(raw)]
    return [value for value in values if value is not None and value is not SKIP]


def _whole(kind: str, raw: Any) -> int | None:
    try:
        number = int(float(str(raw)))
    except ValueError:
        raise errors.RestError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Неверное значение поля «{raw}»") from None
    return number or None if kind in ("crm_company", "crm_contact", "crm_entity") else number


def _double(raw: Any, zone: timezone) -> float:
    try:
        return float(str(raw).replace(",", ".").split("|")[0])
    except ValueError:
        return 0.0


def _yes(raw: Any, zone: timezone) -> str:
    return "Y" if raw in (True, 1, "1", "Y", "y", "true") else "N"


def _instant(raw: Any, zone: timezone) -> Any:
    if isinstance(raw, datetime):
        return raw.astimezone(UTC).replace(microsecond=0)
    return read_instant(raw, zone) or SKIP


def _day(raw: Any, zone: timezone) -> Any:
    if isinstance(raw, date) and not isinstance(raw, datetime):
        return raw
    return read_day(raw, zone) or SKIP


def _text(raw: Any, zone: timezone) -> Any:
    return raw if isinstance(raw, (list, dict)) else str(raw)


_READERS: dict[str, Callable[[Any, timezone], Any]] = {
    "double": _double,
    "boolean": _yes,
    "datetime": _instant,
    "date": _day,
}


def universal(kind: str, value: Any, zone: timezone) -> Any:
    """A value in answers of crm.item.*: typed."""
    if isinstance(value, list):
        return [universal(kind, one, zone) for one in value]
    if isinstance(value, datetime):
        return written(value, zone)
    return midnight(value, zone) if isinstance(value, date) else value


def classic(kind: str, value: Any, zone: timezone, *, user_field: bool = False) -> Any:
    """A value in answers of the classic methods: a string or null."""
    if isinstance(value, list):
        return [classic(kind, one, zone, user_field=user_field) for one in value]
    if value is None:
        return "" if user_field else None
    if user_field and kind == "boolean":
        return "1" if value == "Y" else "0"
    if isinstance(value, float):
        return f"{value:g}" if user_field else f"{value:.2f}"
    return str(universal(kind, value, zone))
