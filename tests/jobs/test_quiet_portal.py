"""One ticket on a quiet portal: how many requests it costs and how soon its card is stamped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from benchmarks.ground import TOKEN, Town, town
from tests.jobs.scenes import FIRE, SMS, letter

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="the clock goes on by what a cloud portal says it worked"),
]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    """At work: fields and bot are known, as after the first ticket of a day."""
    async with town(tmp_path, "decisions") as made:
        made.portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
        made.office.receive(letter(FIRE, "Пожар"), made.office.agents[0])
        await heard(made)
        made.portal.drop_pending()
        yield made


async def heard(place: Town) -> datetime:
    """The portal posts what it has, and the service does what follows; when the last event came."""
    assert place.portal.next_event_at
    last = max(event.due_at for event in place.portal.pending_events)
    place.clock.leap(max(last - place.clock.now(), timedelta(0)))
    came_at = place.clock.now()
    await place.portal.deliver(place.web)
    await place.settle()
    return came_at


def deal_with_a_contact(place: Town) -> int:
    contact = place.portal.add_contact("Пётр", "Клиентов")
    return place.portal.add_deal("Не приходит код", category=place.office.category, by=place.office.intake,
                                 comments=SMS, contact=contact, assigned=place.office.agents[0])  # fmt: skip


def deal_alone(place: Town) -> int:
    return place.portal.add_deal("Не приходит код", category=place.office.category, by=place.office.intake,
                                 comments=SMS, assigned=place.office.agents[0])  # fmt: skip


def letter_of_a_client(place: Town) -> int:
    return place.office.receive(letter(SMS), place.office.agents[0]).id


def call_for_help(place: Town) -> int:
    return place.office.receive(letter(FIRE, "Пожар"), place.office.agents[0]).id


@pytest.mark.parametrize(
    ("comes", "most"),
    [
        (deal_alone, 2),
        (deal_with_a_contact, 2),
        (letter_of_a_client, 3),  # whose letter it is has to be asked
        (call_for_help, 4),  # the card's comment follows the alerts
    ],
)
async def test_ticket_costs_few_requests_and_its_card_is_stamped_within_two_seconds(
    place: Town, comes: Callable[[Town], int], most: int
) -> None:
    written: list[datetime] = []
    deal, before = comes(place), place.portal.requests

    def look(_: httpx.Request) -> None:
        if place.portal.sla(2, deal).get("SLA_CLASS") and not written:
            written.append(place.clock.now())

    place.road.answered = look
    came_at = await heard(place)
    assert place.portal.requests - before <= most
    assert written[0] - came_at <= timedelta(seconds=2)
    assert place.portal.refused.total() == 0
