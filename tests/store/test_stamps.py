from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Stamp
from app.store import stamps
from app.store.engine import Database
from app.store.stamps import FUSE_WINDOW, StampWork
from tests.store.builders import DEAL, HOUR, MINUTE, NOW, TASK

pytestmark = pytest.mark.anyio
STANDARD = {"SLA_CLASS": "standard", "SLA_STATE": "on_track"}
EMERGENCY = {"SLA_CLASS": "emergency", "SLA_STATE": "on_track"}
LEASE = 5 * MINUTE


async def want(conn: AsyncConnection, wanted: dict[str, str], now: datetime = NOW) -> bool:
    return await stamps.want(conn, Stamp(DEAL, wanted), now)


async def due(conn: AsyncConnection, now: datetime = NOW) -> list[StampWork]:
    return await stamps.due(conn, 50, now)


async def test_a_new_wish_is_due_at_once(database: Database) -> None:
    async with database.begin() as conn:
        assert await want(conn, STANDARD)
        (work,) = await due(conn)
    assert (work.ref, work.wanted, work.confirmed) == (DEAL, STANDARD, {})


async def test_what_the_card_already_holds_is_no_work(database: Database) -> None:
    async with database.begin() as conn:
        await stamps.saw(conn, DEAL, STANDARD | {"SLA_CSAT": "5"}, NOW)
        assert not await want(conn, STANDARD | {"SLA_OVERDUE": ""})
        assert await due(conn) == []


