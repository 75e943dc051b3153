"""The road to the database; what the two databases spell differently is in `dialects.py`.

Promises: a transaction either happened durably or raised; nobody outside needs to know
which database it is; no error text carries stored values (they may be personal data).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from traceback import walk_tb
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Dialect, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.store import libpq
from app.store.dialects import json_text

Fence = Callable[[AsyncConnection], Awaitable[None]]

BUSY_SECONDS = 5  # how long somebody else's lock is waited for
CONNECT_SECONDS = 10
COMMAND_SECONDS = 60.0  # for an answer; a firewall that swallows packets would make us wait for ever
HASTY_SECONDS = 3.0  # the same for `append`: its second trial must come before who waits for it gives up
POOL_SIZE = 10
DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+asyncpg"}
"""Those that `append` talks to."""

SQLITE_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",  # first: the next line may meet another process
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # the answer 200 to a webhook means that it survives a power cut
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA temp_store = MEMORY",
)
POSTGRES_SETTINGS = {
    "application_name": "b24sla",
    "timezone": "UTC",
    "jit": "off",  # compiling costs more than any of our queries
    "lock_timeout": f"{BUSY_SECONDS}s",  # a stranger's lock must not keep all ten connections waiting
    # A frozen replica must not keep its row locks; none of our transactions waits for anything else.
    "idle_in_transaction_session_timeout": "5s",
}


class DatabaseUrlFault(ValueError):
    """The address names no database that we know; the text says what was expected (no password in it)."""


class StoreUnavailable(Exception):
    """The database cannot be reached or cannot write now: nothing was stored, try again later.

    Its text is for the log, `remedy` for people; neither holds a password.
    """

    def __init__(
        self, text: str, remedy: str = "база данных не отвечает или не пишет: повторите позже"
    ) -> None:
        super().__init__(text)
        self.remedy = remedy


async def lock_migrations(conn: AsyncConnection) -> None:
    """One migrating process at a time, until its commit. SQLite's BEGIN IMMEDIATE already is that lock."""
    if conn.dialect.name == "postgresql":
        await conn.exec_driver_sql("SET LOCAL lock_timeout = 0")  # the one that migrates may need minutes
        await conn.execute(sa.select(sa.func.pg_advisory_xact_lock(0xB245_1A)))
        await conn.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_SECONDS}s'")


def file_of(url: str) -> Path | None:
    """The file of an SQLite address; None for a server's. DatabaseUrlFault: neither."""
    address = _known(url)
    return Path(address.database or "") if address.drivername.startswith("sqlite") else None


class Database:
    """Two roads to one database: `begin()` writes, `read()` sees one unchanging state and cannot write.

    On SQLite writers queue for a single connection (they would only fight for the file's lock),
    readers never wait for them.
    """

    def __init__(
        self, writer: AsyncEngine, reader: AsyncEngine, hasty: sa.Engine | AsyncEngine, patient: AsyncEngine
    ) -> None:
        """`hasty`: the way of `append`; `patient`: of statements that may take minutes."""
        self._writer = writer
        self._reader = reader
        self._hasty = hasty
        self._patient = patient
        self._turn: asyncio.Lock | nullcontext[None] = (
            asyncio.Lock() if isinstance(hasty, sa.Engine) else nullcontext()
        )
        self.fence: Fence | None = None  # asked first in every transaction of `begin`; raises to forbid it

    @classmethod
    def open(cls, url: str, *, seconds: float | None = COMMAND_SECONDS) -> Database:
        """Connects at the first use. DatabaseUrlFault: the address is neither SQLite nor PostgreSQL.

        `seconds`: how long an answer of PostgreSQL is waited for; None: as long as it takes.
        """
        address = _known(url)
        if address.drivername.startswith("sqlite"):
            readers, writer = (_sqlite_engine(address, writes=writes) for writes in (False, True))
            return cls(writer, readers, _hasty_engine(address), writer)
        engine = _postgres_engine(address, seconds)
        reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        hasty = _postgres_engine(address, HASTY_SECONDS, pool_size=1, pool_pre_ping=False)
        return cls(engine, reader, hasty, _postgres_engine(address, None, pool_size=1))

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._writer.dialect.name

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction: committed at the end, rolled back by an error. StoreUnavailable: not stored.

        Never open a second one inside: on SQLite it would wait for the first.
        """
        with _remedies(self._writer.url) as callers:
            async with self._turn, self._writer.begin() as conn:
                if self.fence is not None:
                    await self.fence(conn)
                with _noted(callers):
                    yield conn

    async def append(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        """One new row, durable when this returns; twice, if a connection broke just then. StoreUnavailable.

        The cheapest write there is: one statement by the driver itself. Threads (aiosqlite) and the layers
        above cost several times as much as the commit.
        """
        with _remedies(self._writer.url):
            if isinstance(self._hasty, sa.Engine):
                loop = asyncio.get_running_loop()
                async with self._turn:
                    await loop.run_in_executor(None, _append_here, self._hasty, table, row)
            else:
                await _append_there(self._hasty, table, row)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with _remedies(self._writer.url) as callers:
            async with self._reader.begin() as conn:
                with _noted(callers):
                    yield conn

    async def scrub(self, *, up_to: int | None = None) -> bool:
        """Leave nothing of what was deleted or overwritten in the files; False: bigger than `up_to` bytes.

        The database is rebuilt, which may take a minute for each gigabyte.
        """
        if self.dialect == "sqlite":
            return await asyncio.to_thread(_scrub_file, self._writer.url, up_to)
        if up_to is not None:
            return False  # rows are locked while a table is rebuilt: only a person says when
        with _remedies(self._writer.url):
            freely = self._patient.execution_options(isolation_level="AUTOCOMMIT")
            async with freely.connect() as conn:
                for table in ("facts", "tickets", "outcomes", "stamps", "messages", "reports"):
                    await conn.exec_driver_sql(f"VACUUM FULL {table}")
        return True

    async def close(self) -> None:
        """Must be awaited: SQLite's driver threads keep the process alive otherwise."""
        await self._writer.dispose()
        await self._reader.dispose()
        await self._patient.dispose()
        if isinstance(self._hasty, AsyncEngine):
            await self._hasty.dispose()
        else:
            self._hasty.dispose()


