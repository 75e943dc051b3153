"""Sample answers of methods that a webhook is refused, and of REST 3.0; and that no sample was forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from app.demo.portal import CLOUD_STD, SELF_HOSTED, UNLIMITED
from app.demo.portal.errors import canned
from app.demo.portal.faults import CALLS
from tests.demo.applicant import SAMPLES, Applicant, sample
from tests.demo.helpdesk import HANDLER
from tests.demo.shapes import differences
from tests.demo.test_portal_events import RAISED
from tests.demo.test_portal_sample_events import CHANGES, FOR_APPLICATIONS
from tests.demo.test_portal_samples import ABOUT_TIME, SERVED

pytestmark = pytest.mark.anyio

Params = dict[str, Any]
EVENT = "ONCRMLEADADD"


@pytest.fixture
def desk() -> Applicant:
    return Applicant(UNLIMITED)


# --- applications ------------------------------------------------------------------------


async def nothing(desk: Applicant) -> Params:
    return {}


async def subscription(desk: Applicant) -> Params:
    return {"event": EVENT, "handler": HANDLER}


async def subscribed(desk: Applicant) -> Params:
    await desk.bind(EVENT)
    return await subscription(desk)


async def waiting(desk: Applicant) -> Params:
    await desk.bind_offline("ONCRMDEALADD")
    desk.portal.add_deal("Сделка")
    return {}


async def reserved(desk: Applicant) -> Params:
    desk.portal.world.features["rest_offline_extended"] = "Y"
    await waiting(desk)
    fetched = await desk.told("event.offline.get", clear=0)
    return {"process_id": fetched["process_id"], "message_id": [fetched["events"][0]["MESSAGE_ID"]]}


FOR_AN_APPLICATION: dict[str, Callable[[Applicant], Awaitable[Params]]] = {
    "app.info": nothing,
    "event.bind": subscription,
    "event.unbind": subscribed,
    "event.get": subscribed,
    "events": nothing,
    "event.offline.get": waiting,
    "event.offline.list": waiting,
    "event.offline.clear": reserved,
    "event.offline.error": reserved,
}
PRINTED_EMPTY = {
    "event.offline.get": {"result.events[].EVENT_DATA", "result.events[].EVENT_ADDITIONAL"},
    "event.offline.list": {"result[].EVENT_DATA", "result[].EVENT_ADDITIONAL"},
}
"""The samples print `false` where the source has the item and the user (rest.md 3.4)."""


@pytest.mark.parametrize("method", FOR_AN_APPLICATION)
async def test_application_is_answered_in_the_shape_of_the_sample(method: str, desk: Applicant) -> None:
    params = await FOR_AN_APPLICATION[method](desk)
    status, answer = await desk.asked(method, **params)
    loose = ABOUT_TIME | PRINTED_EMPTY.get(method, set()) | ({"time"} if method == "events" else set())
    assert status == 200
    assert sorted(differences(sample(method)["response"], answer, loose=loose)) == []


# --- REST 3.0 and what needs more than one call ------------------------------------------


async def test_message_of_a_task_is_answered_in_the_shape_of_the_sample(desk: Applicant) -> None:
    task = desk.portal.add_task("Задача", created_by=1, responsible=9)
    path = desk.path.replace("/rest/", "/rest/api/")
    sent = {"fields": {"taskId": task, "text": "Слово"}}
    answer = await desk.http("POST", f"{path}tasks.task.chat.message.send", json=sent)
    expected = sample("v3.tasks.task.chat.message.send")["response"]
    assert sorted(differences(expected, answer.json(), loose=ABOUT_TIME)) == []


async def test_task_of_version_3_has_the_kinds_of_the_sample(desk: Applicant) -> None:
    """The sample shows every property a task can have; this portal those of a support desk."""
    task = desk.portal.add_task("Задача", created_by=1, responsible=9, deadline=desk.at)
    path = desk.path.replace("/rest/", "/rest/api/")
    told = (await desk.http("POST", f"{path}tasks.task.get", json={"id": task})).json()
    expected = sample("v3.tasks.task.get")["response"]["result"]["item"]
    shared = told["result"]["item"].keys() & expected.keys()
    assert len(shared) > 10
    one, other = ({name: item[name] for name in shared} for item in (expected, told["result"]["item"]))
    assert sorted(differences(one, other)) == []


async def test_bots_queue_has_the_shape_of_the_sample(desk: Applicant) -> None:
    fields = {"code": "sla", "botToken": "secret", "properties": {"name": "Сроки"}, "type": "supervisor"}
    bot = (await desk.call("imbot.v2.Bot.register", fields=fields))["bot"]["id"]
    desk.portal.say(desk.portal.add_chat("Поддержка", [1, bot]), "Слово", 1)
    answer = await desk.body("imbot.v2.Event.get", botId=bot, botToken="secret")
    expected = sample("imbot.v2.Event.get")["response"]
    assert sorted(differences(expected, answer, loose=ABOUT_TIME)) == []


async def test_chats_of_an_item_have_the_shape_of_the_sample(desk: Applicant) -> None:
    deal = desk.portal.add_deal("Сделка")
    desk.portal.add_open_line((2, deal))
    params = {"CRM_ENTITY_TYPE": "deal", "CRM_ENTITY": deal, "ACTIVE_ONLY": "N"}
    answer = await desk.body("imopenlines.crm.chat.get", **params)
    expected = sample("imopenlines.crm.chat.get")["response"]
    assert sorted(differences(expected, answer, loose=ABOUT_TIME)) == []


async def test_refreshed_tokens_have_the_shape_of_the_sample(desk: Applicant) -> None:
    _, told = await desk.refreshed()
    assert sorted(differences(sample("oauth.token.refresh")["response"], told)) == []


def test_refusals_have_the_statuses_that_some_source_gives() -> None:
    """Each refusal that a fault can order, on both kinds of portals."""
    rows = {row["body"]["error_description"]: row for row in sample("errors")["errors"] if "where" not in row}
    told = [canned(kind, profile) for kind in CALLS - {"not_found"} for profile in (CLOUD_STD, SELF_HOSTED)]
    for refusal in told:
        row = rows[refusal.text]
        statuses = {row[name] for name in ("status_docs", "status_b24pysdk", "status_product_source")}
        assert (refusal.code, refusal.status in statuses) == (row["body"]["error"], True)


async def test_refusal_of_version_3_has_the_shape_of_the_sample(desk: Applicant) -> None:
    path = desk.path.replace("/rest/", "/rest/api/")
    answer = await desk.http("POST", f"{path}tasks.task.chat.message.send", json={"fields": {}})
    [row] = [row["body"] for row in sample("errors")["errors"] if isinstance(row["body"]["error"], dict)]
    assert sorted(differences(row, answer.json())) == []


# --- none is forgotten -------------------------------------------------------------------

HERE = {
    "errors", "imbot.v2.Chat.Message.send", "imbot.v2.Event.get", "imopenlines.crm.chat.get",
    "oauth.token.refresh", "v3.tasks.task.chat.message.send", "v3.tasks.task.get",
}  # fmt: skip
"""Compared in tests of their own, here and in test_portal_samples."""
LEFT_OUT = {
    "the list of the samples": {"index"},
    "automation that waits for an answer: nothing of the service's": {
        "bizproc.event.send", "bizproc.robot.add", "handler.bizproc.robot",
    },
    "a tab in the card: the service has pages of its own": {
        "handler.placement.CRM_DEAL_DETAIL_TAB", "placement.bind", "userfieldtype.add",
    },
    "files go by im.v2.File.upload in one call": {
        "disk.folder.uploadfile", "im.disk.file.commit", "im.disk.folder.get",
    },
    "working hours stand in the rules": {"timeman.schedule.get", "timeman.settings"},
    "tasks are listed and changed by version 2, which tells more": {
        "v3.tasks.task.list", "v3.tasks.task.update",
    },
    "the first bots, deprecated": {"event.ONIMBOTMESSAGEADD"},
    "only of an application's own connector": {
        "event.ONIMCONNECTORMESSAGEADD", "event.ONOPENLINEMESSAGEADD", "event.ONSESSIONSTART",
        "event.ONSESSIONFINISH",
    },
}  # fmt: skip
"""Why → samples that this portal neither answers nor sends."""


def test_every_sample_is_replayed_or_left_out_with_a_reason() -> None:
    events = {f"event.{name}" for name in (*CHANGES, *FOR_APPLICATIONS, *(row[0] for row in RAISED))}
    replayed = {*SERVED, *FOR_AN_APPLICATION, *HERE, *events}
    left_out = [name for names in LEFT_OUT.values() for name in names]
    files = {path.stem for path in SAMPLES.glob("*.json")}
    assert (len(files), len(replayed), len(left_out)) == (115, 96, 19)
    assert replayed | set(left_out) == files
    assert replayed & set(left_out) == set()
