"""The port, from binding it to leaving it in time."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import uvicorn

from app.settings import NotAllowed

log = logging.getLogger(__name__)

LAST_SECONDS = 9.0  # from the signal to the end, whatever hangs then


class Server(uvicorn.Server):
    """Ends at a signal, and lets the worker end after it: uvicorn's own would kill the process then.

    `hurry` is called at the first signal.
    """

    def __init__(self, config: uvicorn.Config, hurry: Callable[[], None] = lambda: None) -> None:
        super().__init__(config)
        self._hurry = hurry

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Until the process ends: a second signal must not cut the worker's last write."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if not self.should_exit:
            self._hurry()
            _leave_in_time()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Raises NotAllowed where another process began to listen since the port was bound."""
        host, port = self.config.host, self.config.port
        try:
            await super().startup(sockets)
        except OSError as fault:
            raise _no_port(host, port, fault) from fault
        log.info("listening on http://%s:%s", host, port)


def _leave_in_time() -> None:
    """A driver's thread that waits for a stranger's lock, a database that is frozen: nothing hinges on them.

    What was acknowledged is stored, and all else is as after a kill.
    """
    timer = threading.Timer(LAST_SECONDS, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> None:
    os._exit(1)  # nothing is logged: who reads the log may be what hangs


@contextmanager
def bound(host: str, port: int) -> Iterator[list[socket.socket]]:
    """The port as ours, but not listening yet: who connects before the service works is refused at once."""
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            known = dict.fromkeys((family, protocol, address) for family, _, protocol, _, address in found)
            sockets = [stack.enter_context(_bound(*one)) for one in known]
        except OSError as fault:
            raise _no_port(host, port, fault) from fault
        yield sockets


def _bound(family: int, protocol: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM, protocol)  # without it asyncio leaves Nagle's delay on
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the former process's last connections
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock


def _no_port(host: str, port: int, fault: OSError) -> NotAllowed:
    if fault.errno == errno.EADDRINUSE:
        return NotAllowed(f"порт {port} занят: задайте B24SLA_PORT")
    if fault.errno == errno.EACCES:
        return NotAllowed(f"порт {port} службе не дан: задайте B24SLA_PORT больше 1023")
    return NotAllowed(f"B24SLA_HOST={host} — не адрес этой машины ({fault.strerror}): задайте другой")
