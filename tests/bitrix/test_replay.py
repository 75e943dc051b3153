"""A portal that answers every call in the words of the vendor's samples, and our whole adapter before it.

test_samples reads single answers and looks at the values; here each sample of a method that we may call goes
over the wire, in batches as the service asks, and nothing that reads it may stumble.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.bitrix import methods
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.portal import Ask, MessageWork, Portal, StampWork, Unread, Written
from app.model import Gone, Hint, HintKind, ItemRef, Kind, Message, MessageKind, Reading
from tests.jobs.scenes import LeapingClock
from tests.lives import at

pytestmark = pytest.mark.anyio

EXAMPLES = Path(__file__).parents[1] / "data" / "bitrix24" / "examples"
DEAL, ITEM, TASK = ItemRef(Kind.DEAL, 351), ItemRef(Kind.ITEM, 1, 1256), ItemRef(Kind.TASK, 3835)
CONFIG = PortalConfig(
    "https://portal.test/rest/9/secret/",
    (
        SourceConfig(Kind.DEAL, category=9, stages=("C9:NEW",)),
        SourceConfig(Kind.ITEM, entity_type=1256),
        SourceConfig(Kind.TASK, group=11, stages=("2", "stage:3")),
    ),
    chats={"alerts": "chat5"},
)
UNKNOWN = {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}


@dataclass
class Documents(httpx.AsyncBaseTransport):
    """The portal of the documents. A list has one page: told twice, its rows would never end."""

    asked: Counter[str] = field(default_factory=Counter)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        told = self._batch(json.loads(request.content)["cmd"]) if method == "batch" else self._told(method)
        return httpx.Response(400 if "error" in told else 200, json=told)

    def _batch(self, commands: dict[str, str]) -> dict[str, Any]:
        self.asked["batch"] += 1
        answers = {key: self._told(text.partition("?")[0]) for key, text in commands.items()}
        parts = {"result": "result", "result_error": "", "result_total": "total", "result_next": "next"}
        found = {
            part: {k: a[name] for k, a in answers.items() if name in a}
            for part, name in parts.items()
            if name
        }
        found["result_error"] = {key: answer for key, answer in answers.items() if "error" in answer}
        found["result_time"] = {key: answer.get("time", {}) for key, answer in answers.items()}
        return {"result": {part: rows or [] for part, rows in found.items()}, "time": {}}

    def _told(self, method: str) -> dict[str, Any]:
        self.asked[method] += 1
        for name in (method, f"v3.{method}"):
            if (EXAMPLES / f"{name}.json").is_file():
                told: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))["response"]
                return {key: value for key, value in told.items() if key not in {"next", "total"}}
        return UNKNOWN


@dataclass
class Stand:
    documents: Documents
    portal: Portal


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    documents = Documents()
    portal = Portal(CONFIG, LeapingClock(at("24.11 10:00")), documents)
    yield Stand(documents, portal)
    await portal.close()


async def test_reading(stand: Stand) -> None:
    told = await stand.portal.read([Ask(DEAL), Ask(ITEM), Ask(TASK)])
    assert {type(one) for one in told} <= {Reading, Gone, Unread}
    assert not any("internal" in one.error for one in told if isinstance(one, Unread))


async def test_sweep_and_ownership(stand: Stand) -> None:
    changes = await stand.portal.changes({})
    assert ItemRef(Kind.TASK, 8017) in changes.refs or changes.refs
    hint = Hint(HintKind.ACTIVITY, 999)
    assert hint in await stand.portal.owners([hint])


async def test_people(stand: Stand) -> None:
    assert [(one.id, one.name) for one in await stand.portal.people()] == [(1, "Valeev V."), (3, "Smith J.")]


async def test_writing(stand: Stand) -> None:
    alert = Message("a", MessageKind.CHAT_CARD, "chat5", "SLA")
    notice = Message("n", MessageKind.NOTICE, "5", "SLA")
    comment = Message("c", MessageKind.TIMELINE, str(DEAL), "SLA", ref=DEAL)
    in_task = Message("t", MessageKind.TIMELINE, str(TASK), "SLA", ref=TASK)
    works = [MessageWork(one) for one in (alert, notice, comment, in_task)]
    told = await stand.portal.write(
        [*works, StampWork(DEAL, {"SLA_OVERDUE": "1"}), StampWork(TASK, {"SLA_STATE": "met"})]
    )
    assert [one.portal_id for one in told[:3] if isinstance(one, Written)] == [789, 12345, 999]


async def test_file_and_edits(stand: Stand) -> None:
    assert await stand.portal.upload("chat5", "a.png", b"1", "Файл") > 0
    edited = Message("a", MessageKind.CHAT_CARD, "500", "SLA")
    [told] = await stand.portal.write([MessageWork(edited, portal_id=7)])
    assert told == Written(portal_id=7)


async def test_check_has_a_line_for_everything(stand: Stand) -> None:
    lines = await stand.portal.check()
    assert {"FAIL", "OK"} <= {line.level for line in lines}
    assert all(line.remedy for line in lines if line.level != "OK")


async def test_recording_of_the_documents(stand: Stand) -> None:
    documented = json.loads((EXAMPLES.parents[1] / "recorded_shapes.json").read_text("utf-8"))
    shapes = await stand.portal.shapes()
    known = {method for method in shapes if method in documented}
    assert len(known) > 15
    assert {method: shapes[method] for method in known} == {method: documented[method] for method in known}


async def test_application(stand: Stand) -> None:
    identity = await stand.portal.identity()
    assert (identity.code, identity.license) == ("telefum24.kp10", "de_ent10000")
    await stand.portal.plan()
    told = await stand.portal.subscribe("https://sla.test/hooks", "/hooks", offline=True)
    assert told.bound > 0
    assert len((await stand.portal.fetch(reserve=False, done="p")).changes) == 1
    assert await stand.portal.stuck() == []


async def test_provision(stand: Stand) -> None:
    lines = await stand.portal.provision(dry_run=False, layout=False)
    assert any("поле «" in line.text for line in lines)


# --- none is forgotten -------------------------------------------------------------------

ELSEWHERE = {
    "crm.item.update": "needs our fields, which no sample has: test_samples.test_item",
    "crm.deal.userfield.update": "needs a list of ours that lacks an option: test_provision",
    "event.unbind": "needs a subscription nobody wants any more: test_oauth",
    "im.message.add": "where no bot may speak: test_samples.test_said",
    "im.message.update": "where no bot may speak: test_samples.test_edited",
    "task.commentitem.add": "where there is no REST 3.0: test_task_cards",
}
"""Samples of methods that only a state which the documents never show makes us call, and who reads them."""


def samples() -> Iterator[str]:
    """Those of methods that the service may call."""
    for path in EXAMPLES.glob("*.json"):
        if path.stem.removeprefix("v3.") in methods.ALL and "response" in json.loads(path.read_text("utf-8")):
            yield path.stem.removeprefix("v3.")


async def test_every_sample_of_a_method_that_we_call_goes_over_the_wire(stand: Stand) -> None:
    for play in PLAYED:
        await play(stand)
    silent = set(samples()) - stand.documents.asked.keys() - ELSEWHERE.keys()
    assert silent == set()
    assert (len(set(samples())), len(ELSEWHERE)) == (44, 6)


PLAYED = (
    test_check_has_a_line_for_everything, test_reading, test_sweep_and_ownership, test_people, test_writing,
    test_file_and_edits, test_recording_of_the_documents, test_application, test_provision,
)  # fmt: skip
