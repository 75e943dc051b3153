"""The application's credential: an access token for an hour, a refresh token for half a year (rest.md 2).

* A token is refreshed when a call was refused with `expired_token`, and never otherwise: the vendor
  threatens whoever refreshes by the clock.
* One refresh at a time. The new pair is stored before it is used: a refresh token is good once, and one
  that is lost with a crash would be lost for good. Another process may have stored a newer pair meanwhile;
  then that one is used.
* What a person has to mend is asked for again when something has changed, or after an hour.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from app.bitrix.access import Key, Post
from app.bitrix.errors import LATER, PortalError, RetryLater, ShutOut, told_of
from app.bitrix.wire import number
from app.model import Installation, Tokens

log = logging.getLogger(__name__)

TOKEN_SERVER = "https://oauth.bitrix.info/oauth/token/"  # noqa: S105 - an address
SERVERS = frozenset({"oauth.bitrix.info", "oauth.bitrix24.tech"})
"""Who may be asked for tokens; what an installing post names besides is never called."""
AGAIN = timedelta(hours=1)  # until a refused refresh is tried again: somebody may have paid
PASSING = frozenset(
    {408, 425, 429}
)  # statuses below 500 that say no more than «not now» (RFC 9110, 8470, 6585)
USED = "invalid_grant"  # used up or expired: no waiting helps, the application must be installed anew
LOOKS, A_MOMENT = 5, timedelta(seconds=0.5)  # for the pair of another process that used it


class NoKey(ShutOut):
    """There is no token to call with; looking whether there is one now costs no request."""

    looks = (timedelta(seconds=5), timedelta(seconds=5))


class Vault(Protocol):
    """Where the installation is kept. Each call is a transaction of its own, committed when it returns."""

    async def load(self) -> Installation | None:
        """Raises ShutOut when it cannot be opened."""

    async def renewed(self, old: Installation, tokens: Tokens) -> bool:
        """Keep a pair that came instead of the old one; False: somebody has kept a newer one."""

    async def moved(self, old: Installation, portal: str) -> None:
        """The portal is found at another address."""


@dataclass(frozen=True, slots=True)
class Identification:
    """Who we are to the OAuth server, and where things stand by the settings."""

    id: str
    secret: str
    portal: str  # the address that the settings name
    token_server: str = ""  # instead of the vendor's, for an emulated portal

    def __repr__(self) -> str:
        return f"Identification({self.id!r})"


class Clock(Protocol):
    """Where `now` and waiting come from."""

    def now(self) -> datetime: ...
    async def sleep(self, length: timedelta) -> None: ...


class Application:
    """An installed local application as `access.Access`."""

    def __init__(self, client: Identification, vault: Vault, clock: Clock) -> None:
        self._client, self._vault, self._clock = client, vault, clock
        self._turn = asyncio.Lock()
        self._under_way: asyncio.Task[Key] | None = None
        self._known: Installation | None = None
        self._unkept: tuple[Installation, Tokens] | None = None  # a pair that the database did not take yet
        self._refusal: tuple[int, PortalError, datetime | None] | None = None  # generation, why, until
        self.connector = ""  # the key of source, where the plan allows one (rest.md 3.4)

    @property
    def portal(self) -> str:
        return _address(self._known, self._client.portal)

    @property
    def user(self) -> int:
        return self._known.tokens.user_id if self._known else 0

    @property
    def seed(self) -> str:
        return self._client.secret

    async def key(self) -> Key:
        if self._unkept is not None:
            async with self._turn:
                await self._keep()
        stored = await self._stored()
        self._raise_refusal(stored)
        return self._key_of(stored)

    async def renewed(self, refused: Key, post: Post) -> Key:
        # A stop of the service must not come between the new pair and its being kept.
        self._under_way = asyncio.create_task(self._renewed(refused, post))
        return await asyncio.shield(self._under_way)

    async def settled(self) -> None:
        if self._under_way is not None:
            await asyncio.gather(self._under_way, return_exceptions=True)

    async def _renewed(self, refused: Key, post: Post) -> Key:
        async with self._turn:
            stored = await self._stored()
            if stored.generation == refused.generation:
                stored = await self._refreshed(stored, post)
            return self._key_of(stored)

    async def moved(self, portal: str) -> None:
        stored = await self._stored()
        if _address(stored, self._client.portal) != portal:
            log.warning("the portal was renamed to %s", urlsplit(portal).hostname)
            await self._vault.moved(stored, portal)
            self._known = replace(stored, portal=portal, named=self._client.portal)

    def _key_of(self, stored: Installation) -> Key:
        portal = _address(stored, self._client.portal)
        return Key(portal, "", stored.tokens.access, stored.generation, self.connector)

    async def _stored(self) -> Installation:
        """As the database has it now: another process may have refreshed, installed or removed."""
        found = await self._vault.load()
        if found is None:
            raise NoKey("not_installed", "приложение ещё не установлено")
        self._known = found
        if found.removed_at is not None:
            raise NoKey("uninstalled", "приложение удалено с портала")
        return found

    async def _refreshed(self, stored: Installation, post: Post) -> Installation:
        self._raise_refusal(stored)
        try:
            status, body = await post(self._server(stored), self._form(stored))
            tokens = granted(status, body, stored.tokens, self._clock.now())
        except PortalError as error:
            if newer := await self._newer(stored, error):
                return newer
            self._refuse(stored, error)
            raise _afresh(error) from None
        self._unkept = (stored, tokens)
        return await self._keep()

    async def _newer(self, stored: Installation, error: PortalError) -> Installation | None:
        """The pair of another process that was faster: it used our refresh token, and keeps its own now."""
        for look in range(LOOKS if error.code == USED else 1):
            if look:
                await self._clock.sleep(A_MOMENT)
            found = await self._stored()
            if found.generation != stored.generation:
                return found
        return None

    async def _keep(self) -> Installation:
        """Before anybody uses the pair. If the database does not take it, the next call tries again."""
        if self._unkept is not None:
            kept = await self._vault.renewed(*self._unkept)
            self._unkept = None
            log.info("the access token was renewed" if kept else "a newer access token is there already")
        return await self._stored()

    def _refuse(self, stored: Installation, error: PortalError) -> None:
        if isinstance(error, ShutOut):
            log.error("the token server refuses: %s: %s", error.code, error.remedy)
        until = None if error.code == USED else self._clock.now() + AGAIN
        if isinstance(error, RetryLater):
            until = error.at
        self._refusal = (stored.generation, error, until)

    def _raise_refusal(self, stored: Installation) -> None:
        if self._refusal is None:
            return
        generation, error, until = self._refusal
        over = until is not None and self._clock.now() >= until
        if generation == stored.generation and not over:
            raise _afresh(error)
        self._refusal = None

    def _server(self, stored: Installation) -> str:
        host = urlsplit(stored.tokens.server_endpoint).hostname
        known = f"https://{host}/oauth/token/" if host in SERVERS else TOKEN_SERVER
        return self._client.token_server or known

    def _form(self, stored: Installation) -> dict[str, str]:
        return {
            "grant_type": "refresh_token",
            "client_id": self._client.id,
            "client_secret": self._client.secret,
            "refresh_token": stored.tokens.refresh,
        }


class Visitor:
    """A token that somebody brought, tried at the address that the settings name and nowhere else."""

    def __init__(self, portal: str, token: str) -> None:
        self.connector = ""
        self._key = Key(portal, "", token)

    @property
    def portal(self) -> str:
        return self._key.portal

    @property
    def user(self) -> int:
        return 0

    @property
    def seed(self) -> str:
        return ""

    async def key(self) -> Key:
        return self._key

    async def renewed(self, refused: Key, post: Post) -> Key:  # noqa: ARG002
        raise ShutOut("expired_token", "токен установки уже истёк")

    async def moved(self, portal: str) -> None:
        self._key = replace(self._key, portal=portal)

    async def settled(self) -> None:
        """There is nothing to settle."""


def granted(status: int, body: bytes, old: Tokens, now: datetime) -> Tokens:
    """The pair that the OAuth server gave. Raises NoKey when a person has to mend something, RetryLater."""
    told = _json(body)
    if told.get("error"):
        code, text = told_of(told)
        if status >= 500 or status in PASSING:
            raise RetryLater(code, "сервер авторизации не отвечает как следует", at=now + LATER)
        raise NoKey(code, text)
    found = tokens_of(told, now)
    if found is None:
        raise RetryLater(f"HTTP {status}", "ответ сервера авторизации не читается", at=now + LATER)
    if found.member_id != old.member_id:
        raise NoKey("invalid_client", "сервер авторизации прислал токены другого портала")
    return replace(found, server_endpoint=found.server_endpoint or old.server_endpoint)


def tokens_of(told: Mapping[str, Any], now: datetime) -> Tokens | None:
    """A pair by its published names, in a token answer or in an event's `auth`; None: not a whole one."""
    access, refresh, member = (_text(told, name) for name in ("access_token", "refresh_token", "member_id"))
    if not (access and refresh and member):
        return None
    return Tokens(
        access=access,
        refresh=refresh,
        expires_at=now + timedelta(seconds=min(number(told.get("expires_in")), 86_400)),
        member_id=member,
        scope=_text(told, "scope"),
        status=_text(told, "status"),
        user_id=number(told.get("user_id")),
        server_endpoint=_text(told, "server_endpoint"),
    )


_FRAME = {
    "AUTH_ID": "access_token", "REFRESH_ID": "refresh_token", "AUTH_EXPIRES": "expires_in",
    "APPLICATION_TOKEN": "application_token",
}  # fmt: skip


def auth_of(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an installing post brings: `auth` of an event, or the fields of a frame under the same names."""
    auth = tree.get("auth")
    if isinstance(auth, Mapping):
        return auth
    return {_FRAME.get(name, name): value for name, value in tree.items()}


def _afresh(error: PortalError) -> PortalError:
    """Why there is no token, for one more call; its own fate is known: it was not executed."""
    if isinstance(error, RetryLater):
        return RetryLater(error.code, error.text, at=error.at)
    return NoKey(error.code, error.text)


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def _address(stored: Installation | None, named: str) -> str:
    """Where the portal was last found, unless the settings name another one since."""
    return stored.portal if stored is not None and stored.named == named else named


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, Mapping) else {}
