"""What has come due goes the same road as an event: it is read again before anybody speaks (sla.md 4)."""

from __future__ import annotations

from app.desk import Desk
from app.model import Lane
from app.store import inbox, tickets

MOST_AT_ONCE = 500


async def watch(desk: Desk) -> int:
    """Put the tickets whose next moment has come into the inbox; how many there were."""
    now = desk.now()
    async with desk.db.read() as conn:
        # The end of an index, whatever the planner knows of a million tickets; it is asked all day.
        first_at = await tickets.next_at(conn)
        due = await tickets.due(conn, now, MOST_AT_ONCE) if first_at and first_at <= now else []
    if due:
        async with desk.db.begin() as conn:
            await inbox.put(conn, [(ref, Lane.LIVE, "due") for ref in due], now)
        desk.wake()
    return len(due)
