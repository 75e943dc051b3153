"""The SLA fields that each card should hold, and what we last knew it to hold.

Promises: what is written is the newest wish compared with the card's last known values, so a late retry
never brings back an old one; an attempt of unknown fate is remembered until a reading tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import ItemRef, Stamp, TicketClass
from app.store.dialects import insert_into, locked
from app.store.failure import Failure
from app.store.schema import IS_OPEN, stamps, tickets

FUSE_WINDOW = timedelta(hours=1)
"""`writes` counts within this: the caller parks a card that is written too often in it."""

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StampWork:
    """A card whose known values differ from the wanted ones."""

    ref: ItemRef
    wanted: Values
    confirmed: Values
    attempted: Values  # of unknown fate: the card may hold these already
    attempts: int
    writes: int  # within the fuse's window
    writes_since: datetime | None


def writes_lately(work: StampWork, now: datetime) -> int:
    """Within the fuse's window; what was written before it has burnt down nothing."""
    over = work.writes_since is None or now - work.writes_since > FUSE_WINDOW
    return 0 if over else work.writes


async def want(conn: AsyncConnection, stamp: Stamp, now: datetime) -> bool:
    """True: something must be written. The same wish again does not shorten a wait after a failure."""
    await _ensure(conn, stamp.ref)
    row = await _row(conn, stamp.ref)
    wanted = dict(stamp.wanted)
    changes: dict[str, Any] = {"wanted": wanted}
    if not differs(wanted, row.confirmed):
        changes |= {"due_at": None, "attempts": 0, "error": "", "parked_at": None}  # nothing left to fail
    elif wanted != row.wanted or row.due_at is None:
        changes |= {"due_at": now, "attempts": 0}
    await _change(conn, stamp.ref, **changes)
    return differs(wanted, row.confirmed)


def differs(wanted: Values, confirmed: Values) -> bool:
    """Text by text. What the portal counts as equal the deliverer knows, and says `done` with nothing."""
    return any(value != confirmed.get(code, "") for code, value in wanted.items())


async def memory(conn: AsyncConnection, ref: ItemRef) -> tuple[Values, Values]:
    """What the card held when last read or written, and what we want or have attempted since."""
    query = sa.select(stamps.c.confirmed, stamps.c.wanted, stamps.c.sending).where(stamps.c.ref == str(ref))
    row = (await conn.execute(query)).first()
    return (row.confirmed, row.wanted | (row.sending or {})) if row else ({}, {})


async def saw(conn: AsyncConnection, ref: ItemRef, values: Values, read_at: datetime) -> bool:
    """A reading that began at `read_at` shows these values.

    False, and nothing changed: we have written since it began, so its fields are of the past and must not be
    taken for somebody's change.
    """
    await _ensure(conn, ref)
    row = await _row(conn, ref)
    if row.written_at is not None and row.written_at > read_at:
        return False
    settled = row.sent_at is not None and row.sent_at < read_at and row.taken_until is None
    await _change(conn, ref, confirmed=dict(values), **({"sending": None} if settled else {}))
    return True


