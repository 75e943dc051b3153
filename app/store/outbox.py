"""Messages to people, each said once: its key stays for ever.

Promises: the same key is never queued twice, except that a ticket's card in the alerts chat is edited when
its wanted text changes; before a message goes out this is noted, so one of unknown fate is looked for first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import ItemRef, Lane, Message, MessageKind
from app.store.dialects import chunks, insert_into
from app.store.failure import Failure
from app.store.schema import IN_WORK, LANES, messages


class MessageState(StrEnum):
    """Where a message is."""

    WAITING = "waiting"
    SENDING = "sending"  # its fate is unknown until `sent` or `later`
    SENT = "sent"
    SKIPPED = "skipped"  # decided at the moment of sending, or dropped by a person
    COVERED = "covered"  # another message says it
    FAILED = "failed"


ALERTS = (MessageKind.NOTICE.value, MessageKind.SUMMARY.value)
"""What is withdrawn when its step no longer stands; a card is edited, a comment tells what was decided."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message whose time has come."""

    message: Message
    portal_id: int | None  # said before: edit that one
    uncertain: bool  # an earlier attempt may have come through: look for it first
    attempts: int
    created_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Put:
    """A message that was put here and what became of it."""

    key: str
    state: MessageState
    sent_at: datetime | None


async def put(
    conn: AsyncConnection,
    new: Iterable[Message],
    now: datetime,
    *,
    send_at: datetime | None = None,
    uncertain: bool = False,
) -> int:
    """How many were queued or, for a card, queued again with a new text.

    `uncertain`: somebody whose memory is lost may have said them, so they are looked for first.
    """
    rows = [_values(message, now, send_at or now) | {"uncertain": uncertain} for message in new]
    plain = [row for row in rows if row["kind"] != MessageKind.CHAT_CARD]
    cards = [row for row in rows if row["kind"] == MessageKind.CHAT_CARD]
    covered = [
        row | {"key": key, "text": "", "state": MessageState.COVERED.value}
        for row in rows
        for key in row.pop("covers")
    ]
    queued = await _put_once(conn, plain) + await _put_cards(conn, cards)
    await _cover(conn, covered)
    return queued


async def withdraw(conn: AsyncConnection, ref: ItemRef, standing: Collection[str]) -> int:
    """Forget waiting alerts of steps that no longer stand; one that stands again later is said.

    One of unknown fate may have been said: it is not repeated, now or later. So with one whose sender died
    between noting and sending it.
    """
    fallen = (
        messages.c.ref == str(ref),
        IN_WORK,
        messages.c.kind.in_(ALERTS),
        messages.c.key.not_in(standing),
    )
    doubtful = (
        sa.update(messages).where(*fallen, messages.c.uncertain).values(state=MessageState.SKIPPED.value)
    )
    await conn.execute(doubtful)
    query = sa.delete(messages).where(*fallen)
    return len((await conn.execute(query.returning(messages.c.key))).all())


async def forget_comments(conn: AsyncConnection, ref: ItemRef) -> None:
    """What the card's timeline was still to hold: the card is gone, so nobody has to see to it."""
    unsaid = (
        messages.c.ref == str(ref),
        messages.c.kind == MessageKind.TIMELINE.value,
        sa.or_(IN_WORK, messages.c.failed_at.is_not(None)),
    )
    gone = {"state": MessageState.SKIPPED.value, "failed_at": None, "error": "", "taken_until": None}
    await conn.execute(sa.update(messages).where(*unsaid).values(gone))


async def due(conn: AsyncConnection, limit: int, now: datetime, *, urgent: bool = False) -> list[Outgoing]:
    """Urgent lanes first, then the longest waiting; with those whose sender died.

    `urgent`: only the first lane, without summaries, whose lines wait for each other.
    """
    ready = sa.or_(
        messages.c.state == MessageState.WAITING.value,
        sa.and_(messages.c.state == MessageState.SENDING.value, messages.c.taken_until <= now),
    )
    query = sa.select(messages).where(IN_WORK, ready, messages.c.due_at <= now)
    if urgent:
        first = (messages.c.lane == LANES.index(Lane.URGENT), messages.c.kind != MessageKind.SUMMARY.value)
        query = query.where(*first)
    query = query.order_by(messages.c.lane, messages.c.due_at, messages.c.key).limit(limit)
    return [_outgoing(row) for row in await conn.execute(query)]


