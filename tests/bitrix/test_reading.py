"""Items of all kinds read from an emulated portal: complete or not at all, in few requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.bitrix import directory
from app.bitrix.items import CONTACT_TYPE
from app.bitrix.portal import Unread
from app.demo.portal import SELF_HOSTED
from app.model import Gone, ItemRef, Kind, Reading, Side

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio


def sides(reading: Reading) -> list[tuple[str, Side]]:
    return [(said.channel, said.side) for said in reading.utterances]


# --- cards -------------------------------------------------------------------------------


async def test_deal_is_read_with_its_client(world: World) -> None:
    card = (await world.reading(world.deal("Нет SMS", comments="С утра"))).card
    assert (card.title, card.stage, card.category) == ("Нет SMS", f"C{world.funnel}:NEW", world.funnel)
    assert (card.client, card.client_name, card.contact) == ("contact:1", "Клиентов Пётр", "1")
    assert (card.assignee, card.channel, card.text) == (world.agent, "EMAIL", ("Нет SMS", "С утра"))


@pytest.mark.parametrize("cards", [1, 2])
async def test_client_who_was_renamed_is_called_so_within_an_hour(world: World, cards: int) -> None:
    deals = [world.deal() for _ in range(cards)]
    await world.read(*deals)
    world.emulated.world.items[CONTACT_TYPE][1]["lastName"] = "Переименов"
    world.clock.advance(timedelta(hours=1))
    told = await world.read(*deals)
    assert {one.card.client_name for one in told if isinstance(one, Reading)} == {"Переименов Пётр"}


async def test_name_of_a_client_is_asked_for_once_an_hour(world: World) -> None:
    deal = world.deal()
    await world.read(deal)
    for _ in range(2):
        world.clock.advance(timedelta(minutes=29))
        asked = world.emulated.calls_of("crm.item.list")
        await world.read(deal)
        assert world.emulated.calls_of("crm.item.list") == asked + 1, "the card alone"


async def test_name_that_cannot_be_read_again_stands(world: World) -> None:
    deals = [world.deal(), world.deal()]
    await world.read(*deals)
    world.clock.advance(timedelta(hours=1))
    del world.emulated.world.items[CONTACT_TYPE][1]
    told = await world.read(*deals)
    assert {one.card.client_name for one in told if isinstance(one, Reading)} == {"Клиентов Пётр"}


async def test_only_the_names_wanted_last_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_NAMES", 3)
    many = [world.emulated.add_contact(f"Клиент{number}") for number in range(6)]
    deals = [world.deal(contact=each) for each in many]
    for some in (deals[:3], deals[:1] + deals[3:5]):
        await world.read(*some)
    assert list(world.portal._directory.names) == [f"contact:{many[place]}" for place in (0, 3, 4)]


async def test_first_message_stands_in_the_text(world: World) -> None:
    deal = world.deal("Обращение с почты")
    world.emulated.add_email((2, deal.id), 2, text="Принято", by=world.agent)
    world.emulated.add_email((2, deal.id), 1, text="<p>Шлагбаум стоит</p>")
    assert (await world.reading(deal)).card.text == ("Обращение с почты", "<p>Шлагбаум стоит</p>")


async def test_item_of_a_smart_process_is_read(world: World) -> None:
    reading = await world.reading(world.item("Заявка на пропуск"))
    assert reading.card.title == "Заявка на пропуск"
    assert [move.stage for move in reading.moves] == [reading.card.stage]


async def test_task_is_read_with_what_it_is_bound_to(world: World) -> None:
    deal, item = world.deal(), world.item()
    bound = [f"D_{deal.id}", f"T{world.smart:x}_{item.id}", "C_1"]
    card = (await world.reading(world.task("Выезд", description="На КПП-2", crm=bound))).card
    assert (card.title, card.text, card.group) == ("Выезд", ("Выезд", "На КПП-2"), world.project)
    assert (set(card.bound_to), card.client) == ({deal, item}, "contact:1")


async def test_fields_that_people_filled_are_read(world: World) -> None:
    deal = world.deal()
    written = {"UF_CRM_SLA_CLASS": "consultation", "UF_CRM_SLA_EXT_BY": world.agent, "UF_CRM_SLA_CSAT": 4}
    world.emulated.update_item(2, deal.id, written, by=world.agent)
    sla = (await world.reading(deal)).card.sla
    assert (sla["SLA_CLASS"], sla["SLA_EXT_BY"], sla["SLA_CSAT"]) == ("consultation", str(world.agent), "4")


async def test_option_added_since_is_learnt(world: World) -> None:
    deal = world.deal()
    await world.read(deal)
    world.clock.advance(timedelta(minutes=2))
    world.emulated.add_userfield("CRM_DEAL", "SLA_CLASS_X", "string")
    field = next(f for f in world.emulated.world.userfields if f.name == "UF_CRM_SLA_CLASS")
    field.options.append(type(field.options[0])(9999, "Экстренное (новое)", "emergency", 90))
    world.emulated.update_item(2, deal.id, {"UF_CRM_SLA_CLASS": 9999}, by=1)
    assert (await world.reading(deal)).card.sla["SLA_CLASS"] == "emergency"


async def test_card_without_our_fields_is_read_all_the_same(make: Make) -> None:
    world = make()
    assert (await world.reading(world.deal())).card.sla == {}


# --- history -----------------------------------------------------------------------------


async def test_moves_tell_stages_in_order(world: World) -> None:
    deal = world.deal()
    world.clock.advance(timedelta(minutes=5))
    world.emulated.move(2, deal.id, "WORK", by=world.agent)
    moves = (await world.reading(deal)).moves
    assert [move.stage for move in moves] == [f"C{world.funnel}:NEW", f"C{world.funnel}:WORK"]
    assert moves[1].at - moves[0].at == timedelta(minutes=5)


async def test_task_log_tells_who_moved_it(world: World) -> None:
    task = world.task()
    world.emulated.set_status(task.id, 3, by=world.agent)
    world.emulated.set_status(task.id, 5, by=1)
    moves = (await world.reading(task)).moves
    assert [(move.stage, move.actor) for move in moves] == [("2", 1), ("3", world.agent), ("5", 1)]


async def test_kanban_stage_stands_beside_the_status(world: World) -> None:
    task = world.task()
    stage = list(world.emulated.project_stages(world.project))[1]
    world.emulated.move_task(task.id, stage, by=world.agent)
    assert f"stage:{stage}" in [move.stage for move in (await world.reading(task)).moves]


async def test_long_history_is_read_to_its_last_page(world: World) -> None:
    deal = world.deal()
    for number in range(120):
        world.emulated.move(2, deal.id, "WORK" if number % 2 == 0 else "WAIT", by=1)
    assert len((await world.reading(deal)).moves) == 121


async def test_task_tells_who_moved_its_deadline(world: World) -> None:
    task = world.task()
    world.emulated.update_task(task.id, {"DEADLINE": "2026-11-25T12:00:00+03:00"}, by=world.agent)
    card = (await world.reading(task)).card
    assert (card.sla["SLA_SOLVE_DUE"], card.extra["deadline_changed_by"]) == (
        "2026-11-25T09:00:00Z", str(world.agent),
    )  # fmt: skip


# --- who spoke ---------------------------------------------------------------------------


async def test_mail_tells_its_sides(world: World) -> None:
    deal = world.deal()
    world.emulated.add_email((2, deal.id), 1, text="Помогите")
    world.emulated.add_email((2, deal.id), 2, text="Смотрим", by=world.agent)
    world.emulated.add_email((2, deal.id), 2, text="Зарегистрировано", by=9)
    reading = await world.reading(deal)
    assert sides(reading) == [("email", Side.CLIENT), ("email", Side.OURS), ("email", Side.NOBODY)]


async def test_configured_robot_is_nobody(make: Make) -> None:
    world = make(robots=(7,))
    world.emulated.add_user("Робот", "Почтовый", id=7)
    deal = world.deal()
    world.emulated.add_email((2, deal.id), 2, text="Ваш номер 5", by=7)
    assert sides(await world.reading(deal)) == [("email", Side.NOBODY)]


@pytest.mark.parametrize(
    ("direction", "completed", "answered", "wanted"),
    [
        (1, True, True, [("call", Side.CLIENT), ("call", Side.OURS)]),
        (1, True, False, [("call", Side.CLIENT)]),
        (1, False, False, [("call", Side.CLIENT)]),
        (2, True, True, [("call", Side.OURS)]),
        (2, False, False, []),
    ],
)
async def test_call_counts_only_when_it_took_place(
    world: World, direction: int, completed: bool, answered: bool, wanted: list[tuple[str, Side]]
) -> None:
    deal = world.deal()
    world.emulated.add_call((2, deal.id), direction, by=world.agent, completed=completed, answered=answered)
    assert sides(await world.reading(deal)) == wanted


async def test_task_talk_tells_its_sides(world: World) -> None:
    task = world.task()
    outsider = world.emulated.add_user("Гость", "Внешний", extranet=True)
    for speaker in (1, world.agent, outsider, 9):
        world.emulated.task_message(task.id, "Слово", by=speaker)
    reading = await world.reading(task)
    assert [said.side for said in reading.utterances] == [Side.CLIENT, Side.OURS, Side.CLIENT, Side.NOBODY]


async def test_task_entered_for_a_client_by_who_does_it(world: World) -> None:
    task = world.task(created_by=world.agent, responsible=world.agent)
    world.emulated.task_message(task.id, "Сделал", by=world.agent)
    assert sides(await world.reading(task)) == [("task", Side.OURS)]


@pytest.mark.portals("cloud-std", reason="the old card has no chat")
async def test_long_talk_is_read_whole_and_then_from_its_last_line(world: World) -> None:
    task = world.task()
    for number in range(130):
        world.emulated.task_message(task.id, f"Слово {number}", by=world.agent)
    whole = await world.reading(task)
    world.emulated.task_message(task.id, "Ещё", by=1)
    [later] = await world.read(task, cursor=dict(whole.cursor))
    assert len(whole.utterances) == 130
    assert isinstance(later, Reading)
    assert [said.text for said in later.utterances] == ["Ещё"]
    assert "utterances_since_cursor" in later.notes


@pytest.mark.portals("cloud-std", reason="the old card has no chat")
async def test_talk_that_we_may_not_read(world: World) -> None:
    task = world.task(auditors=())
    world.emulated.task_message(task.id, "Слово", by=1)
    reading = await world.reading(task)
    assert reading.utterances == ()
    assert "replies_unreadable" in reading.notes


async def test_old_task_card_has_comments(make: Make) -> None:
    world = make(SELF_HOSTED)
    task = world.task()
    world.emulated.task_message(task.id, "Когда?", by=1)
    world.emulated.task_message(task.id, "Завтра", by=world.agent)
    reading = await world.reading(task)
    assert sides(reading) == [("task", Side.CLIENT), ("task", Side.OURS)]
    assert all(said.key.startswith("comment:") for said in reading.utterances)


# --- bindings ----------------------------------------------------------------------------


async def test_mail_bound_second_is_found(world: World) -> None:
    deal = world.deal()
    world.emulated.add_email((3, world.client), 1, text="Я про ту сделку", bindings=[(2, deal.id)])
    assert sides(await world.reading(deal)) == [("email", Side.CLIENT)]


async def test_mail_of_many_items_is_told_apart(world: World) -> None:
    deals = [world.deal() for _ in range(40)]
    mine = {n: world.emulated.add_email((2, deals[n].id), 1, text=f"{n}") for n in range(0, 40, 3)}
    foreign = world.emulated.add_email((3, world.client), 1, bindings=[(2, deals[7].id)])
    shared = world.emulated.add_email((2, deals[1].id), 1, bindings=[(2, deals[38].id)])
    wanted = {n: [f"activity:{a}"] for n, a in mine.items()}
    wanted |= {7: [f"activity:{foreign}"], 1: [f"activity:{shared}"], 38: [f"activity:{shared}"]}
    told = await world.read(*deals)
    found = {n: [said.key for said in r.utterances] for n, r in enumerate(told) if isinstance(r, Reading)}
    assert {n: keys for n, keys in found.items() if keys} == wanted


# --- what is not there -------------------------------------------------------------------


async def test_deleted_items_are_gone(world: World) -> None:
    deal, task = world.deal(), world.task()
    world.emulated.delete_item(2, deal.id)
    world.emulated.delete_task(task.id, by=1)
    assert all(isinstance(told, Gone) for told in await world.read(deal, task, ItemRef(Kind.DEAL, 999)))


async def test_item_that_we_may_not_see_is_gone(world: World) -> None:
    deal, other = world.deal(), world.deal()
    world.emulated.hide(2, deal.id)
    gone, there = await world.read(deal, other)
    assert isinstance(gone, Gone)
    assert isinstance(there, Reading)


async def test_item_of_a_process_that_is_not_ours_is_gone(world: World) -> None:
    assert isinstance((await world.read(ItemRef(Kind.ITEM, 5, 999)))[0], Gone)


@pytest.mark.parametrize("method", ["crm.item.list", "crm.stagehistory.list", "crm.activity.list"])
async def test_partial_reading_is_none(world: World, method: str) -> None:
    deal, task = world.deal(), world.task()
    await world.read(deal, task)
    world.emulated.faults.fail(method, "internal")
    unread, there = await world.read(deal, task)
    assert isinstance(unread, Unread)
    assert not unread.final
    assert isinstance(there, Reading)


NEW_CARD = pytest.mark.portals("cloud-std", reason="its talk is a chat")
OLD_CARD = pytest.mark.portals("self-hosted", reason="its talk is a forum")


@pytest.mark.parametrize(
    "method",
    [
        "tasks.task.get",
        "tasks.task.history.list",
        pytest.param("im.dialog.messages.get", marks=NEW_CARD),
        pytest.param("task.commentitem.getlist", marks=OLD_CARD),
    ],
)
async def test_partial_reading_of_a_task_is_none(world: World, method: str) -> None:
    deal, task = world.deal(), world.task()
    world.emulated.task_message(task.id, "Слово", by=1)
    await world.read(deal)
    world.emulated.faults.fail(method, "internal")
    there, unread = await world.read(deal, task)
    assert isinstance(there, Reading)
    assert isinstance(unread, Unread)


@pytest.mark.parametrize("kind", ["http502", "html", "hang", "reset"])
async def test_nothing_is_read_when_the_portal_fails(world: World, kind: str) -> None:
    deal = world.deal()
    await world.read(deal)
    world.emulated.faults.fail(None, kind)
    [told] = await world.read(deal)
    assert isinstance(told, Unread)
    assert told.retry_at is not None


async def test_nothing_is_read_before_the_fields_are_known(world: World) -> None:
    deal = world.deal()
    world.portal._directory.forget_fields()
    world.emulated.faults.fail("crm.item.fields", "internal")
    [told] = await world.read(deal)
    assert isinstance(told, Unread)


# --- frugality ---------------------------------------------------------------------------


async def test_one_item_of_each_kind_is_one_request(world: World) -> None:
    refs = [world.deal(), world.item(), world.task()]
    await world.read(*refs)
    before = world.emulated.requests
    await world.read(*refs)
    forum = 0 if "chatId" in world.emulated.task(refs[-1].id) else 1  # only the task tells its card
    assert world.emulated.requests - before == 1 + forum


async def test_hundreds_of_deals_take_few_requests(world: World) -> None:
    deals = [world.deal(f"Сделка {n}") for n in range(300)]
    for deal in deals:
        for stage in ("WORK", "WAIT", "WORK", "WON"):
            world.emulated.move(2, deal.id, stage, by=world.agent)
        for direction in (1, 2, 1):
            world.emulated.add_email((2, deal.id), direction, text="Слово", by=world.agent)
    await world.read(deals[0])
    before = world.emulated.requests
    told = await world.read(*deals)
    assert all(isinstance(r, Reading) and len(r.moves) == 5 and len(r.utterances) == 3 for r in told)
    assert world.emulated.requests - before <= 3


async def test_a_few_rows_above_a_page_cost_one_more_command(world: World) -> None:
    deal = world.deal()
    for number in range(60):
        world.emulated.add_email((2, deal.id), 1, text=f"Письмо {number}", by=1)
    await world.reading(deal)
    before = world.emulated.calls_of("crm.activity.list")
    assert len((await world.reading(deal)).utterances) == 60
    assert world.emulated.calls_of("crm.activity.list") - before == 4  # two lists, two pages each
