"""One process at a time talks to the portal (architecture.md 4): whoever holds the lease row."""

from __future__ import annotations

import logging
from datetime import timedelta

from app.desk import Desk
from app.store import inbox, leases
from app.store.engine import StoreUnavailable
from app.store.migrate import is_current

log = logging.getLogger(__name__)

# A holder that died is followed after TTL + PACE at most: within ten seconds, with one for the statement.
# One renewal may fail or come late without any harm, two as well.
TTL = timedelta(seconds=7)  # by the database's clock
PACE = timedelta(seconds=2)
LEASE = "lease"  # among the writes that /readyz answers for


async def lead(desk: Desk) -> bool:
    """Take or renew the lease; False while another process holds it, or the tables are no longer ours.

    What the holder before us had in hand is free at once: an emergency must not wait for its claim to end.
    """
    try:
        fits, epoch = await _taken(desk)
    except Exception:  # a right taken away is none of StoreUnavailable
        desk.health.unwritten.add(LEASE)
        raise
    desk.health.unwritten.discard(LEASE)
    if not fits:
        await _let_go(desk)
    desk.epoch = epoch
    if epoch is not None and epoch != desk.freed_epoch:
        await _free_others(desk, epoch)
    return desk.epoch is not None


async def _taken(desk: Desk) -> tuple[bool, int | None]:
    """Whether the tables are ours, and the lease's epoch if we have it."""
    async with desk.db.begin() as conn:
        fits = await is_current(conn)
        epoch = await leases.take(conn, leases.PORTAL, desk.name, TTL) if fits else None
    return fits, epoch


async def _free_others(desk: Desk, epoch: int) -> None:
    """Apart from the lease, which a fault here must not cost; what is left is tried at every renewal."""
    try:
        with desk.in_turn():
            async with desk.db.begin() as conn:
                all_free = await inbox.free_others(conn, desk.name)
    except StoreUnavailable as fault:
        log.warning("what the holder before us had in hand is not free yet: %s", fault)
        return
    if all_free:
        desk.freed_epoch = epoch


async def _let_go(desk: Desk) -> None:
    """A newer version has changed the tables: it takes over at once, we only take events until our end."""
    if desk.epoch is not None:
        log.warning("the tables are of another version: this process talks to the portal no more")
        await step_down(desk)


async def step_down(desk: Desk) -> None:
    """Give the lease back, so that the next process need not wait for its end."""
    desk.epoch = None
    async with desk.db.begin() as conn:
        await leases.release(conn, leases.PORTAL, desk.name)
