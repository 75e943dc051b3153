"""The web side of a desk, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

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


def create_app(desk: Desk) -> FastAPI:
    """The application of one desk; it opens and closes nothing of the desk's."""
    app = FastAPI(
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
    return app


def _routes(app: FastAPI) -> None:
    app.mount("/static", _Static(directory=STATIC), name="static")
    # The same function as the route below it, which the description of the API shows: FastAPI's own
    # layers would be half of what an event costs.
    app.router.routes.append(Route("/webhooks/bitrix24", hooks.receive, methods=["POST"]))
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
