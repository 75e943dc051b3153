"""One process at a time talks to the portal (architecture.md 4): whoever holds the lease row."""

from __future__ import annotations

from datetime import timedelta

from app.desk import Desk
from app.store import inbox, leases

TTL = timedelta(seconds=10)  # by the database's clock; a holder that died is followed after this
PACE = timedelta(seconds=3)


async def lead(desk: Desk) -> bool:
    """Take or renew the lease; False while another process holds it.

    What the holder before us had in hand is free at once: an emergency must not wait for its claim to end.
    """
    async with desk.db.begin() as conn:
        epoch = await leases.take(conn, leases.PORTAL, desk.name, TTL)
        if epoch is not None and epoch != desk.epoch:
            await inbox.free_others(conn, desk.name)
    desk.epoch = epoch
    return epoch is not None


async def step_down(desk: Desk) -> None:
    """Give the lease back, so that the next process need not wait for its end."""
    desk.epoch = None
    async with desk.db.begin() as conn:
        await leases.release(conn, leases.PORTAL, desk.name)
