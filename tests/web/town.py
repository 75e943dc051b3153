"""Builders: a desk, ways to it, and a few tickets whose clocks really ran."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from app.clock import SetClock
from app.desk import Desk
from app.model import ItemRef, Kind, Lane, Message, MessageKind, Person, Side, Stamp, Utterance
from app.settings import Settings
from app.store import facts, inbox, outbox, stamps, tickets
from app.store.engine import Database
from app.web.application import create_app
from tests.lives import AGENT, at, card, move, reading, rules, said
from tests.lives import Desk as Lives

NOW = at("24.11 12:00")
EVENT_TOKEN = "a-token-of-the-portal"
ADMIN_TOKEN = "the-key-of-the-admin"
PEOPLE = (Person(AGENT, "Иванова А."), Person(6, "Петров С."), Person(7, "Смирнова О."))


def desk_of(db: Database, *, now: datetime = NOW, **settings: str) -> Desk:
    given = {"event_tokens": f"other, {EVENT_TOKEN}", "portal_webhook": "https://portal.test/rest/1/secret/"}
    environ = {f"B24SLA_{name.upper()}": value for name, value in (given | settings).items()}
    desk = Desk(Settings.read(environ), rules(), db, SetClock(now))
    desk.people = {person.id: person for person in PEOPLE}
    desk.health.last_portal_ok_at = now
    return desk


def client_of(
    desk: Desk, *, base: str = "http://127.0.0.1:8080", peer: str = "127.0.0.1", **headers: str
) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_app(desk), client=(peer, 50000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)


def bearer(token: str = ADMIN_TOKEN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def deal(number: int) -> ItemRef:
    return ItemRef(Kind.DEAL, number)


async def live(
    desk: Desk,
    number: int,
    created: str,
    *,
    moves: tuple[tuple[str, str], ...] = (),
    replies: tuple[str, ...] = (),
    now: datetime | None = None,
    **changes: Any,
) -> None:
    """One deal, read and decided at `now` and saved as the handler does; times are of 2026, Moscow."""
    shown = card(created, ref=deal(number), **changes)
    rows = [replace(move(100 * number + k, *each)) for k, each in enumerate(moves)]
    spoken = [_reply(1000 * number + k, when) for k, when in enumerate(replies)]
    lives = Lives(desk.rules)
    decision = lives.reads(reading("24.11 12:00", of=shown, moves=rows, spoken=spoken), now or desk.now())
    async with desk.db.begin() as conn:
        await facts.add(conn, lives.facts)
        await tickets.save(conn, decision.ticket, decision.outcomes)


def _reply(number: int, when: str) -> Utterance:
    return said(number, when, Side.OURS)


async def town(desk: Desk) -> None:
    """A board with something in every section, on Tuesday 24.11.2026 at noon."""
    quarter: dict[str, Any] = {"object": "ЖК «Тихий берег»", "client_name": "Мария Крылова"}
    await live(
        desk,
        41,
        "24.11 11:00",
        title="КПП-2 не открывается, машины стоят",
        text=("Шлагбаум на КПП-2 не открывается ни у кого, жители не могут выехать, очередь из машин.",),
        **quarter,
    )
    await live(
        desk, 42, "20.11 09:30", replies=("20.11 10:10",), title="Гостевой пропуск не приходит", assignee=6
    )
    await live(
        desk, 43, "23.11 17:40", title="Не приходит код по SMS", client_name="Олег Тихонов", assignee=None
    )
    await live(desk, 44, "24.11 09:20", replies=("24.11 09:45",), moves=(("24.11 09:40", "PREPARATION"),))
    await live(
        desk,
        45,
        "23.11 10:00",
        replies=("23.11 11:00", "23.11 16:00"),
        moves=(("23.11 11:05", "PREPARATION"), ("23.11 16:01", "WAIT")),
        title="Камера путает 1 и 7 в номере",
        text=("Камера на въезде читает единицу как семёрку, пропуск на машину не срабатывает.",),
        **quarter,
    )
    await live(
        desk,
        46,
        "20.11 12:00",
        replies=("20.11 12:20",),
        moves=(("20.11 12:30", "PREPARATION"), ("23.11 15:00", "SOLVED")),
        title="Добавить квартиру в дом 3",
    )
    await live(
        desk,
        47,
        "19.11 10:00",
        replies=("19.11 18:00",),
        moves=(("19.11 18:05", "PREPARATION"), ("23.11 12:00", "SOLVED"), ("24.11 10:00", "WON")),
        title="Выгрузка проходов за октябрь",
    )


async def failed_work_in(desk: Desk) -> None:
    """One piece of each kind that gave up."""
    item, now = deal(43), desk.now()
    message = Message("deal:43/1/solve_breach/7", MessageKind.NOTICE, "7", "Просрочено", item)
    async with desk.db.begin() as conn:
        await inbox.put(
            conn, [(item, Lane.LIVE, "ONCRMDEALUPDATE"), (deal(99), Lane.LIVE, "ONCRMDEALADD")], now
        )
        for claim in await inbox.claim(conn, 10, now, "worker", timedelta(minutes=5)):
            await inbox.give_up(
                conn, claim, "Портал отказал: нет доступа к карточке. Дайте права владельцу вебхука.", now
            )
        await stamps.want(conn, Stamp(item, {"SLA_STATE": "overdue"}), now)
        await stamps.parked(conn, item, "Карточку писали слишком часто: проверьте роботов воронки.", now)
        await outbox.put(conn, [message], now)
        await outbox.give_up(conn, message.key, "Пользователь уволен: поправьте people.head в правилах.", now)
