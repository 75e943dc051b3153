"""Counts for the gauges: one grouped query each, nothing is decoded."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.schema import IS_OPEN, tickets


async def open_by_state(conn: AsyncConnection) -> dict[str, int]:
    """Open tickets by SLA state as last saved; `none` for those without terms."""
    state = sa.func.coalesce(tickets.c.sla_state, "none")
    query = sa.select(state, sa.func.count()).where(IS_OPEN).group_by(state)
    return {row[0]: row[1] for row in await conn.execute(query)}