def _append_here(engine: sa.Engine, table: sa.Table, row: Mapping[str, Any]) -> None:
    text, values = _appending(table, row, "sqlite")
    with closing(engine.raw_connection()) as conn:
        conn.cursor().execute(text, values)


async def _append_there(engine: AsyncEngine, table: sa.Table, row: Mapping[str, Any]) -> None:
    """Twice tried: the first time tells whether the connection that was kept is still one."""
    text, values = _appending(table, row, "postgresql")
    for is_last in (False, True):
        async with engine.connect() as conn:
            driver: Any = (await conn.get_raw_connection()).driver_connection
            try:
                await driver.execute(text, *values)
            except Exception as fault:  # the driver's own kinds, which nobody else here knows
                driver.terminate()  # a goodbye to one that is silent takes two seconds more
                await conn.invalidate()
                if is_last:
                    raise _unavailable(engine.url, fault) from fault
            else:
                return


def _appending(table: sa.Table, row: Mapping[str, Any], dialect: str) -> tuple[str, tuple[Any, ...]]:
    """The statement and its values as the driver takes them."""
    text, stored = _insertion(table, tuple(row), dialect)
    return text, tuple(to_stored(row[name]) for name, to_stored in stored)


@cache
def _insertion(
    table: sa.Table, names: tuple[str, ...], name: str
) -> tuple[str, tuple[tuple[str, Callable[[Any], Any]], ...]]:
    dialect: Dialect = make_url(f"{DRIVERS[name]}://").get_dialect()()
    query = sa.insert(table).values({name: sa.bindparam(name) for name in names}).inline()
    compiled = query.compile(dialect=dialect)
    kinds = {each: table.c[each].type.dialect_impl(dialect) for each in names}
    order = compiled.positiontup or ()
    return str(compiled), tuple((each, kinds[each].bind_processor(dialect) or _as_it_is) for each in order)


def _as_it_is(value: Any) -> Any:
    return value


def _scrub_file(address: URL, up_to: int | None) -> bool:
    file = Path(address.database or "")
    if up_to is not None and file.stat().st_size > up_to:
        return False
    with (
        _remedies(address),
        closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as conn,
    ):
        conn.execute("VACUUM")
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the write-ahead log holds the former pages
    return True


@contextmanager
def _remedies(address: URL) -> Iterator[list[OSError]]:
    """Faults of the database become StoreUnavailable; faults of our statements stay what they are.

    What is put into the list stays too: a caller's faults, who wrote to a full disk or a closed pipe inside.
    """
    callers: list[OSError] = []
    try:
        yield callers
    except (IntegrityError, ProgrammingError, DataError):
        raise
    except (DBAPIError, PoolTimeout, OSError, sqlite3.OperationalError) as error:
        if _is_of_values(error) or any(error is each for each in callers):
            raise
        raise _unavailable(address, error) from error


