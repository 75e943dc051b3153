"""Bucket, running time, pages (emulator-notes.md C)."""

from dataclasses import replace

import pytest

from app.demo.portal import CLOUD_STD, ENTERPRISE, UNLIMITED
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


async def served(desk: Helpdesk, times: int) -> int:
    """How many of so many requests are served."""
    answers = [await desk.post("server.time") for _ in range(times)]
    return sum(one.status_code == 200 for one in answers)


async def test_burst_of_the_standard_tariff() -> None:
    assert await served(Helpdesk(CLOUD_STD), 60) == 50


async def test_burst_of_the_enterprise_tariff() -> None:
    assert await served(Helpdesk(ENTERPRISE), 260) == 250


async def test_two_requests_leave_the_bucket_a_second() -> None:
    desk = Helpdesk(CLOUD_STD)
    await served(desk, 50)
    desk.wait(seconds=3)
    assert await served(desk, 10) == 6


async def test_bucket_is_lowered_once_a_second_not_smoothly() -> None:
    desk = Helpdesk(CLOUD_STD)
    await served(desk, 50)
    desk.wait(milliseconds=900)
    assert await served(desk, 5) == 0


async def test_refused_request_is_503_and_not_run() -> None:
    desk = Helpdesk(CLOUD_STD)
    await served(desk, 50)
    assert await desk.refused("crm.deal.add", fields={"TITLE": "x"}) == (503, "QUERY_LIMIT_EXCEEDED")
    assert desk.portal.item(2, 1) is None


async def test_refused_requests_raise_the_counter_only_where_the_profile_says_so() -> None:
    desk = Helpdesk(replace(CLOUD_STD, refused_count=True))
    await served(desk, 60)
    desk.wait(seconds=1)
    assert await served(desk, 5) == 0


async def test_batch_is_one_request() -> None:
    desk = Helpdesk(CLOUD_STD)
    await desk.call("batch", halt=0, cmd={f"c{number}": "server.time" for number in range(50)})
    assert await served(desk, 60) == 49


async def test_method_is_blocked_when_its_time_is_used_up_and_free_later() -> None:
    desk = Helpdesk(replace(UNLIMITED, operating=1.0, costs={"crm.deal.list": 0.5}))
    await desk.call("crm.deal.list")
    await desk.call("crm.deal.list")
    assert await desk.refused("crm.deal.list") == (429, "OPERATION_TIME_LIMIT")
    desk.wait(minutes=10)
    assert await desk.call("crm.deal.list") == []


async def test_call_that_crosses_the_line_still_finishes() -> None:
    desk = Helpdesk(replace(UNLIMITED, operating=1.0, costs={"crm.deal.list": 30.0}))
    assert (await desk.body("crm.deal.list"))["time"]["operating"] == 30


async def test_short_runs_are_not_counted() -> None:
    desk = Helpdesk(replace(UNLIMITED, operating=1.0, costs={"profile": 0.09}))
    for _ in range(20):
        assert (await desk.body("profile"))["time"]["operating"] == 0


async def test_reset_is_the_first_call_of_the_oldest_basket_plus_ten_minutes() -> None:
    desk = Helpdesk(CLOUD_STD)
    first = int(desk.at.timestamp())
    await desk.call("crm.deal.list")
    desk.wait(minutes=3)
    assert (await desk.body("crm.deal.list"))["time"]["operating_reset_at"] == first + 600


@pytest.mark.parametrize(("billed", "code"), [("method", True), ("batch", False), ("nobody", False)])
async def test_who_pays_for_the_commands_of_a_batch(billed: str, code: bool) -> None:
    profile = replace(UNLIMITED, operating=1.0, costs={"crm.deal.list": 2.0}, batch_billed=billed)  # type: ignore[arg-type]
    desk = Helpdesk(profile)
    await desk.batch(a="crm.deal.list")
    answer = await desk.post("crm.deal.list")
    assert (answer.status_code == 429) is code


async def test_commands_of_a_batch_tell_their_running_time_but_not_its_reset() -> None:
    answer = await Helpdesk(CLOUD_STD).batch(a="crm.deal.list", b="crm.deal.list")
    times = answer["result_time"]
    assert [times[key]["operating"] for key in "ab"] == [0.12, 0.24]
    assert "operating_reset_at" not in times["a"]


async def test_pages_of_fifty(desk: Helpdesk) -> None:
    for number in range(60):
        desk.portal.add_deal(f"Сделка {number}")
    first = await desk.body("crm.item.list", entityTypeId=2)
    second = await desk.body("crm.item.list", entityTypeId=2, start=first["next"])
    assert (len(first["result"]["items"]), first["total"], first["next"]) == (50, 60, 50)
    assert (len(second["result"]["items"]), "next" in second) == (10, False)


async def test_counting_turned_off(desk: Helpdesk) -> None:
    for number in range(60):
        desk.portal.add_deal(f"Сделка {number}")
    answer = await desk.body(
        "crm.item.list", entityTypeId=2, start=-1, filter={">id": 5}, order={"id": "ASC"}
    )
    assert [answer["result"]["items"][0]["id"], len(answer["result"]["items"])] == [6, 50]
    assert ("next" in answer, answer["total"]) == (False, 0)
