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
