"""The board and one ticket."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app import words
from app.desk import Desk
from app.model import ItemRef, State, Ticket, TicketClass
from app.store import tickets
from app.web.access import PageVisitor
from app.web.board import board, earlier
from app.web.desks import DeskHere
from app.web.frames import frame_of, portal_words
from app.web.looking import agents_of, known_of, surroundings
from app.web.problems import Problem
from app.web.rendering import page
from app.web.ticket_page import ticket_page

CONFIRMING_SHOWN = 200
"""Solved and not yet confirmed: the newest of them, should people have stopped closing."""

OPEN_SHOWN = 1000
"""Open ones of one page, the most urgent: nobody reads more, and a hundred thousand choke a browser."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a list to choose from."""

    value: str
    label: str
    here: bool


def agent_choices(desk: Desk, chosen: int | None, among: Container[int] | None = None) -> list[Choice]:
    """Everybody, or only those `among` whom one looks; the chosen one stays to be seen."""
    people = {person.id: person.name for person in agents_of(desk) if among is None or person.id in among}
    if chosen is not None:
        people.setdefault(chosen, desk.name_of(chosen))
    return [Choice(str(number), name, number == chosen) for number, name in people.items()]


def class_choices(chosen: TicketClass | None) -> list[Choice]:
    ours = [value for value in TicketClass if value is not TicketClass.NOT_TICKET]
    return [Choice(value, words.CLASS[value], value is chosen) for value in ours]


def number_or_none(text: str) -> int | None:
    """A person's number from a form that may have been left empty; nonsense asks for nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def class_or_none(text: str) -> TicketClass | None:
    return TicketClass(text) if text in set(TicketClass) else None


@router.get("/")
async def show_board(
    request: Request,
    desk: DeskHere,
    visitor: PageVisitor,
    agent: str = "",
    value: Annotated[str, Query(alias="class")] = "",
) -> Response:
    who, what = number_or_none(agent), class_or_none(value)
    found, open_count = await _on_the_board(desk, who, what)
    around, now = surroundings(desk), desk.now()
    sections = board(found, around, now)
    return page(
        request,
        "board.html",
        frame=await frame_of(desk, visitor, here="board"),
        sections=sections,
        earlier=earlier(found, around, now),
        burning=len(sections[0].rows),
        agents=agent_choices(desk, who),
        classes=class_choices(what),
        notes=[*_notes(desk), *_crowd(open_count)],
    )


async def _on_the_board(desk: Desk, agent: int | None, value: TicketClass | None) -> tuple[list[Ticket], int]:
    """And how many are open altogether."""
    async with desk.db.read() as conn:
        solved, _ = await tickets.page(
            conn, state=State.RESOLVED, value=value, agent=agent, limit=CONFIRMING_SHOWN
        )
        found = await tickets.open_tickets(conn, agent=agent, value=value, limit=OPEN_SHOWN)
        return [*found, *solved], await tickets.count_open(conn)


def _crowd(open_count: int) -> list[str]:
    if open_count <= OPEN_SHOWN:
        return []
    shown = f"показаны не больше {OPEN_SHOWN} самых срочных"
    return [f"Открыто {words.tickets(open_count)}; {shown}. Остальные видны по сотруднику и классу."]


def _notes(desk: Desk) -> list[str]:
    fault = [portal_words(desk)] if desk.role != "web" and desk.health.portal_fault else []
    return [*fault, *desk.health.warnings.values()]


@router.get("/tickets/{ref}")
async def show_ticket(request: Request, desk: DeskHere, visitor: PageVisitor, ref: str) -> Response:
    item = ref_or_404(ref)
    async with desk.db.read() as conn:
        ticket = await tickets.load(conn, item)
        if ticket is None:
            raise Problem(404, f"Обращения {ref} нет: возможно, оно ещё не прочитано из портала.")
        known = await known_of(conn, desk, ticket)
    view = ticket_page(known, surroundings(desk, known.rules), desk.now())
    return page(request, "ticket.html", frame=await frame_of(desk, visitor, here=""), it=view)


def ref_or_404(text: str) -> ItemRef:
    """Eighteen digits fit the database; anything else names no item."""
    try:
        ref = ItemRef.parse(text)
    except ValueError as error:
        raise Problem(404, "Такого обращения нет: ожидалось deal:41, item:177:5 или task:17.") from error
    if max(ref.id, ref.entity_type) >= 10**18:
        raise Problem(404, "Такого обращения нет: номер слишком велик.")
    return ref
