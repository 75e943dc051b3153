"""What the commands do, once settings are read: each prints and answers whether all went well."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from app import patience, words
from app.bitrix.portal import Line
from app.desk import Desk, open_desk
from app.jobs.ask import ask_for_sweep
from app.jobs.lead import lead, step_down
from app.jobs.reconcile import reconcile as sweep
from app.jobs.refresh import refresh_people
from app.jobs.report import Report, make_report, send_report
from app.metrics.digest_tree import digest_tree
from app.metrics.periods import PeriodKind
from app.model import ExplainedSpan, ItemRef, Ledger, Ticket
from app.serving import NotAllowed, walk
from app.settings import Settings
from app.store import inbox, outbox, stamps, tickets
from app.store.failure import Failure
from app.ticket_view import said_words, ticket_json, why_words
from app.web import failures
from app.web.looking import portal_url, spans_of

PATIENCE = timedelta(minutes=2)  # for the running service to do what a command asks


class Mistake(Exception):
    """The command was asked for something that is not there; the text names the remedy."""


def say(text: str = "") -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def say_json(value: object) -> None:
    """JSON for programs, Cyrillic readable."""
    say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


# --- the portal's side -------------------------------------------------------------------


async def check(settings: Settings, *, as_json: bool, record: Path | None) -> bool:
    """A line for each thing that must be right; False on any FAIL."""
    _needs_portal(settings)
    async with open_desk(settings) as desk:
        lines = await desk.working_portal.check()
        if record is not None:
            shapes = await desk.working_portal.shapes()
            await asyncio.to_thread(_record, record, shapes)
    if as_json:
        say_json([asdict(line) for line in lines])
    else:
        _show_lines(lines)
    return not any(line.level == "FAIL" for line in lines)


def _record(file: Path, shapes: object) -> None:
    file.write_text(json.dumps(shapes, ensure_ascii=False, indent=1) + "\n", "utf-8")


async def provision(settings: Settings, *, dry_run: bool, layout: bool) -> bool:
    """Create or update the card fields; a second run finds nothing to do."""
    _needs_portal(settings)
    async with open_desk(settings) as desk:
        pretend = dry_run or settings.dry_run
        lines = await desk.working_portal.provision(dry_run=pretend, layout=layout)
        if not pretend:  # cards that gave up for want of a field get another chance
            async with desk.db.begin() as conn:
                await stamps.retry(conn, None, desk.now())
    _show_lines(lines)
    return not any(line.level == "FAIL" for line in lines)


def _show_lines(lines: Iterable[Line]) -> None:
    for line in lines:
        remedy = f". {line.remedy[0].upper()}{line.remedy[1:]}" if line.remedy else ""
        say(f"{line.level:<4} {line.text.rstrip('.')}{remedy}")


async def reconcile(settings: Settings) -> bool:
    """One sweep, through the running service if there is one; False if something stays undelivered."""
    _needs_portal(settings)
    async with open_desk(settings) as desk:
        if not await lead(desk):
            return await _reconcile_there(desk)
        try:
            return await _reconcile_here(desk)
        finally:
            await step_down(desk)


async def _reconcile_there(desk: Desk) -> bool:
    told = await ask_for_sweep(desk, PATIENCE)
    if told is None:
        raise Mistake("работающий сервис не ответил за две минуты: посмотрите /readyz и его журнал")
    say(f"Найдено изменений: {told['found']}")
    return await nothing_left(desk) and not told["fault"]


async def _reconcile_here(desk: Desk) -> bool:
    await refresh_people(desk)
    found = await sweep(desk)
    steps = 0
    while await walk(desk):
        await lead(desk)
        steps += 1
    say(f"Найдено изменений: {found}")
    return await nothing_left(desk) and desk.health.portal_fault is None


async def nothing_left(desk: Desk) -> bool:
    """Whether everything reached the portal; what waits for another attempt did not."""
    soon = desk.now() + patience.GIVE_UP_AFTER
    async with desk.db.read() as conn:
        unread, _ = await inbox.lag(conn, desk.now())
        unsaid, _ = await outbox.lag(conn, soon)
        unwritten, _ = (0, None) if desk.settings.dry_run else await stamps.lag(conn, soon)
        gave_up = (await failures.failed_work(conn)).count
    waiting = unread + unsaid + unwritten
    if waiting or gave_up:
        say(f"Не доставлено: {waiting}; не удалось: {gave_up} (см. b24sla failed)")
    return not waiting and not gave_up


# --- reports -----------------------------------------------------------------------------


async def digest(
    settings: Settings, period: PeriodKind, on: date | None, *, send: bool, out: Path | None, as_json: bool
) -> bool:
    """The digest on the terminal, into a folder, into the chat."""
    if send:
        _needs_portal(settings)
    async with open_desk(settings) as desk:
        report = await make_report(desk, period, on)
        if out is not None:
            _write_report(report, out)
        if as_json:
            say_json(digest_tree(report.digest) | {"text": report.text})
        else:
            say(words.unlinked(report.text))
        if send:
            await _send_by_hand(desk, report)
    return True


def _write_report(report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{report.file_stem}.txt").write_text(words.unlinked(report.text) + "\n", "utf-8")
    (out / f"{report.file_stem}.png").write_bytes(report.picture)
    (out / f"{report.file_stem}.xlsx").write_bytes(report.sheet)


async def _send_by_hand(desk: Desk, report: Report) -> None:
    if not desk.rules.chats.digest:
        raise Mistake("в правилах не указан чат для сводки: [chats] digest")
    name = f"digest/by-hand/{desk.now().isoformat()}"
    await send_report(desk, report, name)
    say("Отправлено в чат.")


# --- one ticket --------------------------------------------------------------------------


async def explain(settings: Settings, item: ItemRef, *, as_json: bool) -> bool:
    """Class, terms and every span of one ticket."""
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
    for clock in (cycle.reply, cycle.solution):
        if clock.due_at is not None:
            yield _term_line(clock, clock.due_at, zone)
    for span in spans:
        yield _span_line(span, zone)
    for line in sorted({said_words(key, desk.name_of) for key in said} - {""}):
        yield f"  Сообщение: {line}"


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


# --- work that gave up -------------------------------------------------------------------


async def failed(settings: Settings, verb: str, key: str, *, as_json: bool) -> bool:
    """List it, give it another chance, or let it go."""
    async with open_desk(settings, role="web") as desk:
        if verb == "list":
            async with desk.db.read() as conn:
                groups = (await failures.failed_work(conn)).groups
            _show_failed(groups, as_json=as_json)
            return True
        async with desk.db.begin() as conn:
            kinds = [kind for kind in failures.LABELS if _may_hold(kind, key)]
            if verb == "retry":
                count = sum([await failures.retry(conn, kind, key or None, desk.now()) for kind in kinds])
            else:
                count = sum([await failures.drop(conn, kind, key) for kind in kinds])
    if key and not count:
        raise Mistake(f"{key}: такой работы среди неудавшейся нет; список: b24sla failed")
    say(f"{'Будет повторено' if verb == 'retry' else 'Отброшено'}: {count}")
    return True


def _may_hold(kind: str, key: str) -> bool:
    """Messages have keys with a slash, the inbox and the cards are named by a subject."""
    return not key or (kind == "outbox") == ("/" in key)


def _show_failed(groups: Any, *, as_json: bool) -> None:
    if as_json:
        say_json({kind: [asdict(failure) for failure in found] for kind, found in groups.items()})
        return
    if not any(groups.values()):
        say("Неудавшейся работы нет.")
    for kind, found in groups.items():
        for failure in found:
            say(f"{failures.LABELS[kind]}: {_failure(failure)}")


def _failure(failure: Failure) -> str:
    return f"{failure.key}: {failure.error} (попыток {failure.attempts})"


def _needs_portal(settings: Settings) -> None:
    if settings.portal_webhook is None:
        raise NotAllowed("не задан B24SLA_PORTAL_WEBHOOK: адрес входящего вебхука портала")
