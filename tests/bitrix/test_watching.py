"""Becoming an auditor of a task, and of nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.bitrix.portal import MessageWork, Unwritten, Written
from app.model import ItemRef, Message, MessageKind

if TYPE_CHECKING:
    from .conftest import World

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="the old card is open to administrators"),
]


def wish(task: ItemRef) -> MessageWork:
    return MessageWork(Message(f"{task}/join", MessageKind.WATCH, str(task), "", task))


def auditors(world: World, task: ItemRef) -> list[str]:
    found: list[str] = world.emulated.task(task.id)["auditors"]
    return found


async def test_chat_can_be_read_afterwards(world: World) -> None:
    task = world.task(auditors=(world.agent,))
    world.emulated.task_message(task.id, "Когда?", by=1)
    assert "replies_unreadable" in (await world.reading(task)).notes
    assert await world.portal.write([wish(task)]) == [Written()]
    reading = await world.reading(task)
    assert [said.text for said in reading.utterances] == ["Когда?"]
    assert auditors(world, task) == ["9", str(world.agent)]


async def test_where_watching_is_refused_the_list_is_written_whole(world: World) -> None:
    task = world.task(auditors=(world.agent,))
    world.emulated.faults.fail("tasks.task.startwatch", "access")
    assert await world.portal.write([wish(task)]) == [Written()]
    assert auditors(world, task) == ["9", str(world.agent)]


async def test_auditor_already_is_written_nowhere(world: World) -> None:
    task = world.task()
    world.emulated.faults.fail("tasks.task.startwatch", "access")
    assert await world.portal.write([wish(task)]) == [Written()]
    assert world.emulated.calls_of("tasks.task.update") == 0


async def test_task_that_lets_nobody_in_is_told_with_what_to_do(world: World) -> None:
    task = world.task(auditors=())
    world.emulated.faults.fail("tasks.task.startwatch", "access")
    world.emulated.faults.fail("tasks.task.update", "access")
    [told] = await world.portal.write([wish(task)])
    assert isinstance(told, Unwritten)
    assert told.final
    assert "добавьте владельца вебхука" in told.error


async def test_wishes_of_many_tasks_are_one_request(world: World) -> None:
    tasks = [world.task(auditors=()) for _ in range(20)]
    before = world.portal.traffic.requests
    told = await world.portal.write([wish(task) for task in tasks])
    assert (set(map(type, told)), world.portal.traffic.requests - before) == ({Written}, 1)


async def test_portal_that_is_away_is_asked_again(world: World) -> None:
    world.emulated.faults.down = True
    [told] = await world.portal.write([wish(world.task(auditors=()))])
    assert isinstance(told, Unwritten)
    assert not told.final
