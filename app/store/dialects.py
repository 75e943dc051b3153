"""What SQLite and PostgreSQL spell differently: types of columns, and statements.

Connecting to them, and their faults, are in `engine.py`; nobody else needs to know which database it is.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

T = TypeVar("T")

CHUNK = 500  # bound values in one IN (…): far below the limits of both databases
PART = 200  # rows with a body: some ten milliseconds of reading


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """An aware instant, kept and returned as UTC. A naive time is refused: SQLite drops zones silently."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive time cannot be stored: give it a zone")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class OuterText(sa.types.TypeDecorator[str]):
    """Text from outside: without NUL (PostgreSQL refuses it) and cut emoji (neither database takes them)."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")


def json_text(value: object) -> str:
    """JSON as we store it: Cyrillic readable; escaped only if a cut emoji cannot be encoded otherwise."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text


class DatabaseMillis(FunctionElement[int]):
    """Milliseconds since 1970 by the database's own clock: replicas need not agree on theirs."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(DatabaseMillis, "sqlite")
def _sqlite_millis(*_: object, **__: object) -> str:
    return "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"


@compiles(DatabaseMillis, "postgresql")
def _postgres_millis(*_: object, **__: object) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"


def insert_into(conn: AsyncConnection, table: sa.Table) -> postgresql.Insert:
    """An INSERT that knows ON CONFLICT; both dialects spell its methods alike."""
    return inserting(conn.dialect.name, table)


def inserting(dialect: str, table: sa.Table) -> postgresql.Insert:
    """`insert_into` without a connection, for statements that are kept."""
    if dialect == "sqlite":
        return cast("postgresql.Insert", sqlite.insert(table))
    return postgresql.insert(table)


def json_rows(dialect: str, text: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """The elements of a JSON array, one a row; `->>` takes them apart in both dialects."""
    if dialect == "sqlite":
        return sa.func.json_each(text).table_valued("value", joins_implicitly=True).c.value
    rows = sa.func.json_array_elements(sa.cast(text, postgresql.JSON))
    return rows.table_valued("value", joins_implicitly=True).c.value


def upsert(
    conn: AsyncConnection,
    table: sa.Table,
    columns: Iterable[str],
    *,
    only_if: Callable[[sa.ColumnCollection[str, Any]], sa.ColumnElement[bool]] | None = None,
) -> postgresql.Insert:
    """An INSERT that over an existing key replaces `columns`; `only_if` is asked with the new values."""
    query = insert_into(conn, table)
    key = [column.name for column in table.primary_key]
    return query.on_conflict_do_update(
        index_elements=key,
        set_={name: query.excluded[name] for name in columns if name not in key},
        where=only_if(query.excluded) if only_if else None,
    )


async def in_parts(conn: AsyncConnection, query: sa.Select[Any]) -> AsyncIterator[Sequence[sa.Row[Any]]]:
    """Rows of a query that may find a hundred thousand; nobody else waits for more than one part of them."""
    found = await conn.stream(query.execution_options(yield_per=PART))
    async for part in found.partitions():
        yield part


def free_rows(query: sa.Select[Any]) -> sa.Select[Any]:
    """Rows that no other replica is taking now. SQLite has one writer at a time and needs nothing."""
    return query.with_for_update(skip_locked=True)


def locked(query: sa.Select[Any]) -> sa.Select[Any]:
    """Rows that stay as read until our commit (on SQLite the whole database does)."""
    return query.with_for_update()


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
