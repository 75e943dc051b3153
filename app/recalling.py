"""What is known now, or was at any moment: read from the database and folded (knowing.py).

Now: a ticket is taken as stored while no moment of its own has come since it was decided; the
others are folded from their facts, so that nothing depends on when somebody looked. Then:
everything is folded, from the facts recorded by that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk, rule_book
from app.knowing import NOTHING, Cut, Knowledge, Life, knowledge, outcomes_as_known
from app.model import ItemRef
from app.pinning import RulesOf, pins_of
from app.rules import Rules
from app.store import facts, outcomes, tickets


@dataclass(frozen=True, slots=True)
class Stretch:
    """[start_at, end_at): what a report must know of."""

    start_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """Read from the database, not folded yet: no transaction should wait for that."""

    lives: tuple[Life, ...]
    settled: Knowledge
    rules_of: RulesOf
    stretch: Stretch
    cut: Cut

    async def known(self) -> Knowledge:
        """Folded, without holding up the loop."""
        return await asyncio.to_thread(self._known)

    def _known(self) -> Knowledge:
        folds = outcomes_as_known(self.lives, self.rules_of, self.cut)
        return knowledge(folds, self.settled, self.stretch.start_at, self.stretch.end_at)


async def remembered_now(conn: AsyncConnection, desk: Desk, stretch: Stretch, now: datetime) -> Remembered:
    """Its cut is that by which the same can be asked again at any time."""
    known_at = await facts.newest(conn)
    settled = Knowledge(
        tuple(await outcomes.of_settled(conn, stretch.start_at, stretch.end_at, now)),
        tuple(await tickets.open_settled(conn, now)),
    )
    refs = await tickets.open_due(conn, now)
    return await _remembered(conn, desk, refs, settled, stretch, Cut(known_at or now, now))


async def remembered_then(conn: AsyncConnection, desk: Desk, stretch: Stretch, cut: Cut) -> Remembered:
    """As it was known at a cut in the past."""
    refs = await facts.recorded_since(conn, min(stretch.start_at, cut.known_at))
    refs |= await outcomes.refs_since(conn, stretch.start_at)
    return await _remembered(conn, desk, sorted(refs), NOTHING, stretch, cut)


async def rules_in_force(conn: AsyncConnection, desk: Desk, at: datetime) -> Rules:
    """The desk's rules of that moment, as far as decisions tell of them."""
    version = await facts.latest_desk(conn, at)
    return (await rule_book(conn, desk, [version]))(version)


async def _remembered(
    conn: AsyncConnection,
    desk: Desk,
    refs: Iterable[ItemRef],
    settled: Knowledge,
    stretch: Stretch,
    cut: Cut,
) -> Remembered:
    lives = tuple((await facts.load_many(conn, refs)).values())
    return Remembered(lives, settled, await rules_of_lives(conn, desk, lives), stretch, cut)


async def rules_of_lives(conn: AsyncConnection, desk: Desk, lives: Iterable[Life]) -> RulesOf:
    """Finds every version that these tickets were ever judged by."""
    pins = {pin for life in lives for pin in pins_of(life)}
    return await rule_book(conn, desk, {version for pin in pins for version in (pin.terms, pin.desk)})
