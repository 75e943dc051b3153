"""The portal's users as last read.

Promise: somebody who has left the portal keeps the name.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Person
from app.store.dialects import upsert
from app.store.schema import people


async def save(conn: AsyncConnection, persons: Sequence[Person]) -> None:
    rows = [
        {"id": person.id, "name": person.name, "active": person.active, "employee": person.employee}
        for person in persons
    ]
    if rows:
        await conn.execute(upsert(conn, people, rows[0]), rows)


async def load(conn: AsyncConnection) -> dict[int, Person]:
    return {row.id: Person(*row) for row in await conn.execute(sa.select(people).order_by(people.c.id))}
