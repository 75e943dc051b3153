"""Rules applied to open tickets, because somebody wants it: previewed, recorded, done by the leading process.

A ticket's pin is a fact, so the change shows in its explanation and in every digest from then on;
the card follows when the ticket is decided again.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.desk import Desk
from app.model import ItemRef, Lane
from app.pinning import Pin, pinned, pins_of
from app.store import facts, inbox, rules_log, tickets
from app.store.dialects import chunks
from app.store.rules_log import Applied

AT_ONCE = 100  # tickets of one transaction: the road must not wait for thousands


async def rerule(desk: Desk) -> int:
    """What was asked for and nobody has done; how many tickets it touched."""
    async with desk.db.read() as conn:
        waiting = await rules_log.waiting(conn)
    touched = sum([await _apply(desk, applied) for applied in waiting])
    if touched:
        desk.wake()
    return touched


async def _apply(desk: Desk, applied: Applied) -> int:
    """Begun again after a stop, it goes on where it was: a ticket that has the rules is left alone."""
    async with desk.db.read() as conn:
        refs = [ticket.ref async for ticket in tickets.each_open(conn) if ticket.counted]
    touched = sum([await _pin(desk, applied, some) for some in chunks(refs, AT_ONCE)])
    async with desk.db.begin() as conn:
        await rules_log.done(conn, applied, touched, desk.now())
    return touched


async def _pin(desk: Desk, applied: Applied, refs: Sequence[ItemRef]) -> int:
    async with desk.deciding, desk.db.begin() as conn:
        now, touched = desk.now(), []
        for ref, known in (await facts.load_many(conn, refs)).items():
            last = pins_of(known)[-1:]
            if last and last[0].terms != applied.version:
                pin = Pin(now, applied.version, last[0].desk, applied.by)
                await facts.add(conn, [pinned(ref, known, pin)])
                touched.append(ref)
        await tickets.come_due(conn, touched, now)
        await inbox.put(conn, [(ref, Lane.LIVE, "rules") for ref in touched], now)
    return len(touched)
