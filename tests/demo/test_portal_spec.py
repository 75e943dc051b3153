"""The judge of calls: what does not fit the vendor's specs is noted."""

from typing import Any

import pytest

from app.demo.portal.registry import METHODS
from app.demo.portal.spec import published
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

MISFITS: list[tuple[str, dict[str, Any], str]] = [
    ("crm.item.list", {"entityTypeId": 2, "limit": 5}, "unknown parameter limit"),
    ("crm.item.list", {}, "required parameter entityTypeId is missing"),
    ("crm.item.list", {"entityTypeId": "deal"}, "entityTypeId is not integer: 'deal'"),
    ("crm.item.list", {"entityTypeId": 2, "select": "id"}, "select is not array: 'id'"),
    ("crm.deal.add", {"fields": {"SOMETHING": 1}}, "unknown field fields.SOMETHING"),
    ("crm.deal.add", {"fields": {"CATEGORY_ID": "x"}}, "fields.CATEGORY_ID is not integer: 'x'"),
    (
        "im.v2.File.upload",
        {"dialogId": "1", "fields": {"name": "x"}},
        "required field fields.content is missing",
    ),
]


@pytest.mark.parametrize(("method", "params", "fault"), MISFITS)
async def test_misfit_is_noted(method: str, params: dict[str, Any], fault: str, desk: Helpdesk) -> None:
    await desk.post(method, **params)
    assert desk.portal.spec_faults == [f"{method}: {fault}"]


FITTING: list[tuple[str, dict[str, Any]]] = [
    ("crm.deal.list", {"FILTER": {">ID": 1}, "arSelect": ["ID"]}),
    ("crm.deal.add", {"fields": {"TITLE": "x", "UF_CRM_X": 1, "PARENT_ID_177": 5}}),
    ("user.get", {"ACTIVE": "Y", "FILTER": {}}),
    ("task.commentitem.add", {"0": 1, "1": {"POST_MESSAGE": "x"}}),
    ("im.message.add", {"DIALOG_ID": "1", "MESSAGE": "x", "ATTACH": "[]"}),
    ("profile", {"anything": 1}),
]


@pytest.mark.parametrize(("method", "params"), FITTING)
async def test_fitting_call_is_not_noted(method: str, params: dict[str, Any], desk: Helpdesk) -> None:
    await desk.post(method, **params)
    assert desk.portal.spec_faults == []


async def test_commands_of_a_batch_are_judged_as_the_strings_they_are(desk: Helpdesk) -> None:
    await desk.batch(a="crm.item.list?entityTypeId=2&start=-1", b="crm.item.list?entityTypeId=2&page=5")
    assert desk.portal.spec_faults == ["crm.item.list: unknown parameter page"]


def test_most_methods_that_are_served_have_a_spec() -> None:
    judged = {name for name in METHODS if name in published()}
    assert len(judged) > 100


async def test_counters(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("x")
    await desk.batch(a=f"crm.deal.update?id={number}&fields[TITLE]=y", b="server.time")
    assert (
        desk.portal.requests,
        desk.portal.calls["crm.deal.update"],
        desk.portal.calls_of("server.time"),
    ) == (1, 1, 1)
    assert desk.portal.writes[2, number] == 1


async def test_methods_and_their_availability(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, scopes=["im"])
    known = await desk.call("method.get", name="crm.deal.list")
    unknown = await desk.call("method.get", name="crm.nobody")
    assert known == {"isExisting": True, "isAvailable": False}
    assert unknown == {"isExisting": False, "isAvailable": False}
    assert "crm.deal.list" not in await desk.call("methods")


async def test_server_time_and_calendar(desk: Helpdesk) -> None:
    assert await desk.call("server.time") == "2026-11-24T09:00:00+03:00"
    assert (await desk.call("calendar.settings.get"))["work_time_end"] == "18"


async def test_people_are_found_by_attributes(desk: Helpdesk) -> None:
    portal = desk.portal
    support = portal.add_department("Поддержка", head=1, parent=1)
    gone = portal.add_user("Пётр", "Иванов", active=False, department=support)
    assert [one["ID"] for one in await desk.call("user.get", FILTER={"ACTIVE": False})] == [str(gone)]
    assert [one["ID"] for one in await desk.call("user.get", UF_DEPARTMENT=support)] == [str(gone)]
    assert (await desk.call("department.get", ID=support))[0]["UF_HEAD"] == "1"
