"""Events that we know no use for: counted, so that nobody wonders where they went.

Promise: neither the length nor the number of names is a sender's choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialects import insert_into
from app.store.schema import strangers

NAME_LENGTH = 100
MOST_NAMES = 500
OTHERS = "…"
"""Counts the names that came when MOST_NAMES were known."""


async def count(conn: AsyncConnection, names: Iterable[str], now: datetime) -> None:
    """One more of each."""
    cut = [name[:NAME_LENGTH] for name in names]
    if not cut:
        return
    known = set(await conn.scalars(sa.select(strangers.c.name)))
    room = max(0, MOST_NAMES - len(known))
    taken = known | set(sorted(set(cut) - known)[:room])
    tally = sorted(Counter(name if name in taken else OTHERS for name in cut).items())
    rows = [{"name": name, "count": number, "first_at": now, "last_at": now} for name, number in tally]
    query = insert_into(conn, strangers)
    more = {"count": strangers.c["count"] + query.excluded["count"], "last_at": query.excluded.last_at}
    await conn.execute(query.on_conflict_do_update(index_elements=["name"], set_=more), rows)


async def counts(conn: AsyncConnection) -> dict[str, int]:
    query = sa.select(strangers.c.name, strangers.c["count"]).order_by(strangers.c.name)
    return {row[0]: row[1] for row in await conn.execute(query)}
