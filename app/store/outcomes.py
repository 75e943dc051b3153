"""What the KPIs need of each cycle, found by period.

Promise: `between` leaves out no cycle with anything inside the period and none that is open at its end;
it may bring a few more (alive throughout), which the formulas pass over.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import ItemRef, Outcome, Ticket
from app.store.codec import decode, encode
from app.store.dialects import in_parts, upsert
from app.store.schema import IS_OPEN, outcomes, tickets

INSTANTS = (
    "first_reply_at",
    "reply_outcome_at",
    "first_solved_at",
    "solved_at",
    "solve_outcome_at",
    "escalated_at",
    "closed_at",
)
COPIED = (
    *INSTANTS,
    "cycle",
    "agent",
    "reply_agent",
    "solve_agent",
    "counted",
    "received_at",
    "reply_due",
    "solve_due",
)


async def replace(conn: AsyncConnection, ticket: Ticket, made: Sequence[Outcome]) -> None:
    """The ticket's outcomes are exactly these; only the last cycle of an open ticket is still going on."""
    cycles = [outcome.cycle for outcome in made]
    gone = sa.delete(outcomes).where(outcomes.c.ref == str(ticket.ref), outcomes.c.cycle.not_in(cycles))
    await conn.execute(gone)
    rows = [_row(outcome, goes_on=ticket.open and outcome.cycle == ticket.cycle) for outcome in made]
    if rows:
        await conn.execute(upsert(conn, outcomes, rows[0]), rows)


async def between(conn: AsyncConnection, start_at: datetime, end_at: datetime) -> list[Outcome]:
    """Cycles alive at some time of [start_at, end_at), by their beginning."""
    alive = sa.or_(outcomes.c.ended_at.is_(None), outcomes.c.ended_at >= start_at)
    return await _found(conn, alive, outcomes.c.received_at < end_at)


async def of_settled(
    conn: AsyncConnection, start_at: datetime, end_at: datetime, now: datetime
) -> list[Outcome]:
    """The same of tickets to which nothing has happened by the clock since they were decided."""
    alive = sa.or_(outcomes.c.ended_at.is_(None), outcomes.c.ended_at >= start_at)
    is_due = sa.exists().where(tickets.c.ref == outcomes.c.ref, IS_OPEN, tickets.c.next_at <= now)
    return await _found(conn, alive, outcomes.c.received_at < end_at, ~is_due)


async def refs_since(conn: AsyncConnection, start_at: datetime) -> set[ItemRef]:
    """Tickets of which some cycle goes on, or ended at `start_at` or later."""
    alive = sa.or_(outcomes.c.ended_at.is_(None), outcomes.c.ended_at >= start_at)
    found = await conn.scalars(sa.select(outcomes.c.ref).where(alive).distinct())
    return {ItemRef.parse(ref) for ref in found}


async def _found(conn: AsyncConnection, *wanted: sa.ColumnElement[bool]) -> list[Outcome]:
    query = sa.select(outcomes.c.body).where(*wanted)
    query = query.order_by(outcomes.c.received_at, outcomes.c.ref, outcomes.c.cycle)
    return [decode(Outcome, row.body) async for part in in_parts(conn, query) for row in part]


async def of_ticket(conn: AsyncConnection, ref: ItemRef) -> list[Outcome]:
    """One ticket's, cycle by cycle."""
    query = sa.select(outcomes.c.body).where(outcomes.c.ref == str(ref)).order_by(outcomes.c.cycle)
    return [decode(Outcome, body) for body in await conn.scalars(query)]


def _row(outcome: Outcome, *, goes_on: bool) -> dict[str, Any]:
    copied = {name: getattr(outcome, name) for name in COPIED}
    return copied | {
        "ref": str(outcome.ref),
        "value": outcome.value.value,
        "area": outcome.area.value,
        "state": outcome.state.value,
        "reply_outcome": outcome.reply_outcome.value if outcome.reply_outcome else None,
        "solve_outcome": outcome.solve_outcome.value if outcome.solve_outcome else None,
        "reopened_at": max(outcome.reopened_at, default=None),
        "ended_at": None if goes_on else outcome.last_at,
        "body": encode(outcome),
    }
