"""The sweep: changes whose events never came (architecture.md 3). Bitrix24 never repeats an event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.bitrix.openlines import MARK as LINE_MARK
from app.bitrix.results import Changes
from app.desk import Desk
from app.model import ItemRef, Lane, Subject
from app.store import inbox, marks, reports, swept, tickets
from app.store.dialects import chunks
from app.store.reports import Swept

MARKS = "sweep"  # where each part of the sweep stands
NIGHTLY = "nightly"
NIGHT_HOUR = 3  # of the desk's day
FEW = 50
AT_ONCE = 500  # cards of one transaction: the intake must not wait for thousands
POLL = timedelta(seconds=30)  # and as long again for reading and writing: a field within a minute
POLL_SHARE = 0.09  # of what the portal allows a second


async def reconcile(desk: Desk) -> int:
    """One sweep into the inbox; how many subjects it named. A part that failed keeps its mark."""
    started_at = desk.now()
    async with desk.db.read() as conn:
        stand = await marks.get(conn, MARKS) or {}
        lines = await tickets.open_cursors(conn, LINE_MARK)
    changes = await desk.working_portal.changes(stand, lines)
    async with desk.db.begin() as conn:
        news = await _news(conn, changes)
        await inbox.put(conn, [(ref, Lane.SWEEP, "sweep") for ref in changes.refs], desk.now())
        await inbox.put(conn, [(ref, Lane.URGENT, "sweep") for ref in news], desk.now())
        await marks.put(conn, MARKS, dict(changes.marks))
        if not changes.failed:
            await swept.put(conn, started_at)
        if _is_noteworthy(desk, changes):
            await reports.note_sweep(conn, await _swept(conn, desk, started_at, changes.failed))
            desk.health.sweep_noted_at = desk.now()
    desk.health.portal_fault = changes.failed[0] if changes.failed else None
    if not changes.failed:
        desk.health.last_sweep_at = started_at
    desk.wake()
    return len(changes.refs)


async def _news(conn: AsyncConnection, changes: Changes) -> Sequence[Subject]:
    """A few new items or words may be emergencies; a crowd is what a longer silence left behind."""
    items = [ref for ref in changes.refs if isinstance(ref, ItemRef)]
    known = await tickets.known(conn, items)
    news = [*changes.spoken, *(ref for ref in items if ref not in known and ref not in changes.spoken)]
    return news if len(news) <= FEW else ()


# --- instead of events -------------------------------------------------------------------


def poll_pace(desk: Desk) -> timedelta | None:
    """How often to sweep where no event can reach us; None: events come, or a queue that keeps them."""
    wished = desk.rules.pace.poll
    if isinstance(wished, timedelta):
        return wished
    deaf = not desk.settings.event_tokens and desk.settings.client_id is None
    return POLL if wished == "auto" and deaf else None


async def poll(desk: Desk) -> int:
    """A sweep, once the last one is old enough and its share of requests has been saved up for.

    So all that polling costs stays below a tenth of the bucket, whatever a sweep finds to read and write.
    """
    if desk.now() < next_poll_at(desk):
        return 0
    desk.polled = desk.now(), desk.working_portal.traffic.requests
    return await reconcile(desk)


def next_poll_at(desk: Desk) -> datetime:
    """When the next sweep is due and paid for."""
    if desk.polled is None:
        return desk.now()
    polled_at, requests = desk.polled
    drain = desk.working_portal.budget.pacing(desk.now()).tariff.drain
    used = desk.working_portal.traffic.requests - requests
    saved = timedelta(seconds=used / (drain * POLL_SHARE)) if drain else timedelta(0)
    return polled_at + max(poll_pace(desk) or POLL, saved)


async def _swept(conn: AsyncConnection, desk: Desk, started_at: datetime, failed: Sequence[str]) -> Swept:
    """How the data stood when the sweep ended, for a report that is asked for later."""
    unread = await swept.unread(conn, desk.now())
    return Swept(desk.now(), None if failed else started_at, unread, failed[0] if failed else "")


def _is_noteworthy(desk: Desk, changes: Changes) -> bool:
    """Who polls sweeps thousands of times a day; a report that is asked for later needs no more than some."""
    noted_at = desk.health.sweep_noted_at
    in_time = noted_at is not None and desk.now() - noted_at < desk.rules.pace.reconcile
    return not in_time or bool(changes.failed) or poll_pace(desk) is None


async def reread_open(desk: Desk) -> int:
    """Every open ticket once a night, for what no sweep can see: vanished items, lost evidence."""
    local = desk.rules.calendar.local(desk.now())
    if local.hour < NIGHT_HOUR:
        return 0
    today = local.date().isoformat()
    async with desk.db.read() as conn:
        if await marks.is_taken(conn, NIGHTLY, today):
            return 0
    count = await look_again(desk, "nightly")
    async with desk.db.begin() as conn:  # now that it is done: a night that was cut short is begun again
        await marks.take_slot(conn, NIGHTLY, today, desk.name, desk.now())
    return count


async def look_again(desk: Desk, cause: str) -> int:
    """Have every open card read, when nothing else is to be done; how many there are."""
    async with desk.db.read() as conn:
        refs = await tickets.open_refs(conn)
    for some in chunks(refs, AT_ONCE):
        async with desk.db.begin() as conn:
            await inbox.put(conn, [(ref, Lane.BACKFILL, cause) for ref in some], desk.now())
    return len(refs)
