"""Small things to remember: where a sweep stands, which periods' duties are taken.

Promise: of several replicas exactly one takes a slot.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialects import insert_into, upsert
from app.store.schema import marks, slots

SHUT = "shut"  # since when the portal takes no requests, and why; it outlives a restart


async def get(conn: AsyncConnection, name: str) -> Any:
    """Plain JSON as it was put, None if it never was."""
    return (await conn.execute(sa.select(marks.c.value).where(marks.c.name == name))).scalar_one_or_none()


async def put(conn: AsyncConnection, name: str, value: Any) -> None:
    row = {"name": name, "value": value}
    await conn.execute(upsert(conn, marks, row).values(row))


async def under(conn: AsyncConnection, prefix: str) -> dict[str, Any]:
    """Everything whose name begins so; the rest of the name → the value."""
    found = sa.select(marks).where(marks.c.name.startswith(prefix, autoescape=True))
    return {row.name.removeprefix(prefix): row.value for row in await conn.execute(found)}


async def forget(conn: AsyncConnection, names: Iterable[str]) -> None:
    """What is not there is forgotten already."""
    await conn.execute(sa.delete(marks).where(marks.c.name.in_(list(names))))


async def take_slot(conn: AsyncConnection, job: str, slot: str, holder: str, now: datetime) -> bool:
    """True once for each job and slot (`digest`, `2026-11-24`), whoever asks."""
    row = {"job": job, "slot": slot, "holder": holder, "taken_at": now}
    query = insert_into(conn, slots).values(row).on_conflict_do_nothing(index_elements=["job", "slot"])
    return (await conn.execute(query.returning(slots.c.job))).first() is not None


async def is_taken(conn: AsyncConnection, job: str, slot: str) -> bool:
    """Whoever took it."""
    query = sa.select(slots.c.job).where(slots.c.job == job, slots.c.slot == slot)
    return (await conn.execute(query)).first() is not None
