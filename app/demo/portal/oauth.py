"""The OAuth server: codes, pairs of tokens and their lives (rest.md 2). It stands apart from the portal:
it has no rate bucket and goes on while the portal is down.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Protocol

from . import errors
from .errors import RestError

Record = dict[str, Any]
CODE = timedelta(seconds=30)
ACCESS = timedelta(hours=1)
REFRESH = timedelta(days=180)
MEMBER = "a223c6b3710f85df22e9377d6c4f7553"
SERVER = "oauth.bitrix.info"


class Client(Protocol):
    """What the server knows of an application."""

    @property
    def client_secret(self) -> str: ...
    @property
    def scopes(self) -> tuple[str, ...]: ...
    @property
    def removed(self) -> bool: ...
    @property
    def finished(self) -> bool: ...
    @property
    def installer(self) -> int: ...
    @property
    def paid(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Grant:
    """Whom a token, or a code, stands for; `depth` as in rest.md 3.5, None: no token of an event."""

    client_id: str
    user: int
    until: datetime
    depth: int | None = None


@dataclass(slots=True)
class OAuthServer:
    """`broken`: it answers a gateway's page instead; `keeps_old`: a used refresh token lives on (unknown)."""

    now: Callable[[], datetime]
    random: Random
    clients: Mapping[str, Client]
    host: str = "portal.test"
    member_id: str = MEMBER
    broken: bool = False
    keeps_old: bool = False
    asked: Counter[str] = field(default_factory=Counter)  # by grant type
    refused: Counter[str] = field(default_factory=Counter)  # by code
    _codes: dict[str, Grant] = field(default_factory=dict)
    _access: dict[str, Grant] = field(default_factory=dict)
    _refresh: dict[str, Grant] = field(default_factory=dict)

    def code(self, client_id: str, user: int) -> str:
        """What the browser brings back after the user agreed; good for half a minute, once."""
        return self._kept(self._codes, Grant(client_id, user, self.now() + CODE))

    def pair(self, client_id: str, user: int, depth: int | None = None, *, lasting: bool = True) -> Record:
        """A new pair, with the keys of the published answer; not `lasting`: it cannot be refreshed."""
        until = self.now() + ACCESS
        again = Grant(client_id, user, self.now() + (REFRESH if lasting else timedelta(0)))
        return {
            "access_token": self._kept(self._access, Grant(client_id, user, until, depth)),
            "client_endpoint": f"https://{self.host}/rest/",
            "domain": SERVER,
            "expires": int(until.timestamp()),
            "expires_in": int(ACCESS.total_seconds()),
            "member_id": self.member_id,
            "refresh_token": self._kept(self._refresh, again),
            "scope": ",".join(self.clients[client_id].scopes),
            "server_endpoint": f"https://{SERVER}/rest/",
            "status": "L",
            "user_id": user,
        }

    def answer(self, params: Mapping[str, Any]) -> tuple[int, Record]:
        """`/oauth/token/`: status and body."""
        kind = str(params.get("grant_type") or "")
        self.asked[kind] += 1
        try:
            return 200, self._granted(kind, params)
        except RestError as refusal:
            self.refused[str(refusal.code)] += 1
            return refusal.status, refusal.body

    def who(self, token: str) -> Grant:
        """Whom an access token stands for. Raises RestError."""
        grant = self._access.get(token)
        if grant is None:
            raise errors.RestError("invalid_token", "Unable to get application by token", 401)
        client = self.clients.get(grant.client_id)
        if client is None or client.removed:
            raise errors.RestError("APPLICATION_NOT_FOUND", "Application not found", 401)
        if grant.until <= self.now():
            raise errors.RestError("expired_token", "The access token provided has expired.", 401)
        if not client.finished and grant.user != client.installer:
            raise errors.RestError("ERROR_OAUTH", "Application not installed", 401)
        return grant

    def forget(self, client_id: str) -> None:
        """The application was removed: its tokens refresh no more."""
        self._refresh = {token: one for token, one in self._refresh.items() if one.client_id != client_id}

    def _granted(self, kind: str, params: Mapping[str, Any]) -> Record:
        kept, name = self._codes, "code"
        if kind == "refresh_token":
            kept, name = self._refresh, kind
        elif kind != "authorization_code":
            raise errors.RestError("invalid_request", "Unsupported grant type")
        client_id, token = str(params.get("client_id") or ""), str(params.get(name) or "")
        if not client_id or not token:
            raise errors.RestError("invalid_request", "Invalid request")
        client = self._client(client_id, str(params.get("client_secret") or ""))
        grant = kept.get(token)
        if grant is None or grant.client_id != client_id or grant.until <= self.now():
            raise errors.RestError("invalid_grant", "Invalid grant")
        if not client.paid:
            raise errors.RestError("PAYMENT_REQUIRED", "Payment required", 401)
        if not self.keeps_old or kind != "refresh_token":
            del kept[token]
        return self.pair(client_id, grant.user)

    def _client(self, client_id: str, secret: str) -> Client:
        client = self.clients.get(client_id)
        if client is None or client.removed or client.client_secret != secret:
            raise errors.RestError("invalid_client", "Invalid client", 401)
        return client

    def word(self, length: int) -> str:
        """A secret."""
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))

    def _kept(self, where: dict[str, Grant], grant: Grant) -> str:
        token = self.word(32)
        where[token] = grant
        return token
