"""«Почему?» from the card: one ticket's explanation without a login."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from app.clock import SetClock
from app.desk import Desk
from app.model import Entry, EntryKind, Message, MessageKind
from app.store import outbox, tickets
from app.store.engine import Database
from tests.web.test_pages import text_of
from tests.web.town import ADMIN_TOKEN, NOW, client_of, deal, desk_of, town

pytestmark = pytest.mark.anyio
PUBLIC = "https://sla.example.ru"


@pytest.fixture
async def desk(db: Database) -> Desk:
    desk = desk_of(db, admin_token=ADMIN_TOKEN, public_url=PUBLIC)
    await town(desk)
    return desk


@pytest.fixture
async def stranger(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(desk, base=PUBLIC, peer="203.0.113.9", accept="text/html") as client:
        yield client


async def address(desk: Desk, number: int) -> str:
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, deal(number))
    assert ticket is not None
    return desk.page_url(ticket).removeprefix(PUBLIC)


async def test_it_opens_without_a_login_and_tells_how_the_terms_come_about(
    desk: Desk, stranger: httpx.AsyncClient
) -> None:
    answer = await stranger.get(await address(desk, 45))
    text = text_of(answer.text)
    assert answer.status_code == 200
    assert "Итого засчитано 6 ч 1 мин из 24 ч; срок 25.11.2026 16:00" in text
    assert "Срок: 24 ч рабочего времени с 23.11 10:00: 23.11 8 ч + 24.11 9 ч + 25.11 7 ч" in text
    assert "Версии: правила" in text


async def test_it_names_nobody_and_leads_nowhere(desk: Desk, stranger: httpx.AsyncClient) -> None:
    said = Message("deal:45/1/solve_warn_75/5", MessageKind.NOTICE, "5", "Срок", deal(45))
    async with desk.db.begin() as conn:
        await outbox.put(conn, [said], NOW)
    html = (await stranger.get(await address(desk, 45))).text
    assert "сотрудник: решение: срок истекает, прошло 75 %" in text_of(html)
    hidden = ("Иванова", "Крылова", "Тихий берег", "Камера путает", "portal.test")
    assert [word for word in hidden if word in html] == []
    assert "<a " not in html.replace('<a class="skip" href="#main">', "")
    assert "<form" not in html


async def test_neither_a_waivers_reason_nor_an_author_of_rules_is_told(
    desk: Desk, stranger: httpx.AsyncClient
) -> None:
    written = (
        Entry(NOW, EntryKind.WAIVED, "Крылова болела"),
        Entry(NOW, EntryKind.RETARGETED, "rules:v2:Крылова"),
    )
    async with desk.db.begin() as conn:
        ticket = await tickets.load(conn, deal(45))
        assert ticket is not None
        clock = ticket.now_cycle.solution
        cycle = replace(ticket.now_cycle, solution=replace(clock, entries=(*clock.entries, *written)))
        assert await tickets.save(conn, replace(ticket, cycles=(*ticket.cycles[:-1], cycle)), ())
    html = (await stranger.get(await address(desk, 45))).text
    assert "вне SLA, причина: …" in text_of(html)
    assert "Крылова" not in html


async def test_the_address_goes_nowhere_else(desk: Desk, stranger: httpx.AsyncClient) -> None:
    for path in (await address(desk, 45), "/why/deal:45?until=1&sign=0"):
        headers = (await stranger.get(path)).headers
        assert headers.get_list("referrer-policy") == ["no-referrer"]
        assert headers.get_list("cache-control") == ["no-store"]


async def test_after_its_end_it_names_the_remedy(desk: Desk, stranger: httpx.AsyncClient) -> None:
    path = await address(desk, 45)
    assert isinstance(desk.clock, SetClock)
    desk.clock.advance(timedelta(days=90))
    answer = await stranger.get(path)
    assert answer.status_code == 403
    assert "Срок этой ссылки вышел. Войдите по ключу службы и откройте /tickets/deal:45." in answer.text


@pytest.mark.parametrize(
    ("was", "becomes"), [("deal:45", "deal:44"), ("until=", "until=1"), ("sign=", "sign=0")]
)
async def test_a_changed_address_opens_nothing(
    desk: Desk, stranger: httpx.AsyncClient, was: str, becomes: str
) -> None:
    answer = await stranger.get((await address(desk, 45)).replace(was, becomes))
    assert answer.status_code == 403
    assert "подпись не подходит" in answer.text


@pytest.mark.parametrize("path", ["/why/deal:45", "/why/deal:999", "/why/nonsense", "/why/deal:45?until=1"])
async def test_before_the_signature_holds_nothing_is_told(stranger: httpx.AsyncClient, path: str) -> None:
    assert (await stranger.get(path)).status_code == 403


async def test_without_any_key_nothing_is_signed(db: Database) -> None:
    desk = desk_of(db, public_url=PUBLIC)
    await town(desk)
    assert await address(desk, 45) == "/tickets/deal:45"
    async with client_of(desk) as here:
        assert (await here.get("/why/deal:45?until=99999999999&sign=")).status_code == 403
