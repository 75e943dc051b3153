"""Every version of the rules that a ticket began under.

Promise: a version once pinned is never changed.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.engine import insert_into
from app.store.schema import rules_log


async def pin(conn: AsyncConnection, version: str, text: str, now: datetime) -> None:
    query = insert_into(conn, rules_log).values(version=version, text=text, pinned_at=now)
    await conn.execute(query.on_conflict_do_nothing(index_elements=["version"]))


async def load(conn: AsyncConnection, version: str) -> str | None:
    query = sa.select(rules_log.c.text).where(rules_log.c.version == version)
    return (await conn.execute(query)).scalar_one_or_none()
