"""What must be read again: one row per subject, however many events named it.

Promises: an event is never lost — a new one raises the row's `seq`, and `done` removes the row only
if `seq` is still the one that was claimed. One holder per row at a time; a holder that dies loses it
when its claim runs out, and what it says afterwards changes nothing. What names no item that can exist
is not kept: nobody could ever be done with it.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, Subject, parse_subject
from app.store import arrivals
from app.store.arrivals import Put
from app.store.dialects import chunks, free_rows, insert_into, inserting
from app.store.failure import Failure
from app.store.schema import LANES, inbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """A row in somebody's hands."""

    subject: Subject
    seq: int
    lane: Lane
    cause: str
    attempts: int  # this one included
    since_at: datetime  # the oldest event that nobody has handled
    by: str  # who holds it, under a name of this very claim
    error: str = ""  # why the last attempt came to nothing


async def put(conn: AsyncConnection, events: Iterable[Put], now: datetime) -> None:
    """Due at once, in the more urgent of its lanes. A row that had given up gets another chance."""
    await put_dated(conn, ((event, now) for event in events))


async def put_dated(conn: AsyncConnection, events: Iterable[tuple[Put, datetime]]) -> None:
    """The same for events that came at different instants, in the order in which they came."""
    if rows := _folded(events):
        await conn.execute(_putting(conn.dialect.name), rows)


async def take_in(conn: AsyncConnection) -> None:
    """What has arrived becomes rows here; before every claim."""
    await put_dated(conn, await arrivals.take(conn))


@cache
def _putting(dialect: str) -> sa.Insert:
    query = inserting(dialect, inbox)
    new, old, revived = query.excluded, inbox.c, inbox.c.failed_at.is_not(None)
    return query.on_conflict_do_update(
        index_elements=["subject"],
        set_={
            "seq": old.seq + 1,
            "lane": sa.case((old.lane < new.lane, old.lane), else_=new.lane),
            "cause": new.cause,
            "since_at": sa.case((revived, new.since_at), else_=old.since_at),
            "last_at": new.last_at,
            "due_at": sa.case((old.due_at < new.due_at, old.due_at), else_=new.due_at),
            "attempts": sa.case((revived, 0), else_=old.attempts),
            "failed_at": None,
        },
    )


async def put_new(conn: AsyncConnection, events: Iterable[Put], now: datetime) -> None:
    """Like `put`, but what waits there already keeps its place, its wait and its failure."""
    if rows := _folded((event, now) for event in events):
        query = insert_into(conn, inbox).on_conflict_do_nothing(index_elements=["subject"])
        await conn.execute(query, rows)


async def claim(
    conn: AsyncConnection,
    limit: int,
    now: datetime,
    by: str,
    lease: timedelta,
    lanes: Collection[Lane] = LANES,
    *,
    over: bool = False,
) -> list[Claim]:
    """Up to `limit` due rows, urgent lanes first, the longest waiting first; ours until now + lease.

    `over`: also those that `by` holds already, under an earlier claim that is worth nothing then. So what a
    long pass holds need not wait for its end when it turns out to be urgent, nor what a failed pass left.
    """
    taken: list[Claim] = []
    name = f"{by}/{secrets.token_hex(4)}"  # a row that was done and came anew must not match an older claim
    wanted = {LANES.index(lane) for lane in lanes}
    for lane in await _lanes_with_work(conn, now):  # a query a lane: what waits in one never hides another
        if lane in wanted and len(taken) < limit:
            query = _claiming(lane, limit - len(taken), now, name, lease, held=by if over else None)
            rows = (await conn.execute(query)).all()
            claims = {
                row.subject: _claim(row) for row in sorted(rows, key=lambda row: (row.due_at, row.subject))
            }
            await _throw_away(conn, [name for name, one in claims.items() if one is None])
            taken += filter(None, claims.values())
    return taken


