"""What a slow portal, a failed pass or a garbled answer leaves half done is done once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.portal import UNLIMITED
from app.jobs import handle
from app.jobs.tend import guarded
from app.serving import go_on, hurry
from app.store import inbox, stamps
from app.store.engine import StoreUnavailable
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own workers")]
LONGER_THAN_A_LEASE = timedelta(seconds=121)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path, kind=UNLIMITED) as it:
        yield it


def slow_writing(town: Scene) -> None:
    """The portal takes the next write only after the first lane has looked for work again and again."""
    asked = town.desk.working_portal.write

    async def write(*given: Any) -> Any:
        town.desk.working_portal.write = asked  # type: ignore[method-assign]
        town.clock.advance(LONGER_THAN_A_LEASE)
        for _ in range(3):
            await hurry(town.desk)
            town.clock.advance(timedelta(seconds=6))
        return await asked(*given)

    town.desk.working_portal.write = write  # type: ignore[method-assign, assignment]


async def test_nothing_under_way_is_sent_by_the_other_worker_however_long_it_takes(town: Scene) -> None:
    slow_writing(town)
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    assert len(town.chat()) == 1
    assert len(town.portal.notices(town.office.head)) == 1
    assert town.portal.writes[2, case.id] + town.portal.idle_writes[2, case.id] == 1
    assert not town.desk.in_flight


async def test_what_a_failed_pass_held_is_taken_by_the_next(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await town.desk_puts(town.office.receive(letter(), town.office.agents[0]))
    town.portal.drop_pending()

    async def locked(*_: object) -> bool:
        raise StoreUnavailable("database is locked")

    with monkeypatch.context() as fault:
        fault.setattr(handle, "decide_and_save", locked)
        await guarded("road", go_on, town.desk)
    await guarded("road", go_on, town.desk)
    async with town.desk.db.read() as conn:
        assert await inbox.lag(conn, town.desk.now()) == (0, timedelta(0))


async def test_bound_task_whose_first_reading_failed_still_waits_for_its_deal(town: Scene) -> None:
    deal = town.office.receive(letter(), town.office.agents[0])
    town.portal.drop_pending()
    task = town.office.receive(letter(channel="form"), town.office.agents[1])
    town.portal.update_task(task.id, {"UF_CRM_TASK": [f"D_{deal.id}"]}, town.office.head)
    town.portal.drop_pending()
    await town.desk_puts(task)
    town.portal.faults.fail("tasks.task.get", "internal", 1)
    await town.settle(events=False)
    town.clock.advance(timedelta(minutes=10))
    await town.settle(events=False)
    assert not town.fields(task).get("SLA_CLASS")


async def test_an_answer_that_does_not_decode_is_one_of_unknown_fate(town: Scene) -> None:
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    inner = town.road._inner
    spoilt: list[str] = []

    class Spoilt(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await inner.handle_async_request(request)
            if spoilt or not await _has_written(town, ref_of(case)):
                return answer
            spoilt.append(request.url.path)
            head = {"Content-Encoding": "gzip"}
            return httpx.Response(502, headers=head, stream=httpx.ByteStream(b"not gzip at all"))

    town.road._inner = Spoilt()
    await town.settle()
    for _ in range(5):
        town.clock.advance(timedelta(minutes=1))
        await town.settle()
    assert spoilt
    assert len(town.chat()) == 1
    assert town.fields(case)["SLA_CLASS"] == "emergency"


async def _has_written(town: Scene, ref: Any) -> bool:
    async with town.desk.db.read() as conn:
        return bool((await stamps.memory(conn, ref))[1])
