"""Events as they were acknowledged: one row a commit, until whoever works folds them into the inbox.

So taking many events costs one small insert, whatever they name and however many wait. Promise: an arrival
goes in the very transaction that puts its subjects into the inbox.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, Subject, parse_subject
from app.store.dialects import json_rows, json_text
from app.store.engine import Database
from app.store.schema import LANES, arrivals

Put = tuple[Subject, Lane, str]
"""What changed, how urgent it is, and the event that told of it."""

AT_ONCE = 200  # commits folded in one go: after a long absence the first claims need not wait for all


async def append(database: Database, events: Iterable[Put], now: datetime) -> None:
    """Durable when this returns. StoreUnavailable: not stored."""
    told = [(str(subject), LANES.index(lane), cause) for subject, lane, cause in events]
    await database.append(arrivals, {"at": now, "events": json_text(told)})


async def take(conn: AsyncConnection) -> list[tuple[Put, datetime]]:
    """The oldest, removed from here, with the instants at which they came."""
    oldest = sa.select(arrivals.c.id).order_by(arrivals.c.id).limit(AT_ONCE)
    query = sa.delete(arrivals).where(arrivals.c.id.in_(oldest)).returning(arrivals)
    rows = sorted((await conn.execute(query)).all(), key=lambda row: row.id)
    return [(event, row.at) for row in rows for event in _events(row.events)]


def _events(text: str) -> Iterator[Put]:
    for subject, lane, cause in json.loads(text):
        yield parse_subject(subject), LANES[lane], cause


async def first_at(conn: AsyncConnection) -> datetime | None:
    """When the oldest of them came."""
    query = sa.select(sa.func.min(arrivals.c.at, type_=arrivals.c.at.type))
    at: datetime | None = (await conn.execute(query)).scalar_one()
    return at


def one_by_one(dialect: str) -> sa.Select[tuple[str, int, datetime]]:
    """Each event as (subject, lane, since_at), for those who count."""
    row = json_rows(dialect, arrivals.c.events)
    lane = sa.cast(row.op("->>")(sa.literal_column("1")), sa.BigInteger)
    subject = row.op("->>")(sa.literal_column("0")).label("subject")
    return sa.select(subject, lane, arrivals.c.at).select_from(arrivals)  # first: its rows are taken apart
