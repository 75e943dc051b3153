"""A department driven by clients that others wrote: pages, referring batches, all kinds of writing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Stand

pytestmark = pytest.mark.anyio


def process(stand: Stand, count: int) -> tuple[int, list[int]]:
    """A smart process with so many items."""
    entity_type, _ = stand.portal.add_type("Обращения")
    return entity_type, [stand.portal.add_item(entity_type, f"Заявка {n}") for n in range(count)]


def tasks(stand: Stand, count: int) -> list[int]:
    return [stand.portal.add_task(f"Задача {n}", created_by=1, responsible=9) for n in range(count)]


# --- b24pysdk ----------------------------------------------------------------------------


def test_sdk_reads_items_over_several_pages(stand: Stand) -> None:
    entity_type, made = process(stand, 120)
    pages = stand.portal.calls_of("crm.item.list")
    found = stand.sdk().crm.item.list(entity_type, select=["id", "title"]).as_list().result
    assert sorted(row["id"] for row in found) == made
    assert stand.portal.calls_of("crm.item.list") - pages == 3


def test_sdk_reads_tasks_over_several_pages(stand: Stand) -> None:
    made = tasks(stand, 60)
    found = stand.sdk().tasks.task.list(select=["ID", "TITLE"]).as_list().result
    assert sorted(int(row["id"]) for row in found) == made


def test_sdk_reads_the_second_page_by_its_start(stand: Stand) -> None:
    answer = (
        stand.sdk().crm.deal.list(select=["ID"], filter={"CATEGORY_ID": stand.category}, start=50).response
    )
    assert (len(answer.result), answer.total, answer.next) == (50, 120, 100)


def test_sdk_sends_a_batch_whose_commands_refer_to_each_other(stand: Stand) -> None:
    sdk = stand.sdk()
    history = sdk.crm.stagehistory.list(2, filter={"OWNER_ID": "$result[deal][ID]"})
    answers = sdk.call_batch({"deal": sdk.crm.deal.get(stand.deals[7]), "history": history}).result.result
    assert [row["OWNER_ID"] for row in answers["history"]["items"]] == [stand.deals[7]]


def test_sdk_moves_a_card_and_reads_how_it_went(stand: Stand) -> None:
    sdk, deal = stand.sdk(), stand.deals[0]
    moved = sdk.crm.item.update(2, deal, {"stageId": f"C{stand.category}:WORK"}).result["item"]
    rows = sdk.crm.stagehistory.list(2, filter={"OWNER_ID": deal}).result["items"]
    assert moved["stageId"] == f"C{stand.category}:WORK"
    assert [row["TYPE_ID"] for row in rows] == [1, 2]


def test_sdk_writes_in_a_timeline_and_in_a_chat(stand: Stand) -> None:
    sdk, deal = stand.sdk(), stand.deals[0]
    fields = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "SLA: стандартное [b]4 ч[/b]"}
    note = sdk.crm.timeline.comment.add(fields).result
    chat = stand.portal.add_chat("Тревоги", [1, 9])
    message = sdk.im.message.add(chat, message="Просрочено: 1").result
    assert [(row["id"], row["text"]) for row in stand.portal.timeline(2, deal)] == [(note, fields["COMMENT"])]
    assert [row["id"] for row in stand.portal.messages(chat)][-1] == message


def test_sdk_creates_a_field_and_fills_it(stand: Stand) -> None:
    sdk, deal = stand.sdk(), stand.deals[0]
    options = [{"VALUE": "Экстренное", "XML_ID": "emergency"}, {"VALUE": "Стандартное", "XML_ID": "standard"}]
    field = {"FIELD_NAME": "SLA_CLASS", "USER_TYPE_ID": "enumeration", "LIST": options}
    number = sdk.crm.deal.userfield.add(field).result
    made = sdk.crm.deal.userfield.get(number).result
    chosen = next(row["ID"] for row in made["LIST"] if row["XML_ID"] == "emergency")
    assert sdk.crm.deal.update(deal, {"UF_CRM_SLA_CLASS": chosen}).result is True
    assert stand.portal.sla(2, deal) == {"SLA_CLASS": "emergency"}


def test_sdk_writes_many_tasks_in_batches(stand: Stand) -> None:
    sdk, made = stand.sdk(), tasks(stand, 60)
    before = stand.portal.requests
    sdk.call_batches([sdk.tasks.task.update(task, {"STATUS": "3"}) for task in made]).call()
    assert {stand.portal.task(task)["status"] for task in made} == {"3"}
    assert stand.portal.requests - before == 2


def test_sdk_reads_the_talk_of_a_task_in_both_cards(stand: Stand) -> None:
    [task] = tasks(stand, 1)
    stand.portal.task_message(task, "Готово", 9)
    chat = stand.portal.task(task).get("chatId")
    if chat:
        said = stand.sdk().im.dialog.messages.get(f"chat{chat}").result["messages"]
        assert [row["text"] for row in said if row["author_id"]] == ["Готово"]
    else:
        said = stand.sdk().task.commentitem.getlist(task).result
        assert [row["POST_MESSAGE"] for row in said] == ["Готово"]


# --- fast-bitrix24 -----------------------------------------------------------------------


async def test_fast_reads_a_process_over_several_pages(stand: Stand) -> None:
    entity_type, made = process(stand, 120)
    found = await stand.fast().get_all(
        "crm.item.list", {"entityTypeId": entity_type, "select": ["id", "title"]}
    )
    assert sorted(row["id"] for row in found) == made


async def test_fast_writes_a_process_in_batches(stand: Stand) -> None:
    entity_type, made = process(stand, 60)
    works: list[dict[str, Any]] = [
        {"entityTypeId": entity_type, "id": item, "fields": {"title": f"№{item} & «+»"}} for item in made
    ]
    before = stand.portal.requests
    await stand.fast().call("crm.item.update", works)
    titles = {str((stand.portal.item(entity_type, item) or {})["title"]) for item in made}
    assert titles == {f"№{item} & «+»" for item in made}
    assert stand.portal.requests - before == 2


async def test_fast_reads_tasks_each_by_itself(stand: Stand) -> None:
    made = tasks(stand, 60)
    found = await stand.fast().get_by_ID("tasks.task.get", made, ID_field_name="taskId")
    assert {int(key): row["task"]["title"] for key, row in found.items()} == {
        task: f"Задача {number}" for number, task in enumerate(made)
    }


async def test_fast_reads_activities_over_several_pages(stand: Stand) -> None:
    deal = stand.deals[0]
    letters = [stand.portal.add_email((2, deal), 1, f"Письмо {n}", "Текст", by=1) for n in range(70)]
    which = {"filter": {"OWNER_TYPE_ID": 2, "OWNER_ID": deal}}
    found = await stand.fast().get_all("crm.activity.list", which)
    assert sorted(int(row["ID"]) for row in found) == letters
