"""A decree made a provisional year sure: open tickets that wait for it are counted anew (sla.md 1)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk, rule_book
from app.model import Lane, Ticket
from app.pinning import Pin, pinned, pins_of
from app.rules import Rules, decreed_since
from app.store import facts, inbox, marks, rules_log, tickets

RECOUNTED = "recount"


async def recount(desk: Desk) -> int:
    """Pin the new decree to the open provisional tickets and have them decided; how many there were.

    Once a day, and whenever the rules or the package's calendar are new: a pause may make a ticket
    provisional long after the decree.
    """
    day = desk.rules.calendar.local(desk.now()).date()
    async with desk.deciding, desk.db.begin() as conn:
        if not await marks.take_slot(conn, RECOUNTED, f"{desk.rules.version} {day}", desk.name, desk.now()):
            return 0
        likely = tickets.each_open(conn, '"provisional":true')
        waiting = [ticket async for ticket in likely if _is_provisional(ticket)]
        found = await _decreed(conn, desk, waiting)
        for ticket, rules in found:
            await _repin(conn, desk, ticket, rules)
    if found:
        desk.wake()
    return len(found)


def _is_provisional(ticket: Ticket) -> bool:
    return any(ledger.provisional and ledger.met_at is None for ledger in ticket.now_cycle.ledgers)


async def _decreed(
    conn: AsyncConnection, desk: Desk, waiting: Sequence[Ticket]
) -> list[tuple[Ticket, Rules]]:
    """Those for which there is a decree now, each with its own rules and that decree."""
    versions = {ticket.rules_version for ticket in waiting}
    rules_of = await rule_book(conn, desk, versions)
    sure = {version: decreed_since(rules_of(version), desk.rules) for version in versions}
    return [(ticket, rules) for ticket in waiting if (rules := sure[ticket.rules_version])]


async def _repin(conn: AsyncConnection, desk: Desk, ticket: Ticket, rules: Rules) -> None:
    now, known = desk.now(), await facts.load(conn, ticket.ref)
    desks = [pin.desk for pin in pins_of(known)] or [desk.rules.version]
    await rules_log.pin(conn, rules.version, rules.text, now)
    await facts.add(conn, [pinned(ticket.ref, known, Pin(now, rules.version, desks[-1]))])
    await tickets.come_due(conn, [ticket.ref], now)
    await inbox.put(conn, [(ticket.ref, Lane.SWEEP, "decree")], now)