async def hasten(conn: AsyncConnection, subjects: Iterable[Subject]) -> None:
    """Into the first lane, with the waits that they have."""
    for part in chunks({str(subject) for subject in subjects}):
        await conn.execute(sa.update(inbox).where(inbox.c.subject.in_(part)).values(lane=0))


async def free_others(conn: AsyncConnection, by: str) -> bool:
    """End the claims of everybody but `by`, whose turn it is now. Their holders can do no harm.

    False: some are left, for a row that anybody has locked is not waited for.
    """
    held = sa.select(inbox.c.subject).where(inbox.c.claimed_by.is_not(None), ~_holder_is(by))
    await conn.execute(sa.update(inbox).where(inbox.c.subject.in_(free_rows(held))).values(**_FREE))
    return (await conn.execute(held.limit(1))).first() is None


async def done(conn: AsyncConnection, claim: Claim) -> bool:
    """Handled. False: the claim had run out; whoever has the row since then handles it once more."""
    removed = await conn.execute(
        sa.delete(inbox).where(_ours(claim), inbox.c.seq == claim.seq).returning(inbox.c.subject)
    )
    if removed.first() is not None:
        return True
    freed = (
        sa.update(inbox).where(_ours(claim)).values(**_FREE, attempts=0, error="", since_at=inbox.c.last_at)
    )
    return (await conn.execute(freed.returning(inbox.c.subject))).first() is not None


async def later(conn: AsyncConnection, claim: Claim, at: datetime, error: str) -> None:
    """Try again at `at`; sooner if a new event came meanwhile."""
    due = sa.case(
        (inbox.c.seq == claim.seq, sa.bindparam("at", at, inbox.c.due_at.type)), else_=inbox.c.last_at
    )
    await conn.execute(sa.update(inbox).where(_ours(claim)).values(**_FREE, due_at=due, error=error))


async def give_up(conn: AsyncConnection, claim: Claim, error: str, now: datetime) -> None:
    """Failed work until a person or a new event revives it; an event since the claim does so at once."""
    await conn.execute(
        sa.update(inbox)
        .where(_ours(claim))
        .values(**_FREE, error=error, failed_at=sa.case((inbox.c.seq == claim.seq, now), else_=None))
    )


async def failed(conn: AsyncConnection) -> list[Failure]:
    query = (
        sa.select(inbox).where(inbox.c.failed_at.is_not(None)).order_by(inbox.c.failed_at, inbox.c.subject)
    )
    return [
        Failure(row.subject, row.error, row.attempts, row.since_at, row.failed_at)
        for row in await conn.execute(query)
    ]


async def retry(conn: AsyncConnection, subject: Subject | None, now: datetime) -> int:
    """Give one failed row, or all, another chance at once; how many there were."""
    query = sa.update(inbox).where(inbox.c.failed_at.is_not(None))
    if subject is not None:
        query = query.where(inbox.c.subject == str(subject))
    values: dict[str, Any] = {
        "failed_at": None,
        "attempts": 0,
        "due_at": now,
        "since_at": now,
        "last_at": now,
    }
    return len((await conn.execute(query.values(values).returning(inbox.c.subject))).all())


async def drop(conn: AsyncConnection, subject: Subject) -> bool:
    """Forget failed work; False if there is none of this name."""
    query = sa.delete(inbox).where(inbox.c.subject == str(subject), inbox.c.failed_at.is_not(None))
    return (await conn.execute(query.returning(inbox.c.subject))).first() is not None


