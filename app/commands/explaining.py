"""`explain`: class, terms and every span of one ticket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app import words
from app.account import Told, due_line, running_totals, span_words, sum_line, turn_lines, verdict_line
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import Desk, open_desk
from app.model import ClockName, ExplainedSpan, ItemRef, Ledger, Ticket
from app.rules import Rules
from app.settings import Settings
from app.sla.explanation import spans_of_clock
from app.store import outbox, tickets
from app.ticket_view import gaps_in_words, put_words, said_words, ticket_json, versions
from app.web.looking import portal_url, spans_of, told_of


@dataclass(frozen=True, slots=True)
class Known:
    """What the explanation is made of; `rules` are those of the ticket."""

    ticket: Ticket
    rules: Rules
    told: Told
    messages: Sequence[outbox.Put]
    now: datetime


async def explain(settings: Settings, item: ItemRef, *, as_json: bool) -> bool:
    """Class, terms and every span of one ticket."""
    needs_database(settings)
    async with open_desk(settings) as desk:
        async with desk.db.read() as conn:
            ticket = await tickets.load(conn, item)
            if ticket is None:
                raise Mistake(
                    f"{item}: такого обращения в базе нет; b24sla reconcile прочитает изменения портала"
                )
            if as_json:
                spans = await spans_of(conn, desk, ticket)
                say_json(_as_json(desk, ticket, spans))
                return True
            rules, told = await told_of(conn, desk, ticket)
            messages = await outbox.put_for(conn, item)
        for line in explanation(Known(ticket, rules, told, messages, desk.now())):
            say(line)
    return True


def _as_json(desk: Desk, ticket: Ticket, spans: Iterable[ExplainedSpan]) -> dict[str, Any]:
    names = {person.id: person.name for person in desk.people.values()}
    return ticket_json(ticket, spans, portal_url=portal_url(desk.settings), names=names)


def explanation(known: Known) -> Iterator[str]:
    """The whole of it, line by line."""
    ticket = known.ticket
    yield f"{ticket.ref}: {words.masked(ticket.title)}"
    yield f"Состояние: {words.STATE[ticket.state]}"
    sla = words.SLA_STATE[ticket.sla_state] if ticket.sla_state else "сроки не ведутся"
    yield f"Класс: {words.CLASS[ticket.value]} ({words.masked(ticket.class_why)}); {sla}"
    yield f"Версии: {versions(ticket)}"
    for gap in gaps_in_words(ticket.notes):
        yield f"Пробел: {gap}"
    for cycle in ticket.cycles:
        if len(ticket.cycles) > 1:
            yield f"Круг {cycle.number}, с {words.moment(cycle.started_at, known.told.zone)}"
        for clock in cycle.ledgers:
            yield from _clock_lines(clock, known)
    yield from _message_lines(known)


def _clock_lines(clock: Ledger, known: Known) -> Iterator[str]:
    calendar = known.rules.calendars.get(clock.calendar)
    if clock.due_at is None and not clock.term:
        return
    level = f": {words.ESCALATION_LEVEL[str(clock.level)]}" if clock.clock is ClockName.INTERNAL else ""
    started = words.moment(clock.started_at, known.told.zone)
    yield f"{words.CLOCK[clock.clock]}{level}: отведено {words.duration(clock.term)}, отсчёт с {started}"
    if calendar:
        spans = spans_of_clock(clock, calendar, known.now)
        for span, total in zip(spans, running_totals(spans), strict=True):
            yield _span_line(span, total, known.told)
    for turn in turn_lines(clock, known.told):
        yield f"  {turn}"
    if calendar and (due := due_line(clock, calendar, known.told.zone)):
        yield f"  Срок: {due}"
    yield f"  {sum_line(clock, known.told, known.now)}"
    yield f"  {verdict_line(clock, known.told)}"


def _span_line(span: ExplainedSpan, total: timedelta, told: Told) -> str:
    stretch = f"{told.moment(span.start)} – {told.moment(span.end)}"
    length = words.duration(timedelta(minutes=span.minutes))
    counted = f"+{length}, всего {words.duration(total)}" if span.counted else f"{length} не считается"
    return f"  {stretch}  {counted}: {span_words(span, told)}"


def _message_lines(known: Known) -> Iterator[str]:
    told = [(said_words(put.key, known.told.name_of), put) for put in known.messages]
    lines = [f"  {put_words(put.state, put.sent_at, known.told.zone)}  {text}" for text, put in told if text]
    if lines:
        yield "Сообщения:"
        yield from lines
