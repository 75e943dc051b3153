"""Moments as the portal writes them, in any offset, and as we write them to it (rest.md 4.6)."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(value: object) -> datetime | None:
    """An ISO moment with its offset as UTC; None for null, "" and what names no offset.

    A moment without an offset would be in the portal's zone, which we do not know: guessing it
    would be wrong by hours and silent.
    """
    if not isinstance(value, str) or not value:
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def of_unix(seconds: object) -> datetime | None:
    """An instant told in seconds since 1970; None for what is no number or no date."""
    if not isinstance(seconds, int | float) or not seconds > 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, tz=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def to_portal(at: datetime) -> str:
    """A moment that every method reads exactly: UTC with its offset, no seconds (tasks drop them)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00+00:00")


def exact(at: datetime) -> str:
    """A moment for filters: UTC with seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def canonical(value: object) -> str:
    """A date-time as the service keeps it (model.Card.sla): `2026-11-24T06:15:00Z`; else empty."""
    at = instant(value)
    return at.strftime("%Y-%m-%dT%H:%M:00Z") if at else ""
