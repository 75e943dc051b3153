"""The application subscribes to what the rules need: when installed or updated, at every start, daily."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from app.desk import Desk
from app.model import Installation

log = logging.getLogger(__name__)

DAILY = timedelta(days=1)
HOOKS = "/webhooks/bitrix24"
WARNING = "bindings"  # among health.warnings


async def bind_when_due(desk: Desk) -> int:
    """How many subscriptions had to change; 0 too where there is nothing to look at yet."""
    known = await desk.vault.load() if desk.vault else None
    if known is None or known.removed_at is not None or not _is_due(desk, known):
        return 0
    return await bind(desk, known)


def _is_due(desk: Desk, known: Installation) -> bool:
    """Once in every process, and whenever somebody cleared the mark in the database."""
    looked_at = desk.health.bound_at
    return looked_at is None or known.bound_at is None or desk.now() - looked_at >= DAILY


async def bind(desk: Desk, known: Installation) -> int:
    """Look at the subscriptions and mend them. Raises PortalError."""
    began_at = desk.now()
    plan = await desk.working_portal.plan()
    found = await desk.working_portal.subscribe(_handler(desk), HOOKS, offline=True)
    _tell(desk, found.refused)
    if desk.vault is not None:
        await desk.vault.bound(known, began_at)
    desk.health.bound_at, desk.health.queue = began_at, plan if found.queued else None
    if found.bound:  # until now nobody told us of changes: only the lists know them
        desk.health.listed_at = None
    if found.bound or found.unbound:
        log.info("subscriptions: bound %d, unbound %d", found.bound, found.unbound)
    return found.bound + found.unbound


def _handler(desk: Desk) -> str:
    """Empty without B24SLA_PUBLIC_URL: then the queue and the sweep tell of changes."""
    base = desk.settings.public_url
    return f"{base.rstrip('/')}{HOOKS}" if base else ""


def _tell(desk: Desk, refused: Mapping[str, str]) -> None:
    if not refused:
        desk.health.warnings.pop(WARNING, None)
        return
    names = ", ".join(sorted(refused))
    desk.health.warnings[WARNING] = (
        f"портал не подписал приложение на события {names}: проверьте права приложения и B24SLA_PUBLIC_URL"
    )
