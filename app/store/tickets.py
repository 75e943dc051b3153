"""Tickets as they stand: the fold of an item's facts, kept for questions.

Promises: a ticket is saved only over an older or equal reading; ticket and outcomes change together;
pages are cut by a key, not by a number of rows, so a page never skips or repeats what did not move.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import URGENCY, ItemRef, Lane, Outcome, SlaState, State, Ticket, TicketClass, Track
from app.store import outcomes, tracks
from app.store.codec import decode, encode
from app.store.dialects import chunks, in_parts, upsert
from app.store.schema import HAS_CURSOR, IS_EMERGENCY, IS_OPEN, LANES, inbox, tickets

STATE_ORDER: dict[SlaState | None, int] = {
    SlaState.OVERDUE: 0,
    SlaState.AT_RISK: 1,
    SlaState.ON_TRACK: 2,
    SlaState.PAUSED: 3,
}
"""The board: what is late, what soon will be, what runs, what waits; then what has no SLA."""

CLASS_STEP = 10**11  # seconds since 1970 fit below it for three thousand years
STATE_STEP = 10 * CLASS_STEP
KEPT = (tickets.c.body, tickets.c.read_at)  # a reading without news moves only the column
CLOSED_FROM = 10 * STATE_STEP


class CursorFault(ValueError):
    """The cursor was not given out by `page`."""


async def save(
    conn: AsyncConnection, ticket: Ticket, made: Sequence[Outcome], numbers: Sequence[Track] = ()
) -> bool:
    """False, and nothing changed: a newer reading is already here."""
    row = _row(ticket)
    query = upsert(conn, tickets, row, only_if=lambda new: tickets.c.read_at <= new.read_at)
    if (await conn.execute(query.values(row).returning(tickets.c.ref))).first() is None:
        return False
    await outcomes.replace(conn, ticket, made)
    await tracks.replace(conn, ticket.ref, numbers)
    return True


async def touch(conn: AsyncConnection, ref: ItemRef, read_at: datetime) -> None:
    """Read again, and nothing was new."""
    older = (tickets.c.ref == str(ref), tickets.c.read_at < read_at)
    await conn.execute(sa.update(tickets).where(*older).values(read_at=read_at))


async def load(conn: AsyncConnection, ref: ItemRef) -> Ticket | None:
    return (await load_many(conn, [ref])).get(ref)


async def load_many(conn: AsyncConnection, refs: Iterable[ItemRef]) -> dict[ItemRef, Ticket]:
    """Those that are known."""
    found: list[Ticket] = []
    for part in chunks({str(ref) for ref in refs}):
        found += await _tickets(conn, sa.select(*KEPT).where(tickets.c.ref.in_(part)))
    return {ticket.ref: ticket for ticket in found}


async def noted(conn: AsyncConnection, notes: Sequence[str]) -> dict[str, tuple[int, ItemRef]]:
    """A note, or how notes begin → how many tickets have it, and one of them; notes of nobody left out."""
    own = sa.cast(tickets.c.body["notes"], sa.Text)
    has = [own.contains(f'"{note}', autoescape=True) for note in notes]
    counts = [sa.func.count(sa.case((each, 1))) for each in has]
    samples = [sa.func.min(sa.case((each, tickets.c.ref))) for each in has]
    row: Sequence[Any] = (await conn.execute(sa.select(*counts, *samples))).one()
    told = zip(notes, row[: len(notes)], row[len(notes) :], strict=True)
    return {note: (count, ItemRef.parse(ref)) for note, count, ref in told if count}


async def known(conn: AsyncConnection, refs: Iterable[ItemRef]) -> set[ItemRef]:
    """Those of which there is a ticket."""
    found: set[ItemRef] = set()
    for part in chunks({str(ref) for ref in refs}):
        rows = await conn.scalars(sa.select(tickets.c.ref).where(tickets.c.ref.in_(part)))
        found |= {ItemRef.parse(ref) for ref in rows}
    return found


async def page(
    conn: AsyncConnection,
    *,
    state: State | None = None,
    value: TicketClass | None = None,
    agent: int | None = None,
    open_only: bool = False,
    title: str = "",
    after: str | None = None,
    limit: int = 50,
) -> tuple[list[Ticket], str | None]:
    """Tickets by urgency, and the cursor of the next page, None after the last. CursorFault: not a cursor."""
    wanted = [
        tickets.c.state == state if state else None,
        tickets.c.value == value if value else None,
        tickets.c.agent == agent if agent is not None else None,
        IS_OPEN if open_only else None,
        tickets.c.title_folded.contains(folded(title), autoescape=True) if title else None,
        sa.tuple_(tickets.c.urgency, tickets.c.ref) > sa.tuple_(*_place(after)) if after else None,
    ]
    query = (
        sa.select(tickets.c.urgency, tickets.c.ref, *KEPT)
        .where(*(each for each in wanted if each is not None))
        .order_by(tickets.c.urgency, tickets.c.ref)
        .limit(limit + 1)
    )
    rows = (await conn.execute(query)).all()
    following = _cursor(rows[limit - 1].urgency, rows[limit - 1].ref) if len(rows) > limit else None
    return [_ticket(row) for row in rows[:limit]], following


async def due(conn: AsyncConnection, now: datetime, limit: int) -> list[ItemRef]:
    """Tickets whose next moment has come, emergencies first, without those that already wait in the inbox.

    One that waits there only for the sweep or a backfill is named: its moment makes it more urgent.
    """
    waits = sa.exists().where(
        inbox.c.subject == tickets.c.ref,
        sa.or_(inbox.c.lane <= LANES.index(Lane.LIVE), inbox.c.failed_at.is_not(None)),
    )
    others_after = sa.case((tickets.c.value == TicketClass.EMERGENCY.value, 0), else_=1)
    query = sa.select(tickets.c.ref).where(tickets.c.next_at <= now, ~waits)
    query = query.order_by(others_after, tickets.c.next_at)
    return [ItemRef.parse(ref) for ref in await conn.scalars(query.limit(limit))]


async def emergencies_waiting(conn: AsyncConnection) -> list[ItemRef]:
    """Open emergencies that wait in the inbox behind the first lane."""
    urgent = sa.select(tickets.c.ref).where(IS_OPEN, IS_EMERGENCY)  # few, where either table may hold many
    behind = (inbox.c.lane > LANES.index(Lane.URGENT), inbox.c.failed_at.is_(None))
    query = sa.select(inbox.c.subject).where(inbox.c.subject.in_(urgent), *behind)
    return [ItemRef.parse(ref) for ref in await conn.scalars(query)]


async def next_at(conn: AsyncConnection) -> datetime | None:
    """When the first ticket comes due."""
    query = sa.select(sa.func.min(tickets.c.next_at, type_=tickets.c.next_at.type))
    found: datetime | None = (await conn.execute(query.where(tickets.c.next_at.is_not(None)))).scalar_one()
    return found


async def open_tickets(
    conn: AsyncConnection, *, agent: int | None = None, value: TicketClass | None = None, limit: int
) -> list[Ticket]:
    """The most urgent of them, by urgency."""
    wanted = [
        IS_OPEN,
        tickets.c.agent == agent if agent is not None else None,
        tickets.c.value == value if value else None,
    ]
    query = sa.select(*KEPT).where(*(each for each in wanted if each is not None))
    query = query.order_by(tickets.c.urgency, tickets.c.ref).limit(limit)
    return [ticket async for ticket in _each(conn, query)]


async def each_open(conn: AsyncConnection, saying: str = "") -> AsyncIterator[Ticket]:
    """All of them, a few at a time in memory. `saying`: only those whose stored text holds this."""
    query = sa.select(*KEPT).where(IS_OPEN)
    if saying:
        query = query.where(sa.cast(tickets.c.body, sa.Text).contains(saying, autoescape=True))
    async for ticket in _each(conn, query):
        yield ticket


async def come_due(conn: AsyncConnection, refs: Iterable[ItemRef], now: datetime) -> None:
    """Something is known of these that they were not decided by."""
    for part in chunks({str(ref) for ref in refs}):
        await conn.execute(sa.update(tickets).where(tickets.c.ref.in_(part), IS_OPEN).values(next_at=now))


async def open_settled(conn: AsyncConnection, now: datetime) -> list[Ticket]:
    """Those to which nothing has happened by the clock since they were decided."""
    later = sa.or_(tickets.c.next_at.is_(None), tickets.c.next_at > now)
    return [ticket async for ticket in _each(conn, sa.select(*KEPT).where(IS_OPEN, later))]


async def open_due(conn: AsyncConnection, now: datetime) -> list[ItemRef]:
    """The others: their moment has come, and nobody has decided them since."""
    query = sa.select(tickets.c.ref).where(IS_OPEN, tickets.c.next_at <= now).order_by(tickets.c.ref)
    return [ItemRef.parse(ref) for ref in await conn.scalars(query)]


async def refs_since(conn: AsyncConnection, at: datetime | None) -> list[ItemRef]:
    """Everything that was a ticket, begun at `at` or later, or all."""
    query = sa.select(tickets.c.ref).order_by(tickets.c.started_at, tickets.c.ref)
    if at is not None:
        query = query.where(tickets.c.started_at >= at)
    return [ItemRef.parse(ref) for ref in await conn.scalars(query)]


async def open_cursors(conn: AsyncConnection, mark: str) -> dict[ItemRef, Mapping[str, int]]:
    """Of open tickets, the cursors of their last readings in which some name begins with `mark`."""
    likely = tickets.c.cursor_names.contains(mark, autoescape=True)
    found = _each(conn, sa.select(*KEPT).where(IS_OPEN, HAS_CURSOR, likely))
    return {t.ref: t.cursor async for t in found if any(name.startswith(mark) for name in t.cursor)}


async def open_refs(conn: AsyncConnection) -> list[ItemRef]:
    query = sa.select(tickets.c.ref).where(IS_OPEN).order_by(tickets.c.urgency, tickets.c.ref)
    return [ItemRef.parse(row.ref) async for part in in_parts(conn, query) for row in part]


async def count_open(conn: AsyncConnection) -> int:
    query = sa.select(sa.func.count()).select_from(tickets).where(IS_OPEN)
    return (await conn.execute(query)).scalar_one()


def folded(text: str) -> str:
    """A title as search compares it: no case, ё is е."""
    return text.casefold().replace("ё", "е").replace("\0", "")


def urgency(ticket: Ticket) -> int:
    """The ticket's place on the board, smaller first.

    Open: by SLA state, then class, then the nearest due moment. Ended: after all open ones, the newest first.
    """
    cycle = ticket.now_cycle
    if not ticket.open:
        ended_at = cycle.closed_at or cycle.solved_at or ticket.started_at
        return CLOSED_FROM + CLASS_STEP - _seconds(ended_at)
    running = [clock.due_at for clock in (cycle.reply, cycle.solution) if clock.running and clock.due_at]
    due_at = min(running, default=cycle.solution.due_at or ticket.started_at)
    state = STATE_ORDER.get(ticket.sla_state, len(STATE_ORDER))
    return state * STATE_STEP + (3 - URGENCY[ticket.value]) * CLASS_STEP + _seconds(due_at)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


async def _tickets(conn: AsyncConnection, query: sa.Select[Any]) -> list[Ticket]:
    return [_ticket(row) for row in await conn.execute(query)]


async def _each(conn: AsyncConnection, query: sa.Select[Any]) -> AsyncIterator[Ticket]:
    """However many: others have their turn in between."""
    async for part in in_parts(conn, query):
        for row in part:
            yield _ticket(row)


def _ticket(row: Any) -> Ticket:
    return replace(decode(Ticket, row.body), read_at=row.read_at)


def _row(ticket: Ticket) -> dict[str, Any]:
    cycle = ticket.now_cycle
    return {
        "ref": str(ticket.ref),
        "cycle": ticket.cycle,
        "state": ticket.state.value,
        "value": ticket.value.value,
        "area": ticket.area.value,
        "agent": ticket.agent,
        "client": ticket.client,
        "sla_state": ticket.sla_state.value if ticket.sla_state else None,
        "open": ticket.open,
        "created_at": ticket.created_at,
        "started_at": ticket.started_at,
        "reply_due": cycle.reply.due_at,
        "solve_due": cycle.solution.due_at,
        "next_at": ticket.next_at,
        "read_at": ticket.read_at,
        "urgency": urgency(ticket),
        "title_folded": folded(ticket.title),
        "body": encode(ticket),
        "cursor_names": " ".join(sorted(ticket.cursor)),
        "purged_at": None,  # whoever decides anew has read the words anew
    }


def _cursor(place: int, ref: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([place, ref]).encode()).decode()


def _place(cursor: str) -> tuple[int, str]:
    try:
        place, ref = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        return int(place), str(ref)
    except (binascii.Error, ValueError, TypeError) as error:
        raise CursorFault("this cursor was not given out here: start from the first page") from error
