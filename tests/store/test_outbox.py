from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Lane, Message, MessageKind
from app.store import outbox
from app.store.engine import Database
from app.store.outbox import Outgoing
from tests.store.builders import DEAL, HOUR, MINUTE, NOW, TASK, message

pytestmark = pytest.mark.anyio
LEASE = 5 * MINUTE


async def due(conn: AsyncConnection, now: datetime = NOW) -> list[Outgoing]:
    return await outbox.due(conn, 50, now)


async def keys(conn: AsyncConnection, now: datetime = NOW) -> list[str]:
    return [each.message.key for each in await due(conn, now)]


def card(text: str = "нарушен", **changes: object) -> Message:
    return message("card", kind=MessageKind.CHAT_CARD, to="chat12", text=text, **changes)


async def put_and_send(conn: AsyncConnection, one: Message) -> None:
    await outbox.put(conn, [one], NOW)
    await outbox.sending(conn, await due(conn), NOW, LEASE)


async def test_a_message_comes_back_as_it_was_put(database: Database) -> None:
    one = message(tag="b24sla|deal:41", lane=Lane.URGENT)
    async with database.begin() as conn:
        assert await outbox.put(conn, [one, message("digest", ref=None)], NOW) == 2
        found = await due(conn)
    assert [each.message for each in found] == [one, message("digest", ref=None)]


async def test_the_same_key_is_queued_once_for_ever(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("k"))
        await outbox.sent(conn, "k", 5, NOW)
        assert await outbox.put(conn, [message("k", text="other")], NOW) == 0
        assert await due(conn, NOW + HOUR) == []


async def test_urgent_first_then_the_longest_waiting(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [message("b")], NOW)
        await outbox.put(conn, [message("a")], NOW - MINUTE)
        await outbox.put(conn, [message("c", lane=Lane.URGENT)], NOW)
        assert await keys(conn) == ["c", "a", "b"]


async def test_what_waits_for_its_hour_is_neither_due_nor_late(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [message("k")], NOW, send_at=NOW + HOUR)
        assert (await keys(conn), await outbox.lag(conn, NOW)) == ([], (0, 0 * HOUR))
        assert await keys(conn, NOW + HOUR) == ["k"]
        assert await outbox.lag(conn, NOW + 3 * HOUR) == (1, 2 * HOUR)


async def test_what_is_on_its_way_is_not_due(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("k"))
        assert await due(conn, NOW + LEASE - MINUTE) == []


async def test_after_its_sender_died_it_must_be_looked_for(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("k"))
        (again,) = await due(conn, NOW + LEASE)
    assert (again.uncertain, again.attempts) == (True, 1)


@pytest.mark.parametrize("unknown_fate", [True, False])
async def test_later_remembers_whether_it_may_have_come_through(
    database: Database, unknown_fate: bool
) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("k"))
        await outbox.later(conn, "k", NOW + HOUR, "timeout", unknown_fate=unknown_fate)
        assert await due(conn, NOW + HOUR - MINUTE) == []
        assert [each.uncertain for each in await due(conn, NOW + HOUR)] == [unknown_fate]


async def test_a_cards_new_text_edits_the_message_that_stands(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, card())
        await outbox.sent(conn, "card", 77, NOW)
        assert await outbox.put(conn, [card("решён")], NOW) == 1
        (again,) = await due(conn)
    assert (again.portal_id, again.message.text, again.uncertain) == (77, "решён", False)


async def test_a_cards_same_text_is_no_work(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, card())
        await outbox.sent(conn, "card", 77, NOW)
        assert await outbox.put(conn, [card()], NOW) == 0
        assert await due(conn) == []


async def test_a_card_that_waits_says_only_the_newest(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [card("a")], NOW)
        await outbox.put(conn, [card("b")], NOW)
        assert [each.message.text for each in await due(conn)] == ["b"]


async def test_a_card_that_changed_on_its_way_is_edited_after(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, card("a"))
        await outbox.put(conn, [card("b")], NOW)
        assert await due(conn) == []
        await outbox.sent(conn, "card", 77, NOW)
        assert [(each.portal_id, each.message.text) for each in await due(conn)] == [(77, "b")]


