"""Alive, ready, and the numbers."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.bitrix.client import Traffic
from app.bitrix.portal import Portal
from app.desk import Desk, Health
from app.model import Lane, Message, MessageKind
from app.store import inbox, outbox
from app.store.engine import Database
from app.web.health import Queues, readiness
from tests.web.town import EVENT_TOKEN, NOW, client_of, deal, desk_of, failed_work_in, town

pytestmark = pytest.mark.anyio

GOOD = Queues(reachable=True, migrated=True)
HOUR = timedelta(hours=1)


async def test_a_sound_desk_is_ready(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["status"], answer.json()["reasons"]) == (200, "ready", [])


@pytest.mark.parametrize(
    ("queues", "health", "words"),
    [
        (Queues(), Health(last_portal_ok_at=NOW), "База данных не отвечает"),
        (Queues(reachable=True), Health(last_portal_ok_at=NOW), "Таблицы базы не обновлены"),
        (Queues(True, True, inbox=(3, HOUR)), Health(last_portal_ok_at=NOW), "События ждут разбора 1 ч (3)"),
        (Queues(True, True, outbox=(2, HOUR)), Health(last_portal_ok_at=NOW), "Запись в портал отстаёт 1 ч"),
        (GOOD, Health(), "Портал ещё ни разу не ответил"),
        (GOOD, Health(portal_fault="вебхук удалён"), "Портал: вебхук удалён"),
        (GOOD, Health(last_portal_ok_at=NOW - HOUR), "Портал не отвечал 1 ч"),
        (GOOD, Health(last_portal_ok_at=NOW, last_sweep_at=NOW - HOUR), "Сверка с порталом не проходила 1 ч"),
    ],
)
async def test_a_reason_is_said_in_words(desk: Desk, queues: Queues, health: Health, words: str) -> None:
    desk.health = health
    reasons = readiness(desk, queues, NOW).reasons
    assert [reason.startswith(words) for reason in reasons] == [True]


async def test_the_web_role_does_not_judge_the_portal(desk: Desk) -> None:
    desk.role, desk.health = "web", Health(portal_fault="вебхук удалён", last_sweep_at=NOW - HOUR)
    assert readiness(desk, Queues(True, True, outbox=(2, HOUR)), NOW).reasons == []
    assert len(readiness(desk, Queues(True, True, inbox=(2, HOUR)), NOW).reasons) == 1


async def test_failed_work_warns_and_stops_nothing(client: httpx.AsyncClient, desk: Desk) -> None:
    await failed_work_in(desk)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["failed"], len(answer.json()["warnings"])) == (200, 4, 1)


async def test_old_work_in_the_queues_shows(client: httpx.AsyncClient, desk: Desk) -> None:
    async with desk.db.begin() as conn:
        await inbox.put(conn, [(deal(1), Lane.LIVE, "ONCRMDEALADD")], NOW - HOUR)
        await outbox.put(conn, [Message("k", MessageKind.NOTICE, "7", "x")], NOW - HOUR)
    answer = await client.get("/readyz")
    assert (answer.status_code, len(answer.json()["reasons"])) == (503, 2)
    assert answer.json()["inbox"] == {"waiting": 1, "oldest_seconds": 3600}


async def test_a_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    async with client_of(desk_of(database)) as client:
        answer = await client.get("/readyz")
        alive = await client.get("/healthz")
    await database.close()
    assert (answer.status_code, alive.status_code) == (503, 200)


async def numbers(client: httpx.AsyncClient) -> dict[tuple[str, str], float]:
    """(name, first label's value) → value."""
    families = text_string_to_metric_families((await client.get("/metrics")).text)
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in families
        for sample in family.samples
    }


async def test_the_numbers_tell_queues_and_open_tickets(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    await failed_work_in(desk)
    found = await numbers(client)
    assert found["b24sla_failed", "inbox"] == 2
    assert found["b24sla_tickets_open", "overdue"] == 1
    assert found["b24sla_tickets_open", "at_risk"] == 2
    assert found["b24sla_portal_call_age_seconds", ""] == 0


async def test_the_numbers_count_events_by_name(client: httpx.AsyncClient) -> None:
    before = (await numbers(client)).get(("b24sla_events_total", "ONTASKADD"), 0)
    body = f"event=ONTASKADD&data[FIELDS_AFTER][ID]=17&auth[application_token]={EVENT_TOKEN}"
    await client.post(
        "/webhooks/bitrix24", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (await numbers(client))["b24sla_events_total", "ONTASKADD"] == before + 1


async def test_the_numbers_tell_what_went_to_the_portal(db: Database) -> None:
    traffic = Traffic(requests=3, waited=timedelta(seconds=2))
    traffic.commands["crm.item.list"] += 40
    traffic.errors["QUERY_LIMIT_EXCEEDED"] += 1
    desk = desk_of(db)
    desk.portal = cast("Portal", SimpleNamespace(traffic=traffic))
    async with client_of(desk) as client:
        found = await numbers(client)
    assert found["b24sla_portal_requests_total", ""] == 3
    assert found["b24sla_portal_commands_total", "crm.item.list"] == 40
    assert found["b24sla_portal_errors_total", "QUERY_LIMIT_EXCEEDED"] == 1
    assert found["b24sla_portal_waited_seconds_total", ""] == 2


async def test_a_database_that_is_away_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    async with client_of(desk_of(database)) as client:
        answer = await client.get("/metrics")
    await database.close()
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
