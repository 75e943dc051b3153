"""`explain`: class, terms and every span of one ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any

from app import words
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import Desk, open_desk
from app.model import ExplainedSpan, ItemRef, Ledger, Ticket
from app.settings import Settings
from app.store import outbox, tickets
from app.ticket_view import gaps_in_words, said_words, ticket_json, why_words
from app.web.looking import portal_url, spans_of


async def explain(settings: Settings, item: ItemRef, *, as_json: bool) -> bool:
    """Class, terms and every span of one ticket."""
    needs_database(settings)
    async with open_desk(settings) as desk:
        async with desk.db.read() as conn:
            ticket = await tickets.load(conn, item)
            said = await outbox.said(conn, item)
            spans = await spans_of(conn, desk, ticket) if ticket else ()
        if ticket is None:
            raise Mistake(
                f"{item}: такого обращения в базе нет; b24sla reconcile прочитает изменения портала"
            )
        if as_json:
            say_json(_as_json(desk, ticket, spans))
        else:
            for line in _explanation(desk, ticket, spans, said):
                say(line)
    return True


def _as_json(desk: Desk, ticket: Ticket, spans: Iterable[ExplainedSpan]) -> dict[str, Any]:
    names = {person.id: person.name for person in desk.people.values()}
    return ticket_json(ticket, spans, portal_url=portal_url(desk.settings), names=names)


def _explanation(
    desk: Desk, ticket: Ticket, spans: Iterable[ExplainedSpan], said: frozenset[str]
) -> Iterator[str]:
    zone = desk.rules.desk.zone
    yield f"{ticket.ref}: {words.masked(ticket.title)}"
    yield f"Состояние: {words.STATE[ticket.state]}"
    sla = words.SLA_STATE[ticket.sla_state] if ticket.sla_state else "сроки не ведутся"
    yield f"Класс: {words.CLASS[ticket.value]} ({words.masked(ticket.class_why)}); {sla}"
    cycle = ticket.now_cycle
    for clock in cycle.ledgers:
        if clock.due_at is not None:
            yield _term_line(clock, clock.due_at, zone)
    for span in spans:
        yield _span_line(span, zone)
    for gap in gaps_in_words(ticket.notes):
        yield f"Пробел: {gap}"
    yield f"Версии: {_versions(ticket)}"
    for line in sorted({said_words(key, desk.name_of) for key in said} - {""}):
        yield f"  Сообщение: {line}"


def _versions(ticket: Ticket) -> str:
    """What stays with a ticket from its start (sla.md 2)."""
    calendar, classifier = ticket.calendar_version or "—", ticket.classifier_version or "—"
    return f"правила {ticket.rules_version or '—'}, календарь {calendar}, классификатор {classifier}"


def _term_line(clock: Ledger, due_at: datetime, zone: tzinfo) -> str:
    term, spent = words.work_length(clock.term), words.work_length(clock.spent)
    mark = " (предварительно: календарь года не утверждён)" if clock.provisional else ""
    return (
        f"{words.CLOCK[clock.clock]}: срок {term}, до {words.moment(due_at, zone)}{mark}, засчитано {spent}"
    )


def _span_line(span: ExplainedSpan, zone: tzinfo) -> str:
    counted = "" if span.counted else ", не считается"
    stretch = f"{words.moment_short(span.start, zone)} – {words.moment_short(span.end, zone)}"
    length = words.duration(timedelta(minutes=span.minutes))
    return f"  {words.CLOCK[span.clock]}: {stretch}, {length}{counted}: {why_words(span.why)}"
