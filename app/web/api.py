"""Tickets and figures for programs (contract.md 3)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import JSONResponse

from app.desk import Desk
from app.metrics.kpi import FORMULAS, Kpi
from app.model import State, Ticket, TicketClass
from app.store import tickets
from app.store.tickets import CursorFault
from app.web.answers import ExplainedAnswer, KpiAnswer, TicketsAnswer, refusals
from app.web.desks import DeskHere
from app.web.figures import Question, figures_for, question_of
from app.web.looking import explained_ticket, plain_ticket, spans_of
from app.web.pages import ref_or_404
from app.web.problems import Problem

router = APIRouter(prefix="/api/v1", tags=["api"], responses=refusals(401, 404, 422, 503))

Agent = Annotated[int | None, Query(ge=1, lt=10**15, description="номер сотрудника в портале")]
Class = Annotated[TicketClass | None, Query(alias="class", description="класс обращения")]
FromDay = Annotated[date | None, Query(alias="from", description="первый день, по умолчанию начало месяца")]
KnownAt = Annotated[
    datetime | None, Query(description="как было известно в этот момент, 2026-11-25T09:05:00+03:00")
]
ToDay = Annotated[date | None, Query(alias="to", description="последний день, по умолчанию сегодня")]


@router.get("/tickets", summary="Обращения по срочности", response_model=TicketsAnswer)
async def list_tickets(
    desk: DeskHere,
    state: Annotated[State | None, Query(description="состояние")] = None,
    value: Class = None,
    agent: Agent = None,
    is_open: Annotated[bool, Query(alias="open", description="только открытые")] = False,  # noqa: FBT002
    limit: Annotated[int, Query(ge=1, le=200, description="сколько за раз")] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="next_cursor прошлого ответа")] = None,
) -> JSONResponse:
    """Сначала открытые, самые срочные вперёд; затем завершённые, новые вперёд."""
    try:
        async with desk.db.read() as conn:
            found, following = await tickets.page(
                conn, state=state, value=value, agent=agent, open_only=is_open, after=cursor, limit=limit
            )
            items = [await _as_json(conn, desk, ticket) for ticket in found]
    except CursorFault as error:
        raise Problem(422, "Этот cursor выдан не здесь: начните с первой страницы.") from error
    return JSONResponse({"items": items, "next_cursor": following})


@router.get("/tickets/{ref}", summary="Одно обращение", response_model=ExplainedAnswer)
async def one_ticket(
    desk: DeskHere, ref: Annotated[str, Path(description="deal:41, item:177:5 или task:17", max_length=60)]
) -> JSONResponse:
    """Класс и почему, оба срока, все отрезки времени и то же, что печатает b24sla explain: по всем кругам
    каждый срок с накопленным итогом, суммой, переносами и вердиктом; что, кому и когда сказано.
    """
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, ref_or_404(ref))
        if ticket is None:
            raise Problem(404, f"Обращения {ref} нет.")
        return JSONResponse(await explained_ticket(conn, desk, ticket))


async def _as_json(conn: Any, desk: Desk, ticket: Ticket) -> dict[str, Any]:
    return plain_ticket(desk, ticket, await spans_of(conn, desk, ticket))


def _asked(
    desk: DeskHere,
    first: FromDay = None,
    last: ToDay = None,
    agent: Agent = None,
    value: Class = None,
    known_at: KnownAt = None,
) -> Question:
    return question_of(desk, first, last, agent, value, known_at)


Asked = Annotated[Question, Depends(_asked)]


@router.get("/kpi", summary="Показатели за период", response_model=dict[str, KpiAnswer])
async def all_kpi(desk: DeskHere, asked: Asked) -> JSONResponse:
    """Доли от 0 до 1 или null, длительности в рабочих минутах; tickets_url — обращения за числом."""
    figures = await figures_for(desk, asked)
    return JSONResponse({code: _kpi_json(desk, figures[code], asked) for code in FORMULAS})


def _kpi_json(desk: Desk, kpi: Kpi, asked: Question) -> dict[str, Any]:
    address = asked.address(f"/api/v1/kpi/{kpi.code}/tickets")
    return {
        "value": kpi.value,
        "numerator": kpi.numerator,
        "denominator": kpi.denominator,
        "target": kpi.target,
        "tickets_url": (desk.settings.public_url or "") + address,
    }


@router.get("/kpi/{code}/tickets", summary="Обращения за показателем", response_model=TicketsAnswer)
async def tickets_of_kpi(
    desk: DeskHere,
    code: Annotated[str, Path(max_length=40, description="показатель из ответа /api/v1/kpi")],
    asked: Asked,
    limit: Annotated[int, Query(ge=1, le=200, description="сколько за раз")] = 50,
    cursor: Annotated[int, Query(ge=0, lt=10**9, description="next_cursor прошлого ответа")] = 0,
) -> JSONResponse:
    """Те обращения, из которых получилось число; по номеру."""
    if code not in FORMULAS:
        raise Problem(404, "Такого показателя нет.")
    refs = (await figures_for(desk, asked))[code].refs
    shown = refs[cursor : cursor + limit]
    async with desk.db.read() as conn:
        known = await tickets.load_many(conn, shown)
        items = [await _as_json(conn, desk, known[ref]) for ref in shown if ref in known]
    following = str(cursor + limit) if cursor + limit < len(refs) else None
    return JSONResponse({"items": items, "next_cursor": following})
