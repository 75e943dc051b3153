"""What the service says in tasks: once, by REST 3.0 or without it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx
import pytest

from app.bitrix.access import Key
from app.bitrix.errors import Misconfigured, Refused
from app.bitrix.oauth import NoKey
from app.bitrix.portal import MessageWork, Portal, Unwritten, Written
from app.bitrix.rest3 import SINGLY, key_of
from app.bitrix.wire import Command
from app.demo.portal import CLOUD_STD, SELF_HOSTED, UNLIMITED
from app.model import ItemRef, Message, MessageKind

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="each test names its portal")]
SEND = "tasks.task.chat.message.send"
TEXT = "SLA: стандартное, ответ до 13:00"


def word(task: ItemRef, text: str = TEXT, key: str = "") -> MessageWork:
    named = key or f"{task}/1/comment/class/standard/0"
    return MessageWork(Message(named, MessageKind.TIMELINE, str(task), text, ref=task))


async def said(world: World, *works: MessageWork) -> list[Written | Unwritten]:
    return await world.portal.write(works)


def words(world: World, task: ItemRef) -> list[str]:
    return [text for author, text in world.emulated.task_words(task.id) if author == 9]


async def test_word_goes_by_version_three(world: World) -> None:
    task = world.task()
    assert await said(world, word(task)) == [Written()]
    assert (words(world, task), world.emulated.calls_of("task.commentitem.add")) == ([TEXT], 0)


async def test_word_is_heard_where_we_may_not_read(world: World) -> None:
    task = world.task(auditors=())
    await said(world, word(task))
    assert words(world, task) == [TEXT]


async def test_repeat_after_a_timeout_is_not_heard_twice(world: World) -> None:
    task = world.task(auditors=())
    world.emulated.faults.fail(SEND, "timeout_after_apply")
    [first] = await said(world, word(task))
    assert isinstance(first, Unwritten)
    assert first.unknown_fate
    assert await world.portal.find_said(word(task).message, TEXT) is None  # nobody lets us look
    assert await said(world, word(task)) == [Written()]
    assert words(world, task) == [TEXT]


async def test_word_said_before_in_other_words_is_said(world: World) -> None:
    task = world.task()
    await said(world, word(task))
    assert await said(world, word(task, "SLA: иначе")) == [Written()]
    assert words(world, task) == [TEXT]


@pytest.mark.parametrize("profile", [SELF_HOSTED, replace(UNLIMITED, v3=False)])
async def test_portal_without_version_three(make: Make, profile: object) -> None:
    world = make(profile)
    task = world.task()
    for number in range(2):
        [told] = await said(world, word(task, f"{TEXT} {number}", f"k{number}"))
        assert isinstance(told, Written)
        assert told.portal_id
    assert len(words(world, task)) == 2
    assert world.emulated.refused["ERROR_METHOD_NOT_FOUND"] == 1  # asked once, remembered


async def test_webhook_without_the_scope_of_version_three(world: World) -> None:
    task = world.task()
    path = world.emulated.add_webhook(9, ["task", "im"])
    config = replace(world.config, webhook=f"http://portal.test{path}")
    portal = Portal(config, world.clock, httpx.ASGITransport(app=world.emulated.app))
    [told] = await portal.write([word(task)])
    await portal.close()
    assert isinstance(told, Written)
    assert words(world, task) == [TEXT]


async def test_task_without_a_chat_on_a_portal_of_the_new_card(world: World) -> None:
    task = world.task(card="comments")
    [told] = await said(world, word(task))
    assert isinstance(told, Written)
    assert words(world, task) == [TEXT]


async def test_where_comments_are_refused_the_chat_takes_it(make: Make) -> None:
    world = make(replace(UNLIMITED, v3=False))
    task = world.task()
    world.emulated.faults.fail("task.commentitem.add", "access")
    await said(world, word(task))
    assert words(world, task) == [TEXT]


@pytest.mark.parametrize("card", ["chat", "comments"])
async def test_word_of_unknown_fate_is_found_in_both_cards(make: Make, card: str) -> None:
    world = make(replace(UNLIMITED, v3=False))
    task = world.task(card=card)
    await said(world, word(task))
    message = word(task).message
    assert await world.portal.find_said(message, TEXT)
    assert await world.portal.find_said(message, "SLA: другое") is None


async def test_word_that_cannot_be_looked_for_is_not_repeated_without_version_three(make: Make) -> None:
    world = make(replace(UNLIMITED, v3=False))
    task = world.task(auditors=())
    with pytest.raises(Refused):
        await world.portal.find_said(word(task).message, TEXT)


async def test_few_words_at_a_time_go_singly_and_the_rest_wait(world: World) -> None:
    tasks = [world.task() for _ in range(SINGLY + 3)]
    told = await said(world, *map(word, tasks))
    waiting = [one for one in told if isinstance(one, Unwritten)]
    assert len(waiting) == 3
    assert not any(one.final or one.unknown_fate for one in waiting)
    assert [one.retry_at for one in waiting] == [world.clock.now()] * 3


async def test_words_leave_the_bucket_to_what_is_urgent(make: Make) -> None:
    world = make(CLOUD_STD)
    for _ in range(40):
        await world.portal._client.call(Command("server.time"))
    [told] = await said(world, word(world.task()))
    assert isinstance(told, Unwritten)
    assert told.retry_at is not None
    assert told.retry_at > world.clock.now()


async def test_door_without_version_three_does_not_shut_us_out(world: World) -> None:
    client = world.portal._client
    world.emulated.faults.fail("rest.scope.list", "credentials")
    with pytest.raises(Misconfigured):
        await client.call_3(Command("rest.scope.list"))
    assert client.shut is None
    assert (await world.portal.check())[0].level == "OK"


async def test_want_of_a_token_says_nothing_of_version_three(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, task = world.portal._client, world.task()

    async def no_key() -> Key:
        raise NoKey("invalid_grant", "токен использован")

    with monkeypatch.context() as patch:
        patch.setattr(client._access, "key", no_key)
        await said(world, word(task))
        assert client.shut is not None
    client.let_in()
    asked = world.emulated.calls_of(SEND)
    await said(world, word(task))
    assert world.emulated.calls_of(SEND) == asked + 1


def test_key_is_printable_short_and_the_same() -> None:
    key = key_of("task:17/1/comment/class/emergency/0")
    assert (
        key == key_of("task:17/1/comment/class/emergency/0") != key_of("task:18/1/comment/class/emergency/0")
    )
    assert key.isascii()
    assert key.isprintable()
    assert len(key) < 255