async def lag(conn: AsyncConnection, now: datetime) -> tuple[int, timedelta]:
    """How many subjects wait and since when the oldest does. A backfill is no lag: nobody waits for it."""
    waits = waiting(conn.dialect.name)
    query = sa.select(sa.func.count(waits.c.subject.distinct()), sa.func.min(waits.c.since_at))
    query = query.where(waits.c.lane < LANES.index(Lane.BACKFILL))
    count, since_at = (await conn.execute(query)).one()
    return count, max(now - since_at, timedelta(0)) if since_at else timedelta(0)


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the next row can be claimed: its due moment, or the end of a claim that nobody finished."""
    free_at = sa.func.coalesce(inbox.c.claimed_until, inbox.c.due_at)
    query = sa.select(sa.func.min(free_at)).where(inbox.c.failed_at.is_(None))
    moments = [(await conn.execute(query)).scalar_one(), await arrivals.first_at(conn)]
    return min((at for at in moments if at is not None), default=None)


def waiting(dialect: str) -> sa.Subquery:
    """What waits to be read as (subject, lane, since_at): the rows here, and what has just arrived.

    A subject may be in both.
    """
    here = sa.select(inbox.c.subject, inbox.c.lane, inbox.c.since_at).where(inbox.c.failed_at.is_(None))
    return here.union_all(arrivals.one_by_one(dialect)).subquery()


_FREE: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _folded(events: Iterable[tuple[Put, datetime]]) -> list[dict[str, Any]]:
    """A row a subject, in one order: two replicas storing the same subjects must not wait for each other."""
    rows: dict[str, dict[str, Any]] = {}
    for (subject, lane, cause), at in (each for each in events if each[0][0].is_real):
        name, number = str(subject), LANES.index(lane)
        row = rows.setdefault(name, {"subject": name, "lane": number, "since_at": at, "due_at": at})
        row |= {"lane": min(row["lane"], number), "cause": cause, "last_at": at}
    same = {"seq": 1, "attempts": 0, "error": ""}
    return [rows[name] | same for name in sorted(rows)]


async def _lanes_with_work(conn: AsyncConnection, now: datetime) -> list[int]:
    """Looking costs a tenth of claiming, and most looks find nothing."""
    some = sa.select(inbox.c.lane).where(inbox.c.failed_at.is_(None), inbox.c.due_at <= now)
    return sorted(await conn.scalars(some.distinct()))


def _claiming(
    lane: int, limit: int, now: datetime, by: str, lease: timedelta, *, held: str | None
) -> sa.UpdateBase:
    free = sa.or_(inbox.c.claimed_until.is_(None), inbox.c.claimed_until <= now)
    free = sa.or_(free, _holder_is(held)) if held else free
    chosen = (
        sa.select(inbox.c.subject)
        .where(inbox.c.lane == lane, inbox.c.failed_at.is_(None), inbox.c.due_at <= now, free)
        .order_by(inbox.c.due_at, inbox.c.subject)
        .limit(limit)
    )
    # A CTE is worked out once; a bare subquery may be run again and lock more than `limit` rows.
    once = free_rows(chosen).cte("chosen")
    return (
        sa.update(inbox)
        .where(inbox.c.subject.in_(sa.select(once.c.subject)))
        .values(claimed_by=by, claimed_until=now + lease, attempts=inbox.c.attempts + 1)
        .returning(inbox)
    )


async def _throw_away(conn: AsyncConnection, names: Sequence[str]) -> None:
    """Rows of an earlier version that name nothing; one of them would stop its whole lane."""
    if names:
        log.warning("the inbox held what is no item: %s", ", ".join(names))
        await conn.execute(sa.delete(inbox).where(inbox.c.subject.in_(names)))


def _claim(row: sa.Row[Any]) -> Claim | None:
    """None: the row names nothing."""
    try:
        subject = parse_subject(row.subject)
    except ValueError:
        return None
    told = (LANES[row.lane], row.cause, row.attempts, row.since_at, row.claimed_by, row.error)
    return Claim(subject, row.seq, *told)


def _holder_is(name: str) -> sa.ColumnElement[bool]:
    return inbox.c.claimed_by.startswith(f"{name}/", autoescape=True)


def _ours(claim: Claim) -> sa.ColumnElement[bool]:
    """Still held under this very claim."""
    return sa.and_(inbox.c.subject == str(claim.subject), inbox.c.claimed_by == claim.by)
