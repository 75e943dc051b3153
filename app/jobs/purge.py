"""Words of tickets that ended long ago are taken away: by hand, and every night as the rules say."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.desk import Desk, rules_then
from app.forgetting import bare_outcome, bare_ticket, bare_values, forgotten
from app.model import ItemRef
from app.store import facts, marks, purges, tickets

SLOT = "purge"
NIGHT_HOUR = 3  # of the desk's day
AT_ONCE = 100  # tickets looked at between two commits
SMALL_FILE = 200 * 1024 * 1024
"""A bigger database is not rebuilt while it serves: that takes longer than an event may wait."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purged:
    """What was taken away, or would be."""

    tickets: int = 0
    texts: int = 0
    reports: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(self.tickets + other.tickets, self.texts + other.texts, self.reports + other.reports)


def day_start(desk: Desk, day: date) -> datetime:
    """Midnight by the desk's clock."""
    return datetime.combine(day, time(), desk.rules.desk.zone)


async def purge(desk: Desk, before: date, *, client: str = "", dry_run: bool = False) -> Purged:
    """Of every ticket that ended before this day, or of one client's; the figures stay as they are."""
    total = Purged()
    start_at = day_start(desk, before)
    async for old in _old_tickets(desk, start_at, client):
        total += await _purge_some(desk, old, start_at, dry_run=dry_run)
    if not client and not dry_run:
        async with desk.db.begin() as conn:
            total += Purged(reports=await purges.blank_reports(conn, before))
    return total


async def _old_tickets(desk: Desk, before: datetime, client: str) -> AsyncIterator[list[ItemRef]]:
    wanted = await refs_of(desk, client) if client else None
    place: purges.Place | None = None
    while True:
        async with desk.db.read() as conn:
            found, place = await purges.ended_before(conn, before, place, AT_ONCE)
        yield [ref for ref in found if wanted is None or ref in wanted]
        if place is None:
            return


async def refs_of(desk: Desk, client: str) -> set[ItemRef]:
    """Everything that is known of this client."""
    async with desk.db.read() as conn:
        return set(await purges.refs_of_client(conn, client))


async def open_among(desk: Desk, refs: set[ItemRef]) -> list[ItemRef]:
    """Those that are somebody's work now: their words are needed."""
    async with desk.db.read() as conn:
        known = await tickets.load_many(conn, refs)
    return sorted(ref for ref, ticket in known.items() if ticket.open)


async def _purge_some(desk: Desk, refs: list[ItemRef], before: datetime, *, dry_run: bool) -> Purged:
    """Any of them may have come back since it was found: then it is left alone."""
    if not refs:
        return Purged()
    now, texts = desk.now(), 0
    opened = desk.db.read() if dry_run else desk.db.begin()
    async with desk.deciding, opened as conn:
        old = await purges.still_old(conn, refs, before, hold=not dry_run)
        known = await facts.load_many(conn, refs)
        for ticket in old:
            rules = await rules_then(conn, desk, ticket.rules_version)
            changed = forgotten(known[ticket.ref], rules, now)
            texts += len(changed)
            if not dry_run:
                await purges.take_words(
                    conn,
                    bare_ticket(ticket),
                    changed,
                    now,
                    bare_outcome=bare_outcome,
                    bare_values=bare_values,
                )
    return Purged(len(old), texts)


async def purge_nightly(desk: Desk) -> int:
    """Once a night, if the rules limit how long words are kept; how many tickets."""
    keep = desk.rules.keep_words
    local = desk.rules.calendar.local(desk.now())
    if keep is None or local.hour < NIGHT_HOUR:
        return 0
    async with desk.db.begin() as conn:
        if not await marks.take_slot(conn, SLOT, local.date().isoformat(), desk.name, desk.now()):
            return 0
    done = await purge(desk, local.date() - max(keep, timedelta(days=1)))
    if done.tickets:
        await desk.db.scrub(up_to=SMALL_FILE)
        log.info("words of old tickets were taken away", extra={"tickets": done.tickets, "texts": done.texts})
    return done.tickets
