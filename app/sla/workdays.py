"""The production calendar: which dates of a country are off, moved or shortened.

The data are decrees, year by year. A year without a decree keeps the holidays that the Labour
Code fixes and nothing else: no moved days, no short eves (sla.md 1).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

LAWFUL = "public_holiday"
FIXED_NAME = "Нерабочий праздничный день"


class WorkDaysFault(ValueError):
    """The file is no production calendar: correct it or take the packaged one."""


@dataclass(frozen=True, slots=True)
class DayOff:
    """A date on which nobody works; `moved`: off by decree, no holiday itself."""

    name: str
    moved: bool = False

    @property
    def why(self) -> str:
        """`holiday:<name>` or `day_off:<name>`, as the explanation shows it."""
        return f"{'day_off' if self.moved else 'holiday'}:{self.name}"


@dataclass(frozen=True, slots=True)
class WorkDays:
    """A country's decreed years and the holidays that need no decree."""

    decreed: frozenset[int]
    off: Mapping[date, DayOff]
    working_weekends: Mapping[date, date | None]
    """Working Saturday or Sunday → the working date it was swapped with."""
    shortened: Mapping[date, timedelta]
    """Date → how much earlier it ends."""
    fixed: Mapping[tuple[int, int], str]
    """(month, day) → holiday of every year."""

    def day_off(self, day: date) -> DayOff | None:
        """Why `day` is off, if the country says so; ordinary weekends are not its business."""
        if day.year in self.decreed:
            return self.off.get(day)
        name = self.fixed.get((day.month, day.day))
        return DayOff(name) if name else None

    @property
    def provisional_from(self) -> date:
        """The first date after the decreed years."""
        return date(max(self.decreed) + 1, 1, 1)


def load_workdays(text: str) -> WorkDays:
    """Read JSON of the form of `ru_workdays.json`; WorkDaysFault says what is wrong with it."""
    try:
        tree = json.loads(text)
        years = {int(year): rows for year, rows in tree["years"].items() if rows["status"] == "decreed"}
        return _read(years, tree.get("beyond", {}))
    except (KeyError, TypeError, AttributeError, ValueError) as fault:
        raise WorkDaysFault(f"не читается производственный календарь: {_told(fault)}") from fault


@cache
def russian_workdays() -> WorkDays:
    """The packaged calendar of Russia."""
    return load_workdays(_packaged())


def russian_data() -> Any:
    """The same as plain values, for whoever keeps them."""
    return json.loads(_packaged())


def _packaged() -> str:
    return files("app.sla").joinpath("ru_workdays.json").read_text(encoding="utf-8")


def _told(fault: Exception) -> str:
    return f"нет ключа {fault}" if isinstance(fault, KeyError) else str(fault)


def _read(years: Mapping[int, Any], beyond: Mapping[str, Any]) -> WorkDays:
    _refuse_gaps(years)
    off = [row for rows in years.values() for row in rows["non_working"]]
    weekends = [row for rows in years.values() for row in rows.get("working_weekends", ())]
    shortened = [row for rows in years.values() for row in rows.get("shortened", ())]
    return WorkDays(
        decreed=frozenset(years),
        off={_day(row["date"]): DayOff(row["name"], row["kind"] != LAWFUL) for row in off},
        working_weekends={_day(row["date"]): _swapped(row) for row in weekends},
        shortened={_day(row["date"]): _less(row) for row in shortened},
        fixed=_fixed(off, beyond),
    )


def _refuse_gaps(years: Mapping[int, Any]) -> None:
    """A missing decree between two others would be counted by the Code alone, and nobody would be told."""
    if not years:
        raise ValueError("нет ни одного утверждённого года")
    missing = sorted(set(range(min(years), max(years))) - set(years))
    strange = [row for year, rows in years.items() for row in _rows(rows) if _day(row["date"]).year != year]
    problems = [f"нет утверждённого {year} года между соседними" for year in missing]
    problems += [f"дата {row['date']} стоит не в своём году" for row in strange]
    if problems:
        raise ValueError("; ".join(problems))


def _rows(year: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*year["non_working"], *year.get("working_weekends", ()), *year.get("shortened", ())]


def _fixed(off: list[Mapping[str, Any]], beyond: Mapping[str, Any]) -> dict[tuple[int, int], str]:
    """The Labour Code's dates: the same in every year, so one projected year tells them all."""
    lawful = {_day(row["date"]): str(row["name"]) for row in off if row["kind"] == LAWFUL}
    names = {(day.month, day.day): name for day, name in sorted(lawful.items())}
    sure = {_day(text) for rows in beyond.values() for text in rows["non_working_sure"]}
    dates = {(day.month, day.day) for day in sure} or set(names)
    return {key: names.get(key, FIXED_NAME) for key in sorted(dates)}


def _swapped(row: Mapping[str, Any]) -> date | None:
    return _day(row["transferred_to"]) if row.get("transferred_to") else None


def _less(row: Mapping[str, Any]) -> timedelta:
    less = timedelta(minutes=row["minutes_less"])
    if less <= timedelta(0):
        raise ValueError(f"{row['date']}: minutes_less должно быть больше нуля")
    return less


def _day(text: str) -> date:
    return date.fromisoformat(text)
