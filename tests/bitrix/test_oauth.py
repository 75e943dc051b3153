"""The application's credential: when it is refreshed, what is kept first, when it stops asking."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.bitrix.client import Client
from app.bitrix.errors import PortalError, RetryLater, ShutOut
from app.bitrix.oauth import TOKEN_SERVER, Application, NoKey, Visitor, auth_of, granted, tokens_of
from app.bitrix.oauth import Identification as Who
from app.bitrix.wire import Answer, Command
from app.demo.portal import UNLIMITED, EmulatedPortal
from app.model import Installation, Tokens
from tests.bitrix.conftest import NOW, PatientClock

pytestmark = pytest.mark.anyio
PORTAL = "https://portal.test"
PROFILE = Command("profile")


class Safe:
    """A vault in memory that remembers in which order things happened."""

    def __init__(self, installation: Installation | None) -> None:
        self.now: Installation | None = installation
        self.kept: list[Tokens] = []
        self.broken = 0  # how many times the database will not take a pair

    async def load(self) -> Installation | None:
        await asyncio.sleep(0)
        return self.now

    async def renewed(self, old: Installation, tokens: Tokens) -> bool:
        if self.broken:
            self.broken -= 1
            raise RetryLater("database", at=NOW)
        assert self.now is not None
        if self.now.generation != old.generation:
            return False
        self.kept.append(tokens)
        self.now = replace(self.now, tokens=tokens, generation=old.generation + 1)
        return True

    async def moved(self, old: Installation, portal: str) -> None:
        self.now = replace(old, portal=portal)


class Town:
    """An emulated portal with an installed application, and our client of it."""

    def __init__(self) -> None:
        self.clock = PatientClock(NOW)
        self.emulated = EmulatedPortal(self.clock.now, profile=UNLIMITED)
        self.known = self.emulated.add_application("https://service.test/install")
        self.oauth = self.emulated.world.oauth
        pair = tokens_of(self.oauth.pair(self.known.client_id, 9), NOW)
        assert pair is not None
        self.safe = Safe(Installation(pair.member_id, PORTAL, PORTAL, pair, "apptoken", NOW))
        self.seen: list[httpx.Request] = []
        self.client, self.access = self.road(self.safe)

    def road(self, safe: Safe) -> tuple[Client, Application]:
        """One more process: its own client over the same vault."""
        who = Who(self.known.client_id, self.known.client_secret, PORTAL)
        access = Application(who, safe, self.clock)
        inner = httpx.ASGITransport(app=self.emulated.app)
        return Client(access, self.clock, transport=Ear(inner, self.seen)), access

    async def profile(self) -> Any:
        return (await self.client.call(PROFILE)).result

    @property
    def refreshes(self) -> int:
        return self.oauth.asked["refresh_token"]

    @property
    def stored(self) -> Installation:
        assert self.safe.now is not None
        return self.safe.now


class Ear(httpx.AsyncBaseTransport):
    """Hears every request."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seen: list[httpx.Request]) -> None:
        self.inner, self.seen = inner, seen

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return await self.inner.handle_async_request(request)


@pytest.fixture
def town() -> Town:
    return Town()


async def test_token_goes_in_the_body_and_not_in_the_address(town: Town) -> None:
    await town.profile()
    [request] = town.seen
    assert str(request.url) == "https://portal.test/rest/profile"
    assert json.loads(request.content)["auth"] == town.stored.tokens.access


async def test_nothing_is_refreshed_while_the_token_is_good(town: Town) -> None:
    for _ in range(3):
        await town.profile()
        town.clock.advance(timedelta(minutes=19))
    assert town.refreshes == 0


