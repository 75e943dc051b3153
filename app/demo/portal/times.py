"""Instants as the portal writes and reads them."""

import re
from datetime import UTC, date, datetime, time, timezone
from typing import Any

_DAY_FIRST = re.compile(r"^(\d{2})\.(\d{2})\.(\d{4})(?:[ T](\d{2}):(\d{2})(?::(\d{2}))?)?$")


def written(at: datetime | None, zone: timezone) -> str | None:
    """ISO 8601 with the offset of `zone`, whole seconds."""
    return None if at is None else at.astimezone(zone).replace(microsecond=0).isoformat()


def midnight(day: date | None, zone: timezone) -> str | None:
    """A date field: midnight with the offset of `zone`."""
    return None if day is None else datetime.combine(day, time(), zone).isoformat()


def read_instant(value: Any, zone: timezone) -> datetime | None:
    """The instant that was written; without an offset it is in `zone`. None when it cannot be read."""
    text = str(value).strip()
    found = _day_first(text) or _iso(text)
    if found is None:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=zone)
    return aware.astimezone(UTC)


def read_day(value: Any, zone: timezone) -> date | None:
    """The day of a date field, in `zone` when an instant was written."""
    at = value if isinstance(value, datetime) else read_instant(value, zone)
    return None if at is None else at.astimezone(zone).date()


def _day_first(text: str) -> datetime | None:
    match = _DAY_FIRST.match(text)
    if not match:
        return None
    day, month, year, hour, minute, second = (part or "00" for part in match.groups())
    return _iso(f"{year}-{month}-{day}T{hour}:{minute}:{second}")


def _iso(text: str) -> datetime | None:
    if not re.match(r"^\d{4}-\d{2}", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
