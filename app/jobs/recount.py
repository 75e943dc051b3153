"""A decree made a provisional year sure: open tickets that wait for it are counted anew (sla.md 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk, rule_book
from app.model import ItemRef, Lane, Ticket
from app.pinning import Pin, pinned, pins_of
from app.rules import Rules, decreed_since
from app.store import facts, inbox, marks, rules_log, tickets
from app.store.dialects import chunks

RECOUNTED = "recount"
AT_ONCE = 100  # tickets of one transaction: the road must not wait for thousands

Decreed = Mapping[str, Rules | None]
"""A version of the rules → the same with the decrees of today; None: there is no new one."""


async def recount(desk: Desk) -> int:
    """Pin the new decree to the open provisional tickets and have them decided; how many there were.

    Once a day, and whenever the rules or the package's calendar are new: a pause may make a ticket
    provisional long after the decree.
    """
    slot = f"{desk.rules.version} {desk.rules.calendar.local(desk.now()).date()}"
    async with desk.db.read() as conn:
        if await marks.is_taken(conn, RECOUNTED, slot):
            return 0
        refs, decreed = await _waiting(conn, desk)
    count = sum([await _repin(desk, some, decreed) for some in chunks(refs, AT_ONCE)])
    async with desk.db.begin() as conn:  # now that it is done: what was cut short is begun again
        await marks.take_slot(conn, RECOUNTED, slot, desk.name, desk.now())
    if count:
        desk.wake()
    return count


async def _waiting(conn: AsyncConnection, desk: Desk) -> tuple[list[ItemRef], Decreed]:
    """Those for which there is a decree now, and by which rules they go on."""
    likely = tickets.each_open(conn, '"provisional":true')
    found = [(ticket.ref, ticket.rules_version) async for ticket in likely if _is_provisional(ticket)]
    versions = {version for _, version in found}
    rules_of = await rule_book(conn, desk, versions)
    decreed = {version: decreed_since(rules_of(version), desk.rules) for version in versions}
    return [ref for ref, version in found if decreed[version]], decreed


def _is_provisional(ticket: Ticket) -> bool:
    return any(ledger.provisional and ledger.met_at is None for ledger in ticket.now_cycle.ledgers)


async def _repin(desk: Desk, refs: Sequence[ItemRef], decreed: Decreed) -> int:
    """Those of them that still wait for it."""
    async with desk.deciding, desk.db.begin() as conn:
        now, changed = desk.now(), []
        known = await facts.load_many(conn, refs)
        for ticket in (await tickets.load_many(conn, refs)).values():
            pins = pins_of(known[ticket.ref])
            rules = decreed.get(ticket.rules_version) if ticket.open and _is_provisional(ticket) else None
            if rules is None or (pins and pins[-1].terms != ticket.rules_version):
                continue  # in the latter case it has been pinned and will be decided by that
            pin = Pin(now, rules.version, pins[-1].desk if pins else desk.rules.version)
            await rules_log.pin(conn, rules.version, rules.text, now)
            await facts.add(conn, [pinned(ticket.ref, known[ticket.ref], pin)])
            changed.append(ticket.ref)
        await tickets.come_due(conn, changed, now)
        await inbox.put(conn, [(ref, Lane.SWEEP, "decree") for ref in changed], now)
    return len(changed)
