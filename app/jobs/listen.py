"""Listening between two sweeps: the portal keeps a queue of what is said where we are a member (rest.md 7).

A client's words in a messenger bring no event; so they are seen in seconds, for one request a look.
"""

from __future__ import annotations

from app.bitrix.openlines import MARK as LINE_MARK
from app.desk import Desk
from app.model import Lane
from app.store import inbox, marks, tickets

MARK = "talk"  # up to where the queue has been read; what it told stands in the inbox


async def listen(desk: Desk) -> int:
    """One look; how many items it named. Nothing is asked where the portal keeps no queue for us."""
    async with desk.db.read() as conn:
        stand = await marks.get(conn, MARK) or {}
        lines = await tickets.open_cursors(conn, LINE_MARK)
    heard = await desk.working_portal.talked(stand, lines)
    if heard.refs or dict(heard.marks) not in ({}, stand):
        async with desk.db.begin() as conn:
            await inbox.put(conn, [(ref, Lane.URGENT, "talk") for ref in heard.refs], desk.now())
            await marks.put(conn, MARK, {**stand, **heard.marks})
    if heard.refs:
        desk.wake()
    return len(heard.refs)
