"""PostgreSQL behind a road that swallows packets: nobody waits for ever, and no silent connection is kept."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import engine
from app.store.engine import Database, StoreUnavailable
from app.store.migrate import migrate
from app.store.schema import slots
from app.web.intake import LOOKS, PATIENCE_SECONDS

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SOON = 0.2  # a busy machine must answer within it where nothing is silent


class Road:
    """Passes bytes on to the server; the connections of before `fall_silent` stay open and say nothing."""

    def __init__(self, server: str) -> None:
        address = make_url(server)
        self.socket = f"{address.query['host']}/.s.PGSQL.{address.port or 5432}"
        self.address = address.difference_update_query(["host"])
        self.opened = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._silent: set[int] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.address = self.address.set(host="127.0.0.1", port=port)

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, more: str = "") -> str:
        return f"{self.address.render_as_string(hide_password=False)}{more}"

    def fall_silent(self) -> None:
        self._silent.update(range(1, self.opened + 1))

    async def _pass(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.opened += 1
        there, back = await asyncio.open_unix_connection(self.socket)
        for source, sink in ((reader, back), (there, writer)):
            self._tasks.append(asyncio.create_task(self._copy(self.opened, source, sink)))

    async def _copy(self, number: int, source: StreamReader, sink: StreamWriter) -> None:
        with suppress(OSError):
            while said := await source.read(65536):
                if number not in self._silent:
                    sink.write(said)
                    await sink.drain()
        sink.close()


@pytest.fixture
async def road(shared_postgres: str) -> AsyncIterator[Road]:
    made = Road(shared_postgres)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
def goodbyes(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether the connection was given up already at each goodbye to one; else its answer is waited for."""

    async def noted(self: Any, **named: Any) -> None:
        said.append(self.is_closed())
        await close(self, **named)

    said: list[bool] = []
    close = asyncpg.Connection.close
    monkeypatch.setattr(asyncpg.Connection, "close", noted)
    return said


async def put(database: Database, name: str) -> None:
    await database.append(slots, {"job": "j", "slot": name, "holder": "h", "taken_at": NOW})


async def test_an_event_that_met_silence_is_stored_by_a_new_connection(
    road: Road, goodbyes: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "HASTY_SECONDS", SOON)
    database = Database.open(road.url())
    await put(database, "first")
    road.fall_silent()
    async with asyncio.timeout(2):
        await put(database, "second")
        await put(database, "third")
    assert goodbyes == [True]
    async with database.begin() as conn:
        stored = (await conn.scalars(sa.delete(slots).returning(slots.c.slot))).all()
    await database.close()
    assert sorted(stored) == ["first", "second", "third"]


async def cut_off(road: Road, transaction: AbstractAsyncContextManager[AsyncConnection]) -> None:
    async with transaction as conn:
        await conn.execute(sa.text("SELECT 1"))
        road.fall_silent()
        await conn.execute(sa.text("SELECT 2"))


@pytest.mark.parametrize("way", ["begin", "read"])
async def test_a_statement_that_meets_silence_fails_and_the_next_gets_a_new_connection(
    road: Road, goodbyes: list[bool], way: str
) -> None:
    database = Database.open(road.url(f"?command_timeout={SOON}"))
    async with asyncio.timeout(2):
        with pytest.raises(StoreUnavailable) as fault:
            await cut_off(road, getattr(database, way)())
        async with getattr(database, way)() as conn:
            assert await conn.scalar(sa.text("SELECT 3")) == 3
    assert goodbyes == [True]
    await database.close()
    assert "TimeoutError" in str(fault.value)


async def begin(url: str) -> None:
    database = Database.open(url)
    async with database.begin() as conn:
        await conn.execute(sa.text("SELECT 1"))
    await database.close()


async def append(url: str) -> None:
    database = Database.open(url)
    await put(database, "slot")
    async with database.begin() as conn:
        await conn.execute(sa.delete(slots))
    await database.close()


async def scrub(url: str) -> None:
    database = Database.open(url)
    await database.scrub()
    await database.close()


@pytest.mark.parametrize(
    ("act", "seconds"),
    [
        (begin, engine.COMMAND_SECONDS),
        (append, engine.HASTY_SECONDS),
        (scrub, None),  # VACUUM FULL of a big table takes minutes
        (migrate, None),
    ],
)
@pytest.mark.parametrize("said", [None, 7])
async def test_who_waits_how_long_for_an_answer(
    shared_postgres: str,
    monkeypatch: pytest.MonkeyPatch,
    act: Callable[[str], Awaitable[None]],
    seconds: float | None,
    said: float | None,
) -> None:
    waits: list[float | None] = []

    async def noted(*args: Any, **named: Any) -> Any:
        waits.append(named["command_timeout"])
        return await connect(*args, **named)

    connect = asyncpg.connect
    monkeypatch.setattr(asyncpg, "connect", noted)
    await act(f"{shared_postgres}&command_timeout={said}" if said else shared_postgres)
    assert waits[0] == (said or seconds)


def test_an_event_is_tried_twice_before_its_sender_is_refused() -> None:
    assert engine.HASTY_SECONDS < PATIENCE_SECONDS * (LOOKS - 1) / LOOKS
