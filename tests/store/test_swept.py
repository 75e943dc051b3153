from __future__ import annotations

import pytest

from app.model import Lane
from app.store import inbox, swept
from app.store.engine import Database
from tests.store.builders import DEAL, MINUTE, NOW, TASK

pytestmark = pytest.mark.anyio


async def test_what_has_waited_for_over_a_minute_makes_all_that_waits_unread(database: Database) -> None:
    async with database.begin() as conn:
        await inbox.put(conn, [(DEAL, Lane.LIVE, "test")], NOW - MINUTE)
        await inbox.put(conn, [(TASK, Lane.LIVE, "test")], NOW)
        assert await swept.unread(conn, NOW) == 0
        assert await swept.unread(conn, NOW + MINUTE) == 2


async def test_when_all_was_last_read(database: Database) -> None:
    async with database.begin() as conn:
        assert await swept.last_at(conn) is None
        await swept.put(conn, NOW)
        assert await swept.last_at(conn) == NOW
