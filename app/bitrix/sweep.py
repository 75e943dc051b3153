"""The sweep: what changed though no event told us (architecture.md 3).

Each part has its own mark and fails alone: a part that could not be read to its end keeps its
mark and is read again. Marks are moments of the portal's clock; two minutes are read twice,
because rows may become visible later than their time says. What was told of them is remembered, so
that a sweep each half minute does not have every change read four times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.errors import PortalError, RetryLater
from app.bitrix.items import HISTORY_FIELDS, ref_of
from app.bitrix.listing import Listing, Part, Row, complete
from app.bitrix.openlines import Sessions, checks, goes_on
from app.bitrix.results import Changes, Marks
from app.bitrix.speech import READ_TYPES
from app.bitrix.times import exact, instant
from app.bitrix.user_events import Lines, Look
from app.bitrix.wire import Command, Group, Told, number, unlisted
from app.model import Hint, HintKind, ItemRef, Kind, Lane, Subject

OVERLAP = timedelta(minutes=2)
SETTLED = timedelta(seconds=5)  # a row as young as this may change once more within its second
FUNNEL_MOVE = 5  # TYPE_ID of a history row (rest.md 4.4)


@dataclass(frozen=True, slots=True)
class Stream:
    """One part of the sweep: a list and how to understand its rows."""

    name: str
    listing: Part
    rows: Callable[[], Sequence[Row]]
    subjects: Callable[[Sequence[Row]], list[Subject]]
    mark: Callable[[Sequence[Row]], str]  # where the part stands after these rows
    dated: str = ""  # what says when a row changed, if the part overlaps the last sweep's
    spoken: bool = False  # its rows are somebody's words

    def versions(self, rows: Sequence[Row]) -> list[tuple[str, Row]]:
        """Each row with what tells it from the same row changed once more."""
        return [(f"{number(row.get('id') or row.get('ID'))}@{row.get(self.dated)}", row) for row in rows]


class TalkedTasks:
    """Tasks by ACTIVITY_DATE, newest first, down to the mark: it sorts but does not filter (rest.md 5.1)."""

    def __init__(self, params: Mapping[str, Any], since: datetime) -> None:
        self._params, self._since = params, since
        self._start = 0
        self._done = False
        self.rows: list[Row] = []
        self.error: PortalError | None = None

    def next_group(self) -> Group:
        if self._done or self.error:
            return []
        return [Command("tasks.task.list", {**self._params, "start": self._start})]

    def take(self, told: Sequence[Told]) -> None:
        if isinstance(told[0], PortalError):
            self.error = told[0]
            return
        self.error = unlisted(told[0], "tasks", method="tasks.task.list")
        if self.error:
            return
        rows = told[0].rows("tasks")
        recent = [row for row in rows if (at := instant(row.get("activityDate"))) and at >= self._since]
        self.rows += recent
        self._start = told[0].next or 0
        self._done = len(recent) < len(rows) or not self._start


async def changes(
    client: Client,
    config: PortalConfig,
    marks: Marks,
    lines: Lines,
    since: datetime,
    portal_now: datetime,
    lane: Lane,
    look: Look | None = None,
) -> Changes:
    """Subjects to read again and new marks. `since`: where a part without a mark begins.

    `lines`: items with open sessions of messengers, whose messages neither events nor lists tell.
    `look`: a look into the queue of our own talk, which travels along.
    """
    streams = [_items(config, crm_type, _from(marks, f"items:{crm_type}", since), portal_now)
               for crm_type in config.crm_types]  # fmt: skip
    streams += [_history(config, crm_type, marks.get(f"history:{crm_type}"), since)
                for crm_type in config.crm_types]  # fmt: skip
    if config.crm_types:
        streams.append(_activities(config, _from(marks, "activities", since), portal_now))
    if config.reads_tasks:
        streams.append(_tasks(config, _from(marks, "tasks", since), portal_now))
        streams.append(_talked(config, _from(marks, "talks", since), portal_now))
    sessions = checks(lines.values())
    parts: list[list[Part]] = [[stream.listing] for stream in streams]
    beside: list[Part] = [*sessions.values(), *([look] if look else [])]
    await complete(client, [*parts, *([part] for part in beside)], lane)
    talked = [ref for ref, cursor in lines.items() if goes_on(cursor, sessions)]
    return _with_lines(_summary(streams, marks, portal_now), talked, sessions)


def _with_lines(found: Changes, talked: Sequence[ItemRef], sessions: Sessions) -> Changes:
    """A session that we may not read is no failure of the sweep: its item's reading tells of it."""
    refs = tuple(dict.fromkeys([*found.refs, *talked]))
    late = next((one.error for one in sessions.values() if isinstance(one.error, RetryLater)), None)
    failed = (*found.failed, f"openlines: {late}") if late else found.failed
    return replace(found, refs=refs, failed=failed, spoken=found.spoken | {*talked})


