"""Reports that were made to be sent, with all that they were made of beside facts.

Promise: what is noted here and the facts recorded up to `known_at` make the very same report again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.dialects import insert_into
from app.store.schema import reports, sweeps


@dataclass(frozen=True, slots=True)
class Noted:
    """A report as it was made; `made_of` is plain JSON."""

    kind: str
    first: date
    last: date
    made_at: datetime
    known_at: datetime | None  # the newest fact that it could see
    rules: str  # the version in force
    made_of: Mapping[str, Any]
    text: str
    text_hash: str
    picture_hash: str
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep came to: `read_at` None when it failed, for the reason in `trouble`."""

    ended_at: datetime
    read_at: datetime | None
    unread: int = 0
    trouble: str = ""


async def note(conn: AsyncConnection, report: Noted) -> None:
    """Keep a report; the same one again changes nothing."""
    row = {name: getattr(report, name) for name in _PLAIN}
    row |= {"first": report.first.isoformat(), "last": report.last.isoformat()}
    row["made_of"] = dict(report.made_of)
    query = insert_into(conn, reports).values(row)
    await conn.execute(query.on_conflict_do_nothing(index_elements=["kind", "first", "made_at"]))


async def sent(conn: AsyncConnection, kind: str, first: date, now: datetime) -> None:
    """The report of a period that was made last stands in the chat."""
    newest = sa.select(sa.func.max(reports.c.made_at, type_=reports.c.made_at.type)).where(*_of(kind, first))
    query = sa.update(reports).where(*_of(kind, first), reports.c.made_at == newest.scalar_subquery())
    await conn.execute(query.where(reports.c.sent_at.is_(None)).values(sent_at=now))


async def last_made(conn: AsyncConnection, kind: str, first: date) -> Noted | None:
    """The report of a period that was made last, whether it was sent or not."""
    query = sa.select(reports).where(*_of(kind, first)).order_by(reports.c.made_at.desc())
    return _noted((await conn.execute(query.limit(1))).first())


async def first_sent(conn: AsyncConnection, kind: str, first: date) -> Noted | None:
    """The report of a period that people got first."""
    query = sa.select(reports).where(*_of(kind, first), reports.c.sent_at.is_not(None))
    return _noted((await conn.execute(query.order_by(reports.c.sent_at).limit(1))).first())


async def made_at(conn: AsyncConnection, kind: str, first: date, at: datetime) -> Noted | None:
    """The report of a period that was made at this moment; people name it to the minute or the second."""
    grain = timedelta(seconds=1) if at.second or at.microsecond else timedelta(minutes=1)
    moment = (reports.c.made_at >= at, reports.c.made_at < at + grain)
    query = sa.select(reports).where(*_of(kind, first), *moment).order_by(reports.c.made_at)
    return _noted((await conn.execute(query.limit(1))).first())


async def sent_moments(conn: AsyncConnection, kind: str, first: date) -> list[datetime]:
    """When the reports of a period that people got were made."""
    query = sa.select(reports.c.made_at).where(*_of(kind, first), reports.c.sent_at.is_not(None))
    return list(await conn.scalars(query.order_by(reports.c.made_at)))


async def note_sweep(conn: AsyncConnection, swept: Swept) -> None:
    row = {
        "ended_at": swept.ended_at,
        "read_at": swept.read_at,
        "unread": swept.unread,
        "trouble": swept.trouble,
    }
    query = insert_into(conn, sweeps).values(row)
    await conn.execute(query.on_conflict_do_nothing(index_elements=["ended_at"]))


async def last_sweep(conn: AsyncConnection, at: datetime) -> Swept | None:
    """The last sweep by then; `read_at` is that of the last one that read everything."""
    known = sa.select(sweeps).where(sweeps.c.ended_at <= at).order_by(sweeps.c.ended_at.desc()).limit(1)
    last = (await conn.execute(known)).first()
    if last is None:
        return None
    whole = sa.select(sa.func.max(sweeps.c.read_at, type_=sweeps.c.read_at.type))
    read_at = (await conn.execute(whole.where(sweeps.c.ended_at <= at))).scalar_one()
    return Swept(last.ended_at, read_at, last.unread, last.trouble)


_PLAIN = ("kind", "made_at", "known_at", "rules", "text", "text_hash", "picture_hash", "sent_at")


def _of(kind: str, first: date) -> tuple[sa.ColumnElement[bool], ...]:
    return reports.c.kind == kind, reports.c.first == first.isoformat()


def _noted(row: sa.Row[Any] | None) -> Noted | None:
    if row is None:
        return None
    plain: dict[str, Any] = {name: getattr(row, name) for name in _PLAIN}
    first, last = date.fromisoformat(row.first), date.fromisoformat(row.last)
    return Noted(**plain, first=first, last=last, made_of=row.made_of)
