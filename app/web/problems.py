"""Refusals: `application/problem+json` (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from app.store.engine import StoreUnavailable
from app.web.rendering import page

log = structlog.get_logger(__name__)

_TITLES = {
    400: "Запрос не прочитан",
    401: "Нужен вход",
    403: "Доступ закрыт",
    404: "Такой страницы нет",
    405: "Так сюда не обращаются",
    408: "Слишком медленно",
    413: "Слишком большое тело запроса",
    415: "Такой вид тела не принимается",
    422: "Неверные параметры",
    429: "Слишком много попыток",
    500: "Внутренняя ошибка",
    503: "Пока не получается",
}


class Problem(Exception):
    """A refusal with its HTTP status and one sentence that tells what to do."""

    def __init__(self, status: int, detail: str = "", **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def title_of(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def problem_json(
    status: int, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The body of RFC 9457; `more` are its extension members."""
    body = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail, **more}
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def for_people(request: Request) -> bool:
    """Does a browser ask for a page? Programs get JSON from every other address."""
    machine = ("/api/", "/webhooks/", "/install", "/metrics", "/healthz", "/readyz", "/openapi.json")
    return not request.url.path.startswith(machine) and "text/html" in request.headers.get("accept", "")


def refusal(
    request: Request, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    if not for_people(request):
        return problem_json(status, detail, headers, **more)
    back = ("/kpi", "К показателям") if request.url.path.startswith("/kpi") else ("/", "На главную")
    said = {"title": title_of(status), "detail": detail, "back": back}
    return page(request, "refusal.html", status=status, headers=headers, **said)


async def _on_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return refusal(request, problem.status, problem.detail, problem.headers)


async def _on_http(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    return refusal(request, problem.status_code, "", dict(problem.headers or {}))


async def _on_validation(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    errors = [
        {"where": ".".join(str(step) for step in error["loc"]), "what": error["msg"]}
        for error in problem.errors()
    ]
    detail = "; ".join(f"{error['where']}: {error['what']}" for error in errors)
    return refusal(request, 422, detail, errors=errors)


async def _on_store_away(request: Request, error: Exception) -> Response:
    log.warning("store_unavailable", path=request.url.path, why=str(error))
    detail = "База данных не отвечает. Подождите минуту и повторите; причины — по адресу /readyz."
    return refusal(request, 503, detail, {"Retry-After": "10"})


async def _on_hang_up(request: Request, _: Exception) -> Response:
    """The sender went away in the middle of its body: nobody reads this answer, and nothing is wrong here."""
    log.info("sender_gone", path=request.url.path)
    return Response(status_code=400)


async def _on_crash(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)  # by which whoever met it and whoever reads the log mean the same line
    log.error(
        "request_failed", path=request.url.path, number=number, error=type(error).__name__, exc_info=error
    )
    return refusal(request, 500, f"Ошибка записана в журнал службы под номером {number}.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(StoreUnavailable, _on_store_away)
    app.add_exception_handler(ClientDisconnect, _on_hang_up)
    app.add_exception_handler(Exception, _on_crash)