def _summary(streams: Sequence[Stream], marks: Marks, portal_now: datetime) -> Changes:
    found: dict[Subject, None] = {}
    spoken: set[Subject] = set()
    new, failed = dict(marks), []
    for stream in streams:
        rows = stream.rows()
        subjects = stream.subjects(_untold(stream, rows, marks))
        found |= dict.fromkeys(subjects)
        spoken |= {*subjects} if stream.spoken else set()
        if stream.listing.error:
            failed.append(f"{stream.name}: {stream.listing.error}")
        else:
            new[stream.name] = stream.mark(rows) or new.get(stream.name, "")
            new[stream.name + TOLD] = _told(stream, rows, portal_now)
    kept = {name: mark for name, mark in new.items() if mark}
    return Changes(tuple(found), kept, tuple(failed), frozenset(spoken))


TOLD = "#told"  # after a part's name: the rows that the next sweep will see once more


def _untold(stream: Stream, rows: Sequence[Row], marks: Marks) -> Sequence[Row]:
    """Without those that an earlier sweep told of and that have not changed since."""
    told = frozenset(marks.get(stream.name + TOLD, "").split())
    return [row for version, row in stream.versions(rows) if version not in told] if told else rows


def _told(stream: Stream, rows: Sequence[Row], portal_now: datetime) -> str:
    if not stream.dated:
        return ""
    first, last = portal_now - OVERLAP, portal_now - SETTLED
    dated = [(version, instant(row.get(stream.dated))) for version, row in stream.versions(rows)]
    return " ".join(version for version, at in dated if at and first <= at <= last)


def _from(marks: Marks, name: str, since: datetime) -> datetime:
    mark = instant(marks.get(name))
    return mark - OVERLAP if mark else since


def _stream(
    name: str,
    listing: Listing | TalkedTasks,
    subjects: Callable[[Sequence[Row]], list[Subject]],
    mark: datetime,
    dated: str,
) -> Stream:
    return Stream(name, listing, lambda: listing.rows, subjects, lambda _: exact(mark), dated)


def _items(config: PortalConfig, crm_type: int, start: datetime, portal_now: datetime) -> Stream:
    params: dict[str, Any] = {
        "entityTypeId": crm_type,
        "select": ["id", "updatedTime"],
        "filter": {">=updatedTime": exact(start)},
        "order": {"id": "ASC"},
        "useOriginalUfNames": "Y",
    }
    if categories := _categories(config, crm_type):
        params["filter"]["@categoryId"] = categories
    listing = Listing("crm.item.list", params, path=("items",), key="id", above=">id", counted=False)

    def subjects(rows: Sequence[Row]) -> list[Subject]:
        return [ref_of(crm_type, number(row.get("id"))) for row in rows]

    return _stream(f"items:{crm_type}", listing, subjects, portal_now, "updatedTime")


