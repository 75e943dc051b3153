"""What an operator may rely on: stopping under load, metrics that answer, log lines that programs read."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from app import logs
from app.bitrix.client import Traffic
from app.desk import Desk
from app.model import Lane
from app.store import inbox
from app.web.exposition import numbers_of
from tests.web.town import EVENT_TOKEN, client_of, deal, failed_work_in, town

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HOOK = "/webhooks/bitrix24"
PROOF = {"auth[application_token]": EVENT_TOKEN}


# --- stopping -------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    """A process of its own, because the signal is the point: seconds to start."""
    port = free_port()
    environ = {
        **os.environ,
        "B24SLA_PORT": str(port),
        "B24SLA_EVENT_TOKENS": EVENT_TOKEN,
        "PYTHONPATH": str(ROOT),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", "serve", "--role", "web", cwd=folder, env=environ,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        await _up(client)
        yield process, client
        if process.returncode is None:
            process.kill()


async def test_a_stop_under_load_ends_within_ten_seconds_and_keeps_every_acknowledged_event(
    tmp_path: Path,
) -> None:
    said: set[str] = set()
    async with serving(tmp_path) as (process, client):
        enough = asyncio.Event()
        senders = [asyncio.create_task(_pound(client, said, first, enough)) for first in range(1, 9)]
        await enough.wait()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
        await asyncio.gather(*senders)
    with sqlite3.connect(tmp_path / "var" / "b24sla.db") as kept:
        arrived = kept.execute("SELECT value ->> 0 FROM arrivals, json_each(events)")
        stored = {subject for (subject,) in arrived}
    kept.close()
    assert said <= stored


async def test_a_stop_while_the_database_is_locked_ends_within_ten_seconds_too(tmp_path: Path) -> None:
    async with serving(tmp_path) as (process, client):
        stranger = sqlite3.connect(tmp_path / "var" / "b24sla.db", isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        fields = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "41", **PROOF}
        post = asyncio.create_task(client.post(HOOK, data=fields))
        await asyncio.sleep(0.05)  # it is in hand
        process.send_signal(signal.SIGTERM)
        assert (await post).status_code == 503
        await asyncio.wait_for(process.wait(), 10)
        stranger.close()


async def _up(client: httpx.AsyncClient) -> None:
    for _ in range(600):
        try:
            if (await client.get("/healthz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("the service does not come up")


async def _pound(client: httpx.AsyncClient, said: set[str], first: int, enough: asyncio.Event) -> None:
    """Until nobody answers any more."""
    number = first
    while True:
        fields = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": str(number), **PROOF}
        try:
            answer = await client.post(HOOK, data=fields)
        except httpx.TransportError:
            return
        if answer.status_code == 200:
            said.add(f"deal:{number}")
        if len(said) >= 200:
            enough.set()
        number += 8


# --- metrics --------------------------------------------------------------------------------


def documented() -> set[str]:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    return set(re.findall(r"`(b24sla_\w+)(?:\{\w+\})?`", text))


async def exposed(desk: Desk) -> dict[str, Any]:
    """Family name → family, as a scrape finds them."""
    desk.portal = type("Road", (), {"traffic": Traffic(requests=1)})()
    async with client_of(desk) as client:
        await client.post(HOOK, data={"event": "X", "auth[application_token]": EVENT_TOKEN})
        text = (await client.get("/metrics")).text
    return {family.name: family for family in text_string_to_metric_families(text)}


async def test_every_metric_is_explained_and_every_explained_one_is_there(desk: Desk) -> None:
    desk.health.last_sweep_at = desk.now()
    families = {name for name in await exposed(desk) if name.startswith("b24sla_")}
    found = {name for name in families if not name.endswith("_created")}
    named = {re.sub(r"_(total|bucket|count|sum)$", "", name) for name in documented()}
    assert found - named == set()
    assert {name for name in named - found if not name.endswith("_age_seconds")} == set()


async def test_the_queues_are_told_by_lane(desk: Desk) -> None:
    async with desk.db.begin() as conn:
        await inbox.put(conn, [(deal(1), Lane.URGENT, "x"), (deal(2), Lane.BACKFILL, "x")], desk.now())
        await inbox.put(conn, [(deal(3), Lane.BACKFILL, "x")], desk.now())
    family = (await exposed(desk))["b24sla_inbox_lane_waiting"]
    assert {sample.labels["lane"]: sample.value for sample in family.samples} == {
        "urgent": 1, "live": 0, "sweep": 0, "backfill": 2,
    }  # fmt: skip


async def test_the_intakes_delay_is_told(desk: Desk) -> None:
    family = (await exposed(desk))["b24sla_intake_seconds"]
    assert next(sample.value for sample in family.samples if sample.name.endswith("_count")) >= 1


async def test_who_leads_is_told(desk: Desk) -> None:
    before = (await numbers_of(desk)).leads
    desk.epoch = 7
    assert (before, (await numbers_of(desk)).leads) == (False, True)


async def test_how_big_the_database_is(desk: Desk, file: Path) -> None:
    assert (await numbers_of(desk)).database_bytes >= file.stat().st_size > 0  # noqa: ASYNC240


async def test_no_label_is_a_strangers_choice(desk: Desk) -> None:
    await town(desk)
    await failed_work_in(desk)
    async with client_of(desk) as client:
        for number in range(50):
            await client.post(HOOK, data={"event": f"X{number}", "auth[application_token]": EVENT_TOKEN})
    labels = [
        set(sample.labels.items()) for family in (await exposed(desk)).values() for sample in family.samples
    ]
    assert not any("X" in value[:1] and value[1:].isdigit() for pairs in labels for _, value in pairs)


def test_the_alert_rules_of_the_document_name_metrics_that_are_there() -> None:
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    [block] = re.findall(r"```yaml\n(groups:.*?)```", text, re.DOTALL)
    rules = [rule for group in yaml.safe_load(block)["groups"] for rule in group["rules"]]
    assert len(rules) >= 6
    for rule in rules:
        assert {"alert", "expr", "for", "annotations"} <= rule.keys()
        assert set(re.findall(r"b24sla_\w+", rule["expr"])) <= documented()


# --- logs -----------------------------------------------------------------------------------


async def test_every_line_of_a_json_log_is_one_event_with_fields(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_: Desk) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr("app.web.health.numbers_of", crash)
    logs.configure("info", "json")
    try:
        async with client_of(desk) as client:
            answer = await client.get("/metrics")
        logging.getLogger("app.jobs").warning("said %s", "so", extra={"ref": "deal:41"})
    finally:
        structlog.reset_defaults()
        logging.basicConfig(handlers=[logging.NullHandler()], force=True, level="WARNING")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    [failed] = [line for line in lines if line["event"] == "request_failed"]
    assert "second line" in failed["exception"]
    assert failed["number"] in answer.json()["detail"]
    assert lines[-1]["ref"] == "deal:41"
