"""What goes wrong on the road: told once at each end, and nothing asked of a portal that shuts us out."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app.bitrix.access import Webhook
from app.bitrix.client import Client
from app.bitrix.errors import Overloaded, RetryLater, ShutOut
from app.bitrix.limits import AUTO, STANDARD, UNLIMITED
from app.bitrix.troubles import CALM, QUIET
from app.bitrix.wire import Command
from app.clock import SetClock
from app.model import Lane

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Answers = Callable[[str], httpx.Response]


class Portal:
    """Answers what the test says; batches answer each command by itself."""

    def __init__(self, caplog: pytest.LogCaptureFixture | None = None, *, tariff: str = AUTO) -> None:
        self.bad: dict[str, str] = {}  # method → its error's code; "html": no JSON
        self.time: dict[str, float] = {"operating": 0, "duration": 0.1}
        self.clock = PatientClock(NOW)
        self.asked: list[str] = []
        transport = httpx.MockTransport(self._answer)
        self.client = Client(
            Webhook("https://portal.test/rest/9/secret/"), self.clock, transport=transport, tariff=tariff
        )
        self._caplog = caplog
        if caplog:
            caplog.set_level(logging.INFO)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        self.asked.append(method)
        code = self.bad.get(method)
        if code:
            return httpx.Response(502 if code == "html" else 401, text=json.dumps({"error": code}))
        if method != "batch":
            return httpx.Response(200, json={"result": 1, "time": self.time})
        commands = json.loads(request.content)["cmd"]
        told: dict[str, object] = {"result": {}, "result_error": {}, "result_time": {}}
        for key, command in commands.items():
            code = self.bad.get(command)
            part = told["result_error"] if code else told["result"]
            assert isinstance(part, dict)
            part[key] = {"error": code} if code else 1
        return httpx.Response(200, json={"result": told, "time": self.time})

    @property
    def log(self) -> list[str]:
        assert self._caplog
        return [record.getMessage() for record in self._caplog.records if record.name == "app.bitrix.client"]

    async def batch(self, *methods: str, lane: Lane = Lane.LIVE) -> None:
        await self.client.run_each([Command(method) for method in methods], lane)


class PatientClock(SetClock):
    async def sleep(self, length: timedelta) -> None:
        self.advance(length)


# --- told once ---------------------------------------------------------------------------


async def test_method_that_fails_between_others_successes_is_one_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    portal = Portal(caplog)
    for _ in range(10):
        portal.bad = {"slow": "INTERNAL_SERVER_ERROR"}
        await portal.batch("slow", "quick")
        portal.clock.advance(MINUTE)
    assert len(portal.log) == 1
    portal.bad = {}
    await portal.batch("quick")
    portal.clock.advance(CALM)
    await portal.batch("quick")
    assert len(portal.log) == 1
    await portal.batch("slow")
    assert len(portal.log) == 2


async def test_trouble_that_comes_and_goes_is_one(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    for bad in ({"m": "INTERNAL_SERVER_ERROR"}, {}) * 5:
        portal.bad = bad
        await portal.batch("m")
        portal.clock.advance(CALM / 4)
    assert len(portal.log) == 1
    portal.clock.advance(CALM)
    await portal.batch("m")
    assert len(portal.log) == 2


async def test_troubles_of_two_kinds_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    portal.bad = {"one": "INTERNAL_SERVER_ERROR", "two": "insufficient_scope"}
    await portal.batch("one", "two")
    await portal.batch("one", "two")
    assert len(portal.log) == 2
    portal.bad = {}
    portal.clock.advance(CALM)
    await portal.batch("one", "two")
    assert len(portal.log) == 4


async def test_method_that_is_not_called_any_more_does_not_keep_its_trouble_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    portal = Portal(caplog)
    portal.bad = {"rare": "INTERNAL_SERVER_ERROR"}
    await portal.batch("rare", "usual")
    portal.clock.advance(QUIET)
    await portal.batch("usual")
    assert len(portal.log) == 2


async def test_forbidden_method_stays_told_until_it_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    portal.bad = {"rare": "insufficient_scope"}
    for _ in range(3):
        await portal.batch("rare", "usual")
        portal.clock.advance(QUIET)
        await portal.batch("usual")
    assert len(portal.log) == 1


async def test_refusal_of_one_item_is_no_trouble_of_the_road(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    portal.bad = {"get": "ACCESS_DENIED"}
    await portal.batch("get", "other")
    assert portal.log == []


async def test_crowd_on_our_address_is_told_once_and_lowers_our_share(
    caplog: pytest.LogCaptureFixture,
) -> None:
    portal = Portal(caplog)
    whole = portal.client.budget.pacing(NOW).share
    for _ in range(3):
        portal.bad = {"m": "QUERY_LIMIT_EXCEEDED"}
        with pytest.raises(RetryLater):
            await portal.client.call(Command("m"))
        portal.bad = {}
        await portal.client.call(Command("m"))
    pacing = portal.client.budget.pacing(portal.clock.now())
    assert len(portal.log) == 1
    assert pacing.crowded
    assert pacing.share < whole
    portal.clock.advance(timedelta(hours=1))
    await portal.client.call(Command("m"))
    assert len(portal.log) == 2
    assert portal.client.budget.pacing(portal.clock.now()).share == whole


# --- shut out ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("INVALID_CREDENTIALS", ShutOut), ("ACCESS_DENIED", ShutOut), ("OVERLOAD_LIMIT", Overloaded)],
)
async def test_nothing_is_asked_of_a_portal_that_shuts_us_out(code: str, remedy: type[ShutOut]) -> None:
    portal = Portal()
    portal.bad = {"m": code}
    with pytest.raises(remedy):
        await portal.client.call(Command("m"))
    for _ in range(5):
        with pytest.raises(remedy):
            await portal.client.call(Command("other"))
        await portal.batch("m", "other", lane=Lane.URGENT)
    assert portal.asked == ["m"]


async def test_a_command_of_a_batch_can_tell_that_we_are_shut_out() -> None:
    portal = Portal()
    portal.bad = {"m": "PORTAL_DELETED"}
    await portal.batch("m", "other")
    await portal.batch("other")
    assert len(portal.asked) == 1


async def test_one_look_opens_the_door_again(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    portal.bad = {"m": "INVALID_CREDENTIALS", "profile": "INVALID_CREDENTIALS"}
    await portal.batch("m")
    assert not await portal.client.look()
    assert portal.asked == ["batch", "profile"]
    portal.bad = {}
    assert await portal.client.look()
    await portal.batch("m")
    assert portal.client.shut is None
    assert len(portal.log) == 2


async def test_an_answer_that_was_under_way_does_not_open_the_door(caplog: pytest.LogCaptureFixture) -> None:
    portal = Portal(caplog)
    portal.bad = {"m": "PORTAL_DELETED"}
    await portal.batch("m", "other")
    assert portal.client.shut is not None
    assert len(portal.log) == 1


async def test_looks_grow_rarer() -> None:
    portal = Portal()
    portal.bad = {"m": "INVALID_CREDENTIALS", "profile": "INVALID_CREDENTIALS"}
    await portal.batch("m")
    portal.bad["m"] = "INVALID_CREDENTIALS"
    with pytest.raises(ShutOut):
        await portal.client.call(Command("m"))
    pauses = []
    for _ in range(6):
        assert portal.client.shut is not None
        portal.clock.set(portal.client.shut.look_at)
        await portal.client.look()
        pauses.append(portal.client.shut.look_at - portal.clock.now())
    assert pauses == sorted(pauses)
    assert pauses[-1] == ShutOut.looks[1]


async def test_who_is_let_in_looks_at_nothing() -> None:
    portal = Portal()
    assert await portal.client.look()
    assert portal.asked == []


# --- which limits hold -------------------------------------------------------------------


async def test_portal_without_operating_is_not_waited_for() -> None:
    portal = Portal()
    portal.time = {"duration": 0.1}
    for _ in range(200):
        await portal.client.call(Command("m"), Lane.BACKFILL)
    assert portal.client.traffic.waited == timedelta(0)
    assert portal.client.budget.pacing(NOW).tariff == UNLIMITED


async def test_tariff_of_the_rules_is_not_guessed_away() -> None:
    portal = Portal(tariff="standard")
    portal.time = {"duration": 0.1}
    for _ in range(5):
        await portal.client.call(Command("m"))
    assert portal.client.budget.pacing(NOW).tariff == STANDARD


async def test_portal_that_bills_the_batch_rests_as_a_whole() -> None:
    portal = Portal()
    portal.time = {"operating": 470, "duration": 5}
    await portal.batch("m")
    await portal.batch("m")
    assert portal.asked == ["batch"]
