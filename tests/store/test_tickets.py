from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, SlaState, State, Ticket, TicketClass
from app.store import inbox, tickets
from app.store.engine import Database
from app.store.tickets import CursorFault
from tests.store.builders import DEAL, HOUR, ITEM, MINUTE, NOW, TASK, closed_ticket, cycle, deal, ticket

pytestmark = pytest.mark.anyio


async def save(conn: AsyncConnection, *some: Ticket) -> None:
    for each in some:
        assert await tickets.save(conn, each, [])


async def test_a_ticket_comes_back_equal(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(ITEM, agent=7, client="contact:5", cursor={"chat": 3}))
        found = await tickets.load(conn, ITEM)
    assert found == ticket(ITEM, agent=7, client="contact:5", cursor={"chat": 3})


async def test_unknown_tickets_are_none(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(DEAL))
        assert await tickets.load(conn, TASK) is None
        assert set(await tickets.load_many(conn, [DEAL, TASK])) == {DEAL}


@pytest.mark.parametrize(("age", "saved"), [(MINUTE, False), (0 * MINUTE, True), (-MINUTE, True)])
async def test_only_over_an_older_or_equal_reading(database: Database, age: Any, saved: bool) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(title="before"))
        assert await tickets.save(conn, ticket(title="after", read_at=NOW - age), []) is saved
        found = await tickets.load(conn, DEAL)
    assert found is not None
    assert found.title == ("after" if saved else "before")


BOARD = [  # in the order of the board
    ticket(deal(1), sla_state=SlaState.OVERDUE, value=TicketClass.EMERGENCY),
    ticket(deal(2), sla_state=SlaState.OVERDUE, due_at=NOW),
    ticket(deal(3), sla_state=SlaState.OVERDUE, due_at=NOW + MINUTE),
    ticket(deal(4), sla_state=SlaState.OVERDUE, value=TicketClass.CONSULTATION, due_at=NOW - HOUR),
    ticket(deal(5), sla_state=SlaState.AT_RISK, agent=7),
    ticket(deal(6), state=State.IN_PROGRESS),
    ticket(deal(7), state=State.WAITING_CLIENT, sla_state=SlaState.PAUSED, agent=7),
    ticket(deal(8), sla_state=None, due_at=None),
    closed_ticket(deal(9), NOW),
    closed_ticket(deal(10), NOW - HOUR, agent=7),
]


async def numbers(conn: AsyncConnection, **filters: Any) -> list[int]:
    return [each.ref.id for each in (await tickets.page(conn, **filters))[0]]


async def test_the_board_is_ordered_by_urgency(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, *reversed(BOARD))
        assert await numbers(conn) == [*range(1, 11)]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"open_only": True}, [1, 2, 3, 4, 5, 6, 7, 8]),
        ({"agent": 7}, [5, 7, 10]),
        ({"agent": 7, "open_only": True}, [5, 7]),
        ({"state": State.IN_PROGRESS}, [6]),
        ({"value": TicketClass.EMERGENCY}, [1]),
        ({"state": State.CLOSED_CONFIRMED, "value": TicketClass.STANDARD}, [9, 10]),
        ({"agent": 99}, []),
    ],
)
async def test_filters(database: Database, filters: dict[str, Any], found: list[int]) -> None:
    async with database.begin() as conn:
        await save(conn, *BOARD)
        assert await numbers(conn, **filters) == found


@pytest.mark.parametrize("limit", [1, 3, 5, 10])
async def test_pages_together_are_the_whole(database: Database, limit: int) -> None:
    found: list[int] = []
    async with database.begin() as conn:
        await save(conn, *BOARD)
        after = None
        while found == [] or after:
            part, after = await tickets.page(conn, limit=limit, after=after)
            found += [each.ref.id for each in part]
    assert found == [*range(1, 11)]


async def test_a_ticket_that_goes_between_pages_hides_no_other(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, *BOARD)
        _, after = await tickets.page(conn, limit=3)
        await save(conn, closed_ticket(deal(1)), closed_ticket(deal(3)))
        assert await numbers(conn, limit=2, after=after) == [4, 5]


