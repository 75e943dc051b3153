"""Entering, leaving, guessing, and forms of strangers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from app.clock import SetClock
from app.desk import Desk
from app.store.engine import Database
from app.web import sessions
from app.web.attempts import ALTOGETHER, PER_PEER, WINDOW, Attempts
from app.web.login import own_path
from tests.web.town import ADMIN_TOKEN, NOW, bearer, client_of, desk_of, failed_work_in

pytestmark = pytest.mark.anyio


@pytest.fixture
def locked(db: Database) -> Desk:
    return desk_of(db, admin_token=ADMIN_TOKEN)


@pytest.fixture
async def visitor(locked: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(locked) as client:
        yield client


async def enter(client: httpx.AsyncClient, token: str = ADMIN_TOKEN, **fields: str) -> httpx.Response:
    return await client.post("/login", data={"token": token, **fields})


def mark_in(page: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', page)
    assert found
    return found[1]


async def test_the_right_key_opens_the_pages(visitor: httpx.AsyncClient) -> None:
    answer = await enter(visitor, next="/kpi?from=2026-11-01")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/kpi?from=2026-11-01")
    assert (await visitor.get("/kpi")).status_code == 200


async def test_the_cookie_is_for_this_site_and_no_script(visitor: httpx.AsyncClient) -> None:
    flags = (await enter(visitor)).headers["Set-Cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags
    assert "path=/" in flags
    assert "secure" not in flags
    assert ADMIN_TOKEN not in flags


@pytest.mark.parametrize(
    ("public_url", "base"), [("https://sla.example.ru", "http://10.0.0.1"), ("", "https://sla.example.ru")]
)
async def test_under_https_the_cookie_is_secure(db: Database, public_url: str, base: str) -> None:
    async with client_of(desk_of(db, admin_token=ADMIN_TOKEN, public_url=public_url), base=base) as client:
        assert "secure" in (await enter(client)).headers["Set-Cookie"].lower()


async def test_a_wrong_key_opens_nothing(visitor: httpx.AsyncClient) -> None:
    answer = await enter(visitor, "wrong")
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)
    assert "Ключ не подошёл" in answer.text


async def test_a_session_ends_by_itself(visitor: httpx.AsyncClient, locked: Desk) -> None:
    await enter(visitor)
    assert isinstance(locked.clock, SetClock)
    locked.clock.advance(sessions.LIFETIME)
    assert (await visitor.get("/")).status_code == 303


async def test_leaving_takes_the_cookie_away(visitor: httpx.AsyncClient) -> None:
    await enter(visitor)
    mark = mark_in((await visitor.get("/")).text)
    assert (await visitor.post("/logout", data={"mark": mark})).status_code == 303
    assert (await visitor.get("/")).status_code == 303


async def test_a_login_that_is_already_there_goes_on(visitor: httpx.AsyncClient) -> None:
    await enter(visitor)
    answer = await visitor.get("/login", params={"next": "/failed"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/failed")


async def test_a_link_from_the_portal_is_looked_at_twice(visitor: httpx.AsyncClient) -> None:
    linked = {"Sec-Fetch-Site": "cross-site"}
    first = await visitor.get("/login?next=/kpi", headers=linked)
    again = await visitor.get("/login?next=/kpi&again=1", headers=linked)
    assert ('http-equiv="refresh"' in first.text, 'http-equiv="refresh"' in again.text) == (True, False)


async def test_without_a_token_there_is_nothing_to_log_in_with(db: Database) -> None:
    async with client_of(desk_of(db), peer="10.0.0.5") as client:
        assert "B24SLA_ADMIN_TOKEN" in (await client.get("/login")).text
        assert (await enter(client, "")).status_code == 403


# --- guessing ----------------------------------------------------------------------------


async def test_after_a_few_guesses_even_the_right_key_must_wait(
    visitor: httpx.AsyncClient, locked: Desk
) -> None:
    for _ in range(PER_PEER):
        await enter(visitor, "guess")
    refused = await enter(visitor)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "301")
    assert isinstance(locked.clock, SetClock)
    locked.clock.advance(WINDOW)
    assert (await enter(visitor)).status_code == 303


def test_one_guesser_does_not_lock_out_another() -> None:
    attempts = Attempts()
    for _ in range(PER_PEER):
        attempts.failed("203.0.113.9", NOW)
    assert attempts.wait("203.0.113.9", NOW) == WINDOW
    assert attempts.wait("198.51.100.1", NOW) == timedelta(0)


def test_many_guessers_together_must_wait_too() -> None:
    attempts = Attempts()
    for number in range(ALTOGETHER):
        attempts.failed(f"198.51.100.{number}", NOW)
    assert attempts.wait("203.0.113.9", NOW) == WINDOW


# --- sessions ----------------------------------------------------------------------------

KEY = sessions.key_of(ADMIN_TOKEN)


@pytest.mark.parametrize(
    "session",
    ["", ".", "..", "9999999999.aa.", "9999999999.aa.bb", "ключ.aa.bb", "9999999999.aa." + "0" * 64],
)
def test_an_invented_session_does_not_hold(session: str) -> None:
    assert not sessions.holds(KEY, session, NOW)


def test_a_session_of_another_token_does_not_hold() -> None:
    assert not sessions.holds(sessions.key_of("another"), sessions.new_session(KEY, NOW), NOW)


def test_a_session_cannot_be_prolonged() -> None:
    until, _, rest = sessions.new_session(KEY, NOW).partition(".")
    assert not sessions.holds(KEY, f"{int(until) + 1}.{rest}", NOW)


# --- where a login leads -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/kpi?from=1", "/kpi?from=1"),
        ("", "/"),
        ("kpi", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_a_login_leads_nowhere_else(wanted: str, path: str) -> None:
    assert own_path(wanted) == path


# --- forms of strangers ------------------------------------------------------------------

FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_strangers_form_cannot_log_in(visitor: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await visitor.post("/login", data={"token": ADMIN_TOKEN}, headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", [*FOREIGN, {}])
async def test_a_strangers_form_changes_nothing(
    client: httpx.AsyncClient, desk: Desk, headers: dict[str, str]
) -> None:
    await failed_work_in(desk)
    fields = {"what": "inbox", "key": "deal:43", "mark": "invented"}
    assert (await client.post("/failed/drop", data=fields, headers=headers)).status_code == 403
    assert "№43" in (await client.get("/failed")).text


async def test_the_mark_of_one_session_is_of_no_use_in_another(locked: Desk) -> None:
    async with client_of(locked) as one, client_of(locked) as other:
        await enter(one)
        await enter(other)
        mark = mark_in((await one.get("/")).text)
        assert (await other.post("/logout", data={"mark": mark})).status_code == 403


async def test_a_program_with_the_bearer_needs_no_mark(locked: Desk) -> None:
    await failed_work_in(locked)
    async with client_of(locked, **bearer()) as client:
        answer = await client.post("/failed/retry", data={"what": "inbox"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/failed?retry=2")


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("token=" + "a" * 9000, "application/x-www-form-urlencoded", 413),
        ("&".join("a=1" for _ in range(30)), "application/x-www-form-urlencoded", 400),
        ("token=%ff", "application/x-www-form-urlencoded", 400),
        ('{"token": "x"}', "application/json", 415),
    ],
)
async def test_a_login_of_another_shape_is_refused(
    visitor: httpx.AsyncClient, content: str, kind: str, status: int
) -> None:
    answer = await visitor.post("/login", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status
