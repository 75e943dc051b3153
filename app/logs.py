"""Logs: structured, without secrets and without what clients wrote."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from app import words

_OURS = frozenset({"timestamp", "level", "logger", "ref"})
"""Fields that hold nobody's words; a number in them is no phone."""

QUIET = (
    "httpx",
    "httpcore",
    "apscheduler",
    "aiosqlite",
    "asyncio",
    "uvicorn.access",
    "alembic",
    "matplotlib",
)


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Webhook addresses, tokens, phones and e-mail addresses never reach a log, whoever wrote them there."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _OURS:
            event[key] = words.harmless(value)
    return event


def configure(level: str, form: str) -> None:
    """Everything that logs goes through one formatter to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    last: structlog.typing.Processor = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    if form == "json":
        last = structlog.processors.JSONRenderer(ensure_ascii=False)
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    # Else structlog's own printer would take what the web tells: past the level, and with the
    # variables of every frame, tokens among them, beside each traceback.
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # It warns at every tick that finds a duty still at work; what a duty cannot do it tells itself.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