async def next_due(conn: AsyncConnection) -> datetime | None:
    """When the first waiting message may go."""
    query = sa.select(sa.func.min(messages.c.due_at, type_=messages.c.due_at.type)).where(IN_WORK)
    found: datetime | None = (await conn.execute(query)).scalar_one()
    return found


async def sending(
    conn: AsyncConnection, outgoing: Sequence[Outgoing], now: datetime, lease: timedelta
) -> set[str]:
    """Commit this before the call: if we die in it, the next attempt looks before it speaks.

    The keys that may go: not those that somebody else has sent or taken since they were read here.
    """
    ours: set[str] = set()
    for each in outgoing:
        still = (
            messages.c.key == each.message.key,
            IN_WORK,
            messages.c.attempts == each.attempts,  # a card's newer text raises its version only
        )
        values = {
            "state": MessageState.SENDING.value,
            "sending_version": each.version,
            "uncertain": True,
            "taken_until": now + lease,
            "attempts": each.attempts + 1,
        }
        taken = await conn.execute(sa.update(messages).where(*still).values(values).returning(messages.c.key))
        ours |= set(taken.scalars())
    return ours


async def sent(conn: AsyncConnection, key: str, portal_id: int | None, now: datetime) -> None:
    """It is there. A card whose text changed meanwhile waits again, to be edited."""
    newer = messages.c.version > messages.c.sending_version
    await _change(
        conn,
        key,
        state=sa.case((newer, MessageState.WAITING.value), else_=MessageState.SENT.value),
        portal_id=portal_id,
        sent_at=now,
        uncertain=False,
        taken_until=None,
        attempts=0,
        error="",
    )


async def later(
    conn: AsyncConnection, key: str, at: datetime, error: str, *, unknown_fate: bool = False
) -> None:
    """Again at `at`. `unknown_fate`: it may have come through, so look first."""
    await _change_waiting(
        conn,
        key,
        state=MessageState.WAITING.value,
        due_at=at,
        error=error,
        uncertain=unknown_fate,
        taken_until=None,
    )


async def skip(conn: AsyncConnection, key: str, why: str) -> None:
    """Not said, and never will be under this key."""
    await _change_waiting(
        conn, key, state=MessageState.SKIPPED.value, error=why, uncertain=False, taken_until=None
    )


async def give_up(conn: AsyncConnection, key: str, error: str, now: datetime) -> None:
    """Failed work until a person says otherwise."""
    await _change_waiting(
        conn, key, state=MessageState.FAILED.value, error=error, failed_at=now, taken_until=None
    )


async def said(conn: AsyncConnection, ref: ItemRef) -> frozenset[str]:
    """The keys of everything queued, said or covered for this item."""
    return frozenset(await conn.scalars(sa.select(messages.c.key).where(messages.c.ref == str(ref))))


async def put_for(conn: AsyncConnection, ref: ItemRef) -> list[Put]:
    """What became of everything queued for this item, in the order in which it was."""
    shown = (messages.c.key, messages.c.state, messages.c.sent_at)
    query = sa.select(*shown).where(messages.c.ref == str(ref))
    rows = await conn.execute(query.order_by(messages.c.created_at, messages.c.key))
    return [Put(row.key, MessageState(row.state), row.sent_at) for row in rows]


async def texts(conn: AsyncConnection, ref: ItemRef) -> list[dict[str, str]]:
    """Everything queued or said for this item, as it was put: key, kind, to, text, state, sent_at."""
    shown = (messages.c.key, messages.c.kind, messages.c.receiver, messages.c.text, messages.c.state)
    query = sa.select(*shown, messages.c.sent_at).where(messages.c.ref == str(ref), messages.c.text != "")
    names = ("key", "kind", "to", "text", "state")
    return [
        {**dict(zip(names, row[:5], strict=True)), "sent_at": row.sent_at.isoformat() if row.sent_at else ""}
        for row in await conn.execute(query.order_by(messages.c.created_at, messages.c.key))
    ]


