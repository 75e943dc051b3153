from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Hint, HintKind, ItemRef, Kind, Lane, Subject
from app.store import inbox
from app.store.engine import Database
from app.store.inbox import Claim
from app.store.schema import inbox as rows
from tests.store.builders import DEAL, HOUR, ITEM, MINUTE, NOW, TASK, deal

pytestmark = pytest.mark.anyio
LEASE = 5 * MINUTE


async def put(conn: AsyncConnection, *subjects: Subject, lane: Lane = Lane.LIVE, now: datetime = NOW) -> None:
    await inbox.put(conn, [(subject, lane, "ONCRMDEALUPDATE") for subject in subjects], now)


async def claim(conn: AsyncConnection, now: datetime = NOW, limit: int = 50, by: str = "a") -> list[Claim]:
    return await inbox.claim(conn, limit, now, by, LEASE)


async def test_every_kind_of_subject_comes_back(database: Database) -> None:
    subjects: list[Subject] = [DEAL, ITEM, TASK, Hint(HintKind.ACTIVITY, 12)]
    async with database.begin() as conn:
        await put(conn, *subjects)
        assert {each.subject for each in await claim(conn)} == set(subjects)


async def test_events_of_one_subject_are_one_row(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL, DEAL)
        await put(conn, DEAL)
        assert [each.seq for each in await claim(conn)] == [2]


async def test_the_urgent_lane_first_then_the_longest_waiting(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, deal(1), lane=Lane.BACKFILL, now=NOW - HOUR)
        await put(conn, deal(2), now=NOW)
        await put(conn, deal(3), now=NOW - MINUTE)
        await put(conn, deal(4), lane=Lane.URGENT)
        found = [*await claim(conn, limit=3), *await claim(conn, limit=3)]
    assert [each.subject for each in found] == [deal(4), deal(3), deal(2), deal(1)]


@pytest.mark.parametrize("lanes", [(Lane.SWEEP, Lane.URGENT), (Lane.URGENT, Lane.SWEEP)])
async def test_the_more_urgent_lane_is_kept(database: Database, lanes: tuple[Lane, Lane]) -> None:
    async with database.begin() as conn:
        for lane in lanes:
            await put(conn, DEAL, lane=lane)
        assert [each.lane for each in await claim(conn)] == [Lane.URGENT]


async def test_lanes_fold_within_one_batch_too(database: Database) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.URGENT, "a"), (DEAL, Lane.SWEEP, "b")], NOW)
        assert [(each.lane, each.cause) for each in await claim(conn)] == [(Lane.URGENT, "b")]


