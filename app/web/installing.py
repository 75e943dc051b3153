"""The application's installation, update and removal, as the portal posts them (rest.md 2).

`POST /install` is «путь для первоначальной установки» of a local application. Without an interface the portal
posts ONAPPINSTALL there; with one, the administrator's browser posts the frame's form, and the answer is a
page that tells the portal that the installation is finished. Only `BX24.installFinish()` of the vendor's
library can tell that, so this one page, and no other, may run a script of another origin, and may stand in a
frame of the portal that the settings name.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.bitrix.application import Identity
from app.bitrix.errors import PortalError
from app.bitrix.events import Unreadable, parse_php, read_form, token_of
from app.bitrix.oauth import auth_of
from app.desk import Desk
from app.jobs.install import Unwelcome, install, unbound, uninstall
from app.web.answers import refusals
from app.web.bodies import limited_body
from app.web.problems import Problem

BODY_LIMIT = 64 * 1024
OF_ITSELF = frozenset({"ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL"})
LIBRARY = "https://api.bitrix24.com"
_FINISH = "BX24.init(function(){BX24.installFinish();});"
_HASH = base64.b64encode(hashlib.sha256(_FINISH.encode()).digest()).decode()
_PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><title>Установка</title>{script}</head>
<body><p>Приложение подключено к службе сроков поддержки. Это окно можно закрыть.</p></body></html>
"""

_EVENT = {"type": "string", "pattern": "^ONAPP(INSTALL|UPDATE|UNINSTALL)$"}
_FORM = {"type": "object", "required": ["event"], "properties": {"event": _EVENT}}
_BODIES = {kind: {"schema": _FORM} for kind in ("application/x-www-form-urlencoded", "application/json")}

log = structlog.get_logger(__name__)
router = APIRouter(tags=["events"])


@router.get("/install", summary="Проверка адреса", description="Всегда 200.", response_class=Response)
async def reachable() -> Response:
    return Response()


@router.post(
    "/install",
    summary="Установка локального приложения",
    description="Форма ONAPPINSTALL или форма окна приложения. Токены проверяются вызовом портала из "
    "настроек: 403 — другое приложение или портал, не администратор; 429 — слишком часто; 503 — портал "
    "не ответил.",
    response_class=Response,
    responses=refusals(400, 403, 408, 413, 415, 429, 503),
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def receive(request: Request) -> Response:
    """An event of the application, or the form of its frame."""
    body = await limited_body(request, BODY_LIMIT)
    if request.headers.get("content-encoding", "").strip().lower() not in {"", "identity"}:
        raise Problem(415, "Сжатые тела не принимаются.")
    tree = _tree(body, request.headers.get("content-type", ""))
    if request.app.state.desk.vault is None:
        raise Problem(403, "Служба подключена вебхуком, приложение ей не нужно.")
    if "event" in tree:
        if not await of_application(request, tree):
            raise Problem(400, "Здесь ждут только установку приложения; события идут на /webhooks/bitrix24.")
        return Response()
    who = await _installed(request, tree)
    return _finished(request.app.state.desk, who)


def _tree(body: bytes, content_type: str) -> dict[str, Any]:
    try:
        tree = parse_php(body.decode("utf-8"))
        return tree if "AUTH_ID" in tree else read_form(body, content_type)
    except Unreadable as error:
        raise Problem(error.status, error.text) from error
    except ValueError as error:
        raise Problem(400, "Тело запроса не читается.") from error


async def of_application(request: Request, tree: Mapping[str, Any]) -> bool:
    """Heed an event about the application itself; True when it was one. Raises Problem.

    An installation proves itself by its tokens. An update may bring a new application token, so it may
    prove itself in either way; a removal comes without tokens and needs the application's own.
    """
    name = str(tree["event"]).strip().upper()
    if name not in OF_ITSELF or request.app.state.desk.vault is None:
        return False
    try:
        if name == "ONAPPINSTALL" or not await _heeded(request, name, token_of(tree)):
            await _installed(request, tree)
    except PortalError as error:
        raise _unanswered(error) from error
    return True


async def _heeded(request: Request, name: str, token: str) -> bool:
    """An update or a removal under the application's own token; False: an update that has to prove itself."""
    state = request.app.state
    if not await state.senders.is_application(token):
        if name == "ONAPPUNINSTALL":
            raise Problem(403, "Токен события не подходит.")
        return False
    await (uninstall if name == "ONAPPUNINSTALL" else unbound)(state.desk)
    state.senders.forget()
    return True


async def _installed(request: Request, tree: Mapping[str, Any]) -> Identity:
    """One at a time: every attempt costs the portal a request."""
    state = request.app.state
    desk: Desk = state.desk
    peer = request.client.host if request.client else ""
    async with state.installing:
        if wait := state.installs.wait(peer, desk.now()):
            raise Problem(429, "Слишком много попыток.", retry_after=str(int(wait.total_seconds()) + 1))
        try:
            who = await install(desk, auth_of(tree))
        except Unwelcome as error:
            state.installs.failed(peer, desk.now())
            log.warning("installation_refused", why=str(error))
            raise Problem(403, f"Установка не принята: {error}.") from error
        except PortalError as error:
            raise _unanswered(error) from error
    state.senders.forget()
    return who


def _unanswered(error: PortalError) -> Problem:
    log.error("installation_not_checked", why=error.code)
    detail = "Портал или база данных не ответили; установите приложение ещё раз чуть позже."
    return Problem(503, detail, retry_after="30")


def _finished(desk: Desk, who: Identity) -> Response:
    """The page of the frame; it finishes an installation that is not finished yet."""
    parents = {desk.settings.portal_address, desk.portal.address if desk.portal else ""} - {""}
    script = f'<script src="{LIBRARY}/api/v1/"></script><script>{_FINISH}</script>'
    policy = (
        f"default-src 'none'; script-src {LIBRARY} 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
        f"frame-ancestors {' '.join(sorted(parents))}"
    )
    page = _PAGE.format(script="" if who.installed else script)
    # Browsers that know frame-ancestors heed it instead of X-Frame-Options.
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})
