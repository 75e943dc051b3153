"""A local application on the emulated portal, driven by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from app.demo.portal import UNLIMITED, Profile
from app.demo.portal.world import Application
from tests.demo.helpdesk import HANDLER, Helpdesk

SAMPLES = Path(__file__).parents[1] / "data" / "bitrix24" / "examples"
INSTALL = "http://service.test/install"


class Applicant(Helpdesk):
    """A portal with one application, its client and what it has been told."""

    def __init__(self, profile: Profile = UNLIMITED, *, has_ui: bool = False, by: int = 9) -> None:
        super().__init__(profile)
        self.application: Application = self.portal.add_application(INSTALL, has_ui=has_ui, by=by)
        self.oauth = self.portal.world.oauth
        pair = self.oauth.pair(self.application.client_id, by)
        self.access, self.refresh = pair["access_token"], pair["refresh_token"]
        if not has_ui:
            self.portal.drop_pending()

    async def asked(self, method: str, token: str | None = None, **params: Any) -> tuple[int, Any]:
        """Status and body of a call with a token (ours by default)."""
        answer = await self.http("POST", f"/rest/{method}", json={**params, "auth": token or self.access})
        return answer.status_code, answer.json()

    async def told(self, method: str, token: str | None = None, **params: Any) -> Any:
        status, body = await self.asked(method, token, **params)
        assert status == 200, body
        return body["result"]

    async def denied(self, method: str, token: str | None = None, **params: Any) -> tuple[int, Any]:
        status, body = await self.asked(method, token, **params)
        return status, body["error"]

    async def token_answer(self, **params: Any) -> tuple[int, Any]:
        """The OAuth server's answer; our id and secret unless told otherwise."""
        own = {"client_id": self.application.client_id, "client_secret": self.application.client_secret}
        answer = await self.http("POST", "/oauth/token/", data=own | params)
        return answer.status_code, answer.json()

    async def refreshed(self, token: str | None = None) -> tuple[int, Any]:
        return await self.token_answer(grant_type="refresh_token", refresh_token=token or self.refresh)

    async def bind(self, event: str, **more: Any) -> Any:
        return await self.told("event.bind", event=event, handler=HANDLER, **more)

    async def bind_offline(self, event: str, **more: Any) -> Any:
        return await self.told("event.bind", event=event, event_type="offline", **more)


def auth_of(form: dict[str, str]) -> dict[str, str]:
    """The keys of `auth` in a flat form."""
    return {key[5:-1]: value for key, value in form.items() if key.startswith("auth[")}


def fields_of(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True))


def sample(name: str) -> Any:
    """One of the vendor's published samples."""
    return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
