"""Becoming an auditor of tasks whose chats are closed to us (rest.md 5.3).

`startwatch` adds whom we act as and leaves the others alone. Where a portal does not let us, the list of
auditors is written: it is replaced whole, so it is read first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

from app.bitrix.client import Client
from app.bitrix.directory import Directory
from app.bitrix.errors import Misconfigured, Refused
from app.bitrix.results import MessageWork, Unwritten, Work, Written, unwritten
from app.bitrix.tasks import task_of
from app.bitrix.wire import Answer, Command, Told, as_list, number
from app.model import ItemRef, Lane, MessageKind

SHUT = "наблюдателем задачи стать нельзя, её переписка не читается: добавьте владельца вебхука сами"

Outcome = Written | Unwritten


def is_wish(work: Work) -> TypeGuard[MessageWork]:
    """Whether it wishes to be let into a task."""
    return isinstance(work, MessageWork) and work.message.kind is MessageKind.WATCH


class Watcher:
    """Joins tasks; done twice it changes nothing."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self._client, self._directory = client, directory

    async def watch(self, works: Sequence[MessageWork], lane: Lane) -> list[Outcome]:
        """What became of each wish, in order; never raises."""
        if not works:
            return []
        refs = [ItemRef.parse(work.message.to) for work in works]
        told = await self._client.run_each([_start(ref) for ref in refs], lane)
        refused = [place for place, one in enumerate(told) if isinstance(one, Refused | Misconfigured)]
        outcomes = [Written() if isinstance(one, Answer) else unwritten(one) for one in told]
        written = await self._write([refs[place] for place in refused], lane)
        for place, outcome in zip(refused, written, strict=True):
            outcomes[place] = outcome
        return outcomes

    async def _write(self, refs: Sequence[ItemRef], lane: Lane) -> list[Outcome]:
        if not refs:
            return []
        read = await self._client.run_each([_auditors(ref) for ref in refs], lane)
        lists = [_with(one, self._directory.us) for one in read]
        wishes = [_change(ref, some) for ref, some in zip(refs, lists, strict=True) if some is not None]
        told = iter(await self._client.run_each(wishes, lane) if wishes else [])
        return [
            _outcome(one) if some is None else _outcome(next(told))
            for one, some in zip(read, lists, strict=True)
        ]


def _start(ref: ItemRef) -> Command:
    return Command("tasks.task.startwatch", {"taskId": ref.id})


def _auditors(ref: ItemRef) -> Command:
    return Command("tasks.task.get", {"taskId": ref.id, "select": ["ID", "AUDITORS"]})


def _change(ref: ItemRef, auditors: list[int]) -> Command:
    return Command("tasks.task.update", {"taskId": ref.id, "fields": {"AUDITORS": auditors}})


def _with(told: Told, us: int) -> list[int] | None:
    """The auditors with us among them; None where there is nothing to write."""
    task: Any = task_of(told.result) if isinstance(told, Answer) else None
    if task is None or not us:
        return None
    known = [number(one) for one in as_list(task.get("auditors"))]
    return None if us in known else [*known, us]


def _outcome(told: Told) -> Outcome:
    if isinstance(told, Answer):
        return Written() if task_of(told.result) else Unwritten(SHUT, final=True)
    if isinstance(told, Refused | Misconfigured):
        return Unwritten(f"{SHUT} ({told})", final=True)
    return unwritten(told)
