"""Clients that others wrote work with the emulated portal over a socket: what it says is what they know."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from b24pysdk.errors import BitrixAPIError, BitrixAPIInsufficientScope

if TYPE_CHECKING:
    from .conftest import Stand

pytestmark = pytest.mark.anyio

# --- b24pysdk ----------------------------------------------------------------------------


def test_sdk_lives_a_deal_through(stand: Stand) -> None:
    crm = stand.sdk().crm
    fields = {"TITLE": "Не открываются ворота & «+»", "CATEGORY_ID": stand.category}
    made = crm.deal.add(fields).result
    assert crm.deal.update(made, {"STAGE_ID": f"C{stand.category}:WORK"}).result is True
    assert crm.deal.get(made).result["TITLE"] == "Не открываются ворота & «+»"
    assert crm.deal.get(made).result["STAGE_ID"] == f"C{stand.category}:WORK"
    assert stand.portal.stage_history(2, made)[-1][2] == f"C{stand.category}:WORK"


def test_sdk_reads_lists_to_the_end(stand: Stand) -> None:
    found = stand.sdk().crm.deal.list(select=["ID"], filter={"CATEGORY_ID": stand.category}).as_list().result
    assert sorted(int(row["ID"]) for row in found) == stand.deals


def test_sdk_reads_big_lists_by_id(stand: Stand) -> None:
    found = stand.sdk().crm.deal.list(select=["ID"]).as_list_fast().result
    assert [int(row["ID"]) for row in found] == stand.deals


def test_sdk_lives_an_item_through(stand: Stand) -> None:
    item = stand.sdk().crm.item
    entity_type, _ = stand.portal.add_type("Обращения")
    made = item.add(entity_type, {"title": "Из мессенджера"}).result["item"]["id"]
    changed = item.update(entity_type, made, {"title": "Из Telegram"}).result["item"]
    assert (changed["id"], changed["title"]) == (made, "Из Telegram")
    assert item.get(entity_type, made).result["item"]["entityTypeId"] == entity_type
    rows = item.list(entity_type, select=["id", "title"], order={"id": "ASC"}).result["items"]
    assert rows == [{"id": made, "title": "Из Telegram"}]


def test_sdk_lives_a_task_through(stand: Stand) -> None:
    task = stand.sdk().tasks.task
    made = int(task.add({"TITLE": "Проверить контроллер", "RESPONSIBLE_ID": 1}).result["task"]["id"])
    task.update(made, {"STATUS": "3"}).call()
    assert task.get(made, select=["ID", "TITLE", "STATUS"]).result["task"]["status"] == "3"
    assert [row["id"] for row in task.list(filter={"STATUS": 3}).result["tasks"]] == [str(made)]


def test_sdk_reads_activities_and_stage_history(stand: Stand) -> None:
    crm, deal = stand.sdk().crm, stand.deals[0]
    letter = stand.portal.add_email((2, deal), 1, "Тема", "Не открывается", by=1)
    which = {"OWNER_TYPE_ID": 2, "OWNER_ID": deal}
    assert [row["ID"] for row in crm.activity.list(filter=which).result] == [str(letter)]
    history = crm.stagehistory.list(2, filter={"OWNER_ID": deal}).result["items"]
    assert [row["STAGE_ID"] for row in history] == [f"C{stand.category}:NEW"]


def test_sdk_sends_a_batch(stand: Stand) -> None:
    sdk = stand.sdk()
    asked = {"one": sdk.crm.deal.get(stand.deals[0]), "fields": sdk.crm.deal.fields()}
    answers = sdk.call_batch(asked).result.result
    assert answers["one"]["ID"] == str(stand.deals[0])
    assert "STAGE_ID" in answers["fields"]


def test_sdk_sends_batches_of_batches(stand: Stand) -> None:
    sdk, before = stand.sdk(), stand.portal.requests
    asked = [sdk.crm.deal.get(deal) for deal in stand.deals]
    answers = sdk.call_batches(asked).result.result
    assert [int(row["ID"]) for row in answers.values()] == stand.deals
    assert stand.portal.requests - before == 3


def test_sdk_knows_a_missing_deal_by_its_error(stand: Stand) -> None:
    with pytest.raises(BitrixAPIError) as caught:
        stand.sdk().crm.deal.get(999_999).call()
    assert (caught.value.error, caught.value.error_description) == ("", "Not found")


def test_sdk_knows_a_missing_scope_by_its_class(stand: Stand) -> None:
    narrow = stand.portal.add_webhook(9, scopes=["task"])
    with pytest.raises(BitrixAPIInsufficientScope):
        stand.sdk(narrow).crm.deal.get(stand.deals[0]).call()


# --- fast-bitrix24 -----------------------------------------------------------------------


async def test_fast_reads_deals_to_the_end(stand: Stand) -> None:
    found = await stand.fast().get_all("crm.deal.list", {"select": ["ID"]})
    assert sorted(int(row["ID"]) for row in found) == stand.deals


async def test_fast_reads_items_to_the_end(stand: Stand) -> None:
    found = await stand.fast().get_all("crm.item.list", {"entityTypeId": 2, "filter": {"@id": stand.deals}})
    assert sorted(row["id"] for row in found) == stand.deals


async def test_fast_reads_each_deal_in_batches(stand: Stand) -> None:
    before = stand.portal.requests
    found = await stand.fast().get_by_ID("crm.deal.get", stand.deals)
    assert {int(key): row["TITLE"] for key, row in found.items()} == {
        deal: f"Обращение {number}" for number, deal in enumerate(stand.deals)
    }
    assert stand.portal.requests - before == 3


async def test_fast_writes_many_in_batches(stand: Stand) -> None:
    works = [{"ID": deal, "fields": {"TITLE": f"Новое имя №{deal} 100%"}} for deal in stand.deals]
    assert all(await stand.fast().call("crm.deal.update", works))
    titles = {str((stand.portal.item(2, deal) or {})["title"]) for deal in stand.deals}
    assert titles == {f"Новое имя №{deal} 100%" for deal in stand.deals}


async def test_fast_makes_and_lists_tasks(stand: Stand) -> None:
    client = stand.fast()
    works = [{"fields": {"TITLE": f"Задача {n}", "RESPONSIBLE_ID": 1}} for n in range(60)]
    await client.call("tasks.task.add", works)
    found = await client.get_all("tasks.task.list", {"select": ["ID", "TITLE"]})
    assert {row["title"] for row in found} == {f"Задача {n}" for n in range(60)}


async def test_fast_sends_a_batch_whose_commands_refer_to_each_other(stand: Stand) -> None:
    commands = {
        "deal": f"crm.deal.get?ID={stand.deals[5]}",
        "history": "crm.stagehistory.list?entityTypeId=2&filter[OWNER_ID]=$result[deal][ID]",
    }
    answers = await stand.fast().call_batch({"halt": 0, "cmd": commands})
    assert answers["deal"]["ID"] == str(stand.deals[5])
    assert [row["OWNER_ID"] for row in answers["history"]["items"]] == [stand.deals[5]]


async def test_fast_reads_users_and_directories(stand: Stand) -> None:
    client = stand.fast()
    users = await client.get_all("user.get")
    stages = await client.get_all(
        "crm.status.list", {"filter": {"ENTITY_ID": f"DEAL_STAGE_{stand.category}"}}
    )
    assert {"1", "9"} <= {row["ID"] for row in users}
    assert {row["STATUS_ID"] for row in stages} >= {f"C{stand.category}:NEW", f"C{stand.category}:WORK"}


async def test_both_at_once_are_served(stand: Stand) -> None:
    fast = stand.fast().get_all("crm.deal.list", {"select": ["ID"]})
    slow = asyncio.to_thread(lambda: stand.sdk().crm.deal.get(stand.deals[0]).result)
    rows, deal = await asyncio.gather(fast, slow)
    assert len(rows) == len(stand.deals)
    assert deal["ID"] == str(stand.deals[0])
