"""The road to the portal: what is sent, what is waited for, what is told of a fault."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.bitrix.access import Webhook
from app.bitrix.client import Client
from app.bitrix.errors import MethodResting, Overloaded, PortalError, RetryLater, ShutOut, TooFast
from app.bitrix.wire import Answer, Command, From
from app.clock import SetClock
from app.model import Lane

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
WEBHOOK = "https://portal.test/rest/9/topsecret/"
Handler = Callable[[httpx.Request], httpx.Response]


class PatientClock(SetClock):
    async def sleep(self, length: timedelta) -> None:
        self.advance(length)


def client(handler: Handler) -> Client:
    return Client(Webhook(WEBHOOK), PatientClock(NOW), transport=httpx.MockTransport(handler))


def answered(result: Any, **more: Any) -> httpx.Response:
    return httpx.Response(200, json={"result": result, **more})


def batch(request: httpx.Request) -> httpx.Response:
    """Every command of the batch answers its own text."""
    commands = json.loads(request.content)["cmd"]
    return answered({"result": commands, "result_error": [], "result_time": []})


def always(response: httpx.Response) -> Handler:
    return lambda _: httpx.Response(response.status_code, content=response.content, headers=response.headers)


def broken(fault: type[httpx.TransportError]) -> Handler:
    def fail(request: httpx.Request) -> httpx.Response:
        raise fault("broken", request=request)

    return fail


async def fault_of(handler: Handler) -> PortalError:
    with pytest.raises(PortalError) as fault:
        await client(handler).call(Command("profile"))
    return fault.value


async def test_call_is_one_post_of_json() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answered({"ID": "9"})

    answer = await client(handler).call(Command("user.get", {"FILTER": {"ID": 9}}))
    assert answer.result == {"ID": "9"}
    assert (seen[0].method, str(seen[0].url)) == ("POST", WEBHOOK + "user.get")
    assert json.loads(seen[0].content) == {"FILTER": {"ID": 9}}
    assert seen[0].headers["user-agent"].startswith("b24sla/")


async def test_commands_travel_by_fifties() -> None:
    road = client(batch)
    told = await road.run_each([Command("m", {"n": n}) for n in range(120)])
    assert [one.result for one in told if isinstance(one, Answer)] == [f"m?n={n}" for n in range(120)]
    assert road.traffic.requests == 3


async def test_group_is_never_split_and_refers_to_its_own() -> None:
    road = client(batch)
    group = [Command("first"), Command("second", {"x": From(1, "[id]")})]
    told = await road.run([[Command("m")] * 49, group, group])
    assert [len(answers) for answers in told] == [49, 2, 2]
    texts = [answers[1].result for answers in told[1:] if isinstance(answers[1], Answer)]
    assert texts == ["second?x=%24result%5Bc0%5D%5Bid%5D", "second?x=%24result%5Bc2%5D%5Bid%5D"]


async def test_slow_commands_travel_in_smaller_requests() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        commands = json.loads(request.content)["cmd"]
        times = {key: {"duration": 4.0} for key in commands}
        return answered({"result": commands, "result_error": [], "result_time": times})

    road = client(handler)
    await road.run_each([Command("slow")] * 50)
    before = road.traffic.requests
    await road.run_each([Command("slow")] * 50)
    assert road.traffic.requests - before == 5


async def test_failed_request_is_told_to_each_of_its_commands() -> None:
    told = await client(broken(httpx.ReadTimeout)).run_each([Command("a"), Command("b")])
    assert all(isinstance(one, RetryLater) and one.unknown_fate for one in told)


@pytest.mark.parametrize(
    ("fault", "unknown"),
    [
        (httpx.ConnectError, False),
        (httpx.ConnectTimeout, False),
        (httpx.ReadTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
        (httpx.WriteError, True),
    ],
)
async def test_fault_of_the_network_tells_whether_a_write_may_have_happened(
    fault: type[httpx.TransportError], unknown: bool
) -> None:
    error = await fault_of(broken(fault))
    assert isinstance(error, RetryLater)
    assert error.unknown_fate is unknown


async def test_html_is_read_again_later() -> None:
    error = await fault_of(always(httpx.Response(502, html="<h1>Bad gateway</h1>")))
    assert isinstance(error, RetryLater)


async def test_refused_by_the_rate_limit_it_waits_and_repeats() -> None:
    answers = iter([httpx.Response(503, json={"error": "QUERY_LIMIT_EXCEEDED"}), answered("fine")])
    road = client(lambda _: next(answers))
    assert (await road.call(Command("profile"))).result == "fine"
    assert road.traffic.waited > timedelta(0)


async def test_rate_limit_that_does_not_end_is_given_back() -> None:
    error = await fault_of(always(httpx.Response(503, json={"error": "QUERY_LIMIT_EXCEEDED"})))
    assert isinstance(error, TooFast)


async def test_block_by_the_vendor_is_not_repeated() -> None:
    road = client(always(httpx.Response(503, json={"error": "OVERLOAD_LIMIT"})))
    with pytest.raises(Overloaded):
        await road.call(Command("profile"))
    assert road.traffic.requests == 1


async def test_blocked_method_is_not_called_again_but_others_are() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        blocked = request.url.path.endswith("busy")
        body = {"error": "OPERATION_TIME_LIMIT"} if blocked else {"result": 1}
        return httpx.Response(429 if blocked else 200, json=body)

    road = client(handler)
    for _ in range(3):
        with pytest.raises(MethodResting):
            await road.call(Command("busy"))
    assert (await road.call(Command("profile"))).result == 1
    assert road.traffic.requests == 2


async def test_resting_method_holds_back_only_its_own_group() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if b"busy" in request.content:
            error = {"error": "OPERATION_TIME_LIMIT"}
            return answered({"result": [], "result_error": {"c0": error}, "result_time": []})
        return batch(request)

    road = client(handler)
    await road.run_each([Command("busy")])
    told = await road.run_each([Command("busy"), Command("calm")])
    assert isinstance(told[0], MethodResting)
    assert isinstance(told[1], Answer)


async def test_renamed_portal_gets_the_same_post() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.host} {request.content.decode()}")
        if request.url.host == "portal.test":
            moved = str(request.url).replace("portal.test", "new.test")
            return httpx.Response(302, headers={"location": moved})
        return answered(1)

    road = client(handler)
    for _ in range(2):
        await road.call(Command("m", {"a": 1}))
    assert seen == ['POST portal.test {"a":1}', 'POST new.test {"a":1}', 'POST new.test {"a":1}']


@pytest.mark.parametrize(
    "location", ["https://portal.test/login/", "http://new.test/rest/9/topsecret/profile", "", "/auth/"]
)
async def test_other_redirects_are_not_followed(location: str) -> None:
    error = await fault_of(always(httpx.Response(302, headers={"location": location})))
    assert isinstance(error, ShutOut)


async def test_clock_of_the_portal_and_the_last_success_are_known() -> None:
    finish = (NOW + timedelta(seconds=90)).timestamp()
    road = client(always(answered(1, time={"finish": finish})))
    await road.call(Command("profile"))
    assert (road.traffic.offset, road.traffic.last_ok_at) == (timedelta(seconds=90), NOW)


async def test_secret_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(RetryLater) as fault:
        await client(broken(httpx.ConnectError)).call(Command("profile"))
    await client(always(answered(1))).call(Command("profile"))
    assert "topsecret" not in caplog.text
    assert "topsecret" not in str(fault.value)


async def test_trouble_is_told_once_when_it_begins_and_once_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    bad = httpx.Response(502, html="x")
    answers = iter([bad, bad, bad, answered(1), answered(1)])
    road = client(lambda _: next(answers))
    for _ in range(3):
        with pytest.raises(RetryLater):
            await road.call(Command("profile"))
    await road._clock.sleep(timedelta(minutes=5))
    for _ in range(2):
        await road.call(Command("profile"))
    assert len(caplog.messages) == 2


async def test_lanes_share_the_bucket_by_urgency() -> None:
    road = client(always(answered(1)))
    for _ in range(60):
        await road.call(Command("profile"), Lane.BACKFILL)
    waited = road.traffic.waited
    await road.call(Command("profile"), Lane.URGENT)
    assert waited > timedelta(0)
    assert road.traffic.waited == waited
