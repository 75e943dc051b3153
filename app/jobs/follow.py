"""A process without the lease shows what the leading one knows: names, and when all was last read."""

from __future__ import annotations

from datetime import datetime

from app.desk import Desk
from app.store import marks, people

SWEPT = "swept_at"
SHUT = "shut"  # why the portal takes no requests, if it does not


async def follow(desk: Desk) -> bool:
    """Read the leader's marks; False for the leader itself."""
    if desk.epoch is not None:
        return False
    async with desk.db.read() as conn:
        known = await people.load(conn)
        swept, shut = await marks.get(conn, SWEPT), await marks.get(conn, SHUT)
    desk.health.portal_fault = shut["why"] if shut else None
    desk.people = known or desk.people
    if swept:
        read_at = datetime.fromisoformat(swept)
        desk.health.last_sweep_at = read_at
        desk.health.last_portal_ok_at = max(read_at, desk.health.last_portal_ok_at or read_at)
    return True
