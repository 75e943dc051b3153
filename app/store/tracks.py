"""Tracks: cycles in numbers, read by the hundred thousand.

Promise: a ticket's tracks are those of its last decision; nothing else of the row says more than the numbers.
Instants are microseconds since 1970, -1 for none. `steps` are `at,class,correction` or `at,-1,agreed date`,
`pauses` are `start,end`, all in one row of numbers with commas between; a class is its place in TicketClass.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import ClassChange, Extension, ItemRef, TicketClass, Track
from app.store.dialects import upsert
from app.store.schema import tracks

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
CLASSES = tuple(TicketClass)
NONE = AGREED = -1

Row = tuple[str, int, str, int, int, int, str, str, str, str, str, bool]
"""ref, cycle, class, started, replied, solved, steps, pauses, asked, terms, desk, plain"""


async def replace(conn: AsyncConnection, ref: ItemRef, made: Sequence[Track]) -> None:
    """The ticket's tracks are exactly these."""
    gone = sa.delete(tracks).where(tracks.c.ref == str(ref))
    if made:
        gone = gone.where(tracks.c.cycle.not_in([track.cycle for track in made]))
    await conn.execute(gone)
    rows = [row_of(track) for track in made]
    if rows:
        await conn.execute(upsert(conn, tracks, rows[0]), rows)


async def since(conn: AsyncConnection, at: datetime | None) -> Sequence[Row]:
    """Of cycles that began at `at` or later, or of all; in no order."""
    query = sa.select(*(_or_none(tracks.c[name]) for name in NAMES))
    if at is not None:
        query = query.where(tracks.c.started >= micros(at))
    rows: Sequence[Any] = (await conn.execute(query)).all()
    return rows


def _or_none(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.func.coalesce(column, NONE) if column.nullable else column


def micros(at: datetime) -> int:
    """An instant as it stands in a row."""
    return (at - EPOCH) // MICROSECOND


NAMES = "ref cycle value started replied solved steps pauses asked terms desk plain".split()


def row_of(track: Track) -> dict[str, Any]:
    """A track as it is stored."""
    pauses = [(micros(each.start), micros(each.end) if each.end else NONE) for each in track.pauses]
    return {
        "ref": str(track.ref),
        "cycle": track.cycle,
        "value": track.value.value,
        "started": micros(track.started_at),
        "replied": micros(track.replied_at) if track.replied_at else None,
        "solved": micros(track.solved_at) if track.solved_at else None,
        "steps": _numbers([_step(step) for step in track.steps]),
        "pauses": _numbers(pauses),
        "asked": json.dumps(dict(sorted(track.asked.items())), ensure_ascii=False) if track.asked else "",
        "terms": track.terms,
        "desk": track.desk,
        "plain": track.plain,
    }


def _step(step: ClassChange | Extension) -> tuple[int, int, int]:
    if isinstance(step, Extension):
        return micros(step.at), AGREED, micros(step.due_at)
    return micros(step.at), CLASSES.index(step.value), int(step.correction)


def _numbers(rows: Sequence[tuple[int, ...]]) -> str:
    return ",".join(str(number) for row in rows for number in row)