@contextmanager
def _noted(callers: list[OSError]) -> Iterator[None]:
    """Inside is the caller; a fault that no call of SQLAlchemy brought up is the caller's own."""
    try:
        yield
    except OSError as error:
        frames = (frame for frame, _ in walk_tb(error.__traceback__))
        if not any(frame.f_globals.get("__name__", "").startswith("sqlalchemy.") for frame in frames):
            callers.append(error)
        raise


def _unavailable(address: URL, error: BaseException) -> StoreUnavailable:
    """The fault by its name only: a driver's texts hold values."""
    cause = getattr(error, "orig", None) or error
    cause = cause.__cause__ or cause
    reason = getattr(cause, "sqlite_errorname", type(cause).__name__)
    of = _of_file if address.drivername.startswith("sqlite") else _of_server
    return of(address, reason)


def _of_file(address: URL, reason: str) -> StoreUnavailable:
    file = Path(address.database or "").absolute()
    remedy = (
        f"база {file} не читается или не пишется ({reason}): есть ли место на диске и права на файл "
        "и его папку, не занят ли он другим процессом, база ли это SQLite"
    )
    return StoreUnavailable(f"SQLite {file} does not answer or cannot write ({reason})", remedy)


def _of_server(address: URL, reason: str) -> StoreUnavailable:
    host = address.host or address.query.get("host") or "localhost"
    where, base = f"{host}:{address.port or 5432}", address.database
    remedy = (
        f"PostgreSQL не отвечает или не пишет ({where}, база {base}; {reason}): запущен ли сервер, "
        "верны ли имя базы и пароль в B24SLA_DATABASE_URL, есть ли место"
    )
    return StoreUnavailable(f"PostgreSQL {where}/{base} does not answer or cannot write ({reason})", remedy)


def _is_of_values(error: Exception) -> bool:
    """Whether a value is at fault, which no repetition helps; asyncpg's are wrapped without their class."""
    cause = getattr(error, "orig", None)
    code = str(getattr(cause, "sqlstate", None) or "")
    return code[:2] in {"22", "23"} or isinstance(getattr(cause, "__cause__", None), ValueError)


def _known(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError:
        raise DatabaseUrlFault(
            "not an address: expected sqlite+aiosqlite:///file or postgresql://…"
        ) from None
    family = address.drivername.partition("+")[0]
    if family == "sqlite" and address.database and address.database != ":memory:":
        return address.set(drivername="sqlite+aiosqlite")
    if family in {"postgresql", "postgres"}:
        return address.set(drivername="postgresql+asyncpg")
    raise DatabaseUrlFault(f"{family}: expected sqlite+aiosqlite:///file or postgresql://…")


def _sqlite_engine(address: URL, *, writes: bool) -> AsyncEngine:
    with _remedies(address):
        Path(address.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        address,
        json_serializer=json_text,
        hide_parameters=True,
        pool_size=1 if writes else POOL_SIZE,
        max_overflow=0,
    )
    _prepare_sqlite(engine.sync_engine, writes=writes)
    return engine


def _hasty_engine(address: URL) -> sa.Engine:
    """The same file by the driver that does not hop between threads; one connection, in any thread."""
    engine = sa.create_engine(
        address.set(drivername="sqlite"),
        json_serializer=json_text,
        hide_parameters=True,
        poolclass=sa.QueuePool,
        pool_size=1,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )
    _prepare_sqlite(engine, writes=True)
    return engine


def _prepare_sqlite(engine: sa.Engine, *, writes: bool) -> None:
    pragmas = SQLITE_PRAGMAS if writes else (*SQLITE_PRAGMAS, "PRAGMA query_only = ON")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # The driver must not open transactions by itself: it would start them as readers,
        # and a reader that turns writer fails at once when another process writes.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres_engine(
    address: URL, seconds: float | None, *, pool_size: int = POOL_SIZE, pool_pre_ping: bool = True
) -> AsyncEngine:
    try:
        given = libpq.arguments(address, POSTGRES_SETTINGS, CONNECT_SECONDS, seconds)
    except libpq.UnknownParameter as fault:
        raise DatabaseUrlFault(f"B24SLA_DATABASE_URL: {fault}") from None
    engine = create_async_engine(
        libpq.bare(address),
        json_serializer=json_text,
        hide_parameters=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=pool_pre_ping,
        connect_args=given,
    )
    event.listen(engine.sync_engine, "handle_error", _drop_silent)
    return engine


def _drop_silent(context: ExceptionContext) -> None:
    """A connection that did not answer in time is none any more: a rollback would wait as long again."""
    conn = context.connection
    if isinstance(context.original_exception, TimeoutError) and conn is not None and not conn.invalidated:
        driver: Any = conn.connection.driver_connection
        driver.terminate()
        context.is_disconnect = True
