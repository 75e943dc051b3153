"""Who may look (contract.md 2)."""

from __future__ import annotations

import httpx
import pytest

from app.store.engine import Database
from tests.web.town import ADMIN_TOKEN, bearer, client_of, desk_of

pytestmark = pytest.mark.anyio

PAGES = ("/", "/kpi", "/kpi/reply_sla", "/failed", "/tickets/deal:41", "/docs")
PROGRAMS = ("/api/v1/tickets", "/api/v1/tickets/deal:41", "/api/v1/kpi", "/metrics", "/openapi.json")
OPEN = ("/healthz", "/readyz", "/webhooks/bitrix24", "/login")


@pytest.mark.parametrize("path", [*PAGES[:4], "/docs", *PROGRAMS[:1], *PROGRAMS[2:]])
async def test_this_machine_may_look_while_there_is_no_token(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "base", ["http://localhost", "http://127.0.0.1", "http://[::1]:8080", "http://127.9.9.9"]
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
async def test_loopback_has_many_names(db: Database, base: str, peer: str) -> None:
    async with client_of(desk_of(db), base=base, peer=peer) as client:
        assert (await client.get("/")).status_code == 200


STRANGERS = [
    ({"peer": "10.0.0.5"}, {}),
    ({"peer": "::ffff:10.0.0.5"}, {}),
    ({"peer": ""}, {}),
    ({"base": "http://rebound.example"}, {}),
    ({"base": "http://127.0.0.1.example"}, {}),
    ({"base": "http://localhost.example"}, {}),
    ({"base": "http://10.0.0.5"}, {}),
    ({}, {"Host": ""}),
    ({}, {"Host": "[::1"}),
    ({}, {"X-Forwarded-For": "127.0.0.1"}),
    ({}, {"X-Forwarded-Host": "localhost"}),
    ({}, {"X-Forwarded-Proto": "http"}),
    ({}, {"Forwarded": "for=127.0.0.1"}),
    ({}, {"X-Real-IP": "127.0.0.1"}),
    ({}, {"Via": "1.1 proxy"}),
]


@pytest.mark.parametrize(("way", "headers"), STRANGERS)
async def test_others_are_sent_to_login_or_refused(
    db: Database, way: dict[str, str], headers: dict[str, str]
) -> None:
    async with client_of(desk_of(db), **way) as client:
        page = await client.get("/kpi", headers=headers)
        program = await client.get("/api/v1/tickets", headers=headers)
    assert (page.status_code, page.headers["Location"]) == (303, "/login?next=%2Fkpi")
    assert (program.status_code, program.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("path", PAGES)
async def test_with_a_token_pages_ask_for_it_even_here(db: Database, path: str) -> None:
    async with client_of(desk_of(db, admin_token=ADMIN_TOKEN)) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/login")


@pytest.mark.parametrize("path", PROGRAMS)
async def test_with_a_token_programs_need_it_even_here(db: Database, path: str) -> None:
    async with client_of(desk_of(db, admin_token=ADMIN_TOKEN)) as client:
        answer = await client.get(path)
    assert (answer.status_code, answer.json()["status"]) == (401, 401)


@pytest.mark.parametrize("path", ["/", "/api/v1/kpi", "/metrics"])
async def test_the_bearer_opens_everything_from_everywhere(db: Database, path: str) -> None:
    desk = desk_of(db, admin_token=ADMIN_TOKEN)
    async with client_of(desk, base="https://sla.example.ru", peer="203.0.113.9", **bearer()) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "Bearer", "Bearer ", f"Basic {ADMIN_TOKEN}", f"Bearer {ADMIN_TOKEN}x", "Bearer ключ"]
)
async def test_another_bearer_opens_nothing(db: Database, value: str) -> None:
    headers = [(b"Authorization", value.encode())]
    async with client_of(desk_of(db, admin_token=ADMIN_TOKEN)) as client:
        assert (await client.get("/api/v1/kpi", headers=headers)).status_code == 401


async def test_the_refusal_comes_before_any_look_at_the_parameters(db: Database) -> None:
    async with client_of(desk_of(db, admin_token=ADMIN_TOKEN)) as client:
        assert (await client.get("/api/v1/tickets?limit=nonsense")).status_code == 401


@pytest.mark.parametrize("path", OPEN)
async def test_health_hooks_and_login_are_open(db: Database, path: str) -> None:
    desk = desk_of(db, admin_token=ADMIN_TOKEN)
    async with client_of(desk, base="http://sla.example.ru", peer="203.0.113.9") as client:
        assert (await client.get(path)).status_code == 200
