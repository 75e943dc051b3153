"""Tasks of both cards, also on one portal: who spoke, what became of words, where the kanban stands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.bitrix.kanban import columns_of
from app.bitrix.portal import Unread
from app.bitrix.tasks import task_moves
from app.demo.portal import UNLIMITED, Profile
from app.model import ItemRef, Reading, Side

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio
CARDS = ("chat", "comments")


def sides(reading: Reading) -> list[Side]:
    return [said.side for said in reading.utterances]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    ("author", "speaker", "wanted"),
    [
        ("colleague", "author", Side.CLIENT),
        ("colleague", "agent", Side.OURS),
        ("colleague", "another colleague", Side.OURS),
        ("colleague", "guest", Side.CLIENT),
        ("colleague", "by mail", Side.CLIENT),
        ("colleague", "service", Side.NOBODY),
        ("agent", "agent", Side.OURS),  # entered for a client by who does it
        ("agent", "another colleague", Side.OURS),
        ("agent", "guest", Side.CLIENT),
        ("guest", "author", Side.CLIENT),
        ("guest", "another colleague", Side.OURS),
    ],
)
async def test_who_spoke_in_a_task(world: World, card: str, author: str, speaker: str, wanted: Side) -> None:
    add = world.emulated.add_user
    people = {"colleague": 1, "agent": world.agent, "service": 9}
    people |= {"guest": add("Гость", "Внешний", extranet=True), "by mail": add("Почта", "Ивана", mail=True)}
    people["another colleague"] = add("Борис", "Другов")
    task = world.task(created_by=people[author], card=card)
    world.emulated.update_task(task.id, {"ACCOMPLICES": sorted(people.values())}, by=1)
    world.emulated.task_message(task.id, "Слово", by=people.get(speaker) or people[author])
    await world.portal.people()
    assert sides(await world.reading(task)) == [wanted]


@pytest.mark.parametrize("card", CARDS)
async def test_both_cards_stand_on_one_portal(world: World, card: str) -> None:
    task = world.task(card=card)
    world.emulated.task_message(task.id, "Когда?", by=1)
    world.emulated.task_message(task.id, "Завтра", by=world.agent)
    await world.portal.people()
    reading = await world.reading(task)
    assert (sides(reading), reading.notes) == ([Side.CLIENT, Side.OURS], ())


@pytest.mark.portals("cloud-std", reason="the new card's chat")
async def test_system_lines_of_the_chat_are_nobodys(world: World) -> None:
    task = world.task()
    world.emulated.set_status(task.id, 3, by=world.agent)
    world.emulated.update_task(task.id, {"DEADLINE": "2026-11-25T12:00:00+03:00"}, by=world.agent)
    lines = world.emulated.messages(world.emulated.task_dialog(task.id))
    assert len(lines) >= 3
    assert (await world.reading(task)).utterances == ()


async def test_old_cards_own_lines_are_nobodys(world: World) -> None:
    task = world.task(card="comments")
    world.emulated.task_message(task.id, "commentAuxTaskInfo", by=world.agent)
    assert (await world.reading(task)).utterances == ()


@pytest.mark.parametrize("card", CARDS)
async def test_word_that_was_changed_or_taken_back(world: World, card: str) -> None:
    task = world.task(card=card)
    kept = world.emulated.task_message(task.id, "Заврта", by=world.agent)
    gone = world.emulated.task_message(task.id, "Не туда", by=world.agent)
    before = await world.reading(task)
    world.emulated.edit_task_message(kept, "Завтра")
    world.emulated.delete_task_message(gone)
    after = await world.reading(task)
    assert [said.text for said in after.utterances] == ["Завтра"]
    assert after.utterances[0].key == before.utterances[0].key


async def test_who_wrote_is_asked_once(world: World) -> None:
    task = world.task(card="comments")
    stranger = world.emulated.add_user("Почта", "Ивана", mail=True)
    world.emulated.task_message(task.id, "Когда?", by=stranger)
    before = world.emulated.calls_of("user.get")
    for _ in range(2):
        assert sides(await world.reading(task)) == [Side.CLIENT]
    assert world.emulated.calls_of("user.get") == before + 1


async def test_nothing_is_read_before_it_is_known_who_wrote(world: World) -> None:
    task = world.task(card="comments")
    world.emulated.task_message(task.id, "Когда?", by=world.emulated.add_user("Почта", "Ивана", mail=True))
    world.emulated.faults.fail("user.get", "internal")
    [told] = await world.read(task)
    assert isinstance(told, Unread)
    assert not told.final


@pytest.mark.parametrize("card", CARDS)
async def test_it_is_told_who_reads_along(world: World, card: str) -> None:
    guest = world.emulated.add_user("Гость", "Внешний", extranet=True)
    inside, outside = world.task(card=card), world.task(card=card, auditors=(9, guest))
    await world.portal.people()
    assert (await world.reading(inside)).notes == ()
    assert (await world.reading(outside)).notes == ("outsiders_read",)


# --- the kanban --------------------------------------------------------------------------


async def moves_of(world: World, task: ItemRef) -> list[str]:
    return [move.stage for move in (await world.reading(task)).moves]


@pytest.mark.parametrize("portal", [UNLIMITED, replace(UNLIMITED, kanban_history="STAGE")])
async def test_columns_are_read_from_the_log_by_number_or_title(make: Make, portal: Profile) -> None:
    world = make(portal)
    task = world.task()
    _, doing, done = world.emulated.project_stages(world.project)
    for stage in (doing, done, doing):
        world.clock.advance(timedelta(minutes=5))
        world.emulated.move_task(task.id, stage, by=world.agent)
    assert await moves_of(world, task) == ["2", f"stage:{doing}", f"stage:{done}", f"stage:{doing}"]


async def test_titles_are_asked_once_an_hour(make: Make) -> None:
    world = make(replace(UNLIMITED, kanban_history="STAGE"))
    tasks = [world.task() for _ in range(3)]
    for task in tasks:
        world.emulated.move_task(task.id, list(world.emulated.project_stages(world.project))[1], by=1)
    await world.read(*tasks)
    await world.read(*tasks)
    assert world.emulated.calls_of("task.stages.get") == 1


async def test_column_that_was_renamed_since_is_known_where_the_task_stands(make: Make) -> None:
    world = make(replace(UNLIMITED, kanban_history="STAGE"))
    task, stages = world.task(), world.emulated.world.groups[world.project].stages
    second = list(stages)[1]
    world.emulated.move_task(task.id, second, by=1)
    stages[second] = "Называется иначе"
    assert (await moves_of(world, task))[-1] == f"stage:{second}"


async def test_columns_that_may_be_told_later_leave_the_task_unread(make: Make) -> None:
    world = make(replace(UNLIMITED, kanban_history="STAGE"))
    task = world.task()
    world.emulated.move_task(task.id, list(world.emulated.project_stages(world.project))[1], by=1)
    world.emulated.faults.fail("task.stages.get", "internal")
    [told] = await world.read(task)
    assert isinstance(told, Unread)


def test_task_made_in_a_column_that_the_rules_name_began_there() -> None:
    task = {"id": "5", "createdDate": "2026-11-24T09:00:00+03:00", "status": "2", "stageId": "31"}
    assert [move.stage for move in task_moves(task, [], {}, {"stage:31"})] == ["2", "stage:31"]
    assert [move.stage for move in task_moves(task, [], {}, {"stage:32"})] == ["2"]


def test_two_columns_of_one_title_are_not_told_apart() -> None:
    rows = {"31": {"ID": "31", "TITLE": "Новые"}, "32": {"ID": "32", "TITLE": "Ждём"}}
    assert columns_of(rows | {"33": {"ID": "33", "TITLE": "Ждём"}}) == {"Новые": 31}
    assert columns_of([]) == {}
