"""`digest`: on the terminal, into a folder, into the chat."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from app import words
from app.commands.speech import Mistake, needs_database, needs_portal, say, say_json
from app.desk import Desk, open_desk
from app.jobs.report import Report, make_report, send_report
from app.metrics.digest_tree import digest_tree
from app.metrics.periods import PeriodKind
from app.settings import Settings


async def digest(
    settings: Settings, period: PeriodKind, on: date | None, *, send: bool, out: Path | None, as_json: bool
) -> bool:
    """The digest on the terminal, into a folder, into the chat."""
    if send:
        needs_portal(settings)
    needs_database(settings)
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
