"""im.v2.Event.*: the queue of a user's chats."""

from __future__ import annotations

import pytest

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


async def told(desk: Helpdesk, **params: int) -> tuple[list[str], int, bool]:
    answer = await desk.call("im.v2.Event.get", **params)
    events = [f"{one['type']} {one['data']['message']['text']}" for one in answer["events"]]
    return events, answer["nextOffset"], answer["hasMore"]


async def test_nothing_is_kept_before_the_subscription(desk: Helpdesk) -> None:
    chat = desk.portal.add_chat("Поддержка", [1, 9])
    desk.portal.say(chat, "Раньше", 1)
    assert await desk.call("im.v2.Event.subscribe") is True
    desk.portal.say(chat, "Потом", 1)
    assert (await told(desk))[0] == ["ONIMV2MESSAGEADD Потом"]


async def test_only_chats_of_the_user_are_told(desk: Helpdesk) -> None:
    await desk.call("im.v2.Event.subscribe")
    desk.portal.say(desk.portal.add_chat("Чужой", [1]), "Не для нас", 1)
    assert (await told(desk))[0] == []


async def test_next_offset_acknowledges(desk: Helpdesk) -> None:
    await desk.call("im.v2.Event.subscribe")
    chat = desk.portal.add_chat("Поддержка", [1, 9])
    for text in ("Один", "Два", "Три"):
        desk.portal.say(chat, text, 1)
    first, following, more = await told(desk, limit=2)
    assert (len(first), more) == (2, True)
    assert await told(desk, limit=2) == (first, following, more)  # not acknowledged: told again
    rest, last, more = await told(desk, offset=following)
    assert (rest, more) == (["ONIMV2MESSAGEADD Три"], False)
    assert await told(desk, offset=last) == ([], last, False)


async def test_change_and_deletion_are_told_too(desk: Helpdesk) -> None:
    await desk.call("im.v2.Event.subscribe")
    task = desk.portal.add_task("КПП", created_by=1, responsible=1, auditors=(9,))
    message = desk.portal.task_message(task, "Опечатка", 1)
    desk.portal.edit_task_message(message, "Исправлено")
    desk.portal.delete_task_message(message)
    kinds = [line.split()[0] for line in (await told(desk))[0]]
    assert kinds[-3:] == ["ONIMV2MESSAGEADD", "ONIMV2MESSAGEUPDATE", "ONIMV2MESSAGEDELETE"]


async def test_unsubscribed_user_hears_nothing(desk: Helpdesk) -> None:
    await desk.call("im.v2.Event.subscribe")
    await desk.call("im.v2.Event.unsubscribe")
    desk.portal.say(desk.portal.add_chat("Поддержка", [1, 9]), "Мимо", 1)
    assert (await told(desk))[0] == []


# --- bots --------------------------------------------------------------------------------


async def bot_of(desk: Helpdesk, **more: str) -> dict[str, object]:
    fields = {"code": "sla", "botToken": "secret", "properties": {"name": "Сроки"}} | more
    number = (await desk.call("imbot.v2.Bot.register", fields=fields))["bot"]["id"]
    return {"botId": number, "botToken": "secret"}


async def test_bot_that_fetches_hears_what_is_said_to_it(desk: Helpdesk) -> None:
    bot = await bot_of(desk)
    group = desk.portal.add_chat("Поддержка", [1, 9, int(str(bot["botId"]))])
    desk.portal.say(group, "Между собой", 1)
    desk.portal.say(group, f"[USER={bot['botId']}]Сроки[/USER], что горит?", 1)
    await desk.call("imbot.v2.Chat.Message.send", **bot, dialogId=group, fields={"message": "Ничего"})
    answer = await desk.call("imbot.v2.Event.get", **bot)
    assert [one["type"] for one in answer["events"]] == ["ONIMBOTV2MESSAGEADD"]
    assert (await desk.call("imbot.v2.Event.get", **bot, offset=answer["nextOffset"]))["events"] == []


async def test_bot_that_is_posted_to_has_no_queue(desk: Helpdesk) -> None:
    bot = await bot_of(desk, eventMode="webhook", webhookUrl="https://service.test/bot")
    desk.portal.say(desk.portal.add_chat("", [1, int(str(bot["botId"]))]), f"[USER={bot['botId']}]Привет", 1)
    assert (await desk.call("imbot.v2.Event.get", **bot))["events"] == []


async def test_owners_own_events_come_with_the_bots_on_wish(desk: Helpdesk) -> None:
    bot = await bot_of(desk, type="supervisor")
    await desk.call("im.v2.Event.subscribe")
    desk.portal.say(desk.portal.add_chat("Поддержка", [1, 9, int(str(bot["botId"]))]), "Слово", 1)
    both = (await desk.call("imbot.v2.Event.get", **bot, withUserEvents=True))["events"]
    assert [one["type"] for one in both] == ["ONIMV2MESSAGEADD", "ONIMBOTV2MESSAGEADD"]


async def test_strangers_bot_is_not_heard(desk: Helpdesk) -> None:
    refusal = await desk.refused("imbot.v2.Event.get", botId=777, botToken="secret")
    assert refusal == (400, "BOT_NOT_FOUND")
