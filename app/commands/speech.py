"""How commands speak: lines, JSON, and a user's mistake as one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.settings import NO_PORTAL, NotAllowed, Settings
from app.store.engine import file_of

PATIENCE = timedelta(minutes=2)  # for the running service to do what a command asks


class Mistake(Exception):
    """The command was asked for something that is not there; the text names the remedy."""


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def warn(text: str) -> None:
    """One line beside the output: what a program reading it should not see."""
    sys.stderr.write(text + "\n")


def progress(text: str) -> None:
    """How far it has come, on a terminal only: each line in the place of the last."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}\x1b[K")
        sys.stderr.flush()


def say_json(value: object) -> None:
    """JSON for programs, Cyrillic readable."""
    say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def answered(told: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What the running service answered. Raises Mistake where it did not, or could not do it."""
    if told is None:
        raise Mistake("работающая служба не ответила за две минуты: посмотрите /readyz и её журнал")
    if told.get("fault"):
        raise Mistake(f"работающая служба не смогла: {told['fault']}")
    return told


def needs_database(settings: Settings) -> None:
    """Raises Mistake where a command that only reads would create an empty database: in a wrong folder."""
    file = file_of(settings.database_url.get_secret_value())
    if file is not None and not file.is_file():
        raise Mistake(
            f"базы {file} здесь нет: запустите команду в папке службы или укажите B24SLA_DATABASE_URL"
        )


def needs_portal(settings: Settings) -> None:
    """Raises NotAllowed without a portal to talk to."""
    if not settings.portal_address:
        raise NotAllowed(NO_PORTAL)
