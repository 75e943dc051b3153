"""The web side of a desk, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from app.desk import Desk
from app.web import api, docs, failed_page, health, hooks, installing, kpi_pages, login, pages, problems, why
from app.web.access import Door, LoginNeeded, programs_visitor, readers_visitor
from app.web.attempts import Attempts
from app.web.headers import SafeHeaders
from app.web.intake import Intake
from app.web.rendering import STATIC
from app.web.senders import Senders

PROGRAMS = [Depends(programs_visitor)]
READERS = [Depends(readers_visitor)]


class _Static(StaticFiles):
    """Files whose address carries their hash never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        if scope.get("query_string", b"").startswith(b"v="):
            answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


class _Application(FastAPI):
    """Posts of events go past the layers made for pages and the API: those would be a third of their cost.

    The same function as the route that the description of the API shows, under the same headers and refusals.
    """

    events: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == hooks.PATH:
            await self.events(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(desk: Desk) -> FastAPI:
    """The application of one desk; it opens and closes nothing of the desk's."""
    app = _Application(
        title="b24sla",
        description="Сроки и показатели поддержки в Битрикс24",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
    )
    settings = desk.settings
    token = settings.admin_token.get_secret_value() if settings.admin_token else None
    app.state.desk = desk
    app.state.door = Door(token, settings.public_url)
    app.state.intake = Intake(desk)
    app.state.attempts = Attempts()
    app.state.senders = Senders(desk)
    app.state.installs = Attempts()
    app.state.installing = asyncio.Lock()
    problems.install(app)
    app.add_exception_handler(LoginNeeded, _ask_to_login)
    app.add_middleware(SafeHeaders, https=app.state.door.https)
    _routes(app)
    app.events = _events(app)
    return app


def _events(app: FastAPI) -> Starlette:
    headers = Middleware(SafeHeaders, https=app.state.door.https)
    road = Route(hooks.PATH, hooks.receive, methods=["POST"])
    events = Starlette(routes=[road], middleware=[headers], exception_handlers=app.exception_handlers)
    events.state = app.state
    return events


def _routes(app: FastAPI) -> None:
    app.mount("/static", _Static(directory=STATIC), name="static")
    for is_open in (hooks.router, installing.router, health.open_router, login.router, why.router):
        app.include_router(is_open)
    for for_programs in (api.router, health.metrics_router, docs.schema_router):
        app.include_router(for_programs, dependencies=PROGRAMS)
    for for_readers in (pages.router, kpi_pages.router, failed_page.router, docs.router):
        app.include_router(for_readers, dependencies=READERS)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await app.state.intake.close()


async def _ask_to_login(request: Request, _: Exception) -> Response:
    return login.to_login(request)
