"""A decree that came after a ticket began: its own rules again, with the years that are sure by now.

The one exception to pinning (sla.md 1): hours, terms and the years decreed at the start stay.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.rules.loading import canonical_text, rules_from
from app.rules.values import Rules


def decreed_since(pinned: Rules, today: Rules) -> Rules | None:
    """The rules of a ticket's start with the decrees that today's rules know beside; None: no new one."""
    now = _calendars(today)
    changed = {
        name: {**table, "production_calendar": later}
        for name, table in _calendars(pinned).items()
        if (later := _with_later_years(table.get("production_calendar"), now.get(name)))
    }
    if not changed:
        return None
    tree = json.loads(pinned.text)
    return rules_from(canonical_text({**tree, "calendar": {**tree["calendar"], **changed}}))


def _calendars(rules: Rules) -> Mapping[str, Mapping[str, Any]]:
    calendars: Mapping[str, Mapping[str, Any]] = json.loads(rules.text).get("calendar", {})
    return calendars


def _with_later_years(then: Any, table: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """A country's data with the years that another reading of them adds; None: it adds none."""
    now = table.get("production_calendar") if table else None
    if not isinstance(then, dict) or not isinstance(now, dict):
        return None
    known, told = _decreed(then), _decreed(now)
    if not told.keys() - known.keys():
        return None
    return {**now, "years": {**now["years"], **known}}


def _decreed(data: Mapping[str, Any]) -> dict[str, Any]:
    return {year: rows for year, rows in data["years"].items() if rows["status"] == "decreed"}
