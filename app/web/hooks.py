"""Where the portal's events arrive (contract.md 3). Nothing here waits for anything but our database."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from app.bitrix.errors import PortalError
from app.bitrix.events import Unreadable, event_of, read_form, token_of
from app.web import installing
from app.web.answers import refusals
from app.web.bodies import limited_body
from app.web.intake import NotStored
from app.web.problems import Problem
from app.web.senders import Senders

PATH = "/webhooks/bitrix24"
BODY_LIMIT = 64 * 1024

_ANSWERS = (
    "Форма со скобками PHP или JSON того же вида. Проверяется по порядку: 413 — больше 64 КиБ, "
    "400 — не читается (415 — сжато), 403 — нет верного токена, 503 — не сохранено, 200 — сохранено надёжно."
)

_KINDS = ("application/x-www-form-urlencoded", "application/json")
_EVENT = {
    "type": "object",
    "required": ["event", "auth"],
    "properties": {
        "event": {"type": "string", "pattern": "^[A-Za-z0-9_]{1,100}$", "examples": ["ONCRMDEALUPDATE"]},
        "data": {"type": "object"},
        "ts": {"type": "string"},
        "auth": {
            "type": "object",
            "required": ["application_token"],
            "properties": {"application_token": {"type": "string", "minLength": 1}},
        },
    },
}
_BODIES = {kind: {"schema": _EVENT} for kind in _KINDS}

router = APIRouter(tags=["events"])


@router.get(PATH, summary="Проверка адреса", description="Всегда 200.", response_class=Response)
async def reachable() -> Response:
    """The portal's form for outgoing webhooks asks whether the address answers."""
    return Response()


@router.post(
    PATH,
    summary="Событие портала",
    description=_ANSWERS,
    response_class=Response,
    responses=refusals(400, 403, 408, 413, 415, 503),
    openapi_extra={"requestBody": {"required": True, "content": _BODIES}},
)
async def receive(request: Request) -> Response:
    """200 once stored durably; checked in the order of contract.md 3."""
    body = await limited_body(request, BODY_LIMIT)
    tree = _tree(request, body)
    senders: Senders = request.app.state.senders  # not injected: that would cost a third of the route
    if not senders.known(token_of(tree)):
        await _check_application(request, tree)
    try:
        await request.app.state.intake.put(event_of(tree))
    except NotStored as error:
        raise Problem(503, "Событие не сохранено: база данных недоступна.", retry_after="10") from error
    return Response()


def _tree(request: Request, body: bytes) -> dict[str, Any]:
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        raise Problem(415, "Сжатые тела не принимаются.")
    try:
        return read_form(body, request.headers.get("content-type", ""))
    except Unreadable as error:
        raise Problem(error.status, error.text) from error


async def _check_application(request: Request, tree: dict[str, Any]) -> None:
    """No webhook of ours: it must come of the installed application. Raises Problem."""
    if await installing.of_application(request, tree):
        return
    senders: Senders = request.app.state.senders
    try:
        known = await senders.is_application(token_of(tree))
    except PortalError as error:  # the database does not tell whose token it is
        detail = "Событие не проверено: токен приложения не прочитать; причины — по адресу /readyz."
        raise Problem(503, detail, retry_after="10") from error
    if not known:
        raise Problem(403, "Токен события не подходит: проверьте B24SLA_EVENT_TOKENS.")
    senders.note_domain(tree["auth"])
