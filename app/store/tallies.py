"""Counts for the gauges: one grouped query each, nothing is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import inbox
from app.store.schema import IN_WORK, IS_OPEN, LANES, messages, tickets

Waiting = dict[str, tuple[int, timedelta]]
"""Lane → how much waits and since when the oldest does; every lane is named."""


async def inbox_by_lane(conn: AsyncConnection, now: datetime) -> Waiting:
    """What is to be read again, a backfill too."""
    waits = inbox.waiting(conn.dialect.name)
    oldest = sa.func.min(waits.c.since_at, type_=waits.c.since_at.type)
    query = sa.select(waits.c.lane, sa.func.count(waits.c.subject.distinct()), oldest)
    return _by_lane((await conn.execute(query.group_by(waits.c.lane))).all(), now)


async def outbox_by_lane(conn: AsyncConnection, now: datetime) -> Waiting:
    """Messages that are due; what waits for its hour is no lag."""
    oldest = sa.func.min(messages.c.due_at, type_=messages.c.due_at.type)
    query = sa.select(messages.c.lane, sa.func.count(), oldest).where(IN_WORK, messages.c.due_at <= now)
    return _by_lane((await conn.execute(query.group_by(messages.c.lane))).all(), now)


def _by_lane(rows: Iterable[Any], now: datetime) -> Waiting:
    known = {LANES[row[0]].value: (int(row[1]), max(now - row[2], timedelta(0))) for row in rows}
    return {lane.value: known.get(lane.value, (0, timedelta(0))) for lane in LANES}


async def database_bytes(conn: AsyncConnection) -> int:
    """How big the database is, as far as it can tell."""
    if conn.dialect.name == "postgresql":
        query = sa.select(sa.func.pg_database_size(sa.func.current_database()))
        return int((await conn.execute(query)).scalar_one())
    pages = (await conn.exec_driver_sql("PRAGMA page_count")).scalar_one()
    return int(pages) * int((await conn.exec_driver_sql("PRAGMA page_size")).scalar_one())


async def open_by_state(conn: AsyncConnection) -> dict[str, int]:
    """Open tickets by SLA state as last saved; `none` for those without terms."""
    state = tickets.c.sla_state  # as the index has it: grouped without sorting
    query = sa.select(state, sa.func.count()).where(IS_OPEN).group_by(state)
    return {row[0] or "none": row[1] for row in await conn.execute(query)}
