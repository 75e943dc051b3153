"""The documents' own sample answers, read by the functions that read a portal's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.directory import person_of
from app.bitrix.fields import Entity, entity_of, options_of
from app.bitrix.items import client_keys, item_card, item_select, move_of
from app.bitrix.results import MessageWork, Written
from app.bitrix.speech import TaskRoles, activity_utterances, chat_utterance, outsiders_of
from app.bitrix.sweep import activity_subject
from app.bitrix.tasks import chat_of, task_card, task_moves, task_of, task_select
from app.bitrix.voice import said
from app.bitrix.wire import Answer, Command, as_list, as_map, read_answer, read_batch
from app.model import Hint, HintKind, ItemRef, Kind, Message, MessageKind, Side

NOW = datetime(2026, 11, 24, tzinfo=UTC)
EXAMPLES = Path(__file__).parent.parent / "data" / "bitrix24" / "examples"
CONFIG = PortalConfig("https://portal.test/rest/9/secret/", (SourceConfig(Kind.DEAL),))
ROLES = TaskRoles(author=547, responsible=503, robots={9}, outsiders=frozenset(), bots=frozenset())


def sample(name: str) -> Answer:
    response = json.loads((EXAMPLES / f"{name}.json").read_text())["response"]
    return read_answer(200, json.dumps(response).encode(), NOW)


def test_batch() -> None:
    answer = sample("batch")
    maps = {part: as_map(found) for part, found in answer.result.items()}
    names = {"get_user": "c0", "get_department": "c1"}
    renamed = {part: {names[key]: row for key, row in found.items()} for part, found in maps.items()}
    told = read_batch(Answer(renamed), [Command("user.current"), Command("department.get")], NOW)
    assert [type(one) for one in told] == [Answer, Answer]


def test_item() -> None:
    row = sample("crm.item.update").result["item"]
    card = item_card(row, Entity(2, {}, frozenset(row)), CONFIG, {}, ())
    assert (card.title, card.stage, card.category, card.assignee) == ("REST Deal #1", "C9:UC_NYL06U", 9, 6)
    assert client_keys(row) == []


def test_list_of_items_has_rows() -> None:
    assert [row["id"] for row in sample("crm.item.list").rows("items")] == [253, 255, 252, 254]


def test_fields_of_a_process() -> None:
    fields = as_map(sample("crm.item.fields").result["fields"])
    entity = entity_of(1268, fields, {})
    assert {"id", "title", "stageId", "updatedTime"} <= set(item_select(CONFIG, entity))


def test_stage_history() -> None:
    [move] = [move_of(row) for row in sample("crm.stagehistory.list").rows("items")]
    assert (move.key, move.stage, move.category, move.at.isoformat()) == (
        "35", "NEW", 0, "2024-04-25T14:59:11+00:00",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["crm.activity.list", "crm.activity.get"])
def test_activity(name: str) -> None:
    rows = sample(name).rows() or [sample(name).result]
    [spoken] = [spoken for row in rows for spoken in activity_utterances(row, robots={9})]
    assert (spoken.side, spoken.channel, spoken.author) == (Side.OURS, "call", 505)
    assert isinstance(activity_subject(rows[0], (2,)), Hint)
    assert activity_subject(rows[0], (3,)) == ItemRef(Kind.ITEM, 15, 3)


def test_task() -> None:
    task = task_of(sample("tasks.task.get").result)
    assert task is not None
    card = task_card({**task, "createdDate": "2025-10-01T10:00:00+02:00"}, [], CONFIG, ())
    assert (card.title, card.created_by, card.assignee) == ("Task Example", 503, 547)
    assert set(card.bound_to) == {ItemRef(Kind.DEAL, 1723), ItemRef(Kind.ITEM, 3, 0x88)}
    assert (card.client, card.company, card.sla["SLA_SOLVE_DUE"]) == (
        "contact:627",
        "591",
        "2025-10-24T17:00:00Z",
    )


def test_task_that_is_missing() -> None:
    assert task_of([]) is None


def test_updated_task() -> None:
    task = task_of(sample("tasks.task.update").result)
    assert task is not None
    card = task_card(task, [], CONFIG, ())
    assert (card.stage, card.modified_by, chat_of(task)) == ("2", 503, 0)


def test_task_log() -> None:
    task = {"createdDate": "2025-09-25T14:09:45+02:00", "createdBy": "503", "status": "2"}
    moves = task_moves(task, sample("tasks.task.history.list").rows("list"), {}, ())
    assert [(move.key, move.stage, move.actor) for move in moves] == [("new", "2", 503)]


def test_chat() -> None:
    answer = sample("im.dialog.messages.get")
    lines = [chat_utterance(row, ROLES) for row in answer.rows("messages")]
    assert [(line.key, line.side) for line in lines if line] == [
        ("chat:84877", Side.OURS),
        ("chat:84875", Side.OURS),
    ]
    assert outsiders_of(answer.rows("users")) == (frozenset(), frozenset())


def test_users() -> None:
    people = [person_of(row) for row in sample("user.get").rows()]
    assert [(person.id, person.name, person.employee) for person in people] == [
        (1, "Valeev V.", True), (3, "Smith J.", True),
    ]  # fmt: skip


def test_options_of_a_list() -> None:
    rows = [row for field in sample("crm.deal.userfield.list").rows() for row in as_list(field.get("LIST"))]
    assert options_of("SLA_CLASS", rows)["3157"] == "79b4c576f96e65eb40f390e45c0dc802"
    made = sample("userfieldconfig.add").result["field"]["enum"]
    assert set(options_of("SLA_CLASS", made)) == {"3363", "3365"}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("im.message.add", 34239),
        ("im.notify.personal.add", 12345),
        ("imbot.v2.Chat.Message.send", 789),
        ("crm.timeline.comment.add", 999),
    ],
)
def test_said(name: str, number: int) -> None:
    work = MessageWork(Message("k", MessageKind.DIGEST, "chat5", "Сводка"))
    assert said(work, sample(name)) == Written(portal_id=number)


def test_edited() -> None:
    work = MessageWork(Message("k", MessageKind.CHAT_CARD, "chat5", "Сводка"), portal_id=7)
    assert said(work, sample("im.message.update")) == Written(portal_id=7)


def test_names_for_a_task_are_upper_case() -> None:
    assert all(name == name.upper() for name in task_select(CONFIG))


def test_hint_of_a_clients_activity() -> None:
    row = {"ID": "12", "OWNER_TYPE_ID": "3", "OWNER_ID": "5"}
    assert activity_subject(row, (2, 177)) == Hint(HintKind.ACTIVITY, 12)
