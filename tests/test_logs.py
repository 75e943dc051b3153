"""Secrets reach no log, whoever wrote them there."""

from __future__ import annotations

import logging

import pytest

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