async def lag(conn: AsyncConnection, now: datetime) -> tuple[int, timedelta]:
    """How many are due and since when the oldest is; what waits for its hour is no lag."""
    query = sa.select(sa.func.count(), sa.func.min(messages.c.due_at)).where(
        IN_WORK, messages.c.due_at <= now
    )
    number, oldest = (await conn.execute(query)).one()
    return number, now - oldest if oldest else timedelta(0)


async def failed(conn: AsyncConnection) -> list[Failure]:
    query = sa.select(messages).where(messages.c.failed_at.is_not(None))
    return [
        Failure(row.key, row.error, row.attempts, row.created_at, row.failed_at)
        for row in await conn.execute(query.order_by(messages.c.failed_at, messages.c.key))
    ]


async def retry(conn: AsyncConnection, key: str | None, now: datetime) -> int:
    """Say one failed message, or all, after all; how many there were."""
    query = sa.update(messages).where(messages.c.failed_at.is_not(None))
    if key is not None:
        query = query.where(messages.c.key == key)
    query = query.values(
        state=MessageState.WAITING.value, due_at=now, created_at=now, attempts=0, failed_at=None
    )
    return len((await conn.execute(query.returning(messages.c.key))).all())


async def drop(conn: AsyncConnection, key: str) -> bool:
    """Never say a failed message; False if there is none of this name."""
    query = sa.update(messages).where(messages.c.key == key, messages.c.failed_at.is_not(None))
    query = query.values(state=MessageState.SKIPPED.value, failed_at=None)
    return (await conn.execute(query.returning(messages.c.key))).first() is not None


async def _put_once(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> int:
    if not rows:
        return 0
    query = insert_into(conn, messages).on_conflict_do_nothing(index_elements=["key"])
    return len((await conn.execute(query.returning(messages.c.key), rows)).all())


async def _put_cards(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> int:
    query = insert_into(conn, messages)
    new, old = query.excluded, messages.c
    on_its_way = old.state == MessageState.SENDING.value  # `sent` will see the newer version
    query = query.on_conflict_do_update(
        index_elements=["key"],
        set_={
            "text": new.text,
            "lane": new.lane,
            "version": old.version + 1,
            "state": sa.case((on_its_way, old.state), else_=new.state),
            "due_at": new.due_at,
            "attempts": sa.case((on_its_way, old.attempts), else_=0),
            "failed_at": None,
        },
        where=old.text != new.text,
    )
    found = [await conn.execute(query.values(row).returning(messages.c.key)) for row in rows]
    return sum(len(each.all()) for each in found)


async def _cover(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """These keys are said by another message: known from now on, and not said if they waited."""
    for part in chunks(row["key"] for row in rows):
        waiting = (
            messages.c.key.in_(part),
            messages.c.state == MessageState.WAITING.value,
            ~messages.c.uncertain,
        )
        await conn.execute(sa.update(messages).where(*waiting).values(state=MessageState.COVERED.value))
    await _put_once(conn, rows)


async def _change(conn: AsyncConnection, key: str, **changes: Any) -> None:
    await conn.execute(sa.update(messages).where(messages.c.key == key).values(**changes))


async def _change_waiting(conn: AsyncConnection, key: str, **changes: Any) -> None:
    """Not one that has been said since the caller looked: it would be said again."""
    await conn.execute(sa.update(messages).where(messages.c.key == key, IN_WORK).values(**changes))


def _values(message: Message, now: datetime, due_at: datetime) -> dict[str, Any]:
    return {
        "key": message.key,
        "kind": message.kind.value,
        "receiver": message.to,
        "text": message.text,
        "ref": str(message.ref) if message.ref else None,
        "lane": LANES.index(message.lane),
        "tag": message.tag,
        "state": MessageState.WAITING.value,
        "version": 1,
        "uncertain": False,
        "created_at": now,
        "due_at": due_at,
        "attempts": 0,
        "error": "",
        "covers": message.covers,
    }


def _outgoing(row: sa.Row[Any]) -> Outgoing:
    message = Message(
        key=row.key,
        kind=MessageKind(row.kind),
        to=row.receiver,
        text=row.text,
        ref=ItemRef.parse(row.ref) if row.ref else None,
        lane=LANES[row.lane],
        tag=row.tag,
    )
    return Outgoing(message, row.portal_id, row.uncertain, row.attempts, row.created_at, row.version)
