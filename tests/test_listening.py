"""From when on the service says that it listens."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
import uvicorn

from app import listening
from app.settings import NotAllowed

pytestmark = pytest.mark.anyio


async def nothing(scope: object, receive: object, send: object) -> None:
    """An application that nobody calls."""


def server(port: int) -> listening.Server:
    """Ready to start up."""
    config = uvicorn.Config(nothing, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    config.load()
    made = listening.Server(config)
    made.lifespan = config.lifespan_class(config)
    return made


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "app.listening"]


@pytest.fixture(autouse=True)
def _listen_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def of(sockets: list[socket.socket]) -> int:
    return int(sockets[0].getsockname()[1])


async def test_it_says_so_once_it_listens(caplog: pytest.LogCaptureFixture) -> None:
    with listening.bound("127.0.0.1", 0) as sockets:
        port = of(sockets)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        assert said(caplog) == []
        ours = server(port)
        await ours.startup(sockets)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        await ours.shutdown(sockets)
    assert said(caplog) == [f"listening on http://127.0.0.1:{port}"]


async def test_a_port_that_is_lost_in_between_is_said_instead(caplog: pytest.LogCaptureFixture) -> None:
    with listening.bound("127.0.0.1", 0) as sockets, socket.socket() as quicker:
        port = of(sockets)
        quicker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        quicker.bind(("127.0.0.1", port))
        quicker.listen()
        with pytest.raises(NotAllowed, match=f"порт {port} занят"):
            await server(port).startup(sockets)
    assert said(caplog) == []