async def test_only_the_newest_wish_is_written(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await want(conn, EMERGENCY)
        assert [work.wanted for work in await due(conn)] == [EMERGENCY]


async def test_a_wish_withdrawn_is_no_work(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        assert not await want(conn, {})
        assert await due(conn) == []


async def test_what_is_on_its_way_is_not_due_until_the_lease_ends(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        assert await due(conn, NOW + LEASE - MINUTE) == []
        assert [work.attempted for work in await due(conn, NOW + LEASE)] == [STANDARD]


async def test_what_another_worker_has_written_since_is_not_taken(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        assert await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await stamps.done(conn, DEAL, STANDARD, NOW)
        assert not await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)


async def test_what_another_worker_has_put_off_since_is_not_taken(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.later(conn, DEAL, NOW + MINUTE, "OVERLOAD")
        assert not await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)


async def test_a_wish_that_changed_since_is_not_taken(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await want(conn, EMERGENCY)
        assert not await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)


async def test_done_is_remembered_as_what_the_card_holds(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await stamps.done(conn, DEAL, STANDARD, NOW)
        assert (await stamps.memory(conn, DEAL))[0] == STANDARD
        assert await due(conn, NOW + HOUR) == []


async def test_a_wish_made_while_writing_is_due_after(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await want(conn, EMERGENCY)
        await stamps.done(conn, DEAL, STANDARD, NOW)
        (work,) = await due(conn)
    assert (work.wanted, work.confirmed) == (EMERGENCY, STANDARD)


async def test_done_with_nothing_ends_the_work_without_a_write(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, {"SLA_ESC_LEVEL": "0"})
        await stamps.done(conn, DEAL, {}, NOW)
        assert await due(conn) == []
        await want(conn, STANDARD)
        assert [work.writes for work in await due(conn)] == [0]


async def test_a_refused_write_waits_and_leaves_no_trace(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await stamps.later(conn, DEAL, NOW + HOUR, "OVERLOAD")
        assert await due(conn, NOW + HOUR - MINUTE) == []
        assert [(work.attempts, work.attempted) for work in await due(conn, NOW + HOUR)] == [(1, {})]


async def test_the_same_wish_again_does_not_shorten_the_wait(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.later(conn, DEAL, NOW + HOUR, "OVERLOAD")
        await want(conn, STANDARD, NOW + MINUTE)
        assert await due(conn, NOW + MINUTE) == []
        await want(conn, EMERGENCY, NOW + MINUTE)
        assert len(await due(conn, NOW + MINUTE)) == 1


async def test_an_attempt_of_unknown_fate_is_remembered_until_a_reading(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await stamps.later(conn, DEAL, NOW + HOUR, "timeout", unknown_fate=True)
        assert [work.attempted for work in await due(conn, NOW + HOUR)] == [STANDARD]
        assert await stamps.saw(conn, DEAL, STANDARD, NOW + MINUTE)
        assert [work.attempted for work in await due(conn, NOW + HOUR)] == [{}]


async def test_a_reading_during_the_write_does_not_settle_its_fate(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await stamps.saw(conn, DEAL, {}, NOW + MINUTE)
        assert await stamps.memory(conn, DEAL) == ({}, STANDARD)


async def test_a_reading_older_than_our_write_is_refused(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.done(conn, DEAL, STANDARD, NOW)
        assert not await stamps.saw(conn, DEAL, {}, NOW - MINUTE)
        assert (await stamps.memory(conn, DEAL))[0] == STANDARD


async def test_our_wish_and_our_attempts_are_remembered_as_ours(database: Database) -> None:
    async with database.begin() as conn:
        await stamps.saw(conn, DEAL, {"SLA_CLASS": ""}, NOW - HOUR)
        await want(conn, STANDARD)
        await stamps.sending(conn, DEAL, STANDARD, NOW, LEASE)
        await want(conn, {"SLA_AREA": "passes"})
        assert await stamps.memory(conn, DEAL) == ({"SLA_CLASS": ""}, STANDARD | {"SLA_AREA": "passes"})


async def test_a_person_overwrote_ours(database: Database) -> None:
    async with database.begin() as conn:
        await want(conn, STANDARD)
        await stamps.done(conn, DEAL, STANDARD, NOW)
        assert await stamps.saw(conn, DEAL, EMERGENCY, NOW + MINUTE)
        assert await due(conn, NOW + HOUR) == []
        assert await want(conn, STANDARD, NOW + HOUR)
        assert [work.confirmed for work in await due(conn, NOW + HOUR)] == [EMERGENCY]


async def test_writes_are_counted_within_a_window(database: Database) -> None:
    async with database.begin() as conn:
        for at in (NOW, NOW + MINUTE, NOW + 2 * FUSE_WINDOW):
            await want(conn, STANDARD | {"SLA_OVERDUE": at.isoformat()}, at)
            (work,) = await due(conn, at)
            await stamps.done(conn, DEAL, work.wanted, at)
        await want(conn, STANDARD | {"SLA_OVERDUE": ""})
        assert [work.writes for work in await due(conn)] == [1]


async def parked(conn: AsyncConnection) -> None:
    await want(conn, STANDARD)
    await stamps.parked(conn, DEAL, "слишком часто", NOW)


async def test_a_parked_card_is_left_alone_with_its_reason(database: Database) -> None:
    async with database.begin() as conn:
        await parked(conn)
        await want(conn, EMERGENCY)
        assert await due(conn, NOW + HOUR) == []
        (failure,) = await stamps.failed(conn)
    assert (failure.key, failure.error, failure.failed_at) == ("deal:41", "слишком часто", NOW)


@pytest.mark.parametrize(("key", "number"), [(None, 1), ("deal:41", 1), ("task:17", 0)])
async def test_a_person_retries(database: Database, key: str | None, number: int) -> None:
    async with database.begin() as conn:
        await parked(conn)
        assert await stamps.retry(conn, key, NOW) == number
        assert len(await due(conn)) == number


async def test_a_person_drops(database: Database) -> None:
    async with database.begin() as conn:
        await parked(conn)
        assert [await stamps.drop(conn, str(DEAL)), await stamps.drop(conn, str(TASK))] == [True, False]
        assert (await stamps.failed(conn), await due(conn)) == ([], [])
        assert await want(conn, STANDARD)


async def test_lag(database: Database) -> None:
    async with database.begin() as conn:
        assert await stamps.lag(conn, NOW) == (0, 0 * HOUR)
        await want(conn, STANDARD)
        assert await stamps.lag(conn, NOW + HOUR) == (1, HOUR)


async def test_nothing_is_known_of_a_strange_card(database: Database) -> None:
    async with database.read() as conn:
        assert await stamps.memory(conn, TASK) == ({}, {})
