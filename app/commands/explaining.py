"""`explain`: class, terms and every span of one ticket."""

from __future__ import annotations

from collections.abc import Iterator

from app import words
from app.account import Told, is_raised
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import open_desk
from app.explained import Alert, ClockAccount, CountedSpan, TicketAccount
from app.model import ItemRef, Ticket
from app.settings import Settings
from app.store import tickets
from app.ticket_view import gaps_in_words, put_words, versions
from app.web.looking import explained_ticket, known_of


async def explain(settings: Settings, item: ItemRef, *, as_json: bool) -> bool:
    """Class, terms and every span of one ticket."""
    needs_database(settings)
    async with open_desk(settings) as desk, desk.db.read() as conn:
        ticket = await tickets.load(conn, item)
        if ticket is None:
            raise Mistake(
                f"{item}: такого обращения в базе нет; b24sla reconcile прочитает изменения портала"
            )
        if as_json:
            say_json(await explained_ticket(conn, desk, ticket))
            return True
        known = await known_of(conn, desk, ticket)
        for line in explanation(ticket, known.account(desk.now()), known.told):
            say(line)
    return True


def explanation(ticket: Ticket, account: TicketAccount, told: Told) -> Iterator[str]:
    """The whole of it, line by line."""
    yield f"{ticket.ref}: {words.masked(ticket.title) or 'без темы'}"
    yield f"Состояние: {words.STATE[ticket.state]}"
    sla = words.SLA_STATE[ticket.sla_state] if ticket.sla_state else "сроки не ведутся"
    yield f"Класс: {words.CLASS[ticket.value]} ({words.masked(ticket.class_why) or 'текст стёрт'}); {sla}"
    yield f"Версии: {versions(ticket)}"
    for gap in gaps_in_words(ticket.notes):
        yield f"Пробел: {gap}"
    for cycle in account.cycles:
        if len(account.cycles) > 1:
            yield f"Круг {cycle.number}, с {words.moment(cycle.started_at, told.zone)}"
        for clock in cycle.clocks:
            yield from _clock_lines(clock, told)
    if account.alerts:
        yield "Сообщения:"
        yield from (_alert_line(alert, told) for alert in account.alerts)


def _clock_lines(clock: ClockAccount, told: Told) -> Iterator[str]:
    if not clock.is_kept:
        yield f"{clock.label}: срок не ведётся"
        return
    started = words.moment(clock.ledger.started_at, told.zone)
    counted = words.moment(clock.ledger.anchor_at, told.zone)
    begun = f", с повышения; начато {started}" if is_raised(clock.ledger) else ""
    yield f"{clock.label}: отведено {words.duration(clock.ledger.term)}, отсчёт с {counted}{begun}"
    for span in clock.spans:
        yield _span_line(span, told)
    for at, text in clock.turns:
        yield f"  {told.moment(at)}: {text}"
    if clock.due:
        yield f"  Срок: {clock.due}"
    yield f"  {clock.sum}"
    yield f"  {clock.verdict}"


def _span_line(counted: CountedSpan, told: Told) -> str:
    span = counted.span
    stretch = f"{told.moment(span.start)} – {told.moment(span.end)}"
    length = words.duration(counted.length)
    sum_up = f"+{length}, всего {words.duration(counted.total)}" if span.counted else f"{length} не считается"
    return f"  {stretch}  {sum_up}: {counted.text}"


def _alert_line(alert: Alert, told: Told) -> str:
    return f"  {put_words(alert.state, alert.sent_at, told.zone)}  {alert.whom}: {alert.text}"
