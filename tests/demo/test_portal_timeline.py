"""Activities and timeline comments of the emulated portal (emulator-notes.md G)."""

import pytest

from tests.demo.helpdesk import HANDLER, Helpdesk

pytestmark = pytest.mark.anyio


async def test_activities_are_strings_with_direction_and_author(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка", assigned=1)
    desk.portal.add_email((2, number), 2, "Re: касса", "Готово", by=9)
    (mail,) = await desk.call("crm.activity.list", filter={"OWNER_TYPE_ID": 2, "OWNER_ID": number})
    assert [mail[name] for name in ("TYPE_ID", "DIRECTION", "AUTHOR_ID", "COMPLETED", "DESCRIPTION")] == [
        "4", "2", "9", "Y", "Готово",
    ]  # fmt: skip


async def test_second_binding_is_found_only_by_bindings(desk: Helpdesk) -> None:
    first, second = desk.portal.add_deal("Первая"), desk.portal.add_deal("Вторая")
    desk.portal.add_email((2, first), 1, bindings=[(2, second)])
    bindings = [{"OWNER_TYPE_ID": 2, "OWNER_ID": second}]
    assert await desk.call("crm.activity.list", filter={"OWNER_TYPE_ID": 2, "OWNER_ID": second}) == []
    assert len(await desk.call("crm.activity.list", filter={"BINDINGS": bindings})) == 1


async def test_activity_bound_later(desk: Helpdesk) -> None:
    contact, deal = desk.portal.add_contact("Иван"), desk.portal.add_deal("Сделка")
    mail = desk.portal.add_email((3, contact), 1)
    desk.portal.subscribe(HANDLER, "token")
    desk.portal.bind_activity(mail, (2, deal))
    assert len(desk.portal.activities((2, deal))) == 1
    assert await desk.heard_names() == ["ONCRMACTIVITYUPDATE"]


async def test_missed_and_planned_calls(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.add_call((2, number), 1, answered=False)
    desk.portal.add_call((2, number), 2, completed=False)
    missed, planned = desk.portal.activities((2, number))
    assert (missed["SETTINGS"], planned["COMPLETED"]) == ({"MISSED_CALL": True}, "N")


async def test_open_line_session(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.add_open_line((2, number), session=42)
    (line,) = await desk.call("crm.activity.list", filter={"PROVIDER_ID": "IMOPENLINES_SESSION"})
    assert line["ASSOCIATED_ENTITY_ID"] == "42"


async def test_new_activities_are_caught_up_by_id(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    first = desk.portal.add_email((2, number), 1)
    second = desk.portal.add_email((2, number), 2)
    rows = await desk.call(
        "crm.activity.list", filter={">ID": first}, order={"ID": "ASC"}, select=["ID"], start=-1
    )
    assert rows == [{"ID": str(second)}]


async def test_activity_added_changed_and_deleted_by_rest(desk: Helpdesk) -> None:
    owner = {"OWNER_TYPE_ID": 2, "OWNER_ID": desk.portal.add_deal("Сделка")}
    fields = owner | {"TYPE_ID": 2, "SUBJECT": "Звонок", "COMMUNICATIONS": [{"VALUE": "+70000000000"}]}
    number = await desk.call("crm.activity.add", fields=fields)
    await desk.call("crm.activity.update", id=number, fields={"COMPLETED": "Y"})
    assert (await desk.call("crm.activity.get", id=number))["STATUS"] == "2"
    assert await desk.call("crm.activity.delete", id=number) is True
    assert await desk.refused("crm.activity.get", id=number) == (400, "")


async def test_todo_needs_a_readable_deadline(desk: Helpdesk) -> None:
    owner = {"ownerTypeId": 2, "ownerId": desk.portal.add_deal("Сделка")}
    assert await desk.refused("crm.activity.todo.add", **owner, deadline="soon") == (
        400,
        "WRONG_DATETIME_FORMAT",
    )
    made = await desk.call(
        "crm.activity.todo.add", **owner, deadline="2026-11-24T12:00:00", title="Позвонить"
    )
    assert (await desk.call("crm.activity.get", id=made["id"]))["DEADLINE"] == "2026-11-24T12:00:00+03:00"


async def test_comments_of_a_deal_and_of_a_smart_item(desk: Helpdesk) -> None:
    entity_type, _ = desk.portal.add_type("Заявка")
    numbers = {
        "deal": desk.portal.add_deal("x"),
        f"dynamic_{entity_type}": desk.portal.add_item(entity_type, "x"),
    }
    for kind, number in numbers.items():
        fields = {"ENTITY_ID": number, "ENTITY_TYPE": kind, "COMMENT": f"о {kind}"}
        await desk.call("crm.timeline.comment.add", fields=fields)
    rows = await desk.call(
        "crm.timeline.comment.list", filter={"ENTITY_TYPE": "deal", "ENTITY_ID": numbers["deal"]}
    )
    assert [one["COMMENT"] for one in rows] == ["о deal"]
    assert desk.portal.timeline(entity_type, 1)[0]["author"] == 9


async def test_comment_to_nothing_and_to_what_may_not_be_read(desk: Helpdesk) -> None:
    fields = {"ENTITY_ID": 404, "ENTITY_TYPE": "deal", "COMMENT": "x"}
    assert await desk.refused("crm.timeline.comment.add", fields=fields) == (400, "OWNER_NOT_FOUND")
    fields["ENTITY_ID"] = desk.portal.add_deal("x")
    desk.portal.hide(2, desk.portal.world.ids["item2"])
    assert await desk.refused("crm.timeline.comment.add", fields=fields) == (400, "ACCESS_DENIED")


async def test_comment_changed_and_deleted(desk: Helpdesk) -> None:
    number = desk.portal.add_timeline_note((2, desk.portal.add_deal("x")), "Заметка")
    desk.portal.subscribe(HANDLER, "token")
    for text in ("Иначе", "Иначе"):
        await desk.call("crm.timeline.comment.update", id=number, fields={"COMMENT": text})
    assert (await desk.call("crm.timeline.comment.get", id=number))["COMMENT"] == "Иначе"
    await desk.call("crm.timeline.comment.delete", id=number)
    assert sorted(await desk.heard_names()) == ["ONCRMTIMELINECOMMENTDELETE", "ONCRMTIMELINECOMMENTUPDATE"]


async def test_talk_moves_the_items_last_activity_but_not_its_change(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.wait(hours=1)
    desk.portal.add_email((2, number), 1)
    item = (await desk.call("crm.item.get", entityTypeId=2, id=number))["item"]
    assert (item["updatedTime"], item["lastActivityTime"]) == (
        "2026-11-24T09:00:00+03:00",
        "2026-11-24T10:00:00+03:00",
    )
