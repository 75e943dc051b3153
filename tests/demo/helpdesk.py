"""A portal to try things on: a clock moved by hand and calls by the service's webhook."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from app.demo.portal import UNLIMITED, EmulatedPortal, Profile

MORNING = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HANDLER = "http://service.test/webhooks/bitrix24"


class Helpdesk:
    """An emulated portal, its clock and a client of its webhook."""

    def __init__(self, profile: Profile = UNLIMITED, seed: int = 0) -> None:
        self.at = MORNING
        self.portal = EmulatedPortal(lambda: self.at, profile, seed)
        self.path = self.portal.webhook_path

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    async def http(self, verb: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.portal.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://portal.test") as client:
            return await client.request(verb, path, **more)

    async def post(self, method: str, **params: Any) -> httpx.Response:
        return await self.http("POST", self.path + method, json=params)

    async def body(self, method: str, **params: Any) -> Any:
        """The whole answer of a call that must succeed."""
        answer = await self.post(method, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def call(self, method: str, **params: Any) -> Any:
        return (await self.body(method, **params))["result"]

    async def refused(self, method: str, **params: Any) -> tuple[int, Any]:
        """Status and code of a refusal."""
        answer = await self.post(method, **params)
        return answer.status_code, answer.json()["error"]

    async def batch(self, *, halt: int = 0, **commands: str) -> Any:
        return await self.call("batch", halt=halt, cmd=commands)

    async def heard(self, until: datetime | None = None) -> list[dict[str, str]]:
        """Deliver what is due and answer the forms as they came, one flat map each."""
        ear = Ear()
        await self.portal.deliver(ear.transport, until or self.at + timedelta(hours=1))
        return ear.forms

    async def heard_names(self) -> list[str]:
        return [form["event"] for form in await self.heard()]


class Ear:
    """A handler of events that remembers the forms; `status` is its answer."""

    def __init__(self, status: int = 200) -> None:
        self.forms: list[dict[str, str]] = []
        self.status = status

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.forms.append(dict(httpx.QueryParams(request.content.decode())))
        return httpx.Response(self.status)
