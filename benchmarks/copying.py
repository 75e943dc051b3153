"""Rows of a few tickets, multiplied inside a database to any size: nothing of it goes the road.

Each ticket of the seed is shifted into the past in steps of three weeks; these variants lie in tables of
their own, and `INSERT … SELECT` gives every copy a number, a client and activities of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import tallies
from app.store.dialects import UtcDateTime
from app.store.engine import Database
from app.store.schema import facts, messages, metadata, outcomes, stamps, tickets, tracks
from app.store.tickets import CLOSED_FROM

OWN = (tickets, outcomes, tracks, stamps, facts, messages)
STEPS, STEP = 52, timedelta(weeks=3)  # three years
LATE, SHARE = 85, (3, 2)  # of the last 15 %, two in three are open: a tenth of all
AT_ONCE = 50_000  # tickets of one statement
FIRST = 10_000_000  # numbers of copies: as long as each other, so their order is that of their keys
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Seed:
    """Whole rows of the tickets to be copied, by table; and all rows of all tables."""

    open: tuple[Rows, ...]
    ended: tuple[Rows, ...]
    all: Rows

    @property
    def each(self) -> tuple[Rows, ...]:
        """Ended ones first."""
        return self.ended + self.open


async def copied(db: Database, refs: Sequence[str]) -> Seed:
    async with db.read() as conn:
        whole = {
            name: [dict(row._mapping) for row in await conn.execute(sa.select(table))]  # noqa: SLF001
            for name, table in metadata.tables.items()
            if name != "leases"
        }
    by_ref: list[Rows] = [
        {table.name: [row for row in whole[table.name] if row["ref"] == ref] for table in OWN} for ref in refs
    ]
    is_open = [bool(rows["tickets"][0]["open"]) for rows in by_ref]
    return Seed(
        tuple(rows for rows, yes in zip(by_ref, is_open, strict=True) if yes),
        tuple(rows for rows, yes in zip(by_ref, is_open, strict=True) if not yes),
        whole,
    )


async def bytes_of(db: Database) -> int:
    """What it takes on the disk."""
    async with db.read() as conn:
        return await tallies.database_bytes(conn)


async def fill(db: Database, seed: Seed, size: int, now: datetime) -> None:
    """This many tickets, and those of the seed, into an empty database; its indexes are made last."""
    staged = {table.name: _staging(table) for table in OWN}
    async with db.begin() as conn:
        await _index(conn, "drop")
        for name, table in staged.items():
            await conn.run_sync(table.create)
            rows = [row for row in _variants(seed, name, now) if row]
            if rows:
                await conn.execute(sa.insert(table), rows)
    for start in range(0, size, AT_ONCE):
        async with db.begin() as conn:
            for table in OWN:
                await conn.execute(_copying(conn, table, staged[table.name], seed, start, size))
    async with db.begin() as conn:
        for table in staged.values():
            await conn.run_sync(table.drop)
        await _index(conn, "create")
        for table in metadata.sorted_tables:
            if rows := list(seed.all.get(table.name, ())):
                await conn.execute(sa.insert(table), rows)


async def _index(conn: AsyncConnection, verb: str) -> None:
    for table in OWN:
        for index in table.indexes:
            await conn.run_sync(getattr(index, verb))


# --- variants -----------------------------------------------------------------------------------


def _staging(table: sa.Table) -> sa.Table:
    columns = [sa.Column(each.name, each.type) for each in table.columns]
    return sa.Table(f"v_{table.name}", sa.MetaData(), sa.Column("variant", sa.BigInteger, index=True),
                    sa.Column("place", sa.BigInteger), *columns)  # fmt: skip


def _variants(seed: Seed, name: str, now: datetime) -> Iterator[Row]:
    for step in range(STEPS):
        back = timedelta(weeks=1) + STEP * step
        for number, rows in enumerate(seed.each):
            variant = step * len(seed.each) + number
            for place, row in enumerate(rows[name]):
                older = _older(name, row, back)
                if older.get("next_at"):
                    older["next_at"] = now + timedelta(hours=1, minutes=7 * variant)
                yield {"variant": variant, "place": place, **older}


def _older(name: str, row: Row, back: timedelta) -> Row:
    found = {key: _older_value(metadata.tables[name].c[key], value, back) for key, value in row.items()}
    if name == "tracks":
        for key in ("started", "replied", "solved"):
            found[key] = row[key] and row[key] - back // timedelta(microseconds=1)
    if name == "tickets":
        seconds = back // timedelta(seconds=1)
        found["urgency"] += seconds if row["urgency"] >= CLOSED_FROM else -seconds
        found["next_at"] = row["next_at"] if row["open"] else None
    return found


def _older_value(column: sa.Column[Any], value: Any, back: timedelta) -> Any:
    if value is not None and isinstance(column.type, UtcDateTime):
        return value - back
    if value is not None and isinstance(column.type, sa.JSON):
        return json.loads(_MOMENT.sub(lambda found: _earlier(found[0], back), json.dumps(value)))
    return value


def _earlier(text: str, back: timedelta) -> str:
    return (datetime.fromisoformat(text) - back).isoformat().replace("+00:00", "Z")


# --- copies -------------------------------------------------------------------------------------


def _copying(
    conn: AsyncConnection, table: sa.Table, staged: sa.Table, seed: Seed, start: int, size: int
) -> sa.Insert:
    """The copies with the numbers from `start` on."""
    end = min(start + AT_ONCE, size)
    numbers = sa.select(sa.literal(start, sa.BigInteger).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n + 1 < end))
    n, ended, opened = numbers.c.n, len(seed.ended), len(seed.open)
    late = sa.and_(n >= size * LATE // 100, n % SHARE[0] < SHARE[1])
    number = sa.case((late, ended + n % opened), else_=n % ended)
    step = (size - 1 - n) * STEPS // size
    values = [_value(conn, table, staged, column, n, size) for column in table.columns]
    query = sa.select(*values).select_from(numbers).join(
        staged, staged.c.variant == step * (ended + opened) + number
    )  # fmt: skip
    return sa.insert(table).from_select([column.name for column in table.columns], query.order_by(n))


def _value(
    conn: AsyncConnection, table: sa.Table, staged: sa.Table, column: sa.Column[Any], n: Any, size: int
) -> Any:
    own, ref = staged.c[column.name], sa.literal("deal:") + sa.cast(n + FIRST, sa.Text)
    if column.name == "ref":
        return ref
    if column.name == "client":
        return sa.literal("contact:") + sa.cast(n % (size // 5 + 1), sa.Text)
    if table is facts and column.name == "key":
        activity = sa.literal("activity:") + sa.cast(FIRST + n * 32 + staged.c.place, sa.Text)
        return sa.case((staged.c.kind == "utterance", activity), else_=own)
    if isinstance(column.type, sa.JSON):
        text = sa.func.replace(sa.cast(own, sa.Text), staged.c.ref, ref)
        return sa.cast(text, column.type) if conn.dialect.name == "postgresql" else text
    if column.name in {"key", "text", "tag"}:
        return sa.func.replace(own, staged.c.ref, ref)
    return own
