"""Next reply, progress, the inner lines' clock, extension and waiver over the road."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.demo.office import Case
from app.model import OutcomeWord
from app.store import outcomes
from tests.jobs.scenes import Scene, letter, ref_of, scene

pytestmark = pytest.mark.anyio

WAIVING = "[desk]\nwaiver = true"


async def received(town: Scene, channel: str = "email") -> Case:
    case = town.office.receive(letter(channel=channel), town.office.agents[0])
    await town.settle()
    return case


def head_writes(town: Scene, case: Case, **fields: object) -> None:
    """The head fills fields in the card himself."""
    head = Case(case.place, case.id, town.office.head)
    town.office.write(head, **fields)


async def test_a_client_who_writes_again_waits_until_we_answer(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await received(town)
        town.office.reply(case, "Проверяем настройки, ответим сегодня.")
        await town.settle()
        await town.until("24.11 11:00")
        town.office.client_says(case, "Всё ещё не приходит, ждём ответа")
        await town.settle()
        await town.until("24.11 15:01")
        (late,) = (await town.ticket(case)).now_cycle.next_replies
        town.office.reply(case, "Исправили, проверьте, пожалуйста.")
        await town.settle()
        (told,) = (await town.ticket(case)).now_cycle.next_replies

    assert (late.outcome, late.running) == (OutcomeWord.BREACHED, True)
    assert (told.outcome, told.met_by, told.running) == (OutcomeWord.BREACHED, "message", False)


async def test_the_clocks_beside_say_nothing_in_the_chat_and_leave_the_card_alone(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await received(town)
        town.office.reply(case, "Проверяем настройки, ответим сегодня.")
        town.office.move(case, "escalated")
        await town.settle()
        town.office.client_says(case, "Всё ещё не приходит, ждём ответа")
        await town.settle()
        stood, said = town.fields(case), town.chat()
        await town.until("24.11 17:00")
        cycle = (await town.ticket(case)).now_cycle

        assert {cycle.next_replies[0].outcome, cycle.internal[0].outcome} == {OutcomeWord.BREACHED}
        assert (town.fields(case), town.chat()) == (stood, said)


async def test_the_head_takes_a_ticket_out_of_the_figures_on_the_card(tmp_path: Path) -> None:
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", WAIVING, 1)) as town:
        case = await received(town)
        head_writes(town, case, SLA_WAIVER="авария у провайдера")
        await town.settle()
        async with town.desk.db.read() as conn:
            (counted,) = await outcomes.of_ticket(conn, ref_of(case))

    assert counted.waived
