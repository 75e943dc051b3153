"""What is asked all day goes by an index: a scan would not be seen before a million tickets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, State, TicketClass
from app.store import facts, inbox, outbox, outcomes, stamps, tallies, tickets
from app.store.engine import Database
from tests.store.builders import DEAL, HOUR, NOW

pytestmark = pytest.mark.anyio
Question = Callable[[AsyncConnection], Awaitable[Any]]

QUESTIONS: dict[str, tuple[str, Question]] = {
    "watcher": ("ix_tickets_next", lambda conn: tickets.due(conn, NOW, 9)),
    "watcher's first look": ("ix_tickets_next", tickets.next_at),
    "emergencies that wait": ("ix_tickets_emergencies", tickets.emergencies_waiting),
    "open tickets": ("ix_tickets_open", tickets.open_refs),
    "how many are open": ("ix_tickets_", tickets.count_open),
    "open by state": ("ix_tickets_tally", tallies.open_by_state),
    "what the sweep looks into": ("ix_tickets_cursors", lambda conn: tickets.open_cursors(conn, "line:")),
    "board": ("ix_tickets_urgency", tickets.page),
    "board of one state": ("ix_tickets_state", lambda conn: tickets.page(conn, state=State.NEW)),
    "board of one class": ("ix_tickets_value", lambda conn: tickets.page(conn, value=TicketClass.STANDARD)),
    "board of one agent": ("ix_tickets_agent", lambda conn: tickets.page(conn, agent=7)),
    "digest": ("ix_outcomes_life", lambda conn: outcomes.between(conn, NOW, NOW + HOUR)),
    "claims": ("ix_inbox_work", lambda conn: inbox.claim(conn, 9, NOW, "a", HOUR)),
    "messages": ("ix_messages_work", lambda conn: outbox.due(conn, 9, NOW)),
    "lag of messages": ("ix_messages_work", lambda conn: outbox.lag(conn, NOW)),
    "what was said": ("ix_messages_ref", lambda conn: outbox.said(conn, DEAL)),
    "failed messages": ("ix_messages_failed", outbox.failed),
    "stamps": ("ix_stamps_due", lambda conn: stamps.due(conn, 9, NOW)),
    "parked stamps": ("ix_stamps_parked", stamps.failed),
    "whose is it": ("ix_facts_utterance", lambda conn: facts.owners_of(conn, ["activity:12"])),
}


async def plans_of(conn: AsyncConnection, question: Question) -> list[str]:
    """How the database goes about each statement of a question."""
    asked: list[tuple[str, Any]] = []

    def remember(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    event.listen(conn.sync_connection, "before_cursor_execute", remember)
    await question(conn)
    event.remove(conn.sync_connection, "before_cursor_execute", remember)
    if conn.dialect.name == "postgresql":  # a table of a few rows is always scanned unless this is forbidden
        for way in ("seqscan", "sort", "hashagg"):
            await conn.execute(sa.text(f"SET LOCAL enable_{way} = off"))
    return [await _plan(conn, *each) for each in asked]


async def _plan(conn: AsyncConnection, statement: str, parameters: Any) -> str:
    explain = "EXPLAIN QUERY PLAN" if conn.dialect.name == "sqlite" else "EXPLAIN"
    rows = await conn.exec_driver_sql(f"{explain} {statement}", parameters)
    return "\n".join(str(row[-1]) for row in rows)


@pytest.mark.parametrize(("index", "question"), QUESTIONS.values(), ids=QUESTIONS.keys())
async def test_the_right_index_answers(database: Database, index: str, question: Question) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.LIVE, "test")], NOW)
        plans = await plans_of(conn, question)
    assert plans
    assert [plan for plan in plans if index not in plan] == []


async def test_a_claim_is_looked_at_to_its_end(database: Database) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.LIVE, "test")], NOW)
        assert len(await plans_of(conn, QUESTIONS["claims"][1])) == 2
