"""A ticket that came by messenger: answered there, heard of by the sweep alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.demo.office import Case
from app.model import TicketClass
from tests.jobs.scenes import SMS, Scene, scene

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def written_to(town: Scene) -> tuple[Case, int]:
    """A deal that a client's messenger opened, and its session."""
    agent = town.office.agents[0]
    deal = town.portal.add_deal(
        "Гость №1", category=town.office.category, by=town.office.intake, assigned=agent
    )
    session = town.portal.open_line_of(town.portal.add_open_line((2, deal), by=agent))
    town.portal.open_line_says(session, "Здравствуйте! Чем помочь?", "bot")
    town.portal.open_line_says(session, SMS)
    await town.settle()
    return Case(2, deal, agent), session


async def test_words_of_a_messenger_are_classified_and_their_answer_meets_the_clock(town: Scene) -> None:
    case, session = await written_to(town)
    assert (await town.ticket(case)).value is TicketClass.STANDARD
    town.clock.advance(timedelta(minutes=20))
    answered_at = town.clock.now()
    town.portal.open_line_says(session, "Проверяем отправку кода, минуту", "agent")
    await town.sweep()
    assert town.fields(case)["SLA_FIRST_REPLY_AT"] == answered_at.replace(second=0)


async def test_greeting_and_robots_meet_nothing(town: Scene) -> None:
    case, session = await written_to(town)
    town.portal.open_line_says(session, "Оцените ответ", "agent", automatic=True)
    town.portal.open_line_says(session, "Оператор подключён", 0)
    await town.sweep()
    ticket = await town.ticket(case)
    assert ticket.now_cycle.reply.met_at is None
    assert "openline_unread" not in ticket.notes


async def test_quiet_line_costs_the_sweep_nothing_more_than_its_look(town: Scene) -> None:
    await written_to(town)
    await town.sweep()
    town.clock.advance(timedelta(minutes=10))
    await town.sweep()
    before = town.portal.requests
    town.clock.advance(timedelta(minutes=10))
    await town.sweep()
    assert town.portal.requests - before <= 2
