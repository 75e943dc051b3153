"""How calls reach the portal and prove who we are: the webhook's secret address, or an application's token.

A `Key` is good for one request. Secrets stay out of reprs; addresses that hold one are never logged.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from app.bitrix.errors import ShutOut

log = logging.getLogger(__name__)

REST = "/rest/"
REST_3 = "/rest/api/"

Post = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, bytes]]]
"""Sends a form to an address; status and body. Raises RetryLater."""


@dataclass(frozen=True, slots=True)
class Key:
    """Where a request goes and what it carries (rest.md 1.1)."""

    portal: str  # https://company.bitrix24.ru, without a slash
    path: str = field(default="", repr=False)  # of a webhook: `9/secret/`
    token: str = field(default="", repr=False)  # of an application
    generation: int = 0  # of the token
    connector: str = ""  # the key of source: our own changes are not queued for us (rest.md 3.5)

    def address(self, method: str) -> str:
        """Of a method of REST 2."""
        return f"{self.portal}{REST}{self.path}{method}"

    def address_3(self, method: str) -> str:
        """Of a method of REST 3.0 (rest.md 1.7)."""
        return f"{self.portal}{REST_3}{self.path}{method}"

    def signed(self, params: dict[str, Any]) -> dict[str, Any]:
        """The parameters with the token, if there is one."""
        source = {"auth_connector": self.connector} if self.connector else {}
        return {**params, **source, "auth": self.token} if self.token else params


class Access(Protocol):
    """A credential that lasts: a webhook, or an installed application."""

    connector: str  # the key of source that its calls carry; a webhook has none

    @property
    def portal(self) -> str:
        """The portal's address for a browser, without a slash; no secret in it."""

    @property
    def user(self) -> int:
        """Whom we act as; 0: not known yet."""

    @property
    def seed(self) -> str:
        """A secret that outlives restarts and refreshes; the bot's password is made of it."""

    async def key(self) -> Key:
        """For the next request. Raises PortalError when there is none to be had."""

    async def renewed(self, refused: Key, post: Post) -> Key:
        """Instead of one that has expired; `post` reaches who gives it out. Raises PortalError."""

    async def moved(self, portal: str) -> None:
        """The portal was renamed: it is found at this address now."""

    async def settled(self) -> None:
        """Returns when nothing of it is half done."""


class Webhook:
    """An incoming webhook: `https://portal/rest/<uid>/<secret>/`; it lasts unless somebody limited it."""

    def __init__(self, address: str) -> None:
        self.connector = ""
        parts = urlsplit(address)
        self._key = Key(f"{parts.scheme}://{parts.netloc}", parts.path.strip("/").removeprefix("rest/") + "/")

    @property
    def portal(self) -> str:
        return self._key.portal

    @property
    def user(self) -> int:
        """The owner stands in the address."""
        owner = self._key.path.partition("/")[0]
        return int(owner) if owner.isdigit() else 0

    @property
    def seed(self) -> str:
        return self._key.path.strip("/").rpartition("/")[2]

    async def key(self) -> Key:
        return self._key

    async def renewed(self, refused: Key, post: Post) -> Key:  # noqa: ARG002
        raise ShutOut("expired_token", "срок вебхука истёк: создайте новый без срока")

    async def moved(self, portal: str) -> None:
        log.warning(
            "the portal was renamed to %s: change the webhook's address in the settings",
            urlsplit(portal).hostname,
        )
        self._key = Key(portal, self._key.path)

    async def settled(self) -> None:
        """There is nothing to settle."""


def renamed_to(asked: str, location: str) -> str:
    """The portal's new address after a 302: another host, the very same path (rest.md 1.1).

    Anything else (a login page, plain http) is no renaming: our secret is not sent there.
    """
    new, old = urlsplit(location), urlsplit(asked)
    if new.scheme != old.scheme or not new.netloc or new.path != old.path:
        raise ShutOut("redirect", "портал отвечает переадресацией: проверьте его адрес в настройках")
    return f"{new.scheme}://{new.netloc}"