@pytest.mark.parametrize("cursor", ["x", "W10=", "bnVsbA==", "WyJhIiwgMV0=", "éé", "[1, 2]"])
async def test_a_foreign_cursor_is_refused(database: Database, cursor: str) -> None:
    with pytest.raises(CursorFault):
        async with database.read() as conn:
            await tickets.page(conn, after=cursor)


@pytest.mark.parametrize("words", ["ШЛАГБАУМ", "елка", "Ёлка", "100%"])
async def test_search_knows_russian_letters(database: Database, words: str) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(deal(1), title="Ёлка и шлагбаум 100%"), ticket(deal(2), title="100 раз"))
        assert await numbers(conn, title=words) == [1]


async def test_due_are_those_whose_moment_has_come_oldest_first(database: Database) -> None:
    async with database.begin() as conn:
        await save(
            conn,
            ticket(deal(1), next_at=NOW),
            ticket(deal(2), next_at=NOW - MINUTE),
            ticket(deal(3), next_at=NOW + MINUTE),
            ticket(deal(4)),
        )
        assert await tickets.due(conn, NOW, 10) == [deal(2), deal(1)]
        assert await tickets.due(conn, NOW, 1) == [deal(2)]


@pytest.mark.parametrize(("lane", "found"), [(Lane.LIVE, []), (Lane.BACKFILL, [DEAL])])
async def test_what_already_waits_is_not_due_again(database: Database, lane: Lane, found: list[Any]) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(next_at=NOW))
        await inbox.put(conn, [(DEAL, lane, "")], NOW)
        assert await tickets.due(conn, NOW, 10) == found


async def test_what_gave_up_is_not_due_again(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(next_at=NOW))
        await inbox.put(conn, [(DEAL, Lane.BACKFILL, "")], NOW)
        (claim,) = await inbox.claim(conn, 1, NOW, "a", MINUTE)
        await inbox.give_up(conn, claim, "", NOW)
        assert await tickets.due(conn, NOW, 10) == []


async def test_open_tickets(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, *BOARD)
        assert [each.ref.id for each in await tickets.open_tickets(conn, limit=99)] == [*range(1, 9)]
        assert [each.ref.id for each in await tickets.open_tickets(conn, limit=3)] == [1, 2, 3]
        assert {each.ref.id async for each in tickets.each_open(conn)} == {*range(1, 9)}
        assert await tickets.open_refs(conn) == [deal(number) for number in range(1, 9)]
        assert await tickets.count_open(conn) == 8


async def test_open_cursors_are_those_with_the_mark(database: Database) -> None:
    async with database.begin() as conn:
        await save(
            conn,
            ticket(ref=deal(1), cursor={"line:401": 1005}),
            ticket(ref=deal(2), cursor={"chat": 12}),
            ticket(ref=deal(3), title='он пишет "line:7"'),
            ticket(ref=deal(4), cursor={"line:402": 9}, state=State.CLOSED_CONFIRMED),
        )
        assert await tickets.open_cursors(conn, "line:") == {deal(1): {"line:401": 1005}}


async def test_a_returned_ticket_stands_by_its_last_cycle(database: Database) -> None:
    returned = ticket(cycle=2, cycles=(cycle(1, closed_at=NOW), cycle(2, due_at=NOW + HOUR)))
    async with database.begin() as conn:
        await save(conn, returned, ticket(deal(2)))
        assert await numbers(conn) == [41, 2]


async def test_notes_are_counted_with_one_ticket_for_each(database: Database) -> None:
    async with database.begin() as conn:
        await save(
            conn,
            ticket(deal(5), notes=("unknown_stage:C3:A", "gap:order")),
            ticket(deal(6), notes=("unknown_stage:C3:Я",)),
            ticket(deal(7), title="gap:order"),
        )
        found = await tickets.noted(conn, ["unknown_stage:", "gap:order", "gap:ahead"])

    assert found == {"unknown_stage:": (2, deal(5)), "gap:order": (1, deal(5))}


async def test_each_open_ticket_that_says_something(database: Database) -> None:
    async with database.begin() as conn:
        await save(conn, ticket(title="Про шлагбаум"), ticket(ref=deal(77), title="Про код"))
        assert [each.ref async for each in tickets.each_open(conn, "Про код")] == [deal(77)]
