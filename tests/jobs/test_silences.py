"""What is not said, and what is taken back, when a ticket ends before its alert went out (sla.md 4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.jobs import deliver
from app.jobs.handle import handle_next
from app.jobs.watch import watch
from app.model import Stamp, State
from app.store import inbox, stamps, tickets
from app.web import failures
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


@pytest.mark.parametrize("end", ["closed_confirmed", "not_ticket", "duplicate", "postponed"])
async def test_chat_hears_nothing_of_an_emergency_that_ended_before_its_message_went(
    town: Scene, end: str
) -> None:
    town.portal.faults.fail("imbot.v2.Chat.Message.send", "internal", times=1000)
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    town.office.move(case, end)
    await town.settle()
    town.portal.faults.clear()
    for _ in range(8):
        town.clock.advance(timedelta(minutes=2))
        await town.settle()
    assert town.chat() == []


async def test_chat_is_told_that_an_alarm_was_false(town: Scene) -> None:
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    town.office.move(case, "not_ticket")
    await town.settle()
    [text] = town.chat()
    assert "Не обращение" in text
    assert "🔴" not in text


async def test_task_bound_to_a_tickets_deal_stops_being_a_ticket(town: Scene) -> None:
    deal = town.office.receive(letter(), town.office.agents[0])
    task = town.office.receive(letter(channel="form"), town.office.agents[0])
    await town.settle()
    town.portal.update_task(task.id, {"UF_CRM_TASK": [f"D_{deal.id}"]}, town.office.head)
    await town.settle()
    assert (await town.ticket(task)).state is State.LEFT
    town.clock.advance(timedelta(days=2))
    await watch(town.desk)
    await town.settle(events=False)
    assert (await town.ticket(task)).next_at is None
    async with town.desk.db.read() as conn:
        assert (await inbox.lag(conn, town.clock.now()))[0] == 0


async def test_stamp_that_cannot_be_written_for_a_day_is_failed_work(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "MOST_ATTEMPTS", 1)
    town.portal.faults.fail("crm.item.update", "internal", times=1000)
    case = town.office.receive(letter(), town.office.agents[0])
    for _ in range(4):
        town.clock.advance(timedelta(minutes=11))
        await town.settle()
    async with town.desk.db.read() as conn:
        parked = (await failures.failed_work(conn)).groups["stamps"]
    assert [failure.key for failure in parked] == [f"deal:{case.id}"]


async def test_reading_that_our_own_write_overtook_tells_of_nobodys_change(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    ours = {"SLA_CLASS": "emergency"}  # written while the card was being read, which still says standard
    async with town.desk.db.begin() as conn:
        await stamps.want(conn, Stamp(ref_of(case), ours), town.clock.now())
        await stamps.done(conn, ref_of(case), ours, town.clock.now() + timedelta(minutes=1))
    await town.desk_puts(case)
    await handle_next(town.desk)
    assert not (await town.ticket(case)).class_by_person
    async with town.desk.db.read() as conn:
        assert (await inbox.lag(conn, town.clock.now()))[0] == 1


async def test_bound_task_heard_of_before_its_deal_waits_for_it(town: Scene) -> None:
    town.portal.events.drop = 1.0
    deal = town.office.receive(letter(), town.office.agents[0])
    task = town.office.receive(letter(channel="form"), town.office.agents[0])
    town.portal.update_task(task.id, {"UF_CRM_TASK": [f"D_{deal.id}"]}, town.office.head)
    await town.desk_puts(task)
    for _ in range(4):
        await town.settle(events=False)
        town.clock.advance(timedelta(seconds=5))
    async with town.desk.db.read() as conn:
        assert set(await tickets.load_many(conn, [ref_of(deal), ref_of(task)])) == {ref_of(deal)}


async def test_talk_that_can_be_read_again_is_trusted_again(town: Scene) -> None:
    for method in ("im.dialog.messages.get", "task.commentitem.getlist"):  # of the new card, of the old one
        town.portal.faults.fail(method, "access", times=1000)
    case = town.office.receive(letter(channel="form"), town.office.agents[0])
    await town.settle()
    unreadable = (await town.ticket(case)).notes
    town.portal.faults.clear()
    await town.desk_puts(case)
    await town.settle(events=False)
    assert "replies_unreadable" in unreadable
    assert "replies_unreadable" not in (await town.ticket(case)).notes
