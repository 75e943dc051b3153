"""A sender of events that waits for nothing but its answers: some connections, each one post at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from urllib.parse import urlencode

PATH = "/webhooks/bitrix24"
ACKNOWLEDGED = b"HTTP/1.1 200"


def event_body(deal: int, token: str) -> bytes:
    """An event as an outgoing webhook posts it (rest.md 3.2)."""
    pairs = {
        "event": "ONCRMDEALUPDATE",
        "event_handler_id": "9",
        "data[FIELDS][ID]": str(deal),
        "ts": "1764057600",
        "auth[domain]": "portal.test",
        "auth[client_endpoint]": "https://portal.test/rest/",
        "auth[server_endpoint]": "https://oauth.test/rest/",
        "auth[member_id]": "0" * 32,
        "auth[application_token]": token,
    }
    return urlencode(pairs).encode()


def posted(body: bytes) -> bytes:
    """The whole request, so that sending costs nothing but a write."""
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass
class Pounded:
    """What came of the posts; seconds are of this machine's clock."""

    acknowledged: list[int] = field(default_factory=list)  # deals whose event was answered with 200
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    began: float = field(default_factory=perf_counter)
    ended: float = 0.0

    @property
    def a_second(self) -> float:
        return len(self.acknowledged) / (self.ended - self.began)

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


class _Sender(asyncio.Protocol):
    """One connection: sends, waits for the answer, sends again."""

    def __init__(self, deals: Iterator[int], request_of: Callable[[int], bytes], found: Pounded) -> None:
        self._deals, self._request_of, self._found = deals, request_of, found
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deal, self._sent_at, self._answer = 0, 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if b"\r\n\r\n" not in self._answer:
            return
        now = perf_counter()
        if self._answer.startswith(ACKNOWLEDGED):
            self._found.acknowledged.append(self._deal)
            self._found.latencies.append(now - self._sent_at)
        else:
            self._found.refused += 1
        self._answer = b""
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        if not self.over.done():
            self.over.set_result(None)

    def _next(self) -> None:
        deal = next(self._deals, None)
        if deal is None:
            self._transport.close()
            return
        self._deal, self._sent_at = deal, perf_counter()
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(self._request_of(deal))


async def pound(
    port: int, deals: Iterator[int], token: str, *, connections: int = 32, found: Pounded | None = None
) -> Pounded:
    """Post an event for each deal; a connection that the server drops ends quietly."""
    requests: dict[int, bytes] = {}

    def request_of(deal: int) -> bytes:
        if deal not in requests:
            requests[deal] = posted(event_body(deal, token))
        return requests[deal]

    loop = asyncio.get_running_loop()
    found = found or Pounded()
    senders = [
        (await loop.create_connection(lambda: _Sender(deals, request_of, found), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(sender.over for sender in senders))
    found.ended = perf_counter()
    return found
