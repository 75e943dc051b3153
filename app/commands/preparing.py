"""`check` and `provision`: does the portal fit the service, and the fields on its cards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app import words
from app.bitrix.portal import Line
from app.bitrix.shapes import differences
from app.commands.sharing import sharing
from app.commands.speech import Mistake, needs_portal, say, say_json
from app.desk import Desk, open_desk
from app.gaps import GAPS
from app.jobs.reconcile import look_again
from app.settings import Settings
from app.store import stamps, tickets
from app.ticket_view import gap_in_words

Shapes = Mapping[str, Any]
"""Method → the shape of its answers."""


async def check(
    settings: Settings, *, as_json: bool, record: Path | None = None, compare: Path | None = None
) -> bool:
    """A line for each thing that must be right; False on any FAIL."""
    needs_portal(settings)
    before = await asyncio.to_thread(_recorded, compare) if compare else None
    async with open_desk(settings) as desk, sharing(desk):
        lines = [*await desk.working_portal.check(), *await _gaps(desk)]
        if record is not None or before is not None:
            shapes = await desk.working_portal.shapes()
            lines += _compared(before, shapes) if before is not None else ()
            if record is not None:
                await asyncio.to_thread(_record, record, shapes)
    if as_json:
        say_json([asdict(line) for line in lines])
    else:
        _show_lines(lines)
    return not any(line.level == "FAIL" for line in lines)


async def _gaps(desk: Desk) -> list[Line]:
    """What the histories of known tickets lack; each ticket's explanation tells its own."""
    async with desk.db.read() as conn:
        found = await tickets.noted(conn, GAPS)
    told = {note: f"{_of_tickets(count)} {gap_in_words(note)}" for note, (count, _) in found.items()}
    lines = [
        Line("WARN", told[note], f"посмотрите, например, b24sla explain {ref}")
        for note, (_, ref) in found.items()
    ]
    return lines or [Line("OK", "истории обращений без пропусков")]


def _of_tickets(count: int) -> str:
    return f"у {words.plural(count, 'обращения', 'обращений', 'обращений')}"


def _record(file: Path, shapes: Shapes) -> None:
    file.write_text(json.dumps(shapes, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _recorded(file: Path) -> Shapes:
    """Raises Mistake for what `--record` has not written."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise Mistake(f"{file} не читается: нужен файл от b24sla check --record ({fault})") from fault
    if not isinstance(found, dict):
        raise Mistake(f"{file}: это не запись b24sla check --record")
    return found


def _compared(before: Shapes, now: Shapes) -> list[Line]:
    """What changed since a recording. The service looks at every answer itself: none of it is a fault yet."""
    remedy = "покажите эту строку разработчику службы"
    lines = [
        Line("WARN", f"портал отвечает иначе, чем записано: {line}", remedy)
        for line in differences(before, now)
    ]
    return lines or [Line("OK", "портал отвечает так, как записано")]


async def provision(settings: Settings, *, dry_run: bool, layout: bool) -> bool:
    """Create or update the card fields; a second run finds nothing to do."""
    needs_portal(settings)
    async with open_desk(settings) as desk, sharing(desk):
        pretend = dry_run or settings.dry_run
        lines = await desk.working_portal.provision(dry_run=pretend, layout=layout)
        if not pretend:
            await write_again(desk)
    _show_lines(lines)
    return not any(line.level == "FAIL" for line in lines)


async def write_again(desk: Desk) -> None:
    """Cards that gave up for want of a field get another chance; what the others hold now is looked at."""
    async with desk.db.begin() as conn:
        await stamps.retry(conn, None, desk.now())
    await look_again(desk, "provision")


def _show_lines(lines: Iterable[Line]) -> None:
    for line in lines:
        remedy = f". {line.remedy[0].upper()}{line.remedy[1:]}" if line.remedy else ""
        say(f"{line.level:<4} {line.text.rstrip('.')}{remedy}")
