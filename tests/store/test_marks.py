from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.model import Person
from app.store import marks, people, rules_log, strangers
from app.store.engine import Database
from tests.store.builders import HOUR, NOW

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("value", [{"deal": "2026-11-24T06:00:00Z"}, [1, None], "x", 5, 0, False, "12"])
async def test_a_mark_is_kept_as_it_was_put(database: Database, value: Any) -> None:
    async with database.begin() as conn:
        assert await marks.get(conn, "sweep") is None
        await marks.put(conn, "sweep", "before")
        await marks.put(conn, "sweep", value)
        assert await marks.get(conn, "sweep") == value


async def test_a_slot_is_taken_once(database: Database) -> None:
    async def take(holder: str) -> bool:
        async with database.begin() as conn:
            return await marks.take_slot(conn, "digest", "2026-11-24", holder, NOW)

    assert sorted(await asyncio.gather(take("a"), take("b"), take("c"))) == [False, False, True]


async def test_other_slots_are_free(database: Database) -> None:
    async with database.begin() as conn:
        assert await marks.take_slot(conn, "digest", "1", "a", NOW)
        assert await marks.take_slot(conn, "digest", "2", "a", NOW)
        assert await marks.take_slot(conn, "sweep", "1", "a", NOW)
        assert await marks.is_taken(conn, "sweep", "1")
        assert not await marks.is_taken(conn, "sweep", "2")


async def test_pinned_rules_never_change(database: Database) -> None:
    async with database.begin() as conn:
        await rules_log.pin(conn, "v1", "first", NOW)
        await rules_log.pin(conn, "v1", "second", NOW + HOUR)
        assert (await rules_log.load(conn, "v1"), await rules_log.load(conn, "v2")) == ("first", None)


async def test_people_are_brought_up_to_date_and_nobody_is_forgotten(database: Database) -> None:
    async with database.begin() as conn:
        await people.save(conn, [Person(7, "Иванова А."), Person(8, "Петров Б.")])
        await people.save(conn, [Person(7, "Сидорова А.", active=False, employee=False)])
        await people.save(conn, [])
        assert await people.load(conn) == {
            7: Person(7, "Сидорова А.", active=False, employee=False),
            8: Person(8, "Петров Б."),
        }


async def test_strangers_are_counted_under_short_names(database: Database) -> None:
    async with database.begin() as conn:
        await strangers.count(conn, ["ONUSERADD", "ONUSERADD", "X" * 9000], NOW)
        await strangers.count(conn, ["ONUSERADD"], NOW + HOUR)
        await strangers.count(conn, [], NOW)
        assert await strangers.counts(conn) == {"ONUSERADD": 3, "X" * 100: 1}
