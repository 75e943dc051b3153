"""A portal that listens on loopback, for clients that others wrote.

b24pysdk (the vendor's) builds only https addresses and has no setting for it, so the one line that writes the
scheme is replaced, and the address of the vendor's OAuth server; requests, encodings, paging and errors are
its own. fast-bitrix24 needs nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import uvicorn
from b24pysdk import BitrixWebhook, Client
from fast_bitrix24 import BitrixAsync

from app.demo.portal import CLOUD_STD, SELF_HOSTED, EmulatedPortal
from app.demo.portal.profile import Profile

NOW = datetime(2026, 11, 24, 7, tzinfo=UTC)
PATIENCE = 10.0  # seconds of real time for a server thread
LIMITED = {"unlimited": CLOUD_STD, "self-hosted": SELF_HOSTED}
"""Here time passes, so the cloud has its limits."""


class Ticking:
    """Seconds pass with every look, so that no two acts happen at one instant."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at


@dataclass
class Stand:
    """A portal listening on loopback."""

    portal: EmulatedPortal
    clock: Ticking
    address: str  # host:port
    category: int
    deals: list[int]

    def sdk(self, path: str = "") -> Any:
        """The vendor's client by a webhook."""
        user, secret = (path or self.portal.webhook_path).strip("/").split("/")[1:]
        return Client(BitrixWebhook(domain=self.address, webhook_token=f"{user}/{secret}"))

    def wait(self, span: timedelta) -> None:
        """Time goes on at the portal."""
        self.clock.at += span

    def fast(self) -> BitrixAsync:
        return BitrixAsync(self.portal.url(f"http://{self.address}"), verbose=False)


@pytest.fixture
def habits() -> tuple[str, ...]:
    """fast-bitrix24 numbers what it sends many of, and orders every list in one way."""
    return ("unknown parameter __order", "user.get: order is not string: \"{'ID': 'ASC'}\"")


@pytest.fixture
def stand(portal_kind: Profile, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    yield from listening(LIMITED[portal_kind.name], monkeypatch)


def listening(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    clock = Ticking()
    portal = EmulatedPortal(clock, profile=profile)
    category = portal.add_funnel("Поддержка", [("NEW", "Новое", "P"), ("WORK", "В работе", "P")])
    deals = [portal.add_deal(f"Обращение {n}", category=category, by=1) for n in range(120)]
    config = uvicorn.Config(portal.app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        address = _address(server)
        plain = property(lambda caller: f"http://{caller._domain}/rest")
        method_caller = import_module("b24pysdk.api.callers.call_method")._MethodCaller
        monkeypatch.setattr(method_caller, "_base_url", plain)
        oauth = import_module("b24pysdk.api.requesters.bitrix_oauth_requester").BitrixOAuthRequester
        monkeypatch.setattr(oauth, "_OAUTH_TOKEN_URL", f"http://{address}/oauth/token/")
        yield Stand(portal, clock, address, category, deals)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)


def _address(server: uvicorn.Server) -> str:
    for _ in range(int(PATIENCE * 100)):
        if server.started:
            return "{}:{}".format(*server.servers[0].sockets[0].getsockname())
        threading.Event().wait(0.01)
    raise AssertionError("the server has not started")
