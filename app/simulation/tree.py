"""A comparison as plain values for JSON: RFC 3339 UTC, shares 0..1, business minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.simulation.comparing import Breaches, Change, Comparison, Share

Tree = dict[str, Any]
EVERY = "all"


def comparison_tree(found: Comparison, name: str) -> Tree:
    """Everything that is known of it; `name`: of the other rules' file."""
    shares: Tree = {}
    for (value, clock), pair in found.shares.items():
        of = shares.setdefault(value.value if value else EVERY, {})
        of[clock.value] = {"before": _share(pair.before), "after": _share(pair.after)}
    return {
        "rules": name,
        "now": _moment(found.now),
        "since": _moment(found.since),
        "tickets": found.tickets,
        "cycles": found.cycles,
        "folded": found.folded,
        "compliance": shares,
        "breaches": dict(zip(("before", "after"), map(_breaches, found.breaches), strict=True)),
        "changes": [_change(change) for change in found.changes],
        "unknown_stages": list(found.unknown_stages),
        "left": list(found.left),
        "unread_fields": list(found.unread_fields),
    }


def _share(share: Share) -> Tree:
    return {"value": share.value, "met": share.met, "judged": share.judged}


def _breaches(breaches: Breaches) -> Tree:
    """`by_weekday` from Monday, `by_hour` from midnight, of the desk's wall time."""
    return {"by_weekday": list(breaches.by_weekday), "by_hour": list(breaches.by_hour)}


def _change(change: Change) -> Tree:
    return {
        "ref": str(change.ref),
        "cycle": change.cycle,
        "class": change.value.value,
        "clock": change.clock.value,
        "before": change.before,
        "after": change.after,
        "due_before": _moment(change.due_before),
        "due_after": _moment(change.due_after),
        "over_before_minutes": _minutes(change.over_before),
        "over_after_minutes": _minutes(change.over_after),
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _minutes(length: timedelta) -> int:
    """Whole minutes towards zero."""
    return int(length.total_seconds() / 60)
