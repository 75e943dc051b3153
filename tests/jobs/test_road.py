"""From a client's letter to fields in the card and words in the chat, against the emulated portal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.model import SlaState, State, TicketClass
from app.store import inbox, outbox, strangers
from app.web import failures
from tests.jobs.scenes import FIRE, TOKEN, Scene, letter, scene
from tests.lives import at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


@pytest.mark.parametrize("channel", ["email", "telegram", "form"])
async def test_letter_becomes_a_stamped_ticket_in_every_kind_of_card(town: Scene, channel: str) -> None:
    case = town.office.receive(letter(channel=channel), town.office.agents[0])
    await town.settle()
    ticket = await town.ticket(case)
    fields = town.fields(case)
    assert ticket.value is TicketClass.STANDARD
    assert ticket.now_cycle.reply.due_at == ticket.started_at + timedelta(hours=4)
    assert fields["SLA_CLASS"] in {"standard", "Стандартное"}
    assert fields["SLA_STATE"] in {"on_track", "В норме"}


async def test_tasks_native_deadline_holds_the_solutions(town: Scene) -> None:
    case = town.office.receive(letter(channel="form"), town.office.agents[0])
    await town.settle()
    due = (await town.ticket(case)).now_cycle.solution.due_at
    assert due is not None
    assert datetime.fromisoformat(str(town.portal.task(case.id)["deadline"])) == due.replace(second=0)


async def test_quiet_portal_costs_three_requests_a_ticket(town: Scene) -> None:
    town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    before = town.portal.requests
    town.portal.add_deal("Не приходит код", category=town.office.category, by=1, comments="Код не приходит")
    await town.settle(events=True)
    echo = 1  # our own write comes back as an event and is looked at once
    assert town.portal.requests - before <= 3 + echo


async def test_whole_life_writes_once_a_decision(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.office.reply(case, "Проверили, код отправлен повторно, сообщите о результате.")
    await town.until("24.11 11:00")
    town.office.move(case, "waiting_client")
    await town.until("24.11 11:30")
    town.office.client_says(case, "Код так и не пришёл")
    await town.until("24.11 12:30")
    town.office.move(case, "resolved")
    await town.until("24.11 13:00")
    town.office.move(case, "closed_confirmed")
    await town.until("24.11 13:30")
    decisions = 6  # class and terms, reply, pause, pause over, solved, confirmed
    assert 0 < town.portal.writes[(2, case.id)] <= decisions
    assert town.portal.idle_writes[(2, case.id)] == 0


async def test_emergency_is_announced_to_people_and_chat_once(town: Scene) -> None:
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    await town.sweep()
    assert len([text for text in town.chat() if f"№{case.id}" in text]) == 1
    assert len(town.portal.notices(town.office.head)) == 1
    assert len(town.portal.notices(town.office.agents[0])) == 1


async def test_chat_message_of_a_ticket_is_edited_not_repeated(town: Scene) -> None:
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    town.office.reply(case, "Ворота открыты вручную, инженер едет.")
    town.office.move(case, "resolved")
    await town.until("24.11 10:30")
    mine = [text for text in town.chat() if f"№{case.id}" in text]
    assert len(mine) == 1
    assert "✅" in mine[0]


async def test_breach_is_announced_when_it_comes_due(town: Scene) -> None:
    town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    await town.until("24.11 14:01")
    assert [n for n in town.portal.notices(town.office.head) if "Нарушен срок ответа" in n["text"]]
    assert any("Нарушен срок ответа" in text for text in town.chat())


async def test_lost_reply_event_is_no_false_alarm(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.portal.events.drop = 1.0
    town.clock.set(at("24.11 13:00"))
    town.office.reply(case, "Проверили, код отправлен повторно.")
    await town.until("24.11 14:01")
    assert not any("Нарушен" in text for text in town.chat())
    assert (await town.ticket(case)).now_cycle.reply.met_at == at("24.11 13:00")


async def test_sweep_finds_what_no_event_told(town: Scene) -> None:
    await town.sweep()
    town.portal.events.drop = 1.0
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    assert town.fields(case).get("SLA_CLASS") in {None, "", False}
    town.clock.advance(timedelta(minutes=5))
    await town.sweep()
    assert town.fields(case)["SLA_CLASS"] == "standard"


async def test_persons_class_stays(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.office.write(case, SLA_CLASS="emergency")
    await town.settle()
    ticket = await town.ticket(case)
    assert ticket.class_by_person
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    await town.sweep()
    assert town.fields(case)["SLA_CLASS"] == "emergency"


async def test_deadline_moved_by_an_agent_is_put_back(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    due = town.fields(case)["SLA_SOLVE_DUE"]
    town.office.write(case, SLA_SOLVE_DUE="2026-12-10T12:00:00+03:00")
    await town.settle()
    assert town.fields(case)["SLA_SOLVE_DUE"] == due


async def test_portal_away_delays_but_loses_nothing(town: Scene) -> None:
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.portal.deliver(town.web, until=town.clock.now() + timedelta(seconds=10))
    town.portal.faults.down = True
    await town.settle()
    town.portal.faults.down = False
    for _ in range(6):
        town.clock.advance(timedelta(minutes=1))
        await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert len([text for text in town.chat() if f"№{case.id}" in text]) == 1


@pytest.mark.parametrize(
    "method", ["imbot.v2.Chat.Message.send", "crm.timeline.comment.add", "crm.item.update"]
)
async def test_write_that_timed_out_after_it_happened_is_not_done_twice(town: Scene, method: str) -> None:
    town.portal.faults.fail(method, "timeout_after_apply")
    case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.settle()
    for _ in range(6):
        town.clock.advance(timedelta(minutes=1))
        await town.settle()
    comments = [row for row in town.portal.timeline(2, case.id) if row["text"].startswith("SLA: экстренное")]
    assert len([text for text in town.chat() if f"№{case.id}" in text]) == 1
    assert len(comments) == 1
    assert town.fields(case)["SLA_CLASS"] == "emergency"


async def test_partial_reading_decides_nothing(town: Scene) -> None:
    town.portal.faults.fail("crm.activity.list", "internal", times=50)
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    assert not town.fields(case).get("SLA_CLASS")
    town.portal.faults.clear()
    for _ in range(4):
        town.clock.advance(timedelta(minutes=10))
        await town.settle()
    assert town.fields(case)["SLA_CLASS"] == "standard"


async def test_deleted_deal_ends_without_a_verdict(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.portal.delete_item(2, case.id, by=1)
    await town.settle()
    ticket = await town.ticket(case)
    assert ticket.state is State.DELETED
    assert ticket.sla_state is None


async def test_deal_that_left_the_funnel_is_left_alone(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    writes = town.portal.writes[(2, case.id)]
    town.portal.move_funnel(2, case.id, 0, by=1)
    await town.sweep()
    assert (await town.ticket(case)).state is State.LEFT
    assert town.portal.writes[(2, case.id)] == writes


async def test_foreign_deleted_and_unknown_items_are_taken_without_error(town: Scene) -> None:
    town.portal.add_deal("Продажа", category=0, by=1)
    gone = town.portal.add_deal("Ошибка", category=town.office.category, by=1)
    town.portal.delete_item(2, gone, by=1)
    await town.settle()
    async with town.desk.db.read() as conn:
        assert (await inbox.lag(conn, town.clock.now()))[0] == 0
        assert (await failures.failed_work(conn)).count == 0


async def test_event_that_nobody_knows_is_counted_and_kept(town: Scene) -> None:
    import httpx

    async with httpx.AsyncClient(transport=town.web, base_url="http://127.0.0.1:8080") as client:
        body = {"event": "ONSOMETHINGNEW", "auth[application_token]": TOKEN}
        answer = await client.post("/webhooks/bitrix24", data=body)
    assert answer.status_code == 200
    async with town.desk.db.read() as conn:
        assert (await strangers.counts(conn))["ONSOMETHINGNEW"] == 1


async def test_many_cards_vanishing_at_once_is_lost_rights_not_deletion(town: Scene) -> None:
    cases = [town.office.receive(letter(), town.office.agents[0]) for _ in range(12)]
    await town.settle()
    await town.hide(cases)
    assert {(await town.ticket(case)).state for case in cases} == {State.NEW}
    assert "rights" in town.desk.health.warnings


@pytest.mark.portals("cloud-std", reason="our own fuse")
async def test_fuse_parks_a_card_that_something_else_keeps_changing(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    for number in range(40):
        town.portal.update_item(
            2, case.id, {"UF_CRM_SLA_CLASS_WHY": f"чужое {number}"}, by=town.office.intake
        )
        await town.settle()
    async with town.desk.db.read() as conn:
        parked = (await failures.failed_work(conn)).groups["stamps"]
    assert [failure.key for failure in parked] == [f"deal:{case.id}"]


async def test_dry_run_writes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, dry_run=True) as town:
        case = town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
        await town.settle()
        assert (await town.ticket(case)).value is TicketClass.EMERGENCY
        assert town.portal.writes[(2, case.id)] == 0
        assert town.chat() == []


async def test_night_steps_come_as_one_summary_at_the_opening(town: Scene) -> None:
    town.clock.set(at("24.11 14:00"))
    late = [town.office.receive(letter(), town.office.agents[0]) for _ in range(3)]
    await town.settle()
    await town.until("24.11 18:31")
    before = len(town.chat())
    await town.until("25.11 09:00")
    await town.until("25.11 09:01")
    assert (await town.ticket(late[0])).sla_state is SlaState.OVERDUE
    summaries = [text for text in town.chat()[before:] if text.startswith("📋 Требует внимания: 3")]
    assert len(summaries) == 1


async def test_withdrawn_alert_is_not_sent_after_an_outage(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.portal.faults.fail("im.notify.personal.add", "internal", times=1000)
    await town.until("24.11 14:01")
    town.office.move(case, "closed_confirmed")
    await town.settle()
    town.portal.faults.clear()
    for _ in range(8):
        town.clock.advance(timedelta(minutes=2))
        await town.settle()
    async with town.desk.db.read() as conn:
        waiting, _ = await outbox.lag(conn, town.clock.now())
    assert waiting == 0
    assert town.portal.notices(town.office.head) == []
