"""The emulated queue of offline events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.demo.portal import UNLIMITED
from app.demo.portal.profile import EXTENDED
from tests.demo.applicant import Applicant, sample

pytestmark = pytest.mark.anyio
KEY = "b24sla"


@pytest.fixture
async def desk() -> Applicant:
    """An application that subscribed offline, on a plan with everything."""
    made = Applicant(replace(UNLIMITED, features=EXTENDED))
    await made.bind_offline("ONCRMDEALADD")
    await made.bind_offline("ONCRMDEALUPDATE")
    return made


@pytest.fixture
async def keyed(desk: Applicant) -> Applicant:
    """The same under a key of source."""
    await desk.bind_offline("ONCRMDEALUPDATE", auth_connector=KEY)
    desk.portal.world.offline.clear()
    return desk


async def names(desk: Applicant, **params: Any) -> list[str]:
    return [row["EVENT_NAME"] for row in (await desk.told("event.offline.get", **params))["events"]]


async def test_row_has_the_keys_of_the_sample(desk: Applicant) -> None:
    deal = desk.portal.add_deal("Сделка", by=1)
    told = await desk.told("event.offline.get")
    [row] = told["events"]
    assert (told["process_id"], set(row)) == (
        None, set(sample("event.offline.get")["response"]["result"]["events"][0])
    )  # fmt: skip
    assert (row["EVENT_DATA"], row["EVENT_ADDITIONAL"]) == ({"FIELDS": {"ID": deal}}, {"user_id": "1"})
    assert len(row["MESSAGE_ID"]) == 32


async def test_robot_is_nobody(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка", by=0)
    assert (await desk.told("event.offline.get"))["events"][0]["EVENT_ADDITIONAL"] == []


async def test_nothing_is_posted(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    assert desk.portal.pending_events == []


async def test_thousand_changes_of_a_deal_are_one_row(desk: Applicant) -> None:
    deal = desk.portal.add_deal("Сделка")
    for number in range(5):
        desk.wait(minutes=1)
        desk.portal.update_item(2, deal, {"title": str(number)})
    rows = (await desk.told("event.offline.get"))["events"]
    assert [row["EVENT_NAME"] for row in rows] == ["ONCRMDEALADD", "ONCRMDEALUPDATE"]
    assert rows[1]["TIMESTAMP_X"] == "2026-11-24T09:05:00+03:00"


async def test_fetched_with_clear_is_gone(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    assert [await names(desk), await names(desk)] == [["ONCRMDEALADD"], []]


async def test_reserved_rows_stay_until_they_are_cleared(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    process = (await desk.told("event.offline.get", clear=0))["process_id"]
    assert await names(desk, clear=0) == [], "parallel calls get other rows"
    assert await names(desk, clear=0, process_id=process) == ["ONCRMDEALADD"]
    assert await desk.told("event.offline.clear", process_id=process) is True
    assert await names(desk, clear=0, process_id=process) == []


async def test_change_of_a_reserved_row_makes_another(desk: Applicant) -> None:
    deal = desk.portal.add_deal("Сделка")
    desk.portal.update_item(2, deal, {"title": "раз"})
    process = (await desk.told("event.offline.get", clear=0))["process_id"]
    desk.portal.update_item(2, deal, {"title": "два"})
    await desk.told("event.offline.clear", process_id=process)
    assert await names(desk) == ["ONCRMDEALUPDATE"]


async def test_only_the_named_rows_are_cleared(desk: Applicant) -> None:
    for title in "абв":
        desk.portal.add_deal(title)
    told = await desk.told("event.offline.get", clear=0)
    first, second, _ = told["events"]
    await desk.told("event.offline.clear", process_id=told["process_id"], id=[first["ID"]])
    await desk.told("event.offline.clear", process_id=told["process_id"], message_id=[second["MESSAGE_ID"]])
    assert len(await names(desk, clear=0, process_id=told["process_id"])) == 1


async def test_failed_rows_come_back_marked(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    told = await desk.told("event.offline.get", clear=0)
    ids = [row["MESSAGE_ID"] for row in told["events"]]
    await desk.told("event.offline.error", process_id=told["process_id"], message_id=ids)
    assert (await names(desk), await names(desk, error=1)) == ([], ["ONCRMDEALADD"])


async def test_limit_and_filter(desk: Applicant) -> None:
    for title in "абв":
        desk.wait(minutes=1)
        desk.portal.add_deal(title)
    assert len(await names(desk, limit=2)) == 2
    assert await names(desk, filter={"=EVENT_NAME": "ONCRMDEALUPDATE"}) == []
    assert await names(desk, filter={"=EVENT_NAME": "ONCRMDEALADD"}) == ["ONCRMDEALADD"]


async def test_list_looks_and_touches_nothing(desk: Applicant) -> None:
    for number in range(60):
        desk.portal.add_deal(str(number))
    status, body = await desk.asked("event.offline.list", start=50)
    assert (status, len(body["result"]), body["total"]) == (200, 10, 60)
    assert set(body["result"][0]) == set(sample("event.offline.list")["response"]["result"][0])
    assert len(desk.portal.world.offline) == 60


async def test_rows_of_a_month_ago_are_dropped(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    desk.wait(seconds=2_952_001)
    token = desk.oauth.pair(desk.application.client_id, 9)["access_token"]
    assert (await desk.told("event.offline.get", token))["events"] == []


async def test_own_act_under_the_key_of_source_is_not_queued(keyed: Applicant) -> None:
    deal = keyed.portal.add_deal("Сделка")
    change: dict[str, Any] = {"entityTypeId": 2, "id": deal, "fields": {"title": "Наша"}}
    await keyed.told("crm.item.update", auth_connector=KEY, **change)
    assert await names(keyed, auth_connector=KEY) == []
    keyed.portal.update_item(2, deal, {"title": "Чужая"})
    assert await names(keyed, auth_connector=KEY) == ["ONCRMDEALUPDATE"]


async def test_key_of_a_batch_is_that_of_its_commands(keyed: Applicant) -> None:
    deal = keyed.portal.add_deal("Сделка")
    command = f"crm.item.update?entityTypeId=2&id={deal}&fields[title]=x"
    await keyed.told("batch", auth_connector=KEY, cmd={"a": command})
    assert await names(keyed, auth_connector=KEY) == []


async def test_own_act_without_the_key_is_queued(keyed: Applicant) -> None:
    deal = keyed.portal.add_deal("Сделка")
    await keyed.told("crm.item.update", entityTypeId=2, id=deal, fields={"title": "Наша"})
    assert await names(keyed, auth_connector=KEY) == ["ONCRMDEALUPDATE"]


@pytest.mark.parametrize("params", [{"clear": 0}, {"auth_connector": KEY}])
async def test_plan_without_the_feature(params: dict[str, Any]) -> None:
    desk = Applicant()
    assert await desk.denied("event.offline.get", **params) == (403, "WRONG_LICENSE")


async def test_feature_get_tells_what_the_plan_has(desk: Applicant) -> None:
    assert await desk.told("feature.get", CODE="rest_offline_extended") == {"value": "Y"}
    assert await Applicant().told("feature.get", CODE="rest_auth_connector") == {"value": "N"}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("event.offline.get", {"limit": 0}),
        ("event.offline.clear", {}),
        ("event.offline.clear", {"process_id": "x", "message_id": ["short"]}),
        ("event.offline.list", {"filter": {"=NOTHING": 1}}),
    ],
)
async def test_refused_call(desk: Applicant, method: str, params: dict[str, Any]) -> None:
    assert await desk.denied(method, **params) == (400, "ERROR_ARGUMENT")


async def test_only_administrators_fetch(desk: Applicant) -> None:
    desk.portal.add_user("Пётр", "Простой", 20)
    token = desk.oauth.pair(desk.application.client_id, 20)["access_token"]
    assert await desk.denied("event.offline.get", token) == (403, "ACCESS_DENIED")


async def test_wake_up_event_not_oftener_than_asked(desk: Applicant) -> None:
    await desk.bind("ONOFFLINEEVENT", options={"minTimeout": 60})
    desk.portal.add_deal("Сделка")
    desk.portal.add_deal("Ещё одна")
    assert await desk.heard_names() == ["ONOFFLINEEVENT"]
    desk.wait(minutes=1)
    desk.portal.add_deal("Третья")
    assert await desk.heard_names() == ["ONOFFLINEEVENT"]


async def test_removed_application_leaves_no_queue(desk: Applicant) -> None:
    desk.portal.add_deal("Сделка")
    desk.portal.remove_application(desk.application)
    assert desk.portal.world.offline == []
