from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Outcome, Ticket
from app.store import outcomes, tickets
from app.store.engine import Database
from tests.store.builders import DEAL, HOUR, MINUTE, NOW, closed_ticket, cycle, deal, outcome, ticket

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def save(conn: AsyncConnection, saved: Ticket, *made: Outcome) -> None:
    assert await tickets.save(conn, saved, made)


async def test_outcomes_come_back_equal_by_their_beginning(database: Database) -> None:
    first, second = outcome(deal(2), received_at=NOW), outcome(deal(1), received_at=NOW + MINUTE)
    async with database.begin() as conn:
        await save(conn, ticket(deal(1)), second)
        await save(conn, ticket(deal(2)), first)
        assert await outcomes.between(conn, NOW, NOW + DAY) == [first, second]


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"received_at": NOW}, True),
        ({"received_at": NOW + DAY}, False),
        ({"received_at": NOW - DAY}, False),
        ({"solved_at": NOW}, True),
        ({"solved_at": NOW - MINUTE}, False),
        ({"first_reply_at": NOW + HOUR}, True),
        ({"reply_outcome_at": NOW + HOUR}, True),
        ({"solve_outcome_at": NOW + HOUR}, True),
        ({"escalated_at": NOW + HOUR}, True),
        ({"closed_at": NOW + DAY - MINUTE}, True),
        ({"reopened_at": (NOW - HOUR, NOW + HOUR), "solved_at": NOW - HOUR}, True),
    ],
)
async def test_an_ended_cycle_is_found_by_any_instant(
    database: Database, changes: dict[str, Any], found: bool
) -> None:
    one = outcome(**{"received_at": NOW - 2 * DAY} | changes)
    async with database.begin() as conn:
        await save(conn, closed_ticket(), one)
        assert (one in await outcomes.between(conn, NOW, NOW + DAY)) is found


async def test_an_open_ticket_is_found_in_every_later_period(database: Database) -> None:
    old = outcome(received_at=NOW - 300 * DAY)
    async with database.begin() as conn:
        await save(conn, ticket(), old)
        assert await outcomes.between(conn, NOW, NOW + DAY) == [old]


async def test_what_was_open_at_the_end_and_solved_later_is_found(database: Database) -> None:
    later = outcome(received_at=NOW - DAY, solved_at=NOW + 3 * DAY)
    async with database.begin() as conn:
        await save(conn, closed_ticket(), later)
        assert await outcomes.between(conn, NOW, NOW + DAY) == [later]


async def test_the_former_cycle_of_an_open_ticket_has_ended(database: Database) -> None:
    former = outcome(number=1, received_at=NOW - 9 * DAY, closed_at=NOW - 8 * DAY)
    returned = ticket(cycle=2, cycles=(cycle(1), cycle(2)))
    async with database.begin() as conn:
        await save(conn, returned, former, outcome(number=2))
        assert [each.cycle for each in await outcomes.between(conn, NOW, NOW + DAY)] == [2]


async def test_a_cycle_that_a_new_fold_no_longer_has_goes(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(cycle=2, cycles=(cycle(1), cycle(2))), outcome(number=1), outcome(number=2))
        await save(conn, ticket(), outcome(number=1, csat=5))
        assert await outcomes.between(conn, NOW, NOW + DAY) == [outcome(number=1, csat=5)]


async def test_a_refused_ticket_keeps_its_outcomes(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(), outcome())
        assert not await tickets.save(conn, ticket(read_at=NOW - MINUTE), [])
        assert [each.ref for each in await outcomes.between(conn, NOW, NOW + DAY)] == [DEAL]
