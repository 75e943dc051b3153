"""Fields and messages written to an emulated portal, and what is said of each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from app.bitrix import voice
from app.bitrix.portal import MessageWork, StampWork, Unwritten, Written
from app.bitrix.voice import bot_token
from app.demo.portal import CLOUD_STD
from app.model import ItemRef, Kind, Message, MessageKind, Side

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio

STAMP = {
    "SLA_CLASS": "emergency",
    "SLA_CLASS_SURE": "Y",
    "SLA_CLASS_WHY": "E2: «не можем выехать» & #1 + 50 %",
    "SLA_AREA": "barrier_gate",
    "SLA_STATE": "on_track",
    "SLA_REPLY_DUE": "2026-11-24T06:15:00Z",
    "SLA_SOLVE_DUE": "2026-11-24T10:00:00Z",
    "SLA_OVERDUE": "",
}


def message(kind: MessageKind, to: str, text: str = "Срок истекает", **more: Any) -> MessageWork:
    portal_id = more.pop("portal_id", None)
    return MessageWork(Message(more.pop("key", "deal:41/1/warn"), kind, to, text, **more), portal_id)


async def written(world: World, *works: Any) -> list[Written]:
    outcomes = await world.portal.write(works)
    assert all(isinstance(outcome, Written) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Written)]


# --- fields ------------------------------------------------------------------------------


async def test_stamp_of_a_deal_reads_back_as_it_was_wanted(world: World) -> None:
    deal = world.deal()
    [outcome] = await written(world, StampWork(deal, STAMP))
    sla = (await world.reading(deal)).card.sla
    assert {code: sla[code] for code in STAMP} == STAMP == dict(outcome.values)


async def test_stamp_of_an_item_goes_under_the_names_of_its_type(world: World) -> None:
    item = world.item()
    await written(world, StampWork(item, STAMP))
    sla = world.emulated.sla(world.smart, item.id)
    assert sla["SLA_CLASS"] == "emergency"
    assert sla["SLA_REPLY_DUE"] == datetime(2026, 11, 24, 6, 15, tzinfo=UTC)


async def test_stamp_of_a_task_holds_labels_and_the_native_deadline(world: World) -> None:
    task = world.task()
    await written(world, StampWork(task, STAMP))
    assert world.emulated.sla("task", task.id)["SLA_CLASS"] == "Экстренное"
    assert world.emulated.task(task.id)["deadline"].startswith("2026-11-24T15:00:00")
    sla = (await world.reading(task)).card.sla
    assert {code: sla[code] for code in STAMP} == STAMP


async def test_label_in_another_language_is_understood(world: World, make: Make) -> None:
    task = world.task(fields={"UF_SLA_CLASS": "Emergency"})
    assert (await world.reading(task)).card.sla["SLA_CLASS"] == "emergency"


async def test_fields_are_emptied(world: World) -> None:
    deal, task = world.deal(), world.task()
    await written(world, StampWork(deal, STAMP), StampWork(task, STAMP))
    empty = dict.fromkeys(STAMP, "") | {"SLA_CLASS_SURE": "N"}
    await written(world, StampWork(deal, empty), StampWork(task, empty))
    for ref in (deal, task):
        sla = (await world.reading(ref)).card.sla
        assert {code: sla[code] for code in empty} == empty


async def test_same_stamp_changes_nothing_on_the_portal(world: World) -> None:
    deal, task = world.deal(), world.task()
    works = [StampWork(deal, STAMP), StampWork(task, STAMP)]
    await written(world, *works)
    await written(world, *works)
    assert world.emulated.writes[(2, deal.id)] == 1
    assert world.emulated.writes[("task", task.id)] == 1


async def test_stamps_and_messages_of_all_kinds_are_one_request(world: World) -> None:
    deal, item, task = world.deal(), world.item(), world.task()
    await world.read(deal, item)
    before = world.emulated.requests
    works = [StampWork(ref, STAMP) for ref in (deal, item, task)]
    await written(world, *works, message(MessageKind.NOTICE, str(world.agent)))
    assert world.emulated.requests - before == 1


async def test_missing_field_is_named_and_the_others_are_written(world: World) -> None:
    deal = world.deal()
    fields = world.emulated.world.userfields
    fields.remove(next(field for field in fields if field.name == "UF_CRM_SLA_AREA"))
    world.portal._directory.forget_fields()
    [outcome] = await world.portal.write([StampWork(deal, STAMP)])
    assert isinstance(outcome, Unwritten)
    assert not outcome.final  # it is written once the field exists
    assert "«Область продукта»" in outcome.error
    assert world.emulated.sla(2, deal.id)["SLA_CLASS"] == "emergency"


async def test_card_without_any_field_says_what_to_do(make: Make) -> None:
    world = make()
    [outcome] = await world.portal.write([StampWork(world.deal(), STAMP)])
    assert isinstance(outcome, Unwritten)
    assert "b24sla provision" in outcome.error


async def test_write_to_a_deleted_item_is_refused_for_good(world: World) -> None:
    there = world.deal()
    lost, kept = await world.portal.write(
        [StampWork(ItemRef(Kind.DEAL, 999), STAMP), StampWork(there, STAMP)]
    )
    assert isinstance(lost, Unwritten)
    assert lost.final
    assert isinstance(kept, Written)


async def test_write_that_was_applied_without_an_answer_is_of_unknown_fate(world: World) -> None:
    deal = world.deal()
    await world.read(deal)
    world.emulated.faults.fail("crm.item.update", "timeout_after_apply")
    [outcome] = await world.portal.write([StampWork(deal, STAMP)])
    assert isinstance(outcome, Unwritten)
    assert outcome.unknown_fate
    assert not outcome.final


async def test_write_to_a_portal_that_is_down_certainly_did_not_happen(world: World) -> None:
    deal = world.deal()
    await world.read(deal)
    world.emulated.faults.down = True
    [outcome] = await world.portal.write([StampWork(deal, STAMP)])
    assert isinstance(outcome, Unwritten)
    assert not outcome.unknown_fate
    assert outcome.retry_at is not None


async def test_dry_run_writes_nothing(make: Make) -> None:
    world = make(dry_run=True)
    [outcome] = await world.portal.write([StampWork(world.deal(), STAMP)])
    assert isinstance(outcome, Unwritten)
    assert world.emulated.requests == 0


# --- messages ----------------------------------------------------------------------------


async def test_comment_stands_in_the_timeline_of_its_card(world: World) -> None:
    deal, item = world.deal(), world.item()
    await written(world, *(message(MessageKind.TIMELINE, str(ref), "SLA", ref=ref) for ref in (deal, item)))
    assert [note["text"] for note in world.emulated.timeline(2, deal.id)] == ["SLA"]
    assert [note["text"] for note in world.emulated.timeline(world.smart, item.id)] == ["SLA"]


async def test_comment_of_a_task_stands_in_its_card(world: World) -> None:
    task = world.task()
    await world.portal.write([message(MessageKind.TIMELINE, str(task), "SLA", ref=task)])
    assert world.emulated.task_words(task.id) == [(9, "SLA")]


async def test_notice_replaces_the_former_of_its_tag(world: World) -> None:
    for text in ("Осталось 5 мин", "Осталась 1 мин"):
        await written(world, message(MessageKind.NOTICE, str(world.agent), text, tag="deal:41/reply"))
    assert [notice["text"] for notice in world.emulated.notices(world.agent)] == ["Осталась 1 мин"]


async def test_bot_speaks_in_the_chat_and_edits_its_message(world: World) -> None:
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    [said] = await written(world, message(MessageKind.CHAT_CARD, chat, "Просрочено"))
    await written(world, message(MessageKind.CHAT_CARD, chat, "Решено", portal_id=said.portal_id))
    [line] = [line for line in world.emulated.messages(chat) if not line["system"]]
    assert (line["text"], line["edited"]) == ("Решено", 1)
    assert line["author"] not in {1, 9}


async def test_where_bots_are_refused_the_owner_of_the_webhook_speaks(world: World) -> None:
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    world.emulated.faults.fail("imbot.v2.Bot.register", "access", times=5)
    [said] = await written(world, message(MessageKind.CHAT_CARD, chat, "Просрочено"))
    await written(world, message(MessageKind.CHAT_CARD, chat, "Решено", portal_id=said.portal_id))
    [line] = [line for line in world.emulated.messages(chat) if not line["system"]]
    assert (line["text"], line["author"]) == ("Решено", 9)


async def test_bot_that_is_refused_in_a_chat_hands_over(world: World) -> None:
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    world.emulated.faults.fail("imbot.v2.Chat.Message.send", "access", times=5)
    await written(world, message(MessageKind.CHAT_CARD, chat, "Просрочено"))
    [line] = [line for line in world.emulated.messages(chat) if not line["system"]]
    assert line["author"] == 9


async def test_bot_is_registered_once(world: World) -> None:
    for title in ("Тревоги", "Сводки"):
        chat = world.emulated.add_chat(title, [1, 9])
        await written(world, message(MessageKind.DIGEST, chat, "Сводка"))
    assert world.emulated.calls["imbot.v2.bot.register"] == 1


@pytest.mark.portals("cloud-std", reason="the old card has no chat")
async def test_words_of_our_bot_are_nobodys(world: World) -> None:
    task = world.task()
    chat = f"chat{world.emulated.task(task.id)['chatId']}"
    await written(world, message(MessageKind.DIGEST, chat, "Сводка"))
    assert {said.side for said in (await world.reading(task)).utterances} <= {Side.NOBODY}


async def test_closed_chat_is_refused_for_good(world: World) -> None:
    chat = world.emulated.add_chat("Чужой", [1])
    [outcome] = await world.portal.write([message(MessageKind.DIGEST, chat)])
    assert isinstance(outcome, Unwritten)
    assert outcome.final


async def test_message_of_unknown_fate_is_found_by_its_marker(world: World) -> None:
    chat, deal = world.emulated.add_chat("Тревоги", [1, 9]), world.deal()
    alert, note = (
        message(MessageKind.DIGEST, chat, "Сводка ·a1b2"),
        message(MessageKind.TIMELINE, str(deal), "SLA ·c3d4", ref=deal),
    )
    told = await written(world, alert, note)
    assert await world.portal.find_said(alert.message, "·a1b2") == told[0].portal_id
    assert await world.portal.find_said(note.message, "·c3d4") == told[1].portal_id
    assert await world.portal.find_said(chat, "·zzzz") is None


async def test_message_of_unknown_fate_is_found_under_a_hundred_others(world: World) -> None:
    chat, began_at = world.emulated.add_chat("Тревоги", [1, 9]), world.clock.now()
    [told] = await written(world, message(MessageKind.DIGEST, chat, "Сводка ·a1b2"))
    for number in range(120):
        world.emulated.say(chat, f"Обсуждаем {number}", 1)
    before = world.emulated.requests
    assert await world.portal.find_said(chat, "·a1b2", since=began_at) == told.portal_id
    assert world.emulated.requests - before == 3


async def test_message_is_not_looked_for_among_those_said_before_it(world: World) -> None:
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    for number in range(120):
        world.emulated.say(chat, f"Обсуждаем {number}", 1)
    world.clock.advance(timedelta(hours=1))
    before = world.emulated.requests
    assert await world.portal.find_said(chat, "·zzzz", since=world.clock.now()) is None
    assert world.emulated.requests - before == 1


async def test_search_that_ended_too_early_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(voice, "PAGES", 2)
    chat, began_at = world.emulated.add_chat("Тревоги", [1, 9]), world.clock.now()
    for number in range(120):
        world.emulated.say(chat, f"Обсуждаем {number}", 1)
    assert await world.portal.find_said(chat, "·zzzz", since=began_at) is None
    assert "100 messages" in caplog.text


async def test_digest_and_its_files_lie_in_the_chat(world: World) -> None:
    chat = world.emulated.add_chat("Сводки", [1, 9])
    await world.portal.say(Message("digest/1", MessageKind.DIGEST, chat, "Сводка"))
    number = await world.portal.upload(chat, "sla.png", b"\x89PNG", "Картинка")
    [file] = world.emulated.files(chat)
    assert (file["name"], file["content"], file["message_id"]) == ("sla.png", b"\x89PNG", number)


def test_bots_token_fits_and_tells_nothing_of_the_secret() -> None:
    token = bot_token("https://portal.test/rest/9/topsecret/")
    assert len(token) <= 40
    assert "topsecret" not in token
    assert token != bot_token("https://portal.test/rest/9/another/")


async def test_writing_keeps_the_portals_limits(make: Make) -> None:
    world = make(CLOUD_STD)
    await world.portal.provision(dry_run=False, layout=False)
    deals = [world.deal() for _ in range(120)]
    for _ in range(30):
        await world.portal.write([StampWork(deal, STAMP) for deal in deals])
    assert not world.emulated.refused
