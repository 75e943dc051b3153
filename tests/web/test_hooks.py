"""Posts of the portal, line by line of contract.md 3."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.desk import Desk
from app.model import Lane
from app.store import inbox, strangers
from app.store.engine import Database, StoreUnavailable
from tests.web.town import EVENT_TOKEN, client_of, deal, desk_of

pytestmark = pytest.mark.anyio

HOOK = "/webhooks/bitrix24"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIMIT = 64 * 1024


def event(number: int = 41, *, name: str = "ONCRMDEALUPDATE", token: str = EVENT_TOKEN) -> str:
    return f"event={name}&data[FIELDS][ID]={number}&ts=1764000000&auth[application_token]={token}"


async def waiting(desk: Desk) -> int:
    async with desk.db.read() as conn:
        return (await inbox.lag(conn, desk.now()))[0]


class FullDisk(Database):
    """A database that takes nothing."""

    def __init__(self) -> None:
        pass

    async def append(self, *_: object) -> None:
        raise StoreUnavailable("the disk is full")


async def test_stores_before_it_answers_with_nothing(client: httpx.AsyncClient, desk: Desk) -> None:
    answer = await client.post(HOOK, content=event(), headers=FORM)
    assert (answer.status_code, answer.content) == (200, b"")
    async with desk.db.begin() as conn:
        await inbox.take_in(conn)
        claims = await inbox.claim(conn, 10, desk.now(), "test", desk.rules.pace.watch)
    assert [(claim.subject, claim.lane, claim.cause) for claim in claims] == [
        (deal(41), Lane.LIVE, "ONCRMDEALUPDATE")
    ]


async def test_takes_json_of_the_same_tree(client: httpx.AsyncClient, desk: Desk) -> None:
    tree = {
        "event": "ONCRMDEALADD",
        "data": {"FIELDS": {"ID": 41}},
        "auth": {"application_token": EVENT_TOKEN},
    }
    answer = await client.post(HOOK, json=tree)
    assert (answer.status_code, await waiting(desk)) == (200, 1)


async def test_wakes_the_worker(client: httpx.AsyncClient, desk: Desk) -> None:
    await client.post(HOOK, content=event(), headers=FORM)
    async with asyncio.timeout(1):
        await desk.wait_for_work(10)


async def test_get_answers_200(client: httpx.AsyncClient) -> None:
    assert (await client.get(HOOK)).status_code == 200


async def test_an_event_of_no_use_is_taken_and_counted(client: httpx.AsyncClient, desk: Desk) -> None:
    answer = await client.post(HOOK, content=event(name="ONCRMLEADADD"), headers=FORM)
    async with desk.db.read() as conn:
        assert (answer.status_code, await strangers.counts(conn)) == (200, {"ONCRMLEADADD": 1})


async def test_posts_that_wait_together_share_commits(desk: Desk) -> None:
    commits = 0
    begin = desk.db.begin

    def counted() -> Any:
        nonlocal commits
        commits += 1
        return begin()

    desk.db.begin = counted  # type: ignore[method-assign]
    async with client_of(desk) as client:
        posts = [client.post(HOOK, content=event(number), headers=FORM) for number in range(1, 41)]
        answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {200}
    assert (await waiting(desk), commits < 40) == (40, True)


# --- refusals, and their order -----------------------------------------------------------

DEEP = "event=X&" + "a" + "[b]" * 11 + "=1"
WIDE = "event=X&" + "&".join(f"a{k}=1" for k in range(1001))
NESTED = json.dumps({"event": "X", "a": [[[[[[[[[[[1]]]]]]]]]]]})


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (event() + "&x=" + "a" * LIMIT, "form", 413),
        (b"event=\xff\xfe", "form", 400),
        ("data[FIELDS][ID]=1", "form", 400),
        ("", "form", 400),
        ("{broken", "json", 400),
        ("[1]", "json", 400),
        ('{"data": 1}', "json", 400),
        (DEEP, "form", 400),
        (WIDE, "form", 400),
        (NESTED, "json", 400),
        (event(token="wrong"), "form", 403),
        (event(token=""), "form", 403),
        (event(token=EVENT_TOKEN[:-1]), "form", 403),
        (event(token=EVENT_TOKEN + "x"), "form", 403),
        ("event=ONCRMDEALUPDATE", "form", 403),
        ("event=X&auth[application_token][]=" + EVENT_TOKEN, "form", 403),
    ],
)
async def test_refuses(
    client: httpx.AsyncClient, desk: Desk, content: str | bytes, kind: str, status: int
) -> None:
    headers = FORM if kind == "form" else {"Content-Type": "application/json"}
    answer = await client.post(HOOK, content=content, headers=headers)
    assert (answer.status_code, await waiting(desk)) == (status, 0)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


async def test_a_body_of_exactly_64_kib_is_read(client: httpx.AsyncClient) -> None:
    full = event() + "&x="
    answer = await client.post(HOOK, content=full + "a" * (LIMIT - len(full)), headers=FORM)
    assert answer.status_code == 200


async def test_a_body_without_length_is_cut_at_64_kib(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 16384

    answer = await client.post(HOOK, content=endless(), headers=FORM)
    assert answer.status_code == 413


async def test_a_compressed_body_is_415(client: httpx.AsyncClient) -> None:
    headers = FORM | {"Content-Encoding": "gzip"}
    answer = await client.post(HOOK, content=gzip.compress(event().encode()), headers=headers)
    assert answer.status_code == 415


async def test_too_long_comes_before_compressed_and_unreadable(client: httpx.AsyncClient) -> None:
    headers = FORM | {"Content-Encoding": "gzip"}
    assert (await client.post(HOOK, content=b"\xff" * (LIMIT + 1), headers=headers)).status_code == 413


async def test_unreadable_comes_before_the_token(client: httpx.AsyncClient) -> None:
    assert (
        await client.post(HOOK, content=DEEP + "&auth[application_token]=no", headers=FORM)
    ).status_code == 400


async def test_the_token_comes_before_the_database() -> None:
    async with client_of(desk_of(FullDisk())) as client:
        answer = await client.post(HOOK, content=event(token="wrong"), headers=FORM)
    assert answer.status_code == 403


async def test_not_storable_is_503() -> None:
    async with client_of(desk_of(FullDisk())) as client:
        answer = await client.post(HOOK, content=event(), headers=FORM)
    assert (answer.status_code, answer.json()["title"]) == (503, "Пока не получается")


async def test_without_tokens_every_post_is_refused(db: Database) -> None:
    async with client_of(desk_of(db, event_tokens="")) as client:
        assert (await client.post(HOOK, content=event(), headers=FORM)).status_code == 403
        assert (await client.post(HOOK, content=event(token=""), headers=FORM)).status_code == 403


async def test_any_of_several_tokens_will_do(client: httpx.AsyncClient) -> None:
    assert (await client.post(HOOK, content=event(token="other"), headers=FORM)).status_code == 200


async def test_posts_need_no_admin_token_and_no_loopback(db: Database) -> None:
    desk = desk_of(db, admin_token="a-key-of-16-signs")
    async with client_of(desk, base="https://sla.example.ru", peer="203.0.113.9") as client:
        assert (await client.post(HOOK, content=event(), headers=FORM)).status_code == 200
