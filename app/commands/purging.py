"""`purge`: words of tickets that ended are taken away, figures stay."""

from __future__ import annotations

from datetime import date, timedelta

from app import words
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import Desk, open_desk
from app.jobs import purge as job
from app.settings import Settings

NOBODY_SAYS_SO_MUCH = 5  # references in one sentence


async def purge(
    settings: Settings, before: date | None, client: str, *, dry_run: bool, as_json: bool
) -> bool:
    """Titles, texts and names of tickets that ended before a day, or of one client's."""
    needs_database(settings)
    async with open_desk(settings, role="web") as desk:
        day = _day(desk, before)
        if client:
            await _refuse_open(desk, client)
        done = await job.purge(desk, day, client=client, dry_run=dry_run)
        if not dry_run:
            await desk.db.scrub()
    if as_json:
        say_json({"tickets": done.tickets, "texts": done.texts, "reports": done.reports, "dry_run": dry_run})
        return True
    verb = "Было бы очищено" if dry_run else "Очищено"
    say(f"{verb}: {words.tickets(done.tickets)}, текстов {done.texts}, сводок {done.reports}.")
    if not dry_run:
        say("Показатели не изменились. В резервных копиях слова ещё есть: удалите старые копии.")
    return True


def _day(desk: Desk, before: date | None) -> date:
    """Without a day: everything that has ended by now."""
    today = desk.now().astimezone(desk.rules.desk.zone).date()
    if before is not None and before > today:
        raise Mistake(f"{before:%d.%m.%Y} ещё не наступило: стираются только завершённые обращения")
    return before or today + timedelta(days=1)


async def _refuse_open(desk: Desk, client: str) -> None:
    refs = await job.refs_of(desk, client)
    if not refs:
        raise Mistake(
            f"{client}: обращений этого клиента в базе нет; номер виден в карточке: contact:5, company:7"
        )
    if busy := await job.open_among(desk, refs):
        named = ", ".join(map(str, busy[:NOBODY_SAYS_SO_MUCH])) + (
            " …" if len(busy) > NOBODY_SAYS_SO_MUCH else ""
        )
        raise Mistake(f"у клиента есть незавершённые обращения ({named}): завершите их, затем повторите")
