"""The portal shuts us out: nothing is asked of it, people are told where it can be, and nothing is lost."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from app.demo.office import Case
from app.jobs.follow import follow
from app.jobs.knock import knock
from app.jobs.lead import lead
from app.serving import go_on, hurry, knock_and_sweep, let_in
from app.store import inbox, leases, marks, outbox
from app.web import failures
from tests.jobs.scenes import FIRE, Scene, letter, scene

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="portals differ in the status of a refusal only: test_errors"),
]

STOPS = ("overload", "credentials", "deleted", "user_access")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        await lead(made.desk)
        yield made


async def work(town: Scene) -> None:
    """What the running service does in its duties, until nothing moves."""
    for _ in range(30):
        town.clock.advance(timedelta(seconds=2))
        posted = await town.portal.deliver(town.web)
        knocked = await knock_and_sweep(town.desk)
        busy = [await let_in(hurry)(town.desk), await let_in(go_on)(town.desk)]
        if not (posted or knocked or any(busy) or town.portal.pending_events):
            return


async def shut(town: Scene, kind: str) -> Case:
    """The portal refuses everything, and then a client calls for help."""
    town.portal.faults.fail(None, kind, times=10**6)
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await work(town)
    return case


async def page(town: Scene, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=town.web, base_url="http://127.0.0.1:8080") as reader:
        return await reader.get(path)


async def later(town: Scene, length: timedelta) -> None:
    """Time goes on in steps of the duties' pace."""
    end = town.clock.now() + length
    while town.clock.now() < end:
        town.clock.advance(timedelta(minutes=10))
        await lead(town.desk)
        await work(town)


@pytest.mark.parametrize("kind", STOPS)
async def test_portal_that_shut_us_out_is_left_alone(town: Scene, kind: str) -> None:
    await shut(town, kind)
    asked = town.portal.requests
    for _ in range(20):
        town.office.receive(letter(), town.office.agents[0])
        await work(town)
    assert town.portal.requests - asked <= 2  # looks whether it has passed


async def test_vendors_block_is_looked_at_once_an_hour(town: Scene) -> None:
    await shut(town, "overload")
    asked = town.portal.requests
    await later(town, timedelta(hours=5))
    assert 4 <= town.portal.requests - asked <= 6


@pytest.mark.parametrize(("kind", "remedy"), [("overload", "поддержку"), ("credentials", "вебхук")])
async def test_a_person_reads_why_and_what_to_do(town: Scene, kind: str, remedy: str) -> None:
    await shut(town, kind)
    ready = await page(town, "/readyz")
    assert ready.status_code == 503
    assert any(remedy in reason for reason in ready.json()["reasons"])
    assert remedy in (await page(town, "/")).text


@pytest.mark.parametrize("kind", STOPS)
async def test_trouble_is_one_line_at_each_end(
    town: Scene, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await shut(town, kind)
    await later(town, timedelta(hours=3))
    town.portal.faults.clear()
    await later(town, timedelta(hours=1))
    lines = [
        record for record in caplog.records if record.name.startswith("app.") and "shut" not in record.name
    ]
    assert [record.levelname for record in lines] == ["WARNING", "INFO"]


@pytest.mark.parametrize("kind", STOPS)
async def test_when_it_opens_everything_is_done_and_the_head_is_told_once(town: Scene, kind: str) -> None:
    case = await shut(town, kind)
    town.portal.events.drop = 1.0
    unheard = town.office.receive(letter(), town.office.agents[0])
    town.portal.events.drop = 0.0
    await later(town, timedelta(hours=2))
    assert town.portal.notices(town.office.head) == []
    town.portal.faults.clear()
    await later(town, timedelta(hours=2))
    await town.sweep()
    notices = [notice["text"] for notice in town.portal.notices(town.office.head)]
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert town.fields(unheard)["SLA_CLASS"] == "standard"
    assert len([text for text in notices if "Служба SLA не работала" in text]) == 1
    assert (await page(town, "/readyz")).status_code == 200


async def test_another_reason_takes_the_place_of_the_first(town: Scene) -> None:
    """Somebody paid for the portal, and deleted the webhook meanwhile."""
    await shut(town, "deleted")
    since = town.desk.working_portal.shut.since  # type: ignore[union-attr]
    town.portal.faults.clear()
    town.portal.faults.fail(None, "credentials", times=10**6)
    await later(town, timedelta(minutes=20))
    reasons = (await page(town, "/readyz")).json()["reasons"]
    async with town.desk.db.read() as conn:
        noted = await marks.get(conn, marks.SHUT)
    assert any("вебхук удалён" in reason for reason in reasons)
    assert "вебхук удалён" in noted["why"], "whoever does not lead reads it there"
    assert noted["since"] == since.isoformat()


async def test_open_door_is_no_fault_any_more(town: Scene) -> None:
    await shut(town, "credentials")
    assert town.desk.health.portal_fault
    town.portal.faults.clear()
    town.clock.advance(timedelta(minutes=15))
    assert await knock(town.desk)
    assert town.desk.health.portal_fault is None


async def test_two_days_behind_a_closed_door_fail_no_work(town: Scene) -> None:
    case = await shut(town, "deleted")
    town.clock.advance(timedelta(days=2))
    await lead(town.desk)
    town.portal.faults.clear()
    town.portal.faults.fail("crm.activity.list", "internal", times=3)
    await later(town, timedelta(hours=1))
    async with town.desk.db.read() as conn:
        assert (await failures.failed_work(conn)).count == 0
        assert (await inbox.lag(conn, town.clock.now()))[0] == 0
    assert town.fields(case)["SLA_CLASS"] == "emergency"


async def test_restarted_service_tells_of_the_outage_that_its_forerunner_met(town: Scene) -> None:
    async with town.desk.db.begin() as conn:
        since = town.clock.now() - timedelta(hours=1)
        await marks.put(conn, marks.SHUT, {"since": since.isoformat(), "why": "не принимает запросы"})
    await town.desk.working_portal.people()
    await knock(town.desk)
    async with town.desk.db.read() as conn:
        [told] = await outbox.due(conn, 5, town.clock.now())
        assert await marks.get(conn, marks.SHUT) is None
    assert told.message.to == str(town.office.head)


async def test_process_without_the_lease_shows_the_outage_too(town: Scene) -> None:
    await shut(town, "overload")
    async with town.desk.db.begin() as conn:
        await leases.release(conn, leases.PORTAL, town.desk.name)
    town.desk.epoch, town.desk.health.portal_fault = None, None
    await follow(town.desk)
    assert "поддержку" in str(town.desk.health.portal_fault)
