"""Tasks of the emulated portal: both cards, zones, seconds, rights, history (emulator-notes.md E, G)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.demo.portal import SELF_HOSTED, UNLIMITED
from tests.demo.helpdesk import HANDLER, Helpdesk

pytestmark = pytest.mark.anyio


def new_task(desk: Helpdesk, **more: Any) -> int:
    people = {"created_by": 1, "responsible": 9} | more
    return desk.portal.add_task(people.pop("title", "Задача"), **people)


async def task(desk: Helpdesk, number: int, *select: str) -> Any:
    return (await desk.call("tasks.task.get", taskId=number, select=list(select)))["task"]


async def found(desk: Helpdesk, **conditions: Any) -> list[str]:
    rows = (await desk.call("tasks.task.list", filter=conditions, select=["ID"]))["tasks"]
    return [one["id"] for one in rows]


async def test_answers_are_strings_in_the_callers_zone(desk: Helpdesk) -> None:
    shown = await task(desk, new_task(desk))
    assert (shown["id"], shown["status"], shown["createdDate"]) == ("201", "2", "2026-11-24T11:00:00+05:00")
    assert isinstance(shown["chatId"], int)


async def test_deadline_loses_its_seconds(desk: Helpdesk) -> None:
    number = new_task(desk)
    await desk.call("tasks.task.update", taskId=number, fields={"DEADLINE": "2026-11-24T23:59:59+03:00"})
    assert (await task(desk, number))["deadline"] == "2026-11-25T01:59:00+05:00"


async def test_same_deadline_is_no_change(desk: Helpdesk) -> None:
    number = new_task(desk, deadline=datetime(2026, 11, 24, 12, 0, tzinfo=UTC))
    await desk.call("tasks.task.update", taskId=number, fields={"DEADLINE": "2026-11-24T15:00:30+03:00"})
    assert desk.portal.idle_writes["task", number] == 1


async def test_user_fields_only_when_named(desk: Helpdesk) -> None:
    desk.portal.add_userfield("TASKS_TASK", "UF_SLA_CLASS", "string")
    number = new_task(desk, fields={"UF_SLA_CLASS": "Авария"})
    assert "ufSlaClass" not in await task(desk, number)
    assert (await task(desk, number, "ID", "UF_SLA_CLASS"))["ufSlaClass"] == "Авария"
    assert desk.portal.sla("task", number) == {"SLA_CLASS": "Авария"}


async def test_asking_for_one_system_user_field_brings_all_three(desk: Helpdesk) -> None:
    shown = await task(desk, new_task(desk, crm=["D_10", "T80_6"]), "ID", "UF_CRM_TASK")
    assert (shown["ufCrmTask"], shown["ufMailMessage"], shown["ufTaskWebdavFiles"]) == (
        ["D_10", "T80_6"],
        None,
        False,
    )


async def test_crm_links_are_replaced_whole_and_can_be_filtered(desk: Helpdesk) -> None:
    number = new_task(desk, crm=["D_10", "D_11"])
    await desk.call("tasks.task.update", taskId=number, fields={"UF_CRM_TASK": ["D_12"]})
    assert (await found(desk, UF_CRM_TASK="D_12"), await found(desk, UF_CRM_TASK="D_10")) == (["201"], [])


async def test_actions_change_the_status_with_its_traces(desk: Helpdesk) -> None:
    number = new_task(desk)
    await desk.call("tasks.task.start", taskId=number)
    desk.wait(hours=1)
    done = (await desk.call("tasks.task.complete", taskId=number))["task"]
    assert (done["status"], done["closedDate"], done["closedBy"]) == ("5", "2026-11-24T12:00:00+05:00", "9")
    renewed = (await desk.call("tasks.task.renew", taskId=number))["task"]
    assert (renewed["status"], renewed["closedDate"]) == ("2", None)


async def test_history_has_the_user(desk: Helpdesk) -> None:
    number = new_task(desk)
    desk.portal.set_status(number, 5, by=1)
    rows = (await desk.call("tasks.task.history.list", taskId=number))["list"]
    assert [(one["field"], one["value"], one["user"]["id"]) for one in rows] == [
        ("NEW", {"from": None, "to": None}, 1), ("STATUS", {"from": "2", "to": "5"}, 1),
    ]  # fmt: skip


async def test_history_by_field(desk: Helpdesk) -> None:
    number = new_task(desk)
    desk.portal.set_status(number, 5, by=1)
    desk.portal.set_status(number, 3, by=1)
    rows = (await desk.call("tasks.task.history.list", taskId=number, filter={"FIELD": "RENEW"}))["list"]
    assert len(rows) == 1


async def test_status_of_filters_is_the_meta_one(desk: Helpdesk) -> None:
    late = new_task(desk, deadline=datetime(2026, 11, 23, tzinfo=UTC))
    new_task(desk)
    assert await found(desk, STATUS=-1) == [str(late)]
    assert await found(desk, REAL_STATUS=2) == ["202", "201"]
    assert await found(desk, REAL_STATUS=[2, 3]) == ["202", "201"]


async def test_sweep_by_change(desk: Helpdesk) -> None:
    new_task(desk)
    desk.wait(hours=1)
    second = new_task(desk)
    filters: dict[str, Any] = {">=CHANGED_DATE": "2026-11-24T06:30:00+00:00"}
    assert await found(desk, **filters) == [str(second)]


async def test_last_activity_sorts_but_does_not_filter(desk: Helpdesk) -> None:
    first, second = new_task(desk), new_task(desk)
    desk.wait(hours=1)
    desk.portal.task_message(first, "Готово", 9)
    filters: dict[str, Any] = {">=ACTIVITY_DATE": "2026-11-24T06:30:00+00:00"}
    assert await found(desk, **filters) == [str(second), str(first)]
    assert desk.portal.unknown_fields == ["task ACTIVITY_DATE"]
    rows = (await desk.call("tasks.task.list", order={"ACTIVITY_DATE": "desc"}, select=["ID"]))["tasks"]
    assert [one["id"] for one in rows] == [str(first), str(second)]


async def test_talk_does_not_move_the_change_date(desk: Helpdesk) -> None:
    number = new_task(desk)
    desk.wait(hours=1)
    desk.portal.task_message(number, "Готово", 9)
    shown = await task(desk, number)
    assert (shown["changedDate"], shown["activityDate"]) == (
        "2026-11-24T11:00:00+05:00",
        "2026-11-24T12:00:00+05:00",
    )


async def test_others_tasks_are_invisible_to_an_ordinary_user(desk: Helpdesk) -> None:
    number = new_task(desk, responsible=1)
    desk.portal.set_user(9, admin=False)
    assert await desk.call("tasks.task.get", taskId=number) == []
    assert await found(desk) == []
    desk.portal.update_task(number, {"AUDITORS": [9]}, by=1)
    assert await found(desk) == [str(number)]


async def test_hidden_task(desk: Helpdesk) -> None:
    number = new_task(desk)
    desk.portal.hide("task", number)
    assert await desk.call("tasks.task.get", taskId=number) == []


async def test_chat_of_a_task_is_open_to_its_members(desk: Helpdesk) -> None:
    number = new_task(desk, responsible=1)
    chat = f"chat{desk.portal.task(number)['chatId']}"
    desk.portal.task_message(number, "Привет", 1)
    assert await desk.refused("im.dialog.messages.get", DIALOG_ID=chat) == (403, "ACCESS_ERROR")
    await desk.call("tasks.task.update", taskId=number, fields={"AUDITORS": [9]})
    texts = [one["text"] for one in (await desk.call("im.dialog.messages.get", DIALOG_ID=chat))["messages"]]
    assert "Привет" in texts


async def test_system_lines_have_no_author_and_no_uuid(desk: Helpdesk) -> None:
    number = new_task(desk)
    desk.portal.set_status(number, 5, by=9)
    chat = f"chat{desk.portal.task(number)['chatId']}"
    rows = (await desk.call("im.dialog.messages.get", DIALOG_ID=chat))["messages"]
    assert {(one["author_id"], one["uuid"]) for one in rows} == {(0, None)}


async def test_comment_item_still_works_in_the_new_card_but_its_fellows_do_not(desk: Helpdesk) -> None:
    number = new_task(desk)
    made = await desk.call("task.commentitem.add", TASKID=number, FIELDS={"POST_MESSAGE": "Готово"})
    assert desk.portal.messages(f"chat{desk.portal.task(number)['chatId']}")[-1]["id"] == made
    assert (await desk.refused("task.commentitem.getlist", TASKID=number))[0] == 400


async def test_old_card_has_comments_and_no_chat() -> None:
    desk = Helpdesk(SELF_HOSTED)
    number = new_task(desk)
    desk.portal.task_message(number, "Готово", 9)
    (comment,) = await desk.call("task.commentitem.getlist", TASKID=number)
    assert (comment["POST_MESSAGE"], comment["AUTHOR_ID"]) == ("Готово", "9")
    assert "chatId" not in await task(desk, number)


async def test_kanban(desk: Helpdesk) -> None:
    group = desk.portal.add_project("Обращения с сайта", ("Новые", "В работе"))
    first, second = desk.portal.project_stages(group)
    number = new_task(desk, group=group)
    stages = await desk.call("task.stages.get", entityId=group)
    assert [one["TITLE"] for one in stages.values()] == ["Новые", "В работе"]
    await desk.call("task.stages.movetask", id=number, stageId=second)
    shown = await task(desk, number)
    assert (desk.portal.task(number)["stageId"], shown["group"]["name"]) == (str(second), "Обращения с сайта")
    assert str(first) in stages


async def test_task_by_rest_with_everything(desk: Helpdesk) -> None:
    fields = {"TITLE": "Задача", "RESPONSIBLE_ID": 1, "DEADLINE": "2026-11-24T12:00:00", "TAGS": ["касса"]}
    made = (await desk.call("tasks.task.add", fields=fields))["task"]
    assert (made["createdBy"], made["responsibleId"], made["deadline"]) == (
        "9",
        "1",
        "2026-11-24T14:00:00+05:00",
    )
    assert await desk.call("tasks.task.delete", taskId=made["id"]) == {"task": True}
    assert await desk.call("tasks.task.get", taskId=made["id"]) == []


async def test_fields_are_described(desk: Helpdesk) -> None:
    desk.portal.add_userfield("TASKS_TASK", "UF_SLA_DUE", "datetime")
    fields = (await desk.call("tasks.task.getFields"))["fields"]
    assert (fields["UF_SLA_DUE"]["type"], fields["STATUS"]["values"]["5"]) == ("datetime", "Завершена")


async def test_unknown_responsible_and_status_are_refused(desk: Helpdesk) -> None:
    number = new_task(desk)
    for fields in ({"RESPONSIBLE_ID": 404}, {"STATUS": 9}):
        assert await desk.refused("tasks.task.update", taskId=number, fields=fields) == (400, "ERROR_CORE")


async def test_old_card_comments_are_edited_and_deleted_with_events() -> None:
    desk = Helpdesk(replace(UNLIMITED, task_card="comments"))
    number = new_task(desk)
    comment = await desk.call("task.commentitem.add", TASKID=number, FIELDS={"POST_MESSAGE": "Проверим"})
    desk.portal.drop_pending()
    desk.portal.subscribe(HANDLER, "t")
    await desk.call("task.commentitem.update", TASKID=number, ITEMID=comment, FIELDS={"POST_MESSAGE": "Да"})
    assert (await desk.call("task.commentitem.get", TASKID=number, ITEMID=comment))["POST_MESSAGE"] == "Да"
    await desk.call("task.commentitem.delete", TASKID=number, ITEMID=comment)
    forms = await desk.heard()
    told = [(form["event"], form["data[FIELDS_AFTER][ACTION]"]) for form in forms]
    assert sorted(told) == [("ONTASKCOMMENTDELETE", "DEL"), ("ONTASKCOMMENTUPDATE", "EDIT")]


async def test_portal_of_the_new_card_may_hold_a_task_without_a_chat(desk: Helpdesk) -> None:
    number = new_task(desk, card="comments")
    assert "chatId" not in await task(desk, number)
    desk.portal.task_message(number, "По-старому", 1)
    rows = await desk.call("task.commentitem.getlist", TASKID=number)
    assert [row["POST_MESSAGE"] for row in rows] == ["По-старому"]


async def test_who_may_read_a_task_may_watch_it(desk: Helpdesk) -> None:
    number = new_task(desk, responsible=1)
    await desk.call("tasks.task.startwatch", taskId=number)
    assert "9" in (await task(desk, number, "AUDITORS"))["auditors"]


async def test_kanban_move_by_its_title() -> None:
    desk = Helpdesk(replace(UNLIMITED, kanban_history="STAGE"))
    group = desk.portal.add_project("Сайт", ("Новые", "Ждём клиента"))
    waiting = list(desk.portal.project_stages(group))[1]
    number = new_task(desk, group=group)
    desk.portal.move_task(number, waiting, 1)
    rows = (await desk.call("tasks.task.history.list", taskId=number))["list"]
    assert [row["value"] for row in rows if row["field"] == "STAGE"] == [
        {"from": "Новые", "to": "Ждём клиента"}
    ]
