"""The explanation of one ticket behind a signed address: no login, no way on, nobody's name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import words
from app.desk import Desk
from app.forgetting import wordless
from app.model import ItemRef
from app.signing import Standing, standing
from app.store import tickets
from app.web.desks import DeskHere
from app.web.looking import known_of, surroundings
from app.web.pages import ref_or_404
from app.web.problems import Problem
from app.web.rendering import page
from app.web.ticket_page import TicketPage, ticket_page

router = APIRouter(include_in_schema=False)

ALONE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
"""The address is a key: it goes into no other site's log and into no cache."""

_REFUSED = {
    Standing.EXPIRED: "Срок этой ссылки вышел.",
    Standing.FORGED: "Ссылка неполная или изменена: подпись не подходит.",
}


@router.get("/why/{ref}")
async def show_why(
    request: Request,
    desk: DeskHere,
    ref: str,
    until: Annotated[str, Query(max_length=20)] = "",
    sign: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    item = _reference(ref)
    found = (
        standing(desk.why_key, item, until, sign, desk.now()) if desk.why_key and item else Standing.FORGED
    )
    if item is None or found is not Standing.GOOD:
        raise Problem(403, _remedy(found, item), **{name.replace("-", "_"): ALONE[name] for name in ALONE})
    view = await _view(desk, item)
    ends = words.moment(datetime.fromtimestamp(int(until), UTC), desk.rules.desk.zone)
    return page(request, "why.html", headers=ALONE, it=view, until=ends)


def _reference(text: str) -> ItemRef | None:
    """A nonsense reference is refused like a forged one: nothing is told before the signature holds."""
    try:
        return ref_or_404(text)
    except Problem:
        return None


def _remedy(found: Standing, item: ItemRef | None) -> str:
    where = f"/tickets/{item}" if item else "/"
    return f"{_REFUSED[found]} Войдите по ключу службы и откройте {where}."


async def _view(desk: Desk, item: ItemRef) -> TicketPage:
    """Colleagues and the client stay unnamed; the terms need nobody's name."""
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, item)
        if ticket is None:
            raise Problem(404, "Этого обращения больше нет.")
        known = await known_of(conn, desk, ticket)
    known = replace(known, ticket=wordless(known.ticket))
    nameless = replace(known.told, name_of=_somebody, pause_reasons=())
    around = replace(surroundings(desk, known.rules), name_of=_somebody)
    return ticket_page(replace(known, told=nameless), around, desk.now())


def _somebody(person: int | None) -> str:
    return "" if person is None else "сотрудник"
