"""REST 3.0 of the emulated portal: another contract under /rest/api/ (rest.md 1.7)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from app.demo.portal import CLOUD_STD, SELF_HOSTED, Profile
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio
SEND = "tasks.task.chat.message.send"


def third(path: str) -> str:
    return path.replace("/rest/", "/rest/api/", 1)


async def ask(desk: Helpdesk, method: str, key: str = "", **params: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return await desk.http("POST", third(desk.path) + method, json=params, headers=headers)


def task_of(desk: Helpdesk, **more: Any) -> int:
    return desk.portal.add_task("КПП", created_by=1, responsible=9, **more)


async def code(desk: Helpdesk, method: str, **params: Any) -> tuple[int, str]:
    answer = await ask(desk, method, **params)
    return answer.status_code, answer.json()["error"]["code"].removeprefix("BITRIX_REST_V3_EXCEPTION_")


async def test_message_is_said_and_has_no_number(desk: Helpdesk) -> None:
    task = task_of(desk)
    answer = await ask(desk, SEND, fields={"taskId": task, "text": "Готово"})
    assert answer.json()["result"] == {"result": True}
    assert desk.portal.task_words(task) == [(9, "Готово")]


async def test_task_has_numbers_and_words(desk: Helpdesk) -> None:
    task = task_of(desk, crm=["D_10"])
    item = (await ask(desk, "tasks.task.get", id=task)).json()["result"]["item"]
    assert (item["id"], item["status"], item["priority"], item["crmItemIds"]) == (
        task, "pending", "average", ["D_10"],
    )  # fmt: skip


async def test_only_what_is_selected(desk: Helpdesk) -> None:
    task = task_of(desk)
    item = (await ask(desk, "tasks.task.get", id=task, select=["title"])).json()["result"]["item"]
    assert item == {"id": task, "title": "КПП"}


async def test_scopes_are_listed(desk: Helpdesk) -> None:
    assert "tasks" in (await ask(desk, "rest.scope.list")).json()["result"]["items"]


async def test_refusals_are_objects(desk: Helpdesk) -> None:
    task = task_of(desk)
    assert await code(desk, SEND, fields={"taskId": task}) == (400, "VALIDATION_DTOVALIDATIONEXCEPTION")
    assert await code(desk, "tasks.task.get", id=1) == (400, "ENTITYNOTFOUNDEXCEPTION")
    assert await code(desk, "crm.deal.get", id=1) == (404, "METHODNOTFOUNDEXCEPTION")


async def test_scope_of_version_two_is_not_enough(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, ["task"])
    assert await code(desk, SEND, fields={}) == (403, "INSUFFICIENTSCOPEEXCEPTION")


async def test_method_of_version_three_is_none_of_version_two(desk: Helpdesk) -> None:
    assert await desk.refused(SEND, fields={}) == (404, "ERROR_METHOD_NOT_FOUND")


@pytest.mark.parametrize("profile", [SELF_HOSTED, replace(CLOUD_STD, v3=False)])
async def test_portal_without_it(profile: Profile) -> None:
    answer = await ask(Helpdesk(profile), "rest.scope.list")
    assert (answer.status_code, answer.json()["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


async def test_form_and_query_are_not_read(desk: Helpdesk) -> None:
    task = task_of(desk)
    answer = await desk.http("POST", f"{third(desk.path)}tasks.task.get?id={task}", data={"id": task})
    assert answer.status_code == 400


async def test_same_key_is_answered_once_more_and_not_done_again(desk: Helpdesk) -> None:
    task = task_of(desk)
    said = [await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"}) for _ in range(2)]
    assert [one.headers.get("Idempotent-Replayed") for one in said] == [None, "true"]
    assert said[0].json() == said[1].json()
    assert len(desk.portal.task_words(task)) == 1


async def test_same_key_with_another_body_is_refused(desk: Helpdesk) -> None:
    task = task_of(desk)
    await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})
    assert await code_of(await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Два"})) == (
        422, "IDEMPOTENCYKEYREUSEDEXCEPTION",
    )  # fmt: skip


async def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"].removeprefix("BITRIX_REST_V3_EXCEPTION_")


async def test_key_is_forgotten_after_a_day_and_is_ones_own(desk: Helpdesk) -> None:
    task = task_of(desk)
    await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})
    desk.path = desk.portal.add_webhook(1)
    await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})
    desk.wait(hours=25)
    await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})
    assert [author for author, _ in desk.portal.task_words(task)] == [9, 1, 1]


async def test_refusal_is_not_kept(desk: Helpdesk) -> None:
    task = task_of(desk)
    desk.portal.hide("task", task)
    assert (await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})).status_code == 400
    desk.portal.show("task", task)
    assert (await ask(desk, SEND, "k1", fields={"taskId": task, "text": "Один"})).status_code == 200


async def test_requests_fill_the_same_bucket() -> None:
    desk = Helpdesk(CLOUD_STD)
    for _ in range(50):
        await desk.post("server.time")
    assert await code(desk, "rest.scope.list") == (429, "RATELIMITEXCEPTION")
