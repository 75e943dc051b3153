"""Entering and leaving. The token is asked for once and kept as a signed cookie."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.web import sessions
from app.web.access import COOKIE, Door, DoorHere, PageVisitor
from app.web.bodies import form_fields
from app.web.desks import DeskHere
from app.web.problems import Problem
from app.web.rendering import page

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)


def own_path(address: str) -> str:
    """A path of ours to go on to; anything that could lead elsewhere becomes the board."""
    elsewhere = address.startswith(("//", "/\\")) or any(ord(sign) < 33 for sign in address)
    return address if address.startswith("/") and not elsewhere else "/"


def to_login(request: Request) -> RedirectResponse:
    """303, so that a post does not follow; the page wanted comes after the login."""
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    where = f"/login?{urlencode({'next': wanted})}" if request.method == "GET" and wanted != "/" else "/login"
    return RedirectResponse(where, 303)


@router.get("/login")
async def login_page(request: Request, desk: DeskHere, door: DoorHere, next: str = "/") -> Response:  # noqa: A002
    if door.visitor(request, desk.now()) is not None:
        return RedirectResponse(own_path(next), 303)
    return _form(request, door, own_path(next), again=_second_look(request, own_path(next)))


def _second_look(request: Request, wanted: str) -> str:
    """Following a link from the portal, a browser keeps a SameSite=Strict cookie back.

    So it is sent here once more, from our own page: now the cookie comes along.
    """
    linked = request.headers.get("sec-fetch-site") == "cross-site" and "again" not in request.query_params
    return f"/login?{urlencode({'next': wanted, 'again': '1'})}" if linked else ""


@router.post("/login")
async def login(request: Request, desk: DeskHere, door: DoorHere) -> Response:
    door.refuse_strangers_form(request)
    fields = await form_fields(request)
    wanted, peer, now = own_path(fields.get("next", "/")), _peer(request), desk.now()
    wait = request.app.state.attempts.wait(peer, now)
    if wait > timedelta(0):
        return _refused(request, door, wanted, wait)
    if not door.admin_token or not sessions.same(fields.get("token", "").strip(), door.admin_token):
        request.app.state.attempts.failed(peer, now)
        log.warning("login_failed", peer=peer)
        return _form(request, door, wanted, status=403, fault="Ключ не подошёл.")
    answer = RedirectResponse(wanted, 303)
    answer.set_cookie(
        COOKIE,
        sessions.new_session(door.key, now),
        path="/",
        httponly=True,
        samesite="strict",
        secure=door.secure(request),
    )
    return answer


@router.post("/logout")
async def logout(request: Request, door: DoorHere, visitor: PageVisitor) -> Response:
    fields = await form_fields(request)
    door.check_form(request, visitor, fields.get("mark", ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=door.secure(request))
    return answer


def _refused(request: Request, door: Door, wanted: str, wait: timedelta) -> Response:
    seconds = int(wait.total_seconds()) + 1
    fault = f"Слишком много попыток. Подождите {-(-seconds // 60)} мин и попробуйте снова."
    return _form(request, door, wanted, status=429, fault=fault, headers={"Retry-After": str(seconds)})


def _form(
    request: Request,
    door: Door,
    wanted: str,
    *,
    status: int = 200,
    fault: str = "",
    again: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    return page(
        request,
        "login.html",
        status=status,
        headers=headers,
        configured=bool(door.admin_token),
        next=wanted,
        fault=fault,
        again=again,
    )


def _peer(request: Request) -> str:
    if request.client is None:
        raise Problem(400, "Адрес отправителя неизвестен.")
    return request.client.host
