"""The sweep: changes whose events never came (architecture.md 3). Bitrix24 never repeats an event."""

from __future__ import annotations

from app.bitrix.openlines import MARK as LINE_MARK
from app.desk import Desk
from app.model import Lane
from app.store import inbox, marks, tickets

MARKS = "sweep"  # where each part of the sweep stands
DONE_AT = "swept_at"  # when a sweep last read everything
NIGHTLY = "nightly"
NIGHT_HOUR = 3  # of the desk's day


async def reconcile(desk: Desk) -> int:
    """One sweep into the inbox; how many subjects it named. A part that failed keeps its mark."""
    started_at = desk.now()
    async with desk.db.read() as conn:
        stand = await marks.get(conn, MARKS) or {}
        lines = await tickets.open_cursors(conn, LINE_MARK)
    changes = await desk.working_portal.changes(stand, lines)
    async with desk.db.begin() as conn:
        await inbox.put(conn, [(ref, Lane.SWEEP, "sweep") for ref in changes.refs], desk.now())
        await marks.put(conn, MARKS, dict(changes.marks))
        if not changes.failed:
            await marks.put(conn, DONE_AT, started_at.isoformat())
    desk.health.portal_fault = changes.failed[0] if changes.failed else None
    if not changes.failed:
        desk.health.last_sweep_at = started_at
    desk.wake()
    return len(changes.refs)


async def reread_open(desk: Desk) -> int:
    """Every open ticket once a night, for what no sweep can see: vanished items, lost evidence."""
    local = desk.rules.calendar.local(desk.now())
    if local.hour < NIGHT_HOUR:
        return 0
    today = local.date().isoformat()
    async with desk.db.begin() as conn:
        if not await marks.take_slot(conn, NIGHTLY, today, desk.name, desk.now()):
            return 0
        refs = await tickets.open_refs(conn)
        await inbox.put(conn, [(ref, Lane.BACKFILL, "nightly") for ref in refs], desk.now())
    return len(refs)
