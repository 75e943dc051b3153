"""Holders that freeze or die, stores that cannot write, names that a sender makes up."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from app.jobs import deliver, handle
from app.jobs.lead import lead
from app.model import ItemRef, Kind, Lane, Message, MessageKind
from app.store import inbox, leases, outbox, strangers
from app.store.engine import Database, StoreUnavailable
from app.store.schema import messages
from app.web.exposition import EVENTS
from tests.jobs.scenes import FIRE, TOKEN, Scene, letter, scene
from tests.lives import at

pytestmark = pytest.mark.anyio

NOW = at("24.11 10:00")
NOTICE = Message("deal:1/1/announce/7", MessageKind.NOTICE, "7", "Пожар")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def test_what_another_has_sent_meanwhile_is_not_ours_to_send(database: Database) -> None:
    async with database.begin() as conn:
        await outbox.put(conn, [NOTICE], NOW)
        seen = await outbox.due(conn, 5, NOW)
        assert await outbox.sending(conn, seen, NOW, timedelta(minutes=2)) == {NOTICE.key}
        await outbox.sent(conn, NOTICE.key, 1, NOW)
        assert await outbox.sending(conn, seen, NOW, timedelta(minutes=2)) == set()


async def test_holder_that_slept_while_another_took_over_says_nothing(town: Scene) -> None:
    town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])
    await town.portal.deliver(town.web, until=town.clock.now() + timedelta(seconds=10))
    await lead(town.desk)
    await handle.handle_next(town.desk)
    await handle.handle_next(town.desk)
    async with town.desk.db.begin() as conn:
        await leases.release(conn, leases.PORTAL, town.desk.name)
        await leases.take(conn, leases.PORTAL, "another", timedelta(minutes=1))
    assert not await deliver.deliver_next(town.desk)
    assert town.chat() == []
    assert town.portal.notices(town.office.head) == []


async def test_new_holder_need_not_wait_for_a_dead_ones_claims(town: Scene) -> None:
    deal = ItemRef(Kind.DEAL, 4242)
    now = town.clock.now()
    async with town.desk.db.begin() as conn:
        await inbox.put(conn, [(deal, Lane.LIVE, "test")], now)
        await inbox.claim(conn, 5, now, "dead", timedelta(minutes=5))
    await lead(town.desk)
    async with town.desk.db.begin() as conn:
        assert len(await inbox.claim(conn, 5, now, town.desk.name, timedelta(minutes=5))) == 1


@pytest.mark.portals("cloud-std", reason="about our own database")
async def test_value_that_the_database_refuses_is_no_outage(database: Database) -> None:
    """Or one poisonous item would hold up the road for ever."""
    with pytest.raises(Exception) as told:  # noqa: PT011  each driver has its own
        async with database.begin() as conn:
            await conn.execute(sa.update(messages).values(portal_id=10**30))
    assert not isinstance(told.value, StoreUnavailable)


@pytest.mark.portals("cloud-std", reason="about our own database")
async def test_made_up_events_fill_no_table(database: Database) -> None:
    async with database.begin() as conn:
        for start in range(0, 2000, 250):
            await strangers.count(conn, [f"ONX{n}" for n in range(start, start + 250)], NOW)
        found = await strangers.counts(conn)
    assert len(found) <= strangers.MOST_NAMES + 1
    assert sum(found.values()) == 2000


async def test_made_up_types_fill_no_metrics(town: Scene) -> None:
    async with httpx.AsyncClient(transport=town.web, base_url="http://127.0.0.1:8080") as client:
        for number in range(1000, 1020):
            body = {"event": f"ONCRMDYNAMICITEMADD_{number}", "data[FIELDS][ID]": "1"}
            await client.post("/webhooks/bitrix24", data=body | {"auth[application_token]": TOKEN})
    names = {sample.labels.get("event", "") for metric in EVENTS.collect() for sample in metric.samples}
    assert not [name for name in names if name.startswith("ONCRMDYNAMICITEMADD_")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.portals("cloud-std", reason="no portal at all")
def test_sigterm_with_the_portal_away_ends_well_within_ten_seconds(tmp_path: Path) -> None:
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("B24SLA_")} | {
        "B24SLA_PORTAL_WEBHOOK": f"http://127.0.0.1:{free_port()}/rest/9/secret/",
        "B24SLA_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/desk.db",
        "B24SLA_EVENT_TOKENS": TOKEN,
        "B24SLA_PORT": str(port),
    }
    command = [sys.executable, "-m", "app", "serve"]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=env, stderr=log) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
    assert "Traceback" not in (tmp_path / "log").read_text()


def wait_for(url: str) -> None:
    for _ in range(600):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the service never answered")
