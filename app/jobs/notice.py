"""A restored copy does not know what was said after it was taken; whoever starts on it must not say it again.

What came due between the copy and this start counts as said. Comments and chat cards are looked for in the
portal before they are written, for two weeks.
"""

from __future__ import annotations

import logging
from datetime import datetime

from app.desk import Desk
from app.store import marks, swept
from app.store.copies import COPIED

RESTORED = "restored"  # mark: [when the copy was taken, when it was first started]

log = logging.getLogger(__name__)


async def notice_restored(desk: Desk) -> bool:
    """True when this database is a restored copy; the first start on it closes the gap."""
    async with desk.db.begin() as conn:
        copied = await marks.get(conn, COPIED)
        if copied:
            await marks.put(conn, RESTORED, [copied, desk.now().isoformat()])
            await marks.put(conn, COPIED, "")
            log.warning("this database is a restored copy", extra={"copied_at": copied})
        gap = await marks.get(conn, RESTORED)
    desk.gap = (datetime.fromisoformat(gap[0]), datetime.fromisoformat(gap[1])) if gap else None
    return desk.gap is not None


async def declare_restored(desk: Desk) -> datetime:
    """For a database that was restored by other means (pg_restore): it stands as at its last sweep."""
    async with desk.db.begin() as conn:
        copied_at = await swept.last_at(conn) or desk.now()
        await marks.put(conn, COPIED, copied_at.isoformat())
    return copied_at
