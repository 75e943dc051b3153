"""Whose events are taken: outgoing webhooks of the settings, and the installed application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from app.desk import Desk
from app.web import sessions

log = structlog.get_logger(__name__)


class Senders:
    """Compares tokens to their end, so the time tells nothing about any of them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._application = ""  # its token, as last read from the database
        self._domains: set[str] = set()  # names of the portal that events told

    def known(self, token: str) -> bool:
        """A token of the settings."""
        matches = [sessions.same(token, one.get_secret_value()) for one in self._desk.settings.event_tokens]
        return bool(token) and any(matches)

    async def is_application(self, token: str) -> bool:
        """The installed application's; another process may have installed it. Raises RetryLater, ShutOut."""
        if not token or self._desk.vault is None:
            return False
        if self._application and sessions.same(token, self._application):
            return True
        installed = await self._desk.vault.load()
        here = installed is not None and installed.removed_at is None
        self._application = installed.application_token if here and installed else ""
        return bool(self._application) and sessions.same(token, self._application)

    def forget(self) -> None:
        """Installed anew or removed: what was the application's token is none."""
        self._application = ""

    def note_domain(self, auth: Mapping[str, Any]) -> None:
        """The portal may have been renamed. Only noted: addresses in a post are never called."""
        domain = str(auth.get("domain") or "")[:100]
        if domain and domain not in self._domains and domain not in self._desk.settings.portal_address:
            self._domains = {*list(self._domains)[:9], domain}
            log.info("portal_calls_itself", domain=domain)
