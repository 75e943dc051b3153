from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.store import leases
from app.store.engine import Database

pytestmark = pytest.mark.anyio
LONG = timedelta(hours=1)
GONE = timedelta(0)
"""A lease that has ended when it begins: as if its holder had died long ago."""


async def take(database: Database, holder: str, ttl: timedelta = LONG) -> int | None:
    async with database.begin() as conn:
        return await leases.take(conn, "portal", holder, ttl)


async def test_one_holder_at_a_time(database: Database) -> None:
    found = await asyncio.gather(*(take(database, holder) for holder in "abc"))
    assert sorted(found, key=str) == [1, None, None]


async def test_its_holder_renews_under_the_same_epoch(database: Database) -> None:
    assert [await take(database, "a"), await take(database, "a")] == [1, 1]


async def test_a_dead_holder_is_followed_under_the_next_epoch(database: Database) -> None:
    assert [await take(database, "a", GONE), await take(database, "b")] == [1, 2]


async def test_a_late_sleeper_no_longer_holds(database: Database) -> None:
    slept, now = await take(database, "a", GONE), await take(database, "b")
    assert slept is not None
    assert now is not None
    async with database.begin() as conn:
        assert not await leases.holds(conn, "portal", slept)
        assert await leases.holds(conn, "portal", now)


async def test_a_released_lease_is_free_and_its_epoch_grows_on(database: Database) -> None:
    await take(database, "a")
    async with database.begin() as conn:
        await leases.release(conn, "portal", "b")
    assert await take(database, "b") is None
    async with database.begin() as conn:
        await leases.release(conn, "portal", "a")
    assert await take(database, "b") == 2


async def test_a_lease_that_nobody_took_is_nobodys(database: Database) -> None:
    async with database.begin() as conn:
        assert not await leases.holds(conn, "portal", 1)
