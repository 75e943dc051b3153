"""The application's queue: nothing is lost while the service sleeps, and our own writes are not news."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.bitrix.errors import PortalError
from app.desk import Desk
from app.jobs.bind import bind_when_due
from app.jobs.fetch import fetch
from app.jobs.install import unbound
from app.serving import sweep_or_fetch, walk
from app.store import inbox, swept
from tests.jobs.applied import Applied, applied
from tests.jobs.scenes import letter

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="the queue is the same on both")]
HOUR = timedelta(hours=1)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Applied]:
    async with applied(tmp_path) as scene:
        yield scene


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[Applied]:
    """No event can be posted to the service: it has no address."""
    async with applied(tmp_path, public=False) as scene:
        yield scene


async def test_service_that_slept_an_hour_loses_nothing(deaf: Applied) -> None:
    await sweep_or_fetch(deaf.desk)
    cases = [deaf.receives(letter(title=f"Обращение {number}")) for number in range(5)]
    deaf.clock.advance(HOUR)
    async with deaf.restarted() as desk:
        await bind_when_due(desk)
        assert await fetch(desk) >= 5
        await deaf.settle(events=False)
    assert all(deaf.fields(case)["SLA_CLASS"] for case in cases)
    assert deaf.portal.world.offline == []


async def test_own_writes_are_not_queued(deaf: Applied) -> None:
    deaf.receives(letter())
    await fetch(deaf.desk)
    await deaf.settle(events=False)
    assert deaf.portal.writes, "the card was stamped"
    assert deaf.portal.world.offline == []


async def test_own_writes_are_queued_where_the_plan_has_no_key(tmp_path: Path) -> None:
    async with applied(tmp_path, public=False, features=()) as scene:
        scene.receives(letter())
        await fetch(scene.desk)
        await scene.settle(events=False)
        assert scene.portal.world.offline != []
        while await fetch(scene.desk):
            await scene.settle(events=False)
        assert scene.portal.world.offline == [], "reading them again finds nothing to write"


async def test_rows_are_cleared_only_when_they_stand_in_the_inbox(
    deaf: Applied, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf.receives(letter())

    async def dies(*_: object) -> None:
        raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patch:
        patch.setattr(inbox, "put", dies)
        with pytest.raises(RuntimeError):
            await fetch(deaf.desk)
    assert {row.process for row in deaf.portal.world.offline} != {""}, "reserved, not gone"
    async with deaf.restarted() as desk:
        await bind_when_due(desk)
        await fetch(desk)
        async with desk.db.read() as conn:
            assert (await inbox.lag(conn, desk.now()))[0] > 0
    assert deaf.portal.world.offline == []


async def test_plan_without_reservation_takes_rows_away_at_once(tmp_path: Path) -> None:
    async with applied(tmp_path, public=False, features=()) as scene:
        scene.receives(letter())
        assert await fetch(scene.desk) > 0
        assert scene.portal.world.offline == []
        assert scene.portal.calls_of("event.offline.clear") == 0


async def test_queue_spares_most_sweeps(deaf: Applied) -> None:
    await sweep_or_fetch(deaf.desk)
    asked = deaf.portal.calls_of("crm.stagehistory.list")
    for _ in range(5):
        deaf.clock.advance(deaf.desk.rules.pace.reconcile)
        await sweep_or_fetch(deaf.desk)
    assert deaf.portal.calls_of("crm.stagehistory.list") == asked
    deaf.clock.advance(12 * deaf.desk.rules.pace.reconcile)
    await sweep_or_fetch(deaf.desk)
    assert deaf.portal.calls_of("crm.stagehistory.list") > asked


async def test_queue_says_nothing_of_a_time_when_it_was_not_bound(deaf: Applied) -> None:
    await sweep_or_fetch(deaf.desk)
    known_until = await swept_at(deaf.desk)
    deaf.portal.update_application(deaf.application)
    await unbound(deaf.desk)
    deaf.clock.advance(HOUR / 6)
    await bind_when_due(deaf.desk)
    await fetch(deaf.desk)
    assert (await swept_at(deaf.desk), deaf.desk.health.last_sweep_at) == (known_until, known_until)
    await sweep_or_fetch(deaf.desk)
    assert await swept_at(deaf.desk) == deaf.clock.now()


async def swept_at(desk: Desk) -> datetime:
    """Until when everything is known."""
    async with desk.db.read() as conn:
        at = await swept.last_at(conn)
    assert at is not None
    return at


async def test_what_was_read_since_its_change_is_not_read_again(town: Applied) -> None:
    case = town.receives(letter())
    await town.settle()
    town.clock.advance(HOUR / 2)
    await town.desk_puts(case)
    await walk(town.desk)
    ref = (await town.ticket(case)).ref
    await fetch(town.desk)
    async with town.desk.db.begin() as conn:
        waiting = {claim.subject for claim in await inbox.claim(conn, 10, town.desk.now(), "t", HOUR)}
    assert ref not in waiting


async def test_user_who_may_not_fetch_leaves_the_sweep_alone(tmp_path: Path) -> None:
    async with applied(tmp_path, installed=False) as scene:
        await scene.install()
        scene.portal.set_user(9, admin=False)
        with pytest.raises(PortalError, match="ACCESS_DENIED"):
            await fetch(scene.desk)
        assert await fetch(scene.desk) == 0
        scene.receives(letter())
        assert await sweep_or_fetch(scene.desk) > 0
