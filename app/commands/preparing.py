"""`check` and `provision`: does the portal fit the service, and the fields on its cards."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from app.bitrix.portal import Line
from app.commands.speech import needs_portal, say, say_json
from app.desk import open_desk
from app.settings import Settings
from app.store import stamps


async def check(settings: Settings, *, as_json: bool, record: Path | None) -> bool:
    """A line for each thing that must be right; False on any FAIL."""
    needs_portal(settings)
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
    needs_portal(settings)
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
