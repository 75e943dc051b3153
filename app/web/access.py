"""Who may look: the admin token, or, while there is none, this machine itself (contract.md 2)."""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from app.web import sessions
from app.web.desks import DeskHere
from app.web.problems import Problem

COOKIE = "b24sla_session"
_FORWARDING = frozenset(
    {"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"}
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look. `mark` belongs into every form; logging out makes sense with a cookie only."""

    mark: str
    by_cookie: bool = False
    by_bearer: bool = False


class LoginNeeded(Exception):
    """A page was asked for by somebody unknown."""


class Door:
    """The rule of access, with the keys that it needs."""

    def __init__(self, admin_token: str | None, public_url: str | None) -> None:
        self.admin_token = admin_token
        self.https = (public_url or "").startswith("https://")
        self.public_host = urlsplit(public_url).netloc if public_url else ""
        self.key = sessions.key_of(admin_token) if admin_token else secrets.token_bytes(32)

    def visitor(self, request: Request, now: datetime) -> Visitor | None:
        if not self.admin_token:
            return Visitor(sessions.form_mark(self.key, "")) if _from_this_machine(request) else None
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and sessions.same(bearer.strip(), self.admin_token):
            return Visitor(sessions.form_mark(self.key, ""), by_bearer=True)
        cookie = request.cookies.get(COOKIE, "")
        if cookie and sessions.holds(self.key, cookie, now):
            return Visitor(sessions.form_mark(self.key, cookie), by_cookie=True)
        return None

    def secure(self, request: Request) -> bool:
        """May the cookie be bound to https? Yes when we are reached that way."""
        return self.https or request.url.scheme == "https"

    def refuse_strangers_form(self, request: Request) -> None:
        """Posts of other sites: browsers tell where a form stood, some in the one way, some in the other."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if site is not None:
            ours = site in {"same-origin", "none"}
        else:
            ours = origin is None or urlsplit(origin).netloc in self._own_hosts(request)
        if not ours:
            raise Problem(403, "Форма отправлена с чужой страницы.")

    def _own_hosts(self, request: Request) -> set[str]:
        """`Origin: null` has no host at all, so an empty one is never ours."""
        return {host for host in (request.headers.get("host", ""), self.public_host) if host}

    def check_form(self, request: Request, visitor: Visitor, mark: str) -> None:
        """A post that changes something carries the mark of the page it stood on."""
        self.refuse_strangers_form(request)
        if not visitor.by_bearer and not sessions.same(mark, visitor.mark):
            raise Problem(403, "Страница устарела: обновите её и повторите.")


def _from_this_machine(request: Request) -> bool:
    """Loopback peer, loopback Host (a name rebound to us is not), and no proxy between."""
    peer = request.client.host if request.client else ""
    forwarded = any(name in _FORWARDING or name.startswith("x-forwarded") for name in request.headers)
    return _loopback(peer) and _loopback(_host_name(request)) and not forwarded


def _host_name(request: Request) -> str:
    hosts = request.headers.getlist("host")
    try:
        return urlsplit(f"//{hosts[0]}").hostname or "" if len(hosts) == 1 else ""
    except ValueError:
        return ""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def door_of(request: Request) -> Door:
    door = request.app.state.door
    assert isinstance(door, Door)
    return door


DoorHere = Annotated[Door, Depends(door_of)]


def programs_visitor(request: Request, desk: DeskHere, door: DoorHere) -> Visitor:
    visitor = door.visitor(request, desk.now())
    if visitor is None:
        raise Problem(401, _how_to_enter(door), WWW_Authenticate="Bearer")
    return visitor


def readers_visitor(request: Request, desk: DeskHere, door: DoorHere) -> Visitor:
    visitor = door.visitor(request, desk.now())
    if visitor is None:
        raise LoginNeeded
    return visitor


def _how_to_enter(door: Door) -> str:
    if door.admin_token:
        return "Передайте B24SLA_ADMIN_TOKEN в заголовке Authorization: Bearer."
    return "Без B24SLA_ADMIN_TOKEN служба отвечает только своей машине. Задайте его и передайте как Bearer."


PageVisitor = Annotated[Visitor, Depends(readers_visitor)]
