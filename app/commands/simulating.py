"""`simulate`: what past tickets would have come to under other rules. Reads only the database."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.ext.asyncio import AsyncConnection

from app.commands.speech import needs_database, progress, say, say_json
from app.desk import Desk, open_desk, rule_book
from app.model import ItemRef
from app.recalling import rules_of_lives
from app.rules import Rules, load_rules
from app.settings import Settings
from app.store import facts, tickets, tracks
from app.store.dialects import chunks

if TYPE_CHECKING:  # numpy is heavy, and needed by nobody else
    from app.simulation.columns import Mask, Tracks
    from app.simulation.comparing import Comparison
    from app.simulation.exact import Strangeness
    from app.simulation.judgements import Judgements

AT_ONCE = 2000  # tickets folded between two lines of progress


async def simulate(
    settings: Settings,
    rules: Path,
    days: int,
    *,
    as_json: bool,
    out: Path | None,
    picture: Path | None,
) -> bool:
    """On the terminal or as JSON, with a table and a picture where they are asked for; `days` 0 is all."""
    needs_database(settings)
    async with open_desk(settings, role="web") as desk:
        other = load_rules(rules, default_since=desk.rules.desk.since)
        since = desk.now() - timedelta(days=days) if days else None
        found = await comparison(desk, other, since)
    await asyncio.to_thread(_put_out, found, rules.name, out, picture)
    _show(found, rules.name, as_json=as_json)
    return True


async def comparison(desk: Desk, other: Rules, since: datetime | None) -> Comparison:
    """Of every ticket that began at `since` or later, or of all."""
    from app.simulation.columns import tracks_from
    from app.simulation.comparing import compared, told_in_numbers
    from app.simulation.exact import Strangeness

    strange, now = Strangeness(), desk.now()
    async with desk.db.read() as conn:
        found = tracks_from(await tracks.since(conn, since))
        rules_of = await rule_book(conn, desk, {version for pin in found.pins.words for version in pin})
        plain = told_in_numbers(found, rules_of, other)
        rest = await _not_plain(conn, found, plain, since)
    exact = await _folded(desk, rest, other, now, strange)
    return await asyncio.to_thread(
        compared, found, plain, exact, strange, rules_of, other, since=since, now=now
    )


async def _not_plain(
    conn: AsyncConnection, found: Tracks, plain: Mask, since: datetime | None
) -> Sequence[ItemRef]:
    """Tickets whose facts must be folded: all of them where the rules tell other stories."""
    if len(found) and not (plain | ~found.plain).all():
        return await tickets.refs_since(conn, since)
    return sorted({ItemRef.parse(ref) for ref in found.refs[~plain].tolist()})


async def _folded(
    desk: Desk, refs: Sequence[ItemRef], other: Rules, now: datetime, strange: Strangeness
) -> list[Judgements]:
    from app.simulation.exact import judged_exactly

    parts: list[Judgements] = []
    for some in chunks(refs, AT_ONCE):
        async with desk.db.read() as conn:
            lives = list((await facts.load_many(conn, some)).values())
            rules_of = await rules_of_lives(conn, desk, lives)
        parts.append(await asyncio.to_thread(judged_exactly, lives, rules_of, other, now, strange))
        progress(f"Пересчитано по всем фактам: {sum(map(len, parts)) // 2} из {len(refs)}")
    return parts


def _put_out(found: Comparison, name: str, out: Path | None, picture: Path | None) -> None:
    if out is not None:
        from app.simulation.sheet import comparison_sheet

        out.write_bytes(comparison_sheet(found, name))
    if picture is not None:
        from app.simulation.picture import comparison_picture

        picture.write_bytes(comparison_picture(found, name))


def _show(found: Comparison, name: str, *, as_json: bool) -> None:
    from app.simulation.text import comparison_lines
    from app.simulation.tree import comparison_tree

    if as_json:
        say_json(comparison_tree(found, name))
        return
    for line in comparison_lines(found, name):
        say(line)
