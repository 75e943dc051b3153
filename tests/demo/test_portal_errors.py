"""Refusals of the emulated portal: code, status, shape (emulator-notes.md B)."""

from typing import Any

import pytest

from app.demo.portal import CLOUD_STD, SELF_HOSTED
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

REFUSALS: list[tuple[str, dict[str, Any], int, Any]] = [
    ("crm.deal.get", {"id": 404}, 400, ""),
    ("crm.deal.get", {}, 400, ""),
    ("crm.deal.update", {"id": 404, "fields": {}}, 400, ""),
    ("crm.activity.get", {"id": 404}, 400, ""),
    ("crm.item.get", {"entityTypeId": 2, "id": 404}, 400, "NOT_FOUND"),
    ("crm.item.list", {"entityTypeId": 999}, 400, "NOT_FOUND"),
    ("crm.item.list", {"entityTypeId": 2, "filter": {"FIELD": 1}}, 400, "INVALID_ARG_VALUE"),
    ("crm.item.list", {"entityTypeId": 2, "order": {"FIELD": "ASC"}}, 400, "INVALID_ARG_VALUE"),
    ("crm.item.get", {"entityTypeId": 2}, 400, "100"),
    ("crm.item.get", {"entityTypeId": 2, "id": "five"}, 400, "100"),
    ("crm.stagehistory.list", {"entityTypeId": 999}, 400, 0),
    ("tasks.task.update", {"taskId": 404, "fields": {"TITLE": "x"}}, 400, "0"),
    ("tasks.task.update", {"taskId": 404}, 400, "100"),
    ("tasks.task.add", {"fields": {"RESPONSIBLE_ID": 1}}, 400, "ERROR_CORE"),
    ("tasks.task.list", {"order": {"FIELD": "ASC"}}, 400, "0"),
    ("tasks.task.list", {"filter": {"@ID": [1]}}, 400, "0"),
    ("nobody.knows", {}, 404, "ERROR_METHOD_NOT_FOUND"),
    ("event.bind", {"event": "ONCRMDEALADD"}, 403, "WRONG_AUTH_TYPE"),
    ("placement.bind", {}, 403, "WRONG_AUTH_TYPE"),
    ("app.info", {}, 403, "ACCESS_DENIED"),
    ("crm.activity.todo.add", {"ownerTypeId": 2, "ownerId": 404, "deadline": "2026-11-24"}, 400, "NOT_FOUND"),
    ("crm.timeline.comment.get", {"id": 404}, 400, "NOT_FOUND"),
    ("feature.get", {}, 400, "CODE_EMPTY"),
    ("crm.deal.userfield.add", {"fields": {"FIELD_NAME": "X"}}, 400, ""),
]


@pytest.mark.parametrize(("method", "params", "status", "code"), REFUSALS)
async def test_refusal(method: str, params: dict[str, Any], status: int, code: Any, desk: Helpdesk) -> None:
    assert await desk.refused(method, **params) == (status, code)


async def test_missing_task_is_an_empty_result(desk: Helpdesk) -> None:
    assert await desk.call("tasks.task.get", taskId=404) == []


async def test_classic_refusal_has_an_empty_code_and_a_text(desk: Helpdesk) -> None:
    assert (await desk.post("crm.deal.get", id=404)).json() == {"error": "", "error_description": "Not found"}


@pytest.mark.parametrize(("profile", "status"), [(CLOUD_STD, 401), (SELF_HOSTED, 403)])
async def test_wrong_secret(profile: Any, status: int) -> None:
    answer = await Helpdesk(profile).http("POST", "/rest/9/wrong/profile")
    assert (answer.status_code, answer.json()["error"]) == (status, "INVALID_CREDENTIALS")


async def test_secret_of_another_user(desk: Helpdesk) -> None:
    answer = await desk.http("POST", desk.path.replace("/9/", "/1/") + "profile")
    assert answer.json()["error"] == "INVALID_CREDENTIALS"


async def test_no_credential(desk: Helpdesk) -> None:
    answer = await desk.http("POST", "/rest/profile")
    assert (answer.status_code, answer.json()["error"]) == (401, "NO_AUTH_FOUND")


async def test_scope_that_was_not_granted(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, scopes=["im"])
    assert await desk.refused("crm.deal.get", id=1) == (401, "insufficient_scope")
    assert await desk.call("scope") == ["im"]


async def test_any_of_the_people_scopes_opens_user_get(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, scopes=["user_brief"])
    assert len(await desk.call("user.get")) == 2


CANNED = [
    ("access", 403, "ACCESS_DENIED"),
    ("expired", 401, "expired_token"),
    ("overload", 503, "OVERLOAD_LIMIT"),
    ("deleted", 500, "PORTAL_DELETED"),
    ("credentials", 401, "INVALID_CREDENTIALS"),
    ("scope", 401, "insufficient_scope"),
    ("user_access", 403, "user_access_error"),
    ("internal", 500, "INTERNAL_SERVER_ERROR"),
    ("operating", 429, "OPERATION_TIME_LIMIT"),
    ("limit", 503, "QUERY_LIMIT_EXCEEDED"),
    ("not_found", 400, ""),
]


@pytest.mark.parametrize(("kind", "status", "code"), CANNED)
async def test_ordered_refusal_comes_once(kind: str, status: int, code: str, desk: Helpdesk) -> None:
    desk.portal.faults.fail("profile", kind)
    assert await desk.refused("profile") == (status, code)
    assert (await desk.call("profile"))["ID"] == "9"
