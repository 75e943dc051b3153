"""What the portal says of its errors may hold anything; whoever looks at us is shown none of it."""

from __future__ import annotations

import json

import httpx
import pytest

from app.bitrix.portal import Portal
from app.desk import Desk, portal_config
from app.jobs.handle import handle_next
from app.jobs.refresh import refresh_people
from app.jobs.tend import guarded
from app.model import Lane
from app.store import inbox
from tests.web.town import client_of, deal

pytestmark = pytest.mark.anyio

TOLD = "Bad value ivan@example.org +7 (916) 123-45-67 of https://p.test/rest/9/s3cr3tkey/ token=t0ken5"
HIDDEN = ("s3cr3tkey", "t0ken5", "ivan@", "123-45-67")


def refusing(request: httpx.Request) -> httpx.Response:
    """Every request; a batch also command by command."""
    error = {"error": "ERROR_CORE", "error_description": TOLD}
    if not request.url.path.endswith("/batch"):
        return httpx.Response(400, json=error)
    commands = json.loads(request.content)["cmd"]
    return httpx.Response(
        200, json={"result": {"result": [], "result_error": dict.fromkeys(commands, error)}}
    )


async def test_an_error_of_the_portal_is_shown_without_secrets_and_numbers(desk: Desk) -> None:
    config = portal_config(desk.settings, desk.rules)
    desk.portal = Portal(config, desk.clock, httpx.MockTransport(refusing))
    async with desk.db.begin() as conn:
        await inbox.put(conn, [(deal(41), Lane.SWEEP, "sweep")], desk.now())
    await guarded("refresh", refresh_people, desk)
    await handle_next(desk)
    lines = await desk.portal.check()
    await desk.portal.close()
    async with client_of(desk) as client:
        shown = [(await client.get(page)).text for page in ("/readyz", "/", "/failed")]
    shown.append("\n".join(line.text for line in lines))
    assert ["Bad value" in text for text in shown] == [True, True, True, True]
    assert [secret for secret in HIDDEN for text in shown if secret in text] == []