async def test_expired_token_is_refreshed_and_the_call_repeated(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    assert (await town.profile())["ID"] == "9"
    assert (town.refreshes, town.stored.generation) == (1, 2)


async def test_parallel_calls_make_one_refresh(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    told = await asyncio.gather(*(town.client.run_each([PROFILE] * 60) for _ in range(4)))
    assert all(isinstance(one, Answer) for answers in told for one in answers)
    assert town.refreshes == 1


async def test_expired_token_is_no_trouble_worth_a_line(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    town.clock.advance(timedelta(hours=1))
    await town.profile()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_new_pair_is_kept_before_it_is_used(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    town.safe.broken = 1
    with pytest.raises(RetryLater):
        await town.profile()
    assert (town.refreshes, len(town.seen)) == (1, 2), "refused call, refresh, and no call by the new token"
    assert (await town.profile())["ID"] == "9"
    assert (town.refreshes, town.stored.generation) == (1, 2), "the pair waited in memory for the database"


async def test_pair_that_was_not_kept_is_not_told_as_renewed(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    """The application was installed anew while the token server answered."""
    caplog.set_level(logging.INFO)
    town.clock.advance(timedelta(hours=1))
    stale = await town.access.key()

    async def post(_: str, form: Any) -> tuple[int, bytes]:
        status, body = town.oauth.answer(form)
        town.safe.now = replace(town.stored, generation=town.stored.generation + 1)
        return status, json.dumps(body).encode()

    await town.access.renewed(stale, post)
    assert (town.safe.kept, "was renewed" in caplog.text) == ([], False)


async def test_another_process_has_renewed_already(town: Town) -> None:
    other, _ = town.road(town.safe)
    town.clock.advance(timedelta(hours=1))
    await asyncio.gather(town.client.call(PROFILE), other.call(PROFILE))
    assert town.stored.generation == 2
    assert (await town.profile())["ID"] == (await other.call(PROFILE)).result["ID"] == "9"
    await other.aclose()


async def test_used_refresh_token_is_no_fault_where_another_process_used_it(town: Town) -> None:
    """Both sent the same token; the slower one finds the faster one's pair."""
    town.clock.advance(timedelta(hours=1))
    stale = await town.access.key()
    _, other = town.road(town.safe)

    async def post(url: str, form: Any) -> tuple[int, bytes]:
        await other.renewed(stale, through)  # somebody is faster while our request is on its way
        return await through(url, form)

    async def through(url: str, form: Any) -> tuple[int, bytes]:
        assert url == TOKEN_SERVER
        status, body = town.oauth.answer(form)
        return status, json.dumps(body).encode()

    renewed = await town.access.renewed(stale, post)
    assert (renewed.token, town.oauth.refused["invalid_grant"]) == (town.stored.tokens.access, 1)


async def test_pair_of_another_process_is_waited_for_a_moment(town: Town) -> None:
    """It used our refresh token, and has not committed its pair when we are refused."""
    town.clock.advance(timedelta(hours=1))
    new = tokens_of(town.oauth.answer(town.access._form(town.stored))[1], town.clock.now())
    assert new is not None
    late = replace(town.stored, tokens=new, generation=2)
    refused_at = town.clock.now()
    load = town.safe.load

    async def kept_later() -> Installation | None:
        if town.clock.now() - refused_at >= timedelta(seconds=1):
            town.safe.now = late
        return await load()

    town.safe.load = kept_later  # type: ignore[method-assign]
    assert (await town.profile())["ID"] == "9"


async def test_restarted_process_goes_on_with_the_stored_pair(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    await town.profile()
    await town.client.aclose()
    town.client, town.access = town.road(town.safe)
    assert (await town.profile())["ID"] == "9"
    assert town.refreshes == 1


async def test_stop_in_the_middle_of_a_refresh_keeps_the_new_pair(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    stale = await town.access.key()
    asked = asyncio.Event()

    async def slow(url: str, form: Any) -> tuple[int, bytes]:
        status, body = town.oauth.answer(form)
        asked.set()
        await asyncio.sleep(0.01)
        return status, json.dumps(body).encode()

    waiting = asyncio.create_task(town.access.renewed(stale, slow))
    await asked.wait()
    waiting.cancel()
    await town.client.aclose()
    assert town.stored.generation == 2


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("PAYMENT_REQUIRED", "продлите"),
        ("invalid_grant", "установите его на портале заново"),
        ("invalid_client", "B24SLA_CLIENT_SECRET"),
    ],
)
async def test_refused_refresh_names_the_remedy_and_asks_no_more(town: Town, code: str, remedy: str) -> None:
    town.clock.advance(timedelta(hours=1))
    refuse(town, code)
    for _ in range(5):
        with pytest.raises(ShutOut) as caught:
            await town.profile()
        assert remedy in caught.value.remedy
        town.clock.advance(timedelta(minutes=1))
        await town.client.look()
    assert (town.refreshes, town.oauth.refused[code]) == (1, 1)


def refuse(town: Town, code: str) -> None:
    if code == "PAYMENT_REQUIRED":
        town.known.paid = False
    elif code == "invalid_client":
        town.known.client_secret = "another"
    else:
        town.oauth.forget(town.known.client_id)


async def test_paid_application_goes_on_within_the_hour(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    town.known.paid = False
    with pytest.raises(ShutOut):
        await town.profile()
    town.known.paid = True
    town.clock.advance(timedelta(hours=1))
    assert await town.client.look()
    assert (await town.profile())["ID"] == "9"


async def test_broken_token_server_is_asked_again_after_a_pause(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    town.oauth.broken = True
    told = [(await town.client.run_each([PROFILE]))[0] for _ in range(3)]
    assert all(isinstance(one, RetryLater) and not one.unknown_fate for one in told), "refused at the door"
    assert sum(request.url.path == "/oauth/token/" for request in town.seen) == 1
    town.oauth.broken = False
    town.clock.advance(timedelta(minutes=1))
    assert (await town.profile())["ID"] == "9"


async def test_installing_again_ends_a_refusal_at_once(town: Town) -> None:
    town.clock.advance(timedelta(hours=1))
    refuse(town, "invalid_grant")
    with pytest.raises(ShutOut):
        await town.profile()
    pair = tokens_of(town.oauth.pair(town.known.client_id, 9), town.clock.now())
    assert pair is not None
    town.safe.now = replace(town.stored, tokens=pair, generation=2)
    town.clock.advance(timedelta(seconds=5))
    assert await town.client.look()
    assert (await town.profile())["ID"] == "9"


@pytest.mark.parametrize(("change", "code"), [({"removed_at": NOW}, "uninstalled"), (None, "not_installed")])
async def test_without_an_installation_nothing_is_sent(
    town: Town, change: dict[str, Any] | None, code: str
) -> None:
    town.safe.now = None if change is None else replace(town.stored, **change)
    with pytest.raises(NoKey) as caught:
        await town.profile()
    assert (caught.value.code, town.seen) == (code, [])


# --- the portal's name -------------------------------------------------------------------


async def test_renamed_portal_is_followed_and_kept(town: Town) -> None:
    town.emulated.moved_to = "https://new.test"
    assert (await town.profile())["ID"] == "9"
    assert (town.stored.portal, town.access.portal) == ("https://new.test", "https://new.test")
    town.seen.clear()
    await town.profile()
    assert [request.url.host for request in town.seen] == ["new.test"]


async def test_token_is_not_sent_to_another_path(town: Town) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"Location": "https://login.test/enter"}, request=request)

    client = Client(town.access, town.clock, transport=httpx.MockTransport(elsewhere))
    with pytest.raises(ShutOut):
        await client.call(PROFILE)
    await client.aclose()


async def test_new_name_in_the_settings_is_stronger_than_the_kept_one(town: Town) -> None:
    town.safe.now = replace(town.stored, portal="https://old.test", named="https://older.test")
    await town.profile()
    assert town.seen[0].url.host == "portal.test"


# --- reading -----------------------------------------------------------------------------


def answer(**more: Any) -> bytes:
    whole = {"access_token": "a", "refresh_token": "r", "member_id": "m", "expires_in": 3600, "user_id": 9}
    return json.dumps(whole | more).encode()


OLD = Tokens("old", "older", NOW, "m", server_endpoint="https://oauth.bitrix24.tech/rest/")


def test_answer_of_the_token_server_is_read() -> None:
    new = granted(200, answer(scope="crm,im", status="L"), OLD, NOW)
    assert new == Tokens(
        "a", "r", NOW + timedelta(hours=1), "m", "crm,im", "L", 9, "https://oauth.bitrix24.tech/rest/"
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html>", RetryLater),
        (200, b"", RetryLater),
        (200, b"[]", RetryLater),
        (200, answer(refresh_token=""), RetryLater),
        (500, b'{"error": "server_error"}', RetryLater),
        (408, b'{"error": "timeout"}', RetryLater),
        (425, b'{"error": "too_early"}', RetryLater),
        (429, b'{"error": "rate_limit"}', RetryLater),
        (400, b'{"error": "invalid_grant"}', NoKey),
        (200, b'{"error": "PAYMENT_REQUIRED"}', NoKey),
        (200, answer(member_id="somebody else"), NoKey),
    ],
)
def test_answer_that_is_no_pair(status: int, body: bytes, kind: type[PortalError]) -> None:
    with pytest.raises(kind):
        granted(status, body, OLD, NOW)


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        ("https://oauth.bitrix24.tech/rest/", "oauth.bitrix24.tech"),
        ("https://oauth.bitrix.info/rest/", "oauth.bitrix.info"),
        ("https://evil.example/rest/", "oauth.bitrix.info"),
        ("", "oauth.bitrix.info"),
    ],
)
async def test_only_the_vendors_servers_are_asked_for_tokens(town: Town, endpoint: str, asked: str) -> None:
    town.safe.now = replace(town.stored, tokens=replace(town.stored.tokens, server_endpoint=endpoint))
    town.clock.advance(timedelta(hours=1))
    await town.profile()
    assert next(request.url.host for request in town.seen if request.url.path == "/oauth/token/") == asked


def test_frame_and_event_are_read_under_the_same_names() -> None:
    frame = {"AUTH_ID": "a", "REFRESH_ID": "r", "AUTH_EXPIRES": "3600", "member_id": "m", "status": "L"}
    told = {"access_token": "a", "refresh_token": "r", "expires_in": "3600", "member_id": "m", "status": "L"}
    event = {"event": "ONAPPINSTALL", "auth": told}
    assert tokens_of(auth_of(frame), NOW) == tokens_of(auth_of(event), NOW) == tokens_of(told, NOW)


@pytest.mark.parametrize("name", ["access_token", "refresh_token", "member_id"])
def test_half_a_pair_is_none(name: str) -> None:
    assert tokens_of(json.loads(answer(**{name: ""})), NOW) is None


def test_endless_life_is_cut() -> None:
    tokens = tokens_of(json.loads(answer(expires_in=10**15)), NOW)
    assert tokens is not None and tokens.expires_at == NOW + timedelta(days=1)  # noqa: PT018


async def test_brought_token_is_not_refreshed(town: Town) -> None:
    visitor = Client(
        Visitor(PORTAL, town.stored.tokens.access),
        town.clock,
        transport=httpx.ASGITransport(app=town.emulated.app),
    )
    assert (await visitor.call(PROFILE)).result["ID"] == "9"
    town.clock.advance(timedelta(hours=1))
    with pytest.raises(ShutOut):
        await visitor.call(PROFILE)
    assert town.refreshes == 0
    await visitor.aclose()


async def test_no_secret_in_words_about_it(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    town.clock.advance(timedelta(hours=1))
    await town.profile()
    refuse(town, "invalid_grant")
    town.clock.advance(timedelta(hours=1))
    told = str(await town.client.run_each([PROFILE]))
    who = Who(town.known.client_id, town.known.client_secret, PORTAL)
    words = f"{caplog.text} {told} {who!r} {town.access._key_of(town.stored)!r} {town.stored!r}"
    tokens = town.stored.tokens
    assert not any(secret in words for secret in (tokens.access, tokens.refresh, town.known.client_secret))
