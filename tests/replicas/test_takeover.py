"""Another replica takes over: from one that died, or from one that was frozen and wakes up later."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app import serving
from app.demo.office import Case
from app.jobs import lead as leading
from app.jobs.lead import lead
from app.jobs.report import send_due
from app.serving import hurry, led, sweep_or_fetch, take_over, walk
from app.store import facts, marks, tickets
from app.store.dialects import DatabaseMillis
from app.store.engine import StoreUnavailable
from app.store.schema import inbox, leases
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene
from tests.lives import at
from tests.replicas.pairs import DELIVERY, Act, beside, calm, follow, leaders

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own processes")]
Pair = tuple[Scene, Scene]
BOUND = timedelta(seconds=10)  # the promise: so long may nobody talk to the portal
STATEMENT = timedelta(seconds=1)  # for the taking itself


@pytest.fixture
async def pair(server_url: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """Two replicas; the first one leads."""
    async with scene(tmp_path, database=server_url) as first, beside(first) as second:
        assert await lead(first.desk)
        assert not await lead(second.desk)
        yield first, second


async def fire(town: Scene, replica: Scene) -> Case:
    """An emergency whose events one of the replicas has taken; nobody has read it."""
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    town.clock.advance(timedelta(seconds=10))
    await town.portal.deliver(replica.web)
    return case


def said(town: Scene) -> Counter[str]:
    """Everything that people got of us: cards in the chat and notices."""
    people = {town.office.head, town.office.duty, town.office.director, *town.office.agents}
    notices = [f"{person}: {one['tag']}" for person in people for one in town.portal.notices(person)]
    return Counter([*town.chat(), *notices])


def acts(town: Scene) -> int:
    """Calls that say something; a notice said twice replaces the first, so it is no longer seen."""
    talk = ("imbot.v2.Chat.Message.send", "im.message.add", "im.notify.personal.add", "im.notify.system.add")
    return sum(town.portal.calls_of(method) for method in talk)


# --- the bound --------------------------------------------------------------------------------


def test_a_holder_that_died_is_followed_within_ten_seconds() -> None:
    assert leading.TTL + leading.PACE + STATEMENT <= BOUND


def test_a_holder_may_miss_two_renewals() -> None:
    assert leading.TTL > 3 * leading.PACE


async def test_every_replica_asks_for_the_lease_at_that_pace(pair: Pair) -> None:
    paces = {name: pace for name, pace, _ in serving._duties(pair[1].desk)}
    assert paces["lead"] == paces["take over"] == leading.PACE


async def test_a_lease_is_never_longer_than_its_time(pair: Pair) -> None:
    async with pair[0].desk.db.read() as conn:
        left = (await conn.execute(sa.select(leases.c.until_millis - DatabaseMillis()))).scalar_one()
    assert timedelta(milliseconds=left) <= leading.TTL


async def test_one_that_stops_in_good_order_is_followed_at_once(pair: Pair) -> None:
    first, second = pair
    await leading.step_down(first.desk)
    assert await lead(second.desk)


# --- killed -----------------------------------------------------------------------------------


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
async def test_alert_of_a_killed_holder_is_said_once(pair: Pair, done: bool) -> None:
    first, second = pair
    case = await fire(first, second)
    await Act(first.desk, hurry, "write", after=done).killed()
    await follow(second)
    second.clock.advance(DELIVERY)
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"
    assert sum("Пожар" in text for text in second.chat()) == 1
    assert len(second.portal.notices(second.office.head)) == 1
    assert max(said(second).values()) == 1


async def test_what_a_killed_holder_was_reading_is_read_at_once(pair: Pair) -> None:
    first, second = pair
    case = await fire(first, second)
    await Act(first.desk, hurry, "read").killed()
    await follow(second)
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"


async def test_a_strangers_lock_on_a_row_in_hand_keeps_nobody_from_the_lease(pair: Pair) -> None:
    first, second = pair
    case = await fire(first, second)
    await Act(first.desk, hurry, "read").killed()
    async with first.desk.db.begin() as stranger:
        await stranger.execute(sa.select(inbox).with_for_update())
        await follow(second)
        assert second.desk.epoch is not None
    assert await lead(second.desk), "the next renewal frees what was passed over"
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"


async def test_a_fault_at_what_was_in_hand_costs_no_lease(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    case = await fire(first, second)
    await Act(first.desk, hurry, "read").killed()
    with monkeypatch.context() as broken:
        broken.setattr("app.store.inbox.free_others", away)
        await follow(second)
    assert second.desk.health.unwritten == set()
    assert await lead(second.desk)
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"


async def away(*_: object) -> bool:
    raise StoreUnavailable("the connection broke")


async def test_who_takes_over_looks_at_once_for_what_nobody_told_of(pair: Pair) -> None:
    first, second = pair
    case = first.office.receive(letter(FIRE, "Пожар"), first.office.agents[0])
    first.portal.drop_pending()
    first.clock.advance(timedelta(seconds=10))
    await follow(second)
    assert [await led(take_over)(second.desk) for _ in range(2)] == [True, False], "one sweep a lease"
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"


@pytest.mark.parametrize(("method", "done"), [("say", False), ("say", True), ("upload", True)])
async def test_digest_of_a_killed_holder_is_sent_once(pair: Pair, method: str, done: bool) -> None:
    first, second = pair
    await evening(first)
    await Act(first.desk, send_due, method, after=done).killed()
    await follow(second)
    assert await send_due(second.desk) == 0, "what the dead one said may be on its way"
    second.clock.advance(DELIVERY)
    assert await send_due(second.desk) == 1
    assert await send_due(second.desk) == 0
    assert whole(second)


async def evening(town: Scene) -> None:
    """A day with one ticket, and the hour of its digest."""
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.office.reply(case, "Проверили, код отправлен повторно.")
    town.clock.set(at("25.11 09:05"))
    await town.sweep()


def whole(town: Scene) -> bool:
    """The text, the picture and the table stand in the chat, each once."""
    texts = [text for text in town.chat() if text.startswith("📋 Поддержка")]
    files = [file["name"] for file in town.portal.files(town.office.chat)]
    return len(texts) == 1 and files == ["sla-2026-11-24.png", "sla-2026-11-24.xlsx"]


# --- frozen -----------------------------------------------------------------------------------


async def test_one_that_wakes_says_nothing_that_it_was_about_to_say(pair: Pair) -> None:
    first, second = pair
    await fire(first, second)
    act = Act(first.desk, hurry, "write")
    await act.frozen()
    await follow(second)
    second.clock.advance(DELIVERY)
    await calm(second)
    before = acts(second)
    assert not await act.woken()
    assert acts(second) == before
    assert max(said(second).values()) == 1


async def test_one_that_wakes_writes_no_old_values(pair: Pair) -> None:
    first, second = pair
    case = await fire(first, second)
    act = Act(first.desk, walk, "write")
    await act.frozen()
    await follow(second)
    second.clock.advance(DELIVERY)
    await calm(second)
    second.office.write(case, SLA_CLASS="consultation")
    await calm(second)
    held = second.fields(case)
    await act.woken()
    assert held["SLA_CLASS"] == "consultation"
    assert second.fields(case) == held


async def test_one_that_wakes_decides_nothing_from_what_it_had_read(pair: Pair) -> None:
    first, second = pair
    case = await fire(first, second)
    act = Act(first.desk, hurry, "read", after=True)
    await act.frozen()
    await follow(second)
    await act.woken()
    async with second.desk.db.read() as conn:
        assert await tickets.load(conn, ref_of(case)) is None
        assert not await facts.load(conn, ref_of(case))
    await calm(second)
    assert second.fields(case)["SLA_CLASS"] == "emergency"


async def test_one_that_wakes_puts_no_sweep_back(pair: Pair) -> None:
    first, second = pair
    await first.sweep()
    act = Act(first.desk, sweep_or_fetch, "changes", after=True)
    await act.frozen()
    await follow(second)
    second.office.receive(letter(), second.office.agents[0])
    second.clock.advance(timedelta(minutes=15))
    await second.sweep()
    stood = await mark(second, "sweep")
    await act.woken()
    assert await mark(second, "sweep") == stood


async def mark(town: Scene, name: str) -> object:
    async with town.desk.db.read() as conn:
        return await marks.get(conn, name)


@pytest.mark.parametrize(("method", "done"), [("say", False), ("say", True), ("upload", False)])
async def test_digest_is_not_sent_again_by_one_that_wakes(pair: Pair, method: str, done: bool) -> None:
    first, second = pair
    await evening(first)
    act = Act(first.desk, send_due, method, after=done)
    await act.frozen()
    await follow(second)
    second.clock.advance(DELIVERY)
    await send_due(second.desk)
    await act.woken()
    await follow(second)
    assert await send_due(second.desk) == 0, "what was sent is still known to be"
    assert whole(second)


async def test_one_that_wakes_steps_back_at_once(pair: Pair) -> None:
    first, second = pair
    await fire(first, second)
    act = Act(first.desk, hurry, "read")
    await act.frozen()
    await follow(second)
    await act.woken()
    assert first.desk.epoch is None
    assert await leaders(first, second) == 1


async def test_one_that_was_only_slow_goes_on(pair: Pair) -> None:
    """The lease ran out, but nobody took it."""
    first, _ = pair
    case = await fire(first, first)
    act = Act(first.desk, hurry, "write")
    await act.frozen()
    await follow(first)
    await act.woken()
    assert sum("Пожар" in text for text in first.chat()) == 1
    await first.settle()
    assert first.fields(case)["SLA_CLASS"] == "emergency"


async def test_while_the_database_does_not_answer_nothing_is_asked_of_the_portal(pair: Pair) -> None:
    """Whoever cannot see the lease may have lost it."""
    first, _ = pair
    with first.desk.in_turn():
        await first.desk.db.close()
        asked = first.portal.requests
        first.desk.db = type(first.desk.db).open("postgresql://nobody@127.0.0.1:1/none")
        await first.desk.working_portal.changes({})
    assert first.portal.requests == asked
