"""What is not known of a portal is a switch of its profile: each does what it says."""

from dataclasses import replace
from typing import Any

import pytest

from app.demo.portal import UNLIMITED
from tests.demo.helpdesk import HANDLER, Helpdesk

pytestmark = pytest.mark.anyio


def desk_of(**switched: Any) -> Helpdesk:
    return Helpdesk(replace(UNLIMITED, **switched))


@pytest.mark.parametrize(("uncounted", "there"), [("zero", True), ("absent", False)])
async def test_uncounted_list_has_a_total_of_nought_or_none(uncounted: str, there: bool) -> None:
    desk = desk_of(uncounted=uncounted)
    answer = await desk.body("crm.item.list", entityTypeId=2, start=-1)
    assert ("total" in answer) is there
    assert answer.get("total", 0) == 0


@pytest.mark.parametrize(("event_ts", "late"), [("built", 0), ("sent", 3600)])
async def test_event_is_stamped_when_it_is_built_or_when_it_leaves(event_ts: str, late: int) -> None:
    desk = desk_of(event_ts=event_ts)
    desk.portal.subscribe(HANDLER, "token")
    desk.portal.add_deal("Сделка")
    built = int(desk.at.timestamp())
    desk.wait(hours=1)
    [form] = await desk.heard()
    assert int(form["ts"]) == built + late


@pytest.mark.parametrize(
    ("restored", "heard"), [("add", ["ONCRMDEALADD"]), ("update", ["ONCRMDEALUPDATE"]), ("nothing", [])]
)
async def test_what_is_heard_of_a_restored_deal(restored: str, heard: list[str]) -> None:
    desk = desk_of(restored=restored)
    deal = desk.portal.add_deal("Сделка")
    desk.portal.delete_item(2, deal)
    desk.portal.subscribe(HANDLER, "token")
    desk.portal.restore(2, deal)
    assert await desk.heard_names() == heard


async def test_everything_may_leave_custom_fields_out() -> None:
    desk = desk_of(all_has_own=False)
    desk.portal.add_userfield("CRM_DEAL", "OBJECT", "string")
    desk.portal.add_deal("Сделка", fields={"UF_CRM_OBJECT": "КПП-2"})
    asked = {"entityTypeId": 2, "useOriginalUfNames": "Y"}
    [everything] = (await desk.call("crm.item.list", **asked, select=["*"]))["items"]
    [named] = (await desk.call("crm.item.list", **asked, select=["UF_CRM_OBJECT"]))["items"]
    assert "UF_CRM_OBJECT" not in everything
    assert named["UF_CRM_OBJECT"] == "КПП-2"


@pytest.mark.parametrize(("form", "empty"), [("list", []), ("false", False), ("text", "")])
async def test_empty_multiple_field_may_have_one_form_always(form: str, empty: object) -> None:
    desk = desk_of(empty_multiple=form)
    desk.portal.add_userfield("CRM_DEAL", "OBJECTS", "string", multiple=True)
    deal = desk.portal.add_deal("Сделка")
    assert (await desk.call("crm.deal.get", id=deal))["UF_CRM_OBJECTS"] == empty


async def test_refusal_of_a_stage_that_wants_a_field_has_a_code_of_the_profile() -> None:
    desk = desk_of(required_code="-")
    deal = desk.portal.add_deal("Сделка")
    desk.portal.require(2, "WON", "comments")
    moved = {"entityTypeId": 2, "id": deal, "fields": {"stageId": "WON"}}
    assert await desk.refused("crm.item.update", **moved) == (400, "-")


@pytest.mark.parametrize(("whole_start", "kind"), [(True, int), (False, float)])
async def test_start_of_a_call_is_a_whole_number_on_newer_controllers(whole_start: bool, kind: type) -> None:
    desk = desk_of(whole_start=whole_start)
    desk.wait(seconds=0.25)
    time = (await desk.body("profile"))["time"]
    assert (type(time["start"]), type(time["finish"])) == (kind, float)


@pytest.mark.parametrize("status", [500, 410, 403])
async def test_deleted_portal_has_three_statuses(status: int) -> None:
    desk = desk_of(deleted_status=status)
    desk.portal.faults.fail("profile", "deleted")
    assert await desk.refused("profile") == (status, "PORTAL_DELETED")
