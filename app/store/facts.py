"""Facts: append-only, unique by (ref, kind, key).

Promise: a fact once kept is never changed; telling it again, in any order, adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Fact, FactKind, ItemRef
from app.store.dialects import chunks, insert_into
from app.store.schema import facts


async def add(conn: AsyncConnection, new: Sequence[Fact]) -> int:
    """How many of them were new."""
    if not new:
        return 0
    query = insert_into(conn, facts).on_conflict_do_nothing(index_elements=["ref", "kind", "key"])
    return len((await conn.execute(query.returning(facts.c.key), [_row(fact) for fact in new])).all())


async def load(conn: AsyncConnection, ref: ItemRef) -> tuple[Fact, ...]:
    """An item's facts in the order in which they happened (then were recorded, then by name)."""
    return (await load_many(conn, [ref]))[ref]


async def load_many(conn: AsyncConnection, refs: Iterable[ItemRef]) -> dict[ItemRef, tuple[Fact, ...]]:
    """Every reference is in the answer, unknown ones with no facts."""
    found: dict[str, list[Fact]] = {str(ref): [] for ref in refs}
    for part in chunks(found):
        for row in await conn.execute(sa.select(facts).where(facts.c.ref.in_(part))):
            found[row.ref].append(_fact(row))
    return {ItemRef.parse(ref): tuple(sorted(some, key=_order)) for ref, some in found.items()}


async def recorded_since(conn: AsyncConnection, at: datetime) -> set[ItemRef]:
    """Items of which something was learned at `at` or later."""
    query = sa.select(facts.c.ref).where(facts.c.recorded_at >= at).distinct()
    return {ItemRef.parse(ref) for ref in await conn.scalars(query)}


async def newest(conn: AsyncConnection) -> datetime | None:
    """When something was last learned."""
    query = sa.select(sa.func.max(facts.c.recorded_at, type_=facts.c.recorded_at.type))
    found: datetime | None = (await conn.execute(query)).scalar_one()
    return found


async def latest_desk(conn: AsyncConnection, at: datetime) -> str:
    """The version of the desk's rules that was in force then, as far as decisions tell; "" before any."""
    pins = sa.select(facts.c.value).where(facts.c.kind == FactKind.RULES.value, facts.c.recorded_at <= at)
    found = await conn.scalar(pins.order_by(facts.c.recorded_at.desc()).limit(1))
    return str(found["desk"]) if found else ""


async def owners_of(conn: AsyncConnection, keys: Iterable[str]) -> dict[str, tuple[ItemRef, ...]]:
    """Whose utterances have these keys (`activity:12`): also after the portal has deleted them."""
    found: dict[str, list[ItemRef]] = {key: [] for key in keys}
    utterance = facts.c.kind == sa.literal_column(f"'{FactKind.UTTERANCE}'")  # as the partial index spells it
    for part in chunks(found):
        query = sa.select(facts.c.key, facts.c.ref).where(utterance, facts.c.key.in_(part))
        for key, ref in await conn.execute(query):
            found[key].append(ItemRef.parse(ref))
    return {key: tuple(sorted(refs)) for key, refs in found.items()}


def _order(fact: Fact) -> tuple[Any, ...]:
    return fact.happened_at, fact.recorded_at, fact.kind, fact.key


def _row(fact: Fact) -> dict[str, Any]:
    return {
        "ref": str(fact.ref),
        "kind": fact.kind.value,
        "key": fact.key,
        "happened_at": fact.happened_at,
        "recorded_at": fact.recorded_at,
        "actor": fact.actor,
        "value": dict(fact.value),
    }


def _fact(row: sa.Row[Any]) -> Fact:
    return Fact(
        ref=ItemRef.parse(row.ref),
        kind=FactKind(row.kind),
        key=row.key,
        happened_at=row.happened_at,
        recorded_at=row.recorded_at,
        actor=row.actor,
        value=row.value,
    )
