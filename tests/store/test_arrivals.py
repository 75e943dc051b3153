"""Events between their acknowledgement and the inbox."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, Subject
from app.store import arrivals, inbox, tallies
from app.store.engine import Database, StoreUnavailable
from tests.store.builders import DEAL, HOUR, MINUTE, NOW, TASK

pytestmark = pytest.mark.anyio


async def arrive(db: Database, subject: Subject, lane: Lane = Lane.LIVE, at: datetime = NOW) -> None:
    await arrivals.append(db, [(subject, lane, "ONCRMDEALUPDATE")], at)


async def claimed(conn: AsyncConnection) -> list[tuple[Subject, Lane, datetime]]:
    await inbox.take_in(conn)
    claims = await inbox.claim(conn, 50, NOW + HOUR, "a", MINUTE)
    return [(claim.subject, claim.lane, claim.since_at) for claim in claims]


async def test_what_arrived_is_claimed_once(database: Database) -> None:
    await arrive(database, DEAL)
    async with database.begin() as conn:
        assert await claimed(conn) == [(DEAL, Lane.LIVE, NOW)]
        assert await claimed(conn) == []


async def test_each_waits_since_its_own_instant_in_its_most_urgent_lane(database: Database) -> None:
    await arrive(database, TASK, at=NOW - MINUTE)
    await arrive(database, DEAL)
    await arrive(database, DEAL, Lane.URGENT, NOW + MINUTE)
    async with database.begin() as conn:
        assert await claimed(conn) == [(DEAL, Lane.URGENT, NOW), (TASK, Lane.LIVE, NOW - MINUTE)]


async def test_an_arrival_of_what_is_being_handled_is_handled_again(database: Database) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.LIVE, "")], NOW)
        (claim,) = await inbox.claim(conn, 50, NOW, "a", HOUR)
    await arrive(database, DEAL)
    async with database.begin() as conn:
        await inbox.take_in(conn)
        assert await inbox.done(conn, claim)
        assert len(await claimed(conn)) == 1


async def test_what_a_failing_transaction_took_in_has_still_arrived(database: Database) -> None:
    await arrive(database, DEAL)
    with suppress(RuntimeError):
        async with database.begin() as conn:
            await inbox.take_in(conn)
            raise RuntimeError
    async with database.begin() as conn:
        assert len(await claimed(conn)) == 1


async def test_an_arrival_is_lag_from_its_first_moment_and_no_subject_counts_twice(
    database: Database,
) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.LIVE, "")], NOW)
    await arrive(database, DEAL, at=NOW - MINUTE)
    await arrive(database, TASK)
    async with database.read() as conn:
        assert await inbox.lag(conn, NOW) == (2, MINUTE)
        assert (await tallies.inbox_by_lane(conn, NOW))["live"] == (2, MINUTE)
        assert await inbox.next_due(conn) == NOW - MINUTE


async def test_after_a_long_absence_they_are_taken_in_one_part_after_another(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "AT_ONCE", 1)
    await arrive(database, DEAL)
    await arrive(database, TASK)
    async with database.begin() as conn:
        assert [subject for subject, _, _ in await claimed(conn)] == [DEAL]
        assert [subject for subject, _, _ in await claimed(conn)] == [TASK]


@pytest.mark.parametrize("shared_url", ["postgresql"], indirect=True)
async def test_after_a_restart_of_the_server_nothing_is_refused(database: Database) -> None:
    await arrive(database, TASK)
    async with database.begin() as conn:
        others = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        await conn.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {others}")
    await arrive(database, DEAL)
    async with database.begin() as conn:
        assert {subject for subject, _, _ in await claimed(conn)} == {DEAL, TASK}


async def test_what_cannot_be_written_is_said(database: Database) -> None:
    async with database.begin() as conn:
        await conn.exec_driver_sql("ALTER TABLE arrivals RENAME TO elsewhere")
    try:
        with pytest.raises(StoreUnavailable):
            await arrive(database, DEAL)
    finally:
        async with database.begin() as conn:
            await conn.exec_driver_sql("ALTER TABLE elsewhere RENAME TO arrivals")
