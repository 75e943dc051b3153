"""`export`: everything that is kept of tickets, as JSON or a table; for one client's request too."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app import words
from app.commands.speech import Mistake, needs_database, say
from app.desk import Desk, open_desk
from app.jobs.purge import refs_of
from app.metrics.sheet import OPTIONS
from app.model import Fact, Ticket
from app.settings import Settings
from app.store import facts, outbox, outcomes, tickets
from app.store.codec import encode
from app.web.looking import plain_ticket, spans_of

AT_ONCE = 200
FORMS = (".jsonl", ".json", ".xlsx")
MOST_ROWS = 1_000_000  # of one sheet

WHERE_CLIENTS_ARE = "номер виден в адресе карточки клиента: contact:5, company:7"

Record = dict[str, Any]
Taker = Callable[[Record], None]


async def export(settings: Settings, client: str, out: Path | None, *, full: bool, as_json: bool) -> bool:
    """Phones and addresses are hidden unless the client asked for everything of their own (`full`)."""
    needs_database(settings)
    _refuse(client, out, full=full)
    async with open_desk(settings, role="web") as desk:
        with _takers(out, as_json=as_json) as take:
            count = 0
            async for record in _records(desk, client):
                await asyncio.to_thread(take, record if full else _masked(record))
                count += 1
            if client and not count:
                raise Mistake(f"{client}: обращений этого клиента в базе нет; {WHERE_CLIENTS_ARE}")
    if out is not None:
        say(f"Записано: {words.tickets(count)}, файл {out}")
    return True


def _refuse(client: str, out: Path | None, *, full: bool) -> None:
    if out is not None and out.suffix not in FORMS:
        raise Mistake(f"{out}: вид файла определяется именем: {', '.join(FORMS)}")
    if out is not None and out.exists():
        raise Mistake(f"{out}: такой файл уже есть; назовите другой или уберите его")
    if full and not client:
        raise Mistake(
            "--full показывает телефоны и адреса, поэтому только вместе с --client: по запросу самого клиента"
        )


# --- what is told ------------------------------------------------------------------------


async def _records(desk: Desk, client: str) -> AsyncIterator[Record]:
    async for found in _pages(desk, client):
        async with desk.db.read() as conn:
            told = await facts.load_many(conn, [ticket.ref for ticket in found])
            for ticket in found:
                yield await _record(conn, desk, ticket, told[ticket.ref])


async def _pages(desk: Desk, client: str) -> AsyncIterator[list[Ticket]]:
    if client:
        refs = await refs_of(desk, client)
        async with desk.db.read() as conn:
            known = await tickets.load_many(conn, refs)
        yield [known[ref] for ref in sorted(known)]
        return
    cursor: str | None = None
    while True:
        async with desk.db.read() as conn:
            found, cursor = await tickets.page(conn, after=cursor, limit=AT_ONCE)
        yield found
        if cursor is None:
            return


async def _record(conn: AsyncConnection, desk: Desk, ticket: Ticket, told: tuple[Fact, ...]) -> Record:
    shown = plain_ticket(desk, ticket, await spans_of(conn, desk, ticket))
    own = {
        "title": ticket.title,
        "class_why": ticket.class_why,
        "client": ticket.client,
        "client_name": ticket.client_name,
    }
    return {
        **shown,
        **own,
        "outcomes": [encode(outcome) for outcome in await outcomes.of_ticket(conn, ticket.ref)],
        "facts": [_fact(fact) for fact in told],
        "messages": await outbox.texts(conn, ticket.ref),
    }


def _fact(fact: Fact) -> Record:
    return {
        "kind": fact.kind.value,
        "key": fact.key,
        "at": encode(fact.happened_at),
        "recorded_at": encode(fact.recorded_at),
        "actor": fact.actor,
        "value": dict(fact.value),
    }


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return words.masked(value)
    if isinstance(value, Mapping):
        return {key: inner if key in _PLAIN else _masked(inner) for key, inner in value.items()}
    return [_masked(inner) for inner in value] if isinstance(value, list) else value


_PLAIN = frozenset({"ref", "url", "key", "kind"})
"""Names and numbers of things: nobody's words, and a long number in them is no phone."""


# --- where it goes -----------------------------------------------------------------------


@contextmanager
def _takers(out: Path | None, *, as_json: bool) -> Iterator[Taker]:
    if out is None:
        with _lines(sys.stdout, as_list=as_json) as take:
            yield take
        return
    part = out.with_name(f"{out.name}.part")
    try:
        with _sheets(part) if out.suffix == ".xlsx" else _file(part, as_list=out.suffix == ".json") as take:
            yield take
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _file(part: Path, *, as_list: bool) -> Iterator[Taker]:
    """For its owner's eyes only: it holds what clients wrote."""
    with (
        os.fdopen(
            os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as stream,
        _lines(stream, as_list=as_list) as take,
    ):
        yield take


@contextmanager
def _lines(stream: IO[str], *, as_list: bool) -> Iterator[Taker]:
    """A line a ticket; as a list still a line each, so that neither reader nor writer holds them all."""
    before = "[\n" if as_list else ""

    def take(record: Record) -> None:
        nonlocal before
        line = json.dumps(record, ensure_ascii=False, default=str)
        stream.write(f"{before}{line}" if as_list else f"{line}\n")
        before = ",\n"

    yield take
    if as_list:
        stream.write("[]\n" if before == "[\n" else "\n]\n")
    stream.flush()


@contextmanager
def _sheets(part: Path) -> Iterator[Taker]:
    import xlsxwriter

    part.touch(0o600)
    book = xlsxwriter.Workbook(str(part), {**OPTIONS, "in_memory": False})
    sheets = {name: _Sheet(book.add_worksheet(name)) for name in ("Обращения", "События", "Сообщения")}

    def take(record: Record) -> None:
        sheets["Обращения"].row({key: value for key, value in record.items() if key not in _LISTS})
        for key, name in (("facts", "События"), ("messages", "Сообщения")):
            for line in record[key]:
                sheets[name].row({"ref": record["ref"], **line})

    yield take
    book.close()


_LISTS = frozenset({"spans", "outcomes", "facts", "messages"})


class _Sheet:
    """Rows under the keys of the first; everything is text, so that nothing becomes a formula."""

    def __init__(self, sheet: Any) -> None:
        self._sheet, self._count = sheet, 0

    def row(self, values: Record) -> None:
        if self._count == 0:
            self._write(list(values))
        if self._count > MOST_ROWS:
            raise Mistake("для таблицы слишком много строк: выгрузите в .jsonl")
        self._write(list(values.values()))

    def _write(self, cells: list[Any]) -> None:
        for column, cell in enumerate(cells):
            self._sheet.write_string(self._count, column, _cell(cell))
        self._count += 1


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text[:32_000]
