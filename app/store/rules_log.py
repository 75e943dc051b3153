"""Every version of the rules that a ticket began under, and who applied which.

Promise: a version once pinned is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialects import insert_into
from app.store.schema import rules_applied, rules_log


@dataclass(frozen=True, slots=True)
class Applied:
    """Somebody put rules in force, to open tickets too or not; `done_at`: since when it is done."""

    version: str
    asked_at: datetime
    by: str
    to_open: bool
    done_at: datetime | None = None
    tickets: int | None = None  # open ones that were touched


async def pin(conn: AsyncConnection, version: str, text: str, now: datetime) -> None:
    query = insert_into(conn, rules_log).values(version=version, text=text, pinned_at=now)
    await conn.execute(query.on_conflict_do_nothing(index_elements=["version"]))


async def load(conn: AsyncConnection, version: str) -> str | None:
    query = sa.select(rules_log.c.text).where(rules_log.c.version == version)
    return (await conn.execute(query)).scalar_one_or_none()


async def ask(conn: AsyncConnection, applied: Applied) -> None:
    """Record who wants these rules; what goes for open tickets waits for who may do it."""
    row = {
        "version": applied.version,
        "asked_at": applied.asked_at,
        "applied_by": applied.by,
        "to_open": applied.to_open,
        "done_at": None if applied.to_open else applied.asked_at,
    }
    await conn.execute(insert_into(conn, rules_applied).values(row))


async def waiting(conn: AsyncConnection) -> list[Applied]:
    """What nobody has done yet, the oldest first."""
    query = sa.select(rules_applied).where(rules_applied.c.done_at.is_(None))
    return [_applied(row) for row in await conn.execute(query.order_by(rules_applied.c.asked_at))]


async def done(conn: AsyncConnection, applied: Applied, tickets: int, now: datetime) -> None:
    one = (rules_applied.c.version == applied.version, rules_applied.c.asked_at == applied.asked_at)
    await conn.execute(sa.update(rules_applied).where(*one).values(done_at=now, tickets=tickets))


async def history(conn: AsyncConnection) -> list[Applied]:
    """Who applied what, the newest first."""
    rows = await conn.execute(sa.select(rules_applied).order_by(rules_applied.c.asked_at.desc()))
    return [_applied(row) for row in rows]


def _applied(row: sa.Row[Any]) -> Applied:
    return Applied(row.version, row.asked_at, row.applied_by, row.to_open, row.done_at, row.tickets)
