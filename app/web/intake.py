"""Events on their way into the inbox: posts that wait together share one commit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import structlog

from app.desk import Desk
from app.model import Event
from app.store import arrivals, strangers
from app.store.engine import StoreUnavailable
from app.web.exposition import EVENTS, INTAKE, UNKNOWN_EVENT

AT_ONCE = 500
PATIENCE_SECONDS = 4.0  # for the database to take an event; a sender waits hardly longer for its answer
LOOKS = 8  # within that time, at who has waited too long
MOST_WAITING = 5000  # events in memory while the database is away; more are refused at once

log = structlog.get_logger(__name__)


class NotStored(Exception):
    """The database did not take the event; the portal will not send it again, the sweep will find it."""


def _promise() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class _Waiting:
    event: Event
    stored: asyncio.Future[None] = field(default_factory=_promise)
    since: float = field(default_factory=_loop_time)  # seconds of the loop


class Intake:
    """One writer at a time; what arrives while it commits goes into its next commit."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._waiting: list[_Waiting] = []
        self._batch: list[_Waiting] = []  # on its way into the database
        self._writer: asyncio.Task[None] | None = None

    async def put(self, event: Event) -> None:
        """Returns when the event is stored durably; raises NotStored.

        One that waited too long is refused and may be stored all the same: reading an item once more does
        no harm.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise NotStored("too many events wait for the database")
        waiting = _Waiting(event)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
            self._look(self._writer)
        await waiting.stored

    async def close(self) -> None:
        """Let the last commit end."""
        if self._writer is not None:
            await self._writer

    def _look(self, writer: asyncio.Task[None]) -> None:
        """Refuse who has waited too long. One timer for all: one each would be a tenth of an event's cost."""
        if writer.done():
            return
        limit = _loop_time() - PATIENCE_SECONDS
        _refuse(each for each in (*self._batch, *self._waiting) if each.since <= limit)
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS / LOOKS, self._look, writer)

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            self._batch = batch
            fault: NotStored | None = NotStored("the service is stopping")
            try:
                await self._store([waiting.event for waiting in batch])
                fault = None
            except StoreUnavailable as error:
                fault = NotStored(str(error))
            except (
                Exception
            ) as error:  # a fault of ours; those who wait and the next batch must not suffer twice
                log.exception("events_not_stored")
                fault = NotStored(type(error).__name__)
            finally:  # nobody may wait for ever, whatever happened
                self._batch = []
                _tell(batch, fault)
            if fault is None:
                self.desk.wake()

    async def _store(self, events: list[Event]) -> None:
        now = self.desk.now()
        if known := [(event.subject, event.lane, event.name) for event in events if event.subject]:
            await arrivals.append(self.desk.db, known, now)
        if unknown := [event.name for event in events if event.subject is None]:
            async with self.desk.db.begin() as conn:
                await strangers.count(conn, unknown, now)


def _refuse(late: Iterable[_Waiting]) -> None:
    for waiting in late:
        if not waiting.stored.done():
            waiting.stored.set_exception(NotStored("the database takes too long"))


def _tell(batch: list[_Waiting], fault: NotStored | None) -> None:
    now = _loop_time()
    for waiting in batch:
        INTAKE.observe(now - waiting.since)
        if waiting.stored.done():  # refused before, or its sender has gone
            continue
        if fault is None:
            waiting.stored.set_result(None)
        else:
            waiting.stored.set_exception(fault)
    for name, number in Counter(_label(waiting.event) for waiting in batch).items():
        EVENTS.labels(event=name, result="refused" if fault else "stored").inc(number)


def _label(event: Event) -> str:
    """A smart process has its type in the name; as many names as a sender likes would stay in memory."""
    return event.name.partition("_")[0] if event.subject else UNKNOWN_EVENT
