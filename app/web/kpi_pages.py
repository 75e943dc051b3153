"""The figures, and the tickets behind each of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app import words
from app.desk import Desk
from app.metrics.wording import TITLES, shown
from app.model import ItemRef, Ticket, TicketClass
from app.store import tickets
from app.web.access import PageVisitor
from app.web.board import Section, rows_of
from app.web.desks import DeskHere
from app.web.figures import Book, Question, figures_for, question_of, read_for
from app.web.frames import frame_of
from app.web.kpi_view import (
    FigureGroup,
    ReadyPeriod,
    Split,
    groups_of,
    made_of,
    period_words,
    ready_periods,
    since_words,
    splits_of,
)
from app.web.looking import surroundings
from app.web.pages import Choice, agent_choices, class_choices, class_or_none, number_or_none
from app.web.problems import Problem
from app.web.rendering import page

SHOWN = 500
"""Tickets of one list; the API pages through all of them."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class KpiPage:
    """Everything that the template says."""

    first: str
    last: str
    period: str
    who: str
    note: str
    groups: tuple[FigureGroup, ...]
    splits: tuple[Split, ...]
    periods: tuple[ReadyPeriod, ...]
    agents: list[Choice]
    classes: list[Choice]


FromDay = Annotated[str, Query(alias="from", max_length=20)]
ToDay = Annotated[str, Query(alias="to", max_length=20)]
ClassName = Annotated[str, Query(alias="class", max_length=20)]
KnownAt = Annotated[str, Query(max_length=40)]


def _asked(
    desk: DeskHere,
    first: FromDay = "",
    last: ToDay = "",
    agent: str = "",
    value: ClassName = "",
    known_at: KnownAt = "",
) -> Question:
    """A form sends empty fields too: they ask for nothing."""
    days = (_day(first), _day(last))
    return question_of(desk, *days, _person(agent), _class(value), _moment(known_at))


Asked = Annotated[Question, Depends(_asked)]


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Problem(422, "Дата нужна в виде 2026-11-24.") from error


def _person(text: str) -> int | None:
    if text and number_or_none(text) is None:
        raise Problem(422, "Сотрудник задаётся номером на портале, например agent=5.")
    return number_or_none(text)


def _class(text: str) -> TicketClass | None:
    if text and class_or_none(text) is None:
        known = ", ".join(choice.value for choice in class_choices(None))
        raise Problem(422, f"Такого класса нет. Известны: {known}.")
    return class_or_none(text)


def _moment(text: str) -> datetime | None:
    """A `+` of the zone comes as a space."""
    try:
        return datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text) if text else None
    except ValueError as error:
        raise Problem(422, "Момент нужен в виде 2026-11-25T09:05.") from error


@router.get("/kpi")
async def show_kpi(
    request: Request,
    desk: DeskHere,
    visitor: PageVisitor,
    asked: Asked,
) -> Response:
    book = await read_for(desk, asked, asked.before)
    view = await asyncio.to_thread(_view, desk, book, asked)
    return page(request, "kpi.html", frame=await frame_of(desk, visitor, here="kpi"), it=view)


def _view(desk: Desk, book: Book, asked: Question) -> KpiPage:
    return KpiPage(
        first=asked.first.isoformat(),
        last=asked.last.isoformat(),
        period=period_words(asked),
        who=_who(desk, asked),
        note=since_words(book, asked),
        groups=groups_of(book, asked),
        splits=splits_of(book, asked, desk.name_of) if book.counts(asked) else (),
        periods=ready_periods(asked, desk.now().astimezone(desk.rules.desk.zone).date()),
        agents=agent_choices(desk, asked.agent, book.people().union(desk.rules.people.duty)),
        classes=class_choices(asked.value),
    )


@router.get("/kpi/{code}")
async def show_tickets_of(
    request: Request,
    desk: DeskHere,
    visitor: PageVisitor,
    code: str,
    asked: Asked,
) -> Response:
    if code not in TITLES:
        raise Problem(404, "Такого показателя нет.")
    kpi = (await figures_for(desk, asked))[code]
    async with desk.db.read() as conn:
        found = await tickets.load_many(conn, kpi.refs[:SHOWN])
    missed = set(kpi.misses)
    return page(
        request,
        "list.html",
        frame=await frame_of(desk, visitor, here="kpi"),
        title=TITLES[code],
        back=asked.address("/kpi"),
        period=" · ".join(filter(None, (period_words(asked), _who(desk, asked)))),
        value=" · ".join(filter(None, (shown(kpi), made_of(kpi)))),
        sections=_sections(desk, found, kpi.refs, missed),
    )


def _sections(
    desk: Desk, found: dict[ItemRef, Ticket], refs: tuple[ItemRef, ...], missed: set[ItemRef]
) -> list[Section]:
    """Those that spoil a share stand first."""
    bad = [found[ref] for ref in refs if ref in missed and ref in found]
    good = [found[ref] for ref in refs if ref not in missed and ref in found]
    around, now = surroundings(desk), desk.now()
    named = (("overdue", "Снизили показатель", bad), ("none", "Обращения" if not bad else "Остальные", good))
    return [
        Section(tone, label, "Обращений нет.", rows_of(some, around, now))
        for tone, label, some in named
        if some or not (bad or good or tone == "overdue")
    ]


def _who(desk: Desk, asked: Question) -> str:
    then = f"как было известно {words.moment(asked.known_at, desk.rules.desk.zone)}" if asked.known_at else ""
    named = (desk.name_of(asked.agent), words.CLASS[asked.value] if asked.value else "", then)
    return " · ".join(filter(None, named))
