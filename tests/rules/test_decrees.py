"""What a ticket began under, and what a later decree changes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.model import TicketClass
from app.rules import Rules, decreed_since, load_rules, rules_from
from app.sla.workdays import russian_data

SOURCE = '[[source]]\nkind = "deal"\n[source.stages]\n"NEW" = "new"\n'
JANUARY_HOLIDAYS = [
    {"date": f"2028-01-{day:02}", "name": "Новый год", "kind": "public_holiday"} for day in range(1, 9)
]
MOVED = {"date": "2028-01-10", "name": "перенос с 1 января", "kind": "transferred_day_off"}
BEFORE_NEW_YEAR = datetime(2027, 12, 30, 14, tzinfo=UTC)


def decree(*moved: Mapping[str, str]) -> dict[str, Any]:
    """The packaged data with 2028 decreed."""
    data = russian_data()
    year = {"status": "decreed", "non_working": [*JANUARY_HOLIDAYS, *moved]}
    return {**data, "years": {**data["years"], "2028": year}}


def rules(folder: Path, data: Mapping[str, Any] | None = None, extra: str = "") -> Rules:
    """The rules on the packaged calendar, or on a file of the desk's own."""
    (folder / "days.json").write_text(json.dumps(data), "utf-8")
    own = '[calendar.office]\nproduction_calendar = "days.json"\n' if data else ""
    (folder / "rules.toml").write_text(f"{own}{extra}{SOURCE}", "utf-8")
    return load_rules(folder / "rules.toml")


def due(of: Rules) -> datetime:
    return of.calendar.add(BEFORE_NEW_YEAR, timedelta(hours=8))


def test_the_packaged_calendar_is_kept_with_the_rules(tmp_path: Path) -> None:
    kept = json.loads(rules(tmp_path).text)["calendar"]["office"]["production_calendar"]

    assert kept == russian_data()
    assert rules_from(rules(tmp_path).text).calendar.fingerprint == rules(tmp_path).calendar.fingerprint


def test_another_calendar_is_another_version(tmp_path: Path) -> None:
    assert rules(tmp_path).version != rules(tmp_path, decree()).version


def test_without_a_new_decree_nothing_is_counted_anew(tmp_path: Path) -> None:
    assert decreed_since(rules(tmp_path), rules(tmp_path, extra='[ola]\nhead = "2h"\n')) is None
    assert decreed_since(rules(tmp_path, decree()), rules(tmp_path)) is None


def test_a_decree_moves_what_was_provisional_and_makes_it_sure(tmp_path: Path) -> None:
    before = rules(tmp_path)
    after = decreed_since(before, rules(tmp_path, decree(MOVED)))

    assert after is not None
    assert (before.calendar.is_provisional(due(before)), after.calendar.is_provisional(due(after))) == (
        True,
        False,
    )
    assert due(after) - due(before) == timedelta(days=1)


def test_terms_and_hours_of_the_start_stay(tmp_path: Path) -> None:
    stricter = '[class.standard]\nresolve = "16h"\n[calendar.always]\nhours = "24x7"\n'
    before = rules(tmp_path)
    after = decreed_since(before, rules(tmp_path, decree(), stricter))

    assert after is not None
    assert after.classes[TicketClass.STANDARD].resolve == timedelta(hours=24)


def test_a_year_decreed_at_the_start_is_not_rewritten(tmp_path: Path) -> None:
    edited = decree()
    edited["years"]["2027"] = {"status": "decreed", "non_working": []}
    after = decreed_since(rules(tmp_path), rules(tmp_path, edited))

    assert after is not None
    assert not after.calendar.is_working_day(datetime(2027, 1, 4, tzinfo=UTC).date())