async def due(
    conn: AsyncConnection, limit: int, now: datetime, *, emergencies: bool = False
) -> list[StampWork]:
    """Cards to write, the longest waiting first; not those on their way or parked.

    `emergencies`: only cards of open ones, which must not wait behind others.
    """
    query = sa.select(stamps).where(stamps.c.due_at <= now, stamps.c.parked_at.is_(None), _free(now))
    if emergencies:
        urgent = (tickets.c.ref == stamps.c.ref, IS_OPEN, tickets.c.value == TicketClass.EMERGENCY.value)
        query = query.where(sa.exists().where(*urgent))
    query = query.order_by(stamps.c.due_at, stamps.c.ref).limit(limit)
    return [_work(row) for row in await conn.execute(query)]


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the first card may be written."""
    query = sa.select(sa.func.min(stamps.c.due_at, type_=stamps.c.due_at.type))
    found: datetime | None = (await conn.execute(query.where(stamps.c.parked_at.is_(None)))).scalar_one()
    return found


async def sending(
    conn: AsyncConnection, ref: ItemRef, values: Values, now: datetime, lease: timedelta
) -> bool:
    """Commit this before the call: if we die in it, the next reading knows what may be ours.

    False, and nothing changed: somebody else is writing this card just now, or has dealt with it since these
    values were reckoned.
    """
    row = await _row(conn, ref)
    if not _may_be_taken(row, values, now):
        return False
    attempted = {**(row.sending or {}), **values}
    await _change(
        conn, ref, sending=attempted, sent_at=now, taken_until=now + lease, attempts=row.attempts + 1
    )
    return True


def _may_be_taken(row: sa.Row[Any], values: Values, now: datetime) -> bool:
    """Due, not on its way, and lacking exactly what is to be written."""
    if row.due_at is None or row.due_at > now or row.parked_at is not None:
        return False
    if row.taken_until is not None and row.taken_until > now:
        return False
    return all(row.wanted.get(code) == value != row.confirmed.get(code, "") for code, value in values.items())


async def done(conn: AsyncConnection, ref: ItemRef, values: Values, now: datetime) -> None:
    """The card now holds these. No values: there was nothing to write after all."""
    row = await _row(conn, ref)
    held = {**row.confirmed, **values}
    changes: dict[str, Any] = {"due_at": None}
    if values:
        fresh = row.writes_since is None or now - row.writes_since > FUSE_WINDOW
        changes = {
            "due_at": now if differs(row.wanted, held) else None,
            "written_at": now,
            "writes": 1 if fresh else row.writes + 1,
            "writes_since": now if fresh else row.writes_since,
        }
    await _change(conn, ref, **changes, confirmed=held, sending=None, taken_until=None, attempts=0, error="")


async def later(
    conn: AsyncConnection, ref: ItemRef, at: datetime, error: str, *, unknown_fate: bool = False
) -> None:
    """Write again at `at`. `unknown_fate`: the card may hold the attempted values already."""
    forget = {} if unknown_fate else {"sending": None}
    await _change(conn, ref, **forget, due_at=at, error=error, taken_until=None)


async def parked(conn: AsyncConnection, ref: ItemRef, error: str, now: datetime) -> None:
    """No more writes until a person says so: refused for good, or the fuse."""
    await _change(conn, ref, parked_at=now, error=error, sending=None, taken_until=None)


async def lag(conn: AsyncConnection, now: datetime) -> tuple[int, timedelta]:
    """How many cards are due and since when the oldest is."""
    query = sa.select(sa.func.count(), sa.func.min(stamps.c.due_at))
    query = query.where(stamps.c.due_at <= now, stamps.c.parked_at.is_(None))
    number, oldest = (await conn.execute(query)).one()
    return number, now - oldest if oldest else timedelta(0)


async def failed(conn: AsyncConnection) -> list[Failure]:
    query = sa.select(stamps).where(stamps.c.parked_at.is_not(None)).order_by(stamps.c.parked_at)
    return [
        Failure(row.ref, row.error, row.attempts, row.sent_at or row.parked_at, row.parked_at)
        for row in await conn.execute(query)
    ]


async def retry(conn: AsyncConnection, key: str | None, now: datetime) -> int:
    """Write one parked card, or all, again at once; how many there were."""
    query = sa.update(stamps).where(stamps.c.parked_at.is_not(None))
    if key is not None:
        query = query.where(stamps.c.ref == key)
    query = query.values(parked_at=None, due_at=now, attempts=0, writes=0, writes_since=None)
    return len((await conn.execute(query.returning(stamps.c.ref))).all())


async def drop(conn: AsyncConnection, key: str) -> bool:
    """Let a parked card stay as it is until the next decision; False if there is none of this name."""
    query = sa.update(stamps).where(stamps.c.ref == key, stamps.c.parked_at.is_not(None))
    query = query.values(parked_at=None, due_at=None, wanted={}, attempts=0, error="")
    return (await conn.execute(query.returning(stamps.c.ref))).first() is not None


def _free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(stamps.c.taken_until.is_(None), stamps.c.taken_until <= now)


async def _ensure(conn: AsyncConnection, ref: ItemRef) -> None:
    row = {"ref": str(ref), "wanted": {}, "confirmed": {}, "attempts": 0, "error": "", "writes": 0}
    await conn.execute(insert_into(conn, stamps).values(row).on_conflict_do_nothing(index_elements=["ref"]))


async def _row(conn: AsyncConnection, ref: ItemRef) -> sa.Row[Any]:
    """The row, kept from others until our commit."""
    row: sa.Row[Any] = (await conn.execute(locked(sa.select(stamps).where(stamps.c.ref == str(ref))))).one()
    return row


async def _change(conn: AsyncConnection, ref: ItemRef, **changes: Any) -> None:
    await conn.execute(sa.update(stamps).where(stamps.c.ref == str(ref)).values(**changes))


def _work(row: sa.Row[Any]) -> StampWork:
    return StampWork(
        ref=ItemRef.parse(row.ref),
        wanted=row.wanted,
        confirmed=row.confirmed,
        attempted=row.sending or {},
        attempts=row.attempts,
        writes=row.writes,
        writes_since=row.writes_since,
    )