def _categories(config: PortalConfig, crm_type: int) -> list[int]:
    """The funnels of a type's sources; empty when one of them takes every funnel."""
    funnels = [source.category for source in config.sources if source.crm_type == crm_type]
    known = [funnel for funnel in funnels if funnel is not None]
    return sorted(set(known)) if len(known) == len(funnels) else []


def _history(config: PortalConfig, crm_type: int, mark: str | None, since: datetime) -> Stream:
    """Stage changes by row id; a move to a foreign funnel may have left ours."""
    which = {">ID": number(mark)} if mark else {">=CREATED_TIME": exact(since)}
    params = {
        "entityTypeId": crm_type,
        "select": list(HISTORY_FIELDS),
        "filter": which,
        "order": {"ID": "ASC"},
    }
    listing = Listing("crm.stagehistory.list", params, path=("items",), counted=False)
    funnels = _categories(config, crm_type)

    def subjects(rows: Sequence[Row]) -> list[Subject]:
        ours = [row for row in rows if not funnels or _concerns(row, funnels)]
        return [ref_of(crm_type, number(row.get("OWNER_ID"))) for row in ours]

    def last(rows: Sequence[Row]) -> str:
        return str(max((number(row.get("ID")) for row in rows), default=number(mark)) or "")

    return Stream(f"history:{crm_type}", listing, lambda: listing.rows, subjects, last)


def _concerns(row: Row, funnels: Sequence[int]) -> bool:
    return number(row.get("TYPE_ID")) == FUNNEL_MOVE or number(row.get("CATEGORY_ID")) in funnels


def _activities(config: PortalConfig, start: datetime, portal_now: datetime) -> Stream:
    params = {
        "select": ["ID", "OWNER_TYPE_ID", "OWNER_ID", "LAST_UPDATED"],
        "filter": {">=LAST_UPDATED": exact(start), "@TYPE_ID": list(READ_TYPES)},
        "order": {"ID": "ASC"},
    }
    listing = Listing("crm.activity.list", params, counted=False)

    def subjects(rows: Sequence[Row]) -> list[Subject]:
        return [activity_subject(row, config.crm_types) for row in rows]

    return replace(_stream("activities", listing, subjects, portal_now, "LAST_UPDATED"), spoken=True)


def activity_subject(row: Row, crm_types: Sequence[int]) -> Subject:
    """The item that owns an activity; a client's activity is looked up later (ownership.py)."""
    owner_type = number(row.get("OWNER_TYPE_ID"))
    if owner_type in crm_types:
        return ref_of(owner_type, number(row.get("OWNER_ID")))
    return Hint(HintKind.ACTIVITY, number(row.get("ID")))


def _task_params(config: PortalConfig, order: Mapping[str, str], which: Mapping[str, Any]) -> dict[str, Any]:
    groups = [source.group for source in config.sources if source.kind is Kind.TASK]
    known = sorted({group for group in groups if group is not None})
    only = {"GROUP_ID": known} if known and None not in groups else {}
    return {
        "select": ["ID", "CHANGED_DATE", "ACTIVITY_DATE"],
        "filter": {**which, **only},
        "order": dict(order),
    }


def _task_subjects(rows: Sequence[Row]) -> list[Subject]:
    return [ItemRef(Kind.TASK, number(row.get("id"))) for row in rows]


def _tasks(config: PortalConfig, start: datetime, portal_now: datetime) -> Stream:
    params = _task_params(config, {"ID": "asc"}, {">=CHANGED_DATE": exact(start)})
    listing = Listing("tasks.task.list", params, path=("tasks",), key="id", counted=False)
    return _stream("tasks", listing, _task_subjects, portal_now, "changedDate")


def _talked(config: PortalConfig, start: datetime, portal_now: datetime) -> Stream:
    talked = TalkedTasks(_task_params(config, {"ACTIVITY_DATE": "desc"}, {}), start)
    return replace(_stream("talks", talked, _task_subjects, portal_now, "activityDate"), spoken=True)
