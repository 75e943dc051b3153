"""All open cards are looked at again, once a night or when somebody asks: nobody waits for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.commands.preparing import write_again
from app.desk import Desk
from app.jobs.reconcile import AT_ONCE, reread_open
from app.store import schema, tickets
from app.store.engine import StoreUnavailable
from tests.jobs.scenes import scene
from tests.store.builders import closed_ticket, deal, ticket

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="the portal is not asked"),
]

MANY = 2 * AT_ONCE + 200


@dataclass
class Watched:
    """Looks at the database at the beginning of every transaction, and may forbid one."""

    waiting: list[int] = field(default_factory=list)  # rows of the inbox then
    forbidden: int | None = None  # the number of the transaction that fails

    async def __call__(self, conn: AsyncConnection) -> None:
        if len(self.waiting) == self.forbidden:
            raise StoreUnavailable("no space left")
        self.waiting.append(await in_inbox(conn))


async def in_inbox(conn: AsyncConnection) -> int:
    return (await conn.execute(sa.select(sa.func.count()).select_from(schema.inbox))).scalar_one()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """With many open tickets."""
    rows = [tickets._row(ticket(deal(number))) for number in range(1, MANY + 1)]
    async with scene(tmp_path) as town:
        async with town.desk.db.begin() as conn:
            await conn.execute(sa.insert(schema.tickets), rows)
            await tickets.save(conn, closed_ticket(deal(MANY + 1)), ())
        yield town.desk


@pytest.mark.parametrize("look", [reread_open, write_again])
async def test_a_crowd_of_open_cards_is_put_in_a_few_at_a_time(
    desk: Desk, look: Callable[[Desk], Awaitable[object]]
) -> None:
    desk.db.fence = seen = Watched()
    await look(desk)
    desk.db.fence = None
    async with desk.db.read() as conn:
        seen.waiting.append(await in_inbox(conn))
    grown = [after - before for before, after in zip(seen.waiting, seen.waiting[1:], strict=False)]
    assert seen.waiting[-1] == MANY
    assert max(grown) <= AT_ONCE


async def test_once_a_night(desk: Desk) -> None:
    assert [await reread_open(desk), await reread_open(desk)] == [MANY, 0]


async def test_a_night_that_was_cut_short_is_begun_again(desk: Desk) -> None:
    desk.db.fence = Watched(forbidden=2)
    with pytest.raises(StoreUnavailable):
        await reread_open(desk)
    desk.db.fence = None
    assert await reread_open(desk) == MANY
    async with desk.db.read() as conn:
        assert await in_inbox(conn) == MANY
