"""Secrets reach no log, whoever wrote them there."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
import structlog
from apscheduler.events import EVENT_JOB_MAX_INSTANCES
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from app.logs import configure, without_secrets


@pytest.mark.parametrize(
    "text",
    [
        "POST https://portal.test/rest/9/s3cr3tkey/batch failed",
        "https://portal.test/rest/api/9/s3cr3tkey/tasks.task.get",
        "auth[application_token]=s3cr3tkey&event=X",
        'body {"access_token": "s3cr3tkey"}',
        "botToken=s3cr3tkey",
        "client_secret=s3cr3tkey",
    ],
)
def test_secrets_are_struck_out(text: str) -> None:
    assert "s3cr3tkey" not in str(without_secrets(None, "", {"event": text, "other": text}))


def test_a_real_log_line_has_no_webhook_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure("info", "json")
    logging.getLogger("app.test").warning("cannot reach %s", "https://portal.test/rest/9/s3cr3tkey/")
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    err = capsys.readouterr().err
    assert "cannot reach" in err
    assert "s3cr3tkey" not in err


@pytest.mark.anyio
async def test_duty_that_takes_longer_than_its_pace_is_no_line_at_each_tick(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("info", "json")
    scheduler, done, again = AsyncIOScheduler(), asyncio.Event(), asyncio.Event()
    scheduler.add_listener(lambda _: again.set(), EVENT_JOB_MAX_INSTANCES)
    scheduler.add_job(done.wait, "interval", seconds=0.01, max_instances=1)
    scheduler.start()
    await again.wait()
    done.set()
    scheduler.shutdown(wait=False)
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    assert "maximum number" not in capsys.readouterr().err


def test_what_the_web_tells_goes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    configure("warning", "json")
    try:
        log = structlog.get_logger("app.web")
        log.info("too quiet to be told")
        fail(log, "s3cr3tkey")
    finally:
        structlog.reset_defaults()
        logging.basicConfig(handlers=[logging.NullHandler()], force=True)
    told = capsys.readouterr()
    assert told.out == ""
    assert "too quiet" not in told.err
    assert "ZeroDivisionError" in json.loads(told.err)["exception"]
    assert "s3cr3tkey" not in told.err


def fail(log: Any, token: str) -> None:
    try:
        _ = len(token) / 0
    except ZeroDivisionError as error:
        log.error("request_failed", exc_info=error)  # noqa: TRY400  as the web tells it
