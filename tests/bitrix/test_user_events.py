"""The queue of what is said where we are a member: task chats and open lines, seen without an event."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.bitrix.user_events import ABSENT, heard, whose
from app.bitrix.wire import Answer
from app.model import ItemRef, Kind

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="chats of tasks are the new card's")]
DEAL = ItemRef(Kind.DEAL, 41)


async def listening(world: World) -> dict[str, str]:
    """The marks after the first look, which subscribes."""
    return dict((await world.portal.talked({})).marks)


async def test_word_in_a_tasks_chat_names_the_task(world: World) -> None:
    task = world.task()
    marks = await listening(world)
    world.emulated.task_message(task.id, "Когда почините?", by=1)
    told = await world.portal.talked(marks)
    assert told.refs == (task,)
    assert (await world.portal.talked(told.marks)).refs == ()


async def test_look_is_one_request_and_one_command(world: World) -> None:
    marks = await listening(world)
    requests, commands = world.portal.traffic.requests, world.portal.traffic.commands.total()
    await world.portal.talked(marks)
    assert (world.portal.traffic.requests - requests, world.portal.traffic.commands.total() - commands) == (
        1,
        1,
    )


async def test_what_was_not_stored_is_told_again(world: World) -> None:
    task = world.task()
    marks = await listening(world)
    world.emulated.task_message(task.id, "Ау", by=1)
    first = await world.portal.talked(marks)
    assert (await world.portal.talked(marks)).refs == first.refs


async def test_our_own_words_and_the_systems_name_nobody(world: World) -> None:
    task = world.task()
    marks = await listening(world)
    world.emulated.task_message(task.id, "SLA: стандартное", by=9)
    world.emulated.set_status(task.id, 3, by=world.agent)
    assert (await world.portal.talked(marks)).refs == ()


async def test_open_line_names_the_item_of_its_session(world: World) -> None:
    deal = world.deal()
    line = world.emulated.open_line_of(world.emulated.add_open_line((2, deal.id), by=world.agent))
    world.emulated.add_to_chat(world.emulated.line_dialog(line), [9])
    marks = await listening(world)
    world.emulated.open_line_says(line, "Не открывается", "client")
    assert (await world.portal.talked(marks)).refs == (deal,)


async def test_group_chats_of_people_are_no_concern_of_ours(world: World) -> None:
    chat = world.emulated.add_chat("Обед", [1, 9])
    marks = await listening(world)
    world.emulated.say(chat, "Кто куда?", 1)
    asked = world.emulated.calls_of("im.dialog.get")
    assert (await world.portal.talked(marks)).refs == ()
    assert world.emulated.calls_of("im.dialog.get") == asked


async def test_sweep_looks_too_in_the_same_request(world: World) -> None:
    task = world.task()
    before = await world.portal.changes({})
    world.clock.advance(timedelta(minutes=10))
    requests = world.portal.traffic.requests
    quiet = await world.portal.changes(before.marks)
    assert world.portal.traffic.requests == requests + 1
    world.emulated.task_message(task.id, "Ау", by=1)
    assert task in (await world.portal.changes(quiet.marks)).refs


async def test_portal_without_the_queue_is_asked_once_a_day(make: Make) -> None:
    world = make()
    for _ in range(2):
        world.emulated.faults.fail("im.v2.Event.subscribe", "not_found")
        world.emulated.faults.fail("im.v2.Event.get", "not_found")
    for _ in range(3):
        told = await world.portal.talked({})
        assert (told.refs, told.failed) == ((), ())
    assert world.emulated.calls_of("im.v2.Event.get") == 1
    world.clock.advance(ABSENT)
    await world.portal.talked({})
    assert world.emulated.calls_of("im.v2.Event.get") == 2


async def test_look_that_failed_keeps_its_mark(world: World) -> None:
    marks = await listening(world)
    world.emulated.faults.fail("im.v2.Event.get", "internal")
    told = await world.portal.talked(marks)
    assert (told.refs, dict(told.marks), len(told.failed)) == ((), {}, 1)


async def test_line_that_cannot_be_asked_about_now_keeps_the_mark(world: World) -> None:
    deal = world.deal()
    line = world.emulated.open_line_of(world.emulated.add_open_line((2, deal.id), by=world.agent))
    world.emulated.add_to_chat(world.emulated.line_dialog(line), [9])
    marks = await listening(world)
    world.emulated.open_line_says(line, "Не открывается", "client")
    world.emulated.faults.fail("im.dialog.get", "internal")
    assert not (await world.portal.talked(marks)).marks
    assert (await world.portal.talked(marks)).refs == (deal,)


# --- odd answers -------------------------------------------------------------------------


TASK = {"id": 15, "entityType": "TASKS_TASK", "entityId": "7"}
LINE = {"id": 15, "entityType": "LINES", "entityId": "telegram|1|2|3"}
BY_CLIENT = {"chatId": 15, "authorId": 1}
OTHER_DATA = {"entity_type": "LINES", "entity_data_1": "", "entity_data_2": "LEAD|0|DEAL|42"}


def event(message: dict[str, Any], chat: dict[str, Any] | None = None) -> dict[str, Any]:
    data = {"message": message} | ({} if chat is None else {"chat": chat})
    return {"eventId": 1, "type": "ONIMV2MESSAGEADD", "data": data}


@pytest.mark.parametrize(
    ("told", "tasks", "chats"),
    [
        (event(BY_CLIENT, TASK), [7], []),
        (event(BY_CLIENT, LINE), [], [15]),
        (event(BY_CLIENT), [], [15]),  # an answer that does not tell whose chat it is
        (event({"chatId": 15, "authorId": 9}), [], []),  # our own
        (event({"chatId": 15}), [], [15]),
        ({"eventId": 1, "type": "ONIMV2REACTIONCHANGE", "data": []}, [], []),
        ({"eventId": 1, "type": "X"}, [], []),
    ],
)  # fmt: skip
def test_event_tells_where_somebody_spoke(told: dict[str, Any], tasks: list[int], chats: list[int]) -> None:
    found = heard([told], {9})
    assert ([ref.id for ref in found.tasks], list(found.chats)) == (tasks, chats)


@pytest.mark.parametrize(
    ("chat", "wanted"),
    [
        ({"entity_type": "TASKS_TASK", "entity_id": "7"}, [ItemRef(Kind.TASK, 7)]),
        ({"entity_type": "LINES", "entity_data_1": "Y|DEAL|41|N|N|405|0|0"}, [DEAL]),
        ({"entity_type": "LINES", "entity_data_1": "Y|CONTACT|5|N|N|405|0|0"}, [DEAL]),  # by its session
        (OTHER_DATA, [ItemRef(Kind.DEAL, 42)]),
        ({"entity_type": "LINES", "entity_data_1": "Y|DYNAMIC_177|5|N|N|6"}, [ItemRef(Kind.ITEM, 5, 177)]),
        ({"entity_type": "LINES", "entity_data_1": "Y|DYNAMIC_178|5|N|N|6"}, []),  # no source of ours
        ({"entity_type": "CALENDAR", "entity_id": "7"}, []),
        ([], []),
    ],
)  # fmt: skip
def test_chat_tells_whose_it_is(chat: Any, wanted: list[ItemRef]) -> None:
    [asked] = heard([event(BY_CLIENT)], ()).questions().values()
    asked.take([Answer(chat)])
    assert whose({15: asked}, {DEAL: {"line:405": 1}}, (2, 177)) == wanted
