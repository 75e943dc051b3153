"""The columns of projects by their titles: a kanban tells a task's log its moves by title (rest.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.client import Clock
from app.bitrix.errors import RetryLater
from app.bitrix.listing import Single
from app.bitrix.wire import Command, as_list, as_map, number

FRESH = timedelta(hours=1)
RELEARN = timedelta(minutes=10)  # for a title that is not there: a column that was renamed or deleted

Columns = Mapping[str, int]
"""Title → stage id. Of two columns with one title neither is known by it."""


class Kanban:
    """Remembered columns of projects."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[int, tuple[datetime, Columns]] = {}

    def columns(self, group: int) -> Columns:
        return self._known[group][1] if group in self._known else {}

    def questions(self, titles: Mapping[int, Iterable[str]]) -> dict[int, Single]:
        """What to ask about projects (by number) in whose tasks' logs these titles stand."""
        asked = [group for group, some in titles.items() if group and self._must_ask(group, set(some))]
        return {group: Single(Command("task.stages.get", {"entityId": group})) for group in asked}

    def _must_ask(self, group: int, titles: set[str]) -> bool:
        if group not in self._known:
            return bool(titles)
        read_at, columns = self._known[group]
        patience = FRESH if titles <= columns.keys() else RELEARN
        return bool(titles) and self._clock.now() - read_at > patience

    def learn(self, asked: Mapping[int, Single]) -> None:
        """Remember what came. A project that we may not see has no columns; one that may come later stays."""
        for group, part in asked.items():
            if not isinstance(part.error, RetryLater):
                result = part.answer.result if part.answer else {}
                self._known[group] = (self._clock.now(), columns_of(result))


def columns_of(result: Any) -> Columns:
    """The answer of task.stages.get: a map by number, or the list that PHP makes of it."""
    rows = [as_map(row) for row in as_list(result)]
    titles = [str(row.get("TITLE") or "") for row in rows]
    pairs = zip(titles, (number(row.get("ID")) for row in rows), strict=True)
    return {title: stage for title, stage in pairs if title and titles.count(title) == 1}
