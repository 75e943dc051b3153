"""Faults on order of the emulated portal (emulator-notes.md A)."""

import httpx
import pytest
from starlette.types import Message, Scope

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

HTML = [("http502", 502), ("http504", 504), ("html", 200)]


@pytest.mark.parametrize(("kind", "status"), HTML)
async def test_html_instead_of_an_answer(kind: str, status: int, desk: Helpdesk) -> None:
    desk.portal.faults.fail(None, kind, times=2)
    answers = [await desk.post("profile") for _ in range(3)]
    assert [one.status_code for one in answers] == [status, status, 200]
    assert answers[0].text.startswith("<html>")


RAISED = [("hang", httpx.ReadTimeout), ("cut", httpx.ReadTimeout), ("reset", httpx.ReadError)]


@pytest.mark.parametrize(("kind", "error"), RAISED)
async def test_network_fault_in_process_is_the_clients_exception(
    kind: str, error: type[Exception], desk: Helpdesk
) -> None:
    desk.portal.faults.fail("profile", kind)
    with pytest.raises(error):
        await desk.post("profile")
    assert (await desk.post("profile")).status_code == 200


async def test_timeout_after_the_write_was_applied(desk: Helpdesk) -> None:
    desk.portal.faults.fail("crm.deal.add", "timeout_after_apply")
    with pytest.raises(httpx.ReadTimeout):
        await desk.post("crm.deal.add", fields={"TITLE": "x"})
    assert desk.portal.item(2, 1) is not None


async def test_fault_of_a_method_hits_the_batch_that_names_it(desk: Helpdesk) -> None:
    desk.portal.faults.fail("crm.deal.list", "http502")
    assert (await desk.post("batch", cmd={"a": "server.time"})).status_code == 200
    assert (await desk.post("batch", cmd={"a": "server.time", "b": "crm.deal.list?id=1"})).status_code == 502


async def test_nobody_listens(desk: Helpdesk) -> None:
    desk.portal.faults.down = True
    with pytest.raises(httpx.ConnectError):
        await desk.post("profile")
    desk.portal.faults.clear()
    assert (await desk.post("profile")).status_code == 200


def test_unknown_fault_is_a_mistake_of_the_test(desk: Helpdesk) -> None:
    with pytest.raises(ValueError, match="no such fault"):
        desk.portal.faults.fail(None, "meteorite")


async def over_a_socket(desk: Helpdesk) -> list[Message]:
    """The messages a server would get; unlike httpx in process, it names its version of ASGI."""
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    scope: Scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
        "method": "POST",
        "scheme": "http", "path": f"{desk.path}profile", "query_string": b"", "headers": [], "server": ("x",
        80),
        "client": ("127.0.0.1", 5),
    }  # fmt: skip
    await desk.portal.app(scope, receive, send)
    return said


SOCKET = [("hang", 504), ("reset", 200)]


@pytest.mark.parametrize(("kind", "status"), SOCKET)
async def test_network_fault_over_a_socket(kind: str, status: int, desk: Helpdesk) -> None:
    desk.portal.faults.hang_for = 0
    desk.portal.faults.fail("profile", kind)
    start, body = await over_a_socket(desk)
    promised = dict(start["headers"]).get(b"content-length", b"")
    assert start["status"] == status
    assert (int(promised) > len(body["body"])) is (kind == "reset")


async def test_portal_that_is_down_over_a_socket_is_a_bad_gateway(desk: Helpdesk) -> None:
    desk.portal.faults.down = True
    assert (await over_a_socket(desk))[0]["status"] == 502
