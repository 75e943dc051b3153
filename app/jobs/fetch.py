"""The application's queue at the portal: changes that wait until we come, instead of the sweep (rest.md 3.4).

Where the plan allows it (`rest_offline_extended`), rows are reserved, put into our inbox, and cleared only
when that is committed: whatever dies in between, the next fetch finds the reservation and takes its rows
again. On other plans the portal forgets a row the moment it gives it out: an answer that is lost on its
way, or a crash before our commit, loses its rows. The sweep, which goes on at a rarer pace, finds them.

Who acted (`user_id` of a row) is not kept: reading the item tells who changed it last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.bitrix.application import Change, Features, Fetched
from app.bitrix.errors import Misconfigured, PortalError, Refused
from app.bitrix.openlines import MARK as LINE_MARK
from app.desk import Desk
from app.model import Event, ItemRef, Lane, Subject
from app.store import inbox, reports, swept, tickets
from app.store.reports import Swept

SPARED = 12  # sweeps that the queue spares before one is due all the same
SURE = timedelta(seconds=5)  # an item read so long after its change needs no second reading


async def fetch(desk: Desk) -> int:
    """Empty the queue into the inbox; how many subjects it named. Raises PortalError."""
    plan = desk.health.queue
    if plan is None:  # nobody has subscribed yet, or the queue is not for us
        return 0
    began_at = desk.now()
    try:
        if plan.extended and not desk.health.queue_sure:
            await _take_back(desk)
        count = await _emptied(desk, plan)
    except PortalError as error:
        desk.health.queue_sure = False
        if isinstance(error, Misconfigured | Refused):  # another plan, another person: subscribe anew
            desk.health.queue, desk.health.bound_at, desk.health.fetched_at = None, None, None
        raise
    desk.health.queue_sure, desk.health.fetched_at = True, began_at
    if desk.health.listed_at is not None:  # before that the queue cannot tell what it never heard of
        await _note(desk, began_at)
    return count


async def spares_sweep(desk: Desk) -> bool:
    """The queue told everything since the last sweep, and no open line has to be looked into."""
    fetched_at, listed_at = desk.health.fetched_at, desk.health.listed_at
    if fetched_at is None or listed_at is None:
        return False
    if desk.now() - listed_at >= SPARED * desk.rules.pace.reconcile:
        return False
    async with desk.db.read() as conn:
        return not await tickets.open_cursors(conn, LINE_MARK)


async def _take_back(desk: Desk) -> None:
    """Rows that were reserved by a fetch which did not come to its end."""
    for process in await desk.working_portal.stuck():
        left = await desk.working_portal.fetch(reserve=True, again=process)
        await _put(desk, left)
        await desk.working_portal.clear(process)


async def _emptied(desk: Desk, plan: Features) -> int:
    """Each answer is committed before the next request clears its rows."""
    count, done = 0, ""
    while True:
        found = await desk.working_portal.fetch(reserve=plan.extended, done=done)
        if not found.changes:
            return count
        count += await _put(desk, found)
        done = found.process


async def _put(desk: Desk, found: Fetched) -> int:
    offset = desk.working_portal.traffic.offset
    lane = Lane.SWEEP if desk.settings.public_url else Lane.LIVE
    async with desk.db.begin() as conn:
        subjects = await _unread(conn, found.changes, offset)
        lanes = {change.subject: Event(change.name, change.subject).lane for change in found.changes}
        news = {subject for subject, first in lanes.items() if first is Lane.URGENT}
        found_now = [(subject, Lane.URGENT if subject in news else lane, "queue") for subject in subjects]
        await inbox.put(conn, found_now, desk.now())
    if subjects:
        desk.wake()
    return len(subjects)


async def _unread(conn: AsyncConnection, changes: Sequence[Change], offset: timedelta) -> list[Subject]:
    """Those that nobody has read since they changed."""
    refs = [change.subject for change in changes if isinstance(change.subject, ItemRef)]
    known = await tickets.load_many(conn, refs)
    read_at = {ref: ticket.read_at + offset for ref, ticket in known.items()}
    return list(dict.fromkeys(_news(changes, read_at)))


def _news(changes: Iterable[Change], read_at: dict[ItemRef, datetime]) -> Iterable[Subject]:
    for change in changes:
        seen = read_at.get(change.subject) if isinstance(change.subject, ItemRef) else None
        is_old = seen is not None and change.at is not None and seen - change.at >= SURE
        if change.subject is not None and not is_old:
            yield change.subject


async def _note(desk: Desk, began_at: datetime) -> None:
    """What the sweep would note: until then everything that changed is known."""
    async with desk.db.begin() as conn:
        await swept.put(conn, began_at)
        unread = await swept.unread(conn, desk.now())
        await reports.note_sweep(conn, Swept(desk.now(), began_at, unread))
    desk.health.last_sweep_at = began_at
