"""How commands speak: lines, JSON, and a user's mistake as one sentence."""

from __future__ import annotations

import json
import sys

from app.serving import NotAllowed
from app.settings import Settings


class Mistake(Exception):
    """The command was asked for something that is not there; the text names the remedy."""


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def say_json(value: object) -> None:
    """JSON for programs, Cyrillic readable."""
    say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def needs_portal(settings: Settings) -> None:
    """Raises NotAllowed without a portal to talk to."""
    if settings.portal_webhook is None:
        raise NotAllowed("не задан B24SLA_PORTAL_WEBHOOK: адрес входящего вебхука портала")