async def test_nobody_claims_what_is_claimed(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        assert len(await claim(conn)) == 1
        assert await claim(conn, NOW + LEASE - MINUTE, by="b") == []


async def test_a_dead_holders_claim_runs_out(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        await claim(conn)
        (second,) = await claim(conn, NOW + LEASE, by="b")
    assert (second.by.partition("/")[0], second.attempts) == ("b", 2)


async def test_a_sleeper_that_wakes_changes_nothing(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        (second,) = await claim(conn, NOW + LEASE, by="b")
        await inbox.later(conn, first, NOW, "")
        await inbox.give_up(conn, first, "", NOW)
        assert not await inbox.done(conn, first)
        assert await inbox.done(conn, second)


async def test_a_claim_that_was_overtaken_has_no_say_in_a_row_that_came_anew(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        (second,) = await inbox.claim(conn, 50, NOW, "a", LEASE, over=True)
        assert await inbox.done(conn, second)
        await put(conn, DEAL)
        await claim(conn)
        assert not await inbox.done(conn, first)
        assert (await inbox.lag(conn, NOW))[0] == 1


async def test_done_removes_what_was_claimed(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        assert await inbox.done(conn, first)
        assert await claim(conn, NOW + HOUR) == []


async def test_an_event_between_claim_and_done_is_not_lost(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        await put(conn, DEAL, now=NOW + MINUTE)
        assert await inbox.done(conn, first)
        (second,) = await claim(conn, NOW + MINUTE)
    assert (second.seq, second.attempts, second.since_at) == (2, 1, NOW + MINUTE)


async def test_later_waits_until_its_moment(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        await inbox.later(conn, (await claim(conn))[0], NOW + HOUR, "OVERLOAD")
        assert await inbox.next_due(conn) == NOW + HOUR
        assert await claim(conn, NOW + HOUR - MINUTE) == []
        assert [each.attempts for each in await claim(conn, NOW + HOUR)] == [2]


@pytest.mark.parametrize("event_first", [True, False])
async def test_a_new_event_does_not_wait_for_later(database: Database, event_first: bool) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        if event_first:
            await put(conn, DEAL, now=NOW + MINUTE)
        await inbox.later(conn, first, NOW + HOUR, "")
        if not event_first:
            await put(conn, DEAL, now=NOW + MINUTE)
        assert len(await claim(conn, NOW + MINUTE)) == 1


async def test_what_waits_for_later_hides_nothing_behind_it(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, deal(1), lane=Lane.URGENT)
        await inbox.later(conn, (await claim(conn))[0], NOW + HOUR, "")
        await put(conn, deal(2), lane=Lane.BACKFILL)
        assert [each.subject for each in await claim(conn, limit=1)] == [deal(2)]


async def failed_deal(conn: AsyncConnection) -> None:
    await put(conn, DEAL)
    await inbox.give_up(conn, (await claim(conn))[0], "ACCESS_DENIED", NOW + MINUTE)


async def test_failed_work_stands_aside_with_its_reason(database: Database) -> None:
    async with database.begin() as conn:
        await failed_deal(conn)
        assert await claim(conn, NOW + HOUR) == []
        assert await inbox.next_due(conn) is None
        (failure,) = await inbox.failed(conn)
    assert (failure.key, failure.error, failure.failed_at) == ("deal:41", "ACCESS_DENIED", NOW + MINUTE)


async def test_an_event_since_the_claim_revives_what_gave_up(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL)
        (first,) = await claim(conn)
        await put(conn, DEAL)
        await inbox.give_up(conn, first, "NOT_FOUND", NOW)
        assert len(await claim(conn)) == 1


async def test_a_new_event_revives_failed_work_from_the_first_attempt(database: Database) -> None:
    async with database.begin() as conn:
        await failed_deal(conn)
        await put(conn, DEAL, now=NOW + HOUR)
        (again,) = await claim(conn, NOW + HOUR)
    assert (again.attempts, again.since_at) == (1, NOW + HOUR)


@pytest.mark.parametrize(("subject", "revived"), [(None, 1), (DEAL, 1), (TASK, 0)])
async def test_a_person_retries(database: Database, subject: Subject | None, revived: int) -> None:
    async with database.begin() as conn:
        await failed_deal(conn)
        assert await inbox.retry(conn, subject, NOW) == revived
        assert len(await claim(conn)) == revived


async def test_a_person_drops_only_what_failed(database: Database) -> None:
    async with database.begin() as conn:
        await failed_deal(conn)
        await put(conn, TASK)
        assert [await inbox.drop(conn, DEAL), await inbox.drop(conn, TASK)] == [True, False]
        assert [each.subject for each in await claim(conn)] == [TASK]


async def test_lag_counts_what_somebody_waits_for(database: Database) -> None:
    async with database.begin() as conn:
        assert await inbox.lag(conn, NOW) == (0, timedelta(0))
        await put(conn, DEAL)
        await put(conn, TASK, now=NOW + MINUTE)
        await put(conn, ITEM, lane=Lane.BACKFILL, now=NOW - HOUR)
        assert await inbox.lag(conn, NOW + HOUR) == (2, HOUR)


async def test_two_replicas_share_the_work(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, *(deal(number) for number in range(1, 101)))

    async def take(by: str) -> list[Claim]:
        async with database.begin() as conn:
            taken = await claim(conn, limit=50, by=by)
            await asyncio.sleep(0.01)
            return taken

    first, second = await asyncio.gather(take("a"), take("b"))
    assert {len(first), len(second)} == {50}
    assert not {each.subject for each in first} & {each.subject for each in second}


async def test_replicas_storing_the_same_subjects_do_not_lock_each_other_out(database: Database) -> None:
    async def store(numbers: range) -> None:
        async with database.begin() as conn:
            await put(conn, *(deal(number) for number in numbers))

    await asyncio.gather(
        *(store(range(1, 60)) for _ in range(4)), *(store(range(59, 0, -1)) for _ in range(4))
    )
    async with database.begin() as conn:
        assert {each.seq for each in await claim(conn, limit=100)} == {8}


NOTHING = (
    ItemRef(Kind.DEAL, 0),
    ItemRef(Kind.ITEM, 5, 0),
    ItemRef(Kind.TASK, -1),
    Hint(HintKind.ACTIVITY, 0),
)


@pytest.mark.parametrize("nothing", NOTHING, ids=str)
async def test_what_names_no_item_is_not_kept(database: Database, nothing: Subject) -> None:
    async with database.begin() as conn:
        await put(conn, nothing, DEAL)
        assert [one.subject for one in await claim(conn)] == [DEAL]


async def test_a_row_of_an_earlier_version_that_names_no_item_stops_nobody(database: Database) -> None:
    async with database.begin() as conn:
        await put(conn, DEAL, TASK)
        await conn.execute(sa.update(rows).where(rows.c.subject == str(DEAL)).values(subject="deal:0"))
        assert [one.subject for one in await claim(conn)] == [TASK]
        assert await conn.scalar(sa.select(sa.func.count()).select_from(rows)) == 1
