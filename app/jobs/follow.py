"""A process without the lease shows what the leading one knows: names, and when all was last read."""

from __future__ import annotations

from app.desk import Desk
from app.store import marks, people, swept


async def follow(desk: Desk) -> bool:
    """Read the leader's marks; False for the leader itself."""
    if desk.epoch is not None:
        return False
    async with desk.db.read() as conn:
        known = await people.load(conn)
        read_at, shut = await swept.last_at(conn), await marks.get(conn, marks.SHUT)
    desk.health.portal_fault = shut["why"] if shut else None
    desk.people = known or desk.people
    if read_at:
        desk.health.last_sweep_at = read_at
        desk.health.last_portal_ok_at = max(read_at, desk.health.last_portal_ok_at or read_at)
    return True
