"""Until when every change is known, and what of it still waits to be read: the age of the data of now."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import inbox, marks

MARK = "swept_at"
UNREAD_AFTER = timedelta(minutes=1)  # what waits no longer is not told as unread


async def put(conn: AsyncConnection, at: datetime) -> None:
    """A sweep that began then, or the portal's own queue, has told everything."""
    await marks.put(conn, MARK, at.isoformat())


async def last_at(conn: AsyncConnection) -> datetime | None:
    """When the last one began; None: there was none yet."""
    at = await marks.get(conn, MARK)
    return datetime.fromisoformat(at) if at else None


async def unread(conn: AsyncConnection, now: datetime) -> int:
    """How many subjects wait, if any has waited for long."""
    count, age = await inbox.lag(conn, now)
    return count if age > UNREAD_AFTER else 0
