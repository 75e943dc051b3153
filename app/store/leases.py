"""Who talks to the portal now: one row, by the database's clock.

Promises: at no time two holders; a holder that stops renewing is followed when its time is up;
the epoch grows with every change of hands, so what a late sleeper still writes can be refused.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialects import DatabaseMillis, insert_into, locked
from app.store.schema import leases

PORTAL = "portal"
"""The lease of whoever talks to the portal."""
MILLISECOND = timedelta(milliseconds=1)


async def take(conn: AsyncConnection, name: str, holder: str, ttl: timedelta) -> int | None:
    """Take or renew in one statement: the epoch, or None while somebody else holds it.

    `holder` must be unique to the process: a restarted one is somebody else.
    """
    query = insert_into(conn, leases).values(
        name=name, holder=holder, until_millis=DatabaseMillis() + ttl // MILLISECOND, epoch=1
    )
    new, old = query.excluded, leases.c
    ours = old.holder == new.holder
    query = query.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "holder": new.holder,
            "until_millis": new.until_millis,
            "epoch": sa.case((ours, old.epoch), else_=old.epoch + 1),
        },
        where=sa.or_(ours, old.until_millis <= DatabaseMillis()),
    )
    epoch: int | None = (await conn.execute(query.returning(leases.c.epoch))).scalar_one_or_none()
    return epoch


async def holds(conn: AsyncConnection, name: str, epoch: int) -> bool:
    """Is this epoch still the last? If so it stays so until our commit."""
    query = locked(sa.select(leases.c.epoch).where(leases.c.name == name))
    found: int | None = (await conn.execute(query)).scalar_one_or_none()
    return found == epoch


async def is_last(conn: AsyncConnection, name: str, epoch: int) -> bool:
    """The same without keeping anybody out: for a look in passing, which must hold up nobody's renewal."""
    query = sa.select(leases.c.epoch).where(leases.c.name == name)
    found: int | None = (await conn.execute(query)).scalar_one_or_none()
    return found == epoch


async def release(conn: AsyncConnection, name: str, holder: str) -> None:
    """Let the next one have it at once; the epoch stays, so it grows on."""
    ours = (leases.c.name == name, leases.c.holder == holder)
    await conn.execute(sa.update(leases).where(*ours).values(holder="", until_millis=0))
