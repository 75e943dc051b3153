"""Deals and smart items read many at once: cards, stage history, activities (architecture.md 1.5).

A partial reading is none: an item is told only when every list about it came to its last page.
For one item all of it is four commands in one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.bitrix.bindings import Line, lines_of, owners_among
from app.bitrix.config import PortalConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, Refused
from app.bitrix.fields import Entity, UnknownOption
from app.bitrix.items import HISTORY_FIELDS, Unlike, client_keys, item_card, item_select, move_of, ref_of
from app.bitrix.listing import Listing, Part, Row, Single
from app.bitrix.openlines import history, line_cursor, line_talk, session_of
from app.bitrix.results import Unread, unread
from app.bitrix.speech import ACTIVITY_FIELDS, READ_TYPES, activity_utterances, is_open_line
from app.bitrix.wire import PAGE, number
from app.model import Gone, Reading

HISTORIES = 10  # items whose history is asked for together: five rows each fill a page
OWNERS = 15  # the same for activities: three each

Told = Reading | Gone | Unread


@dataclass(slots=True)
class CrmPlan:
    """The lists to read for some items of one type."""

    entity: Entity
    ids: list[int]
    cards: dict[int, Listing] = field(default_factory=dict)
    histories: dict[int, Listing] = field(default_factory=dict)
    owned: dict[int, Listing] = field(default_factory=dict)
    bound: list[tuple[Line, Listing]] = field(default_factory=list)
    asked_again: dict[int, Listing] = field(default_factory=dict)  # doubtful owners, one by one
    sessions: dict[int, Single] = field(default_factory=dict)  # talks of open lines
    guesses: Mapping[str, Single] = field(default_factory=dict)  # the only item's client, with its card

    def parts(self) -> list[list[Part]]:
        """Every list once, each a group of its own."""
        lists = [*self.cards.values(), *self.histories.values(), *self.owned.values()]
        lists += [listing for _, listing in self.bound]
        groups: list[list[Part]] = [[listing] for listing in dict.fromkeys(lists)]
        groups[0] += self.guesses.values()  # they refer to the card before them
        return groups

    def further_parts(self) -> list[list[Part]]:
        """What only the first answers name: doubtful owners, and the talks of open lines."""
        doubtful = {item for _, items in _ownership(self).values() for item in items}
        for item in sorted(doubtful):
            self.asked_again[item] = _activities(_bound_filter(self.entity.crm_type, [item]))
        lists = [*self.owned.values(), *(listing for _, listing in self.bound)]
        lines = [row for listing in dict.fromkeys(lists) for row in listing.rows if is_open_line(row)]
        self.sessions = {n: history(n) for n in sorted({session_of(row) for row in lines} - {0})}
        parts: list[Part] = [*self.asked_again.values(), *self.sessions.values()]
        return [[part] for part in parts]

    def error(self, item: int) -> PortalError | None:
        """Why this item has no complete reading."""
        lists = [self.cards[item], self.histories[item], self.owned[item]]
        lists += [listing for line, listing in self.bound if item in line.ids]
        lists += [self.asked_again[item]] if item in self.asked_again else []
        return next((listing.error for listing in lists if listing.error), None)


def crm_plan(entity: Entity, ids: Iterable[int], config: PortalConfig) -> CrmPlan:
    """What to ask for; nothing is sent yet."""
    plan = CrmPlan(entity, sorted(set(ids)))
    crm_type = entity.crm_type
    plan.cards = _shared(plan.ids, PAGE, lambda some: _cards(crm_type, some, item_select(config, entity)))
    plan.histories = _shared(plan.ids, HISTORIES, lambda some: _history(crm_type, some))
    plan.owned = _shared(plan.ids, OWNERS, lambda some: _activities(_owned_filter(crm_type, some)))
    plan.bound = [(line, _activities(_bound_filter(crm_type, line.ids))) for line in lines_of(plan.ids)]
    return plan


def crm_readings(
    plan: CrmPlan, config: PortalConfig, directory: Directory, read_at: datetime
) -> tuple[list[Told], bool]:
    """A word about each item, and whether some list holds an option that we do not know."""
    talks = _activities_by_item(plan)
    told: list[Told] = []
    stale = False
    for item in plan.ids:
        try:
            told.append(_reading(plan, item, talks.get(item, []), config, directory, read_at))
        except UnknownOption as option:
            stale = True
            told.append(_refused(plan, item, f"в поле {option} неизвестное значение списка"))
        except (Unlike, ArithmeticError, LookupError, TypeError, ValueError) as fault:
            told.append(_refused(plan, item, str(fault)))
    return told, stale


def wanted_names(plans: Iterable[CrmPlan]) -> list[str]:
    """Contacts and companies of the rows that came: "contact:5"."""
    return [key for plan in plans for listing in set(plan.cards.values()) for row in listing.rows
            for key in client_keys(row)]  # fmt: skip


def _reading(
    plan: CrmPlan,
    item: int,
    activities: Sequence[Row],
    config: PortalConfig,
    directory: Directory,
    read_at: datetime,
) -> Told:
    ref = ref_of(plan.entity.crm_type, item)
    if error := plan.error(item):
        return unread(ref, error)
    row = next((row for row in plan.cards[item].rows if number(row.get("id")) == item), None)
    if row is None:
        return Gone(ref, read_at)
    spoken = [spoken for a in activities for spoken in activity_utterances(a, directory.robots)]
    try:
        told, notes = line_talk(activities, plan.sessions, directory.robots, read_at)
    except PortalError as error:
        return unread(ref, error)
    said = (*spoken, *told)
    rows = [row for row in plan.histories[item].rows if number(row.get("OWNER_ID")) == item]
    return Reading(
        ref=ref,
        read_at=read_at,
        card=item_card(row, plan.entity, config, directory.names, said),
        moves=tuple(move_of(row) for row in rows),
        utterances=said,
        notes=notes,
        cursor=line_cursor(activities, plan.sessions),
    )


def _refused(plan: CrmPlan, item: int, why: str) -> Unread:
    return unread(ref_of(plan.entity.crm_type, item), Refused("unreadable", why))


def _activities_by_item(plan: CrmPlan) -> dict[int, list[Row]]:
    """Every activity under each item that it is bound to, once, by ascending id."""
    found: dict[int, dict[int, Row]] = {item: {} for item in plan.ids}
    for item in plan.ids:
        mine = [row for row in plan.owned[item].rows if number(row.get("OWNER_ID")) == item]
        again = plan.asked_again[item].rows if item in plan.asked_again else []
        found[item].update((number(row.get("ID")), row) for row in (*mine, *again))
    rows = {number(row.get("ID")): row for _, listing in plan.bound for row in listing.rows}
    for activity, (certain, _) in _ownership(plan).items():
        for item in certain:
            found[item][activity] = rows[activity]
    return {item: [row for _, row in sorted(rows.items())] for item, rows in found.items()}


def _ownership(plan: CrmPlan) -> dict[int, tuple[frozenset[int], frozenset[int]]]:
    lines: dict[int, list[Line]] = {}
    for line, listing in plan.bound:
        for row in listing.rows:
            lines.setdefault(number(row.get("ID")), []).append(line)
    return {activity: owners_among(found) for activity, found in lines.items()}


def _shared(ids: Sequence[int], size: int, listing: Any) -> dict[int, Listing]:
    """Item → the list that holds its rows; `size` items share one."""
    found: dict[int, Listing] = {}
    for start in range(0, len(ids), size):
        some = ids[start : start + size]
        found |= dict.fromkeys(some, listing(some))
    return found


def _cards(crm_type: int, ids: Sequence[int], select: Sequence[str]) -> Listing:
    params = {
        "entityTypeId": crm_type,
        "select": list(select),
        "filter": {"@id": list(ids)},
        "order": {"id": "ASC"},
        "useOriginalUfNames": "Y",
    }
    return Listing("crm.item.list", params, path=("items",), key="id", above=">id")


def _history(crm_type: int, ids: Sequence[int]) -> Listing:
    params = {
        "entityTypeId": crm_type,
        "select": list(HISTORY_FIELDS),
        "filter": {"@OWNER_ID": list(ids)},
        "order": {"ID": "ASC"},
    }
    return Listing("crm.stagehistory.list", params, path=("items",))


def _activities(which: Mapping[str, Any]) -> Listing:
    params = {
        "select": list(ACTIVITY_FIELDS),
        "filter": {**which, "@TYPE_ID": list(READ_TYPES)},
        "order": {"ID": "ASC"},
    }
    return Listing("crm.activity.list", params)


def _owned_filter(crm_type: int, ids: Sequence[int]) -> dict[str, Any]:
    return {"OWNER_TYPE_ID": crm_type, "@OWNER_ID": list(ids)}


def _bound_filter(crm_type: int, ids: Sequence[int]) -> dict[str, Any]:
    return {"BINDINGS": [{"OWNER_TYPE_ID": crm_type, "OWNER_ID": item} for item in ids]}
