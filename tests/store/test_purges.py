from __future__ import annotations

import pytest

from app.store import purges, tickets
from app.store.engine import Database
from tests.store.builders import HOUR, NOW, closed_ticket, deal, outcome, ticket

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("hold", [False, True])
async def test_still_old_is_what_has_ended_before(database: Database, hold: bool) -> None:
    async with database.begin() as conn:
        for number, ended_at in ((1, NOW - HOUR), (2, NOW + HOUR)):
            ended = closed_ticket(deal(number), ended_at)
            await tickets.save(
                conn, ended, [outcome(deal(number), closed_at=ended_at, received_at=NOW - 2 * HOUR)]
            )
        await tickets.save(conn, ticket(deal(3)), [outcome(deal(3))])
        refs = [deal(number) for number in range(1, 5)]
        assert [each.ref for each in await purges.still_old(conn, refs, NOW, hold=hold)] == [deal(1)]