async def test_a_card_that_changed_before_it_was_taken_is_edited_after(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [card("a")], NOW)
        old = await due(conn)
        await outbox.put(conn, [card("b")], NOW)
        await outbox.sending(conn, old, NOW, LEASE)
        await outbox.sent(conn, "card", 77, NOW)
        assert [each.message.text for each in await due(conn)] == ["b"]


async def test_what_a_message_covers_counts_as_said(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [message("step"), card(covers=("step", "other"))], NOW)
        assert await keys(conn) == ["card"]
        assert await outbox.put(conn, [message("other")], NOW) == 0
        assert await outbox.said(conn, DEAL) == {"card", "step", "other"}


async def test_a_card_of_the_same_text_covers_too(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [card()], NOW)
        await outbox.put(conn, [card(covers=("step",))], NOW)
        assert await outbox.said(conn, DEAL) == {"card", "step"}


async def test_what_is_on_its_way_is_not_covered_any_more(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("step"))
        await outbox.put(conn, [card(covers=("step",))], NOW)
        await outbox.later(conn, "step", NOW, "refused")
        assert await keys(conn) == ["card", "step"]


async def test_alerts_that_no_longer_stand_are_withdrawn(database: Database) -> None:
    kinds = {"a": MessageKind.NOTICE, "b": MessageKind.SUMMARY, "c": MessageKind.TIMELINE}
    async with database.begin() as conn:
        await outbox.put(conn, [message(key, kind=kind) for key, kind in kinds.items()], NOW)
        await outbox.put(conn, [card(), message("other", ref=TASK), message("stands")], NOW)
        assert await outbox.withdraw(conn, DEAL, {"stands"}) == 2
        assert await keys(conn) == ["c", "card", "other", "stands"]


async def test_a_withdrawn_alert_may_be_said_when_it_stands_again(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [message("k")], NOW)
        await outbox.withdraw(conn, DEAL, set())
        assert await outbox.put(conn, [message("k")], NOW) == 1


async def test_what_may_have_been_said_is_not_withdrawn(database: Database) -> None:
    async with database.begin() as conn:
        await put_and_send(conn, message("k"))
        await outbox.later(conn, "k", NOW, "timeout", unknown_fate=True)
        assert await outbox.withdraw(conn, DEAL, set()) == 0


async def test_a_skipped_message_is_never_said(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [message("k")], NOW)
        await outbox.skip(conn, "k", "пауза")
        assert await outbox.put(conn, [message("k")], NOW) == 0
        assert await due(conn, NOW + HOUR) == []
        assert await outbox.said(conn, DEAL) == {"k"}


async def failed(conn: AsyncConnection) -> None:
    await put_and_send(conn, message("k"))
    await outbox.give_up(conn, "k", "ACCESS_DENIED", NOW + MINUTE)


async def test_failed_messages_show_their_reason(database: Database) -> None:
    async with database.begin() as conn:
        await failed(conn)
        assert await due(conn, NOW + HOUR) == []
        (failure,) = await outbox.failed(conn)
    assert (failure.key, failure.error, failure.failed_at) == ("k", "ACCESS_DENIED", NOW + MINUTE)


@pytest.mark.parametrize(("key", "number"), [(None, 1), ("k", 1), ("x", 0)])
async def test_a_person_retries(database: Database, key: str | None, number: int) -> None:
    async with database.begin() as conn:
        await failed(conn)
        assert await outbox.retry(conn, key, NOW) == number
        assert len(await due(conn)) == number
        assert len(await outbox.failed(conn)) == 1 - number


async def test_a_person_drops(database: Database) -> None:
    async with database.begin() as conn:
        await failed(conn)
        assert [await outbox.drop(conn, "k"), await outbox.drop(conn, "k")] == [True, False]
        assert (await outbox.failed(conn), await due(conn, NOW + HOUR)) == ([], [])
        assert await outbox.put(conn, [message("k")], NOW) == 0
