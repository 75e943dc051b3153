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
HURRIED_SECONDS = 2.0  # the same at a stop, which leaves requests three
PATIENCE_SECONDS = 4.0  # for the database to take an event; a sender waits hardly longer for its answer
LOOKS = 8  # within that time, at who has waited too long
AGAIN_SECONDS = 2.0  # after which a database that refused is tried again, also when no event comes
MOST_WAITING = 5000  # events in memory while the database is away; more are refused at once

INTAKE_WRITES = "intake"  # among the writes that /readyz answers for

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
        self._is_stopping = False
        self._refused = 0  # events since the database began to refuse
        self._timer: asyncio.TimerHandle | None = None  # until it is tried again
        self._trial: asyncio.Task[None] | None = None

    async def put(self, event: Event) -> None:
        """Returns when the event is stored durably; raises NotStored.

        One that waited too long is refused and may be stored all the same: reading an item once more does
        no harm.
        """
        try:
            await self._written(event)
        except NotStored as fault:
            self._note_refusal(fault)
            raise

    async def _written(self, event: Event) -> None:
        if len(self._waiting) >= MOST_WAITING:
            raise NotStored("too many events wait for the database")
        waiting = _Waiting(event)
        self._waiting.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
            self._look(self._writer)
        await waiting.stored

    def hurry(self) -> None:
        """The service is about to stop: who waits in vain is told so before that, nothing more is tried."""
        self._is_stopping = True
        if self._timer is not None:
            self._timer.cancel()

    async def close(self) -> None:
        """Let the last commit end."""
        self.hurry()
        for last in (self._trial, self._writer):
            if last is not None:
                await last

    def _note_refusal(self, fault: NotStored) -> None:
        """A line when refusals begin, however many they become; another with their number when they end."""
        if not self._refused:
            log.warning("events_refused", why=str(fault))
            self.desk.health.unwritten.add(INTAKE_WRITES)
            self._try_later()
        self._refused += 1

    def _try_later(self) -> None:
        """A process that is not ready may be sent no event by which it could see that it is ready again."""
        if not self._is_stopping:
            self._timer = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._try)

    def _try(self) -> None:
        self._trial = asyncio.create_task(self._tried())

    async def _tried(self) -> None:
        try:
            await arrivals.append(self.desk.db, (), self.desk.now())
        except Exception:  # noqa: BLE001 - whatever it is, the first refusal was told
            if self._refused:
                self._try_later()
        else:
            self._note_success()

    def _note_success(self) -> None:
        if not self._refused:
            return
        log.info("events_stored_again", refused=self._refused)
        self._refused = 0
        self.desk.health.unwritten.discard(INTAKE_WRITES)
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, writer: asyncio.Task[None]) -> None:
        """Refuse who has waited too long. One timer for all: one each would be a tenth of an event's cost."""
        if writer.done():
            return
        limit = _loop_time() - (HURRIED_SECONDS if self._is_stopping else PATIENCE_SECONDS)
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
                self._note_success()
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
