"""`digest`: on the terminal, into a folder, into the chat; as it is now or as it was known."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

from app import words
from app.commands.sharing import holding
from app.commands.speech import PATIENCE, Mistake, answered, needs_database, needs_portal, say, say_json, warn
from app.desk import Desk, open_desk
from app.jobs.ask import ask
from app.jobs.lead import lead
from app.jobs.report import NeverSent, Report, hash_of, make_report, report_as_known, send_report
from app.metrics.digest_tree import digest_tree
from app.metrics.periods import PeriodKind
from app.settings import Settings
from app.store import reports
from app.store.reports import Noted


async def digest(
    settings: Settings, period: PeriodKind, on: date | None, *, send: bool, out: Path | None, as_json: bool
) -> bool:
    """The digest on the terminal, into a folder, into the chat."""
    if send:
        needs_portal(settings)
    needs_database(settings)
    async with open_desk(settings) as desk:
        report = await make_report(desk, period, on)
        await _show(report, out, as_json=as_json)
        if send:
            await _send_by_hand(desk, report, on)
    return True


async def digest_as_known(
    settings: Settings,
    period: PeriodKind,
    on: date | None,
    at: datetime | None,
    *,
    out: Path | None,
    as_json: bool,
) -> bool:
    """The digest as it was known at `at` (the desk's wall time without a zone), or when it was sent.

    False: what was sent cannot be repeated to the byte.
    """
    needs_database(settings)
    async with open_desk(settings) as desk:
        moment = _past(desk, at) if at else None
        try:
            report, noted = await report_as_known(desk, period, on, moment)
        except NeverSent as fault:
            raise Mistake(
                f"сводка за {fault} не отправлялась; назовите момент: --as-known 2026-11-25T09:05"
            ) from None
        await _show(report, out, as_json=as_json)
        if noted is None:
            return True
        await _tell_others(desk, noted, report)
        return _is_same(noted, report)


def _past(desk: Desk, at: datetime) -> datetime:
    zone = desk.rules.desk.zone
    moment = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    if moment > desk.now():
        raise Mistake(f"{words.moment(moment, zone)} ещё не наступило: назовите момент в прошлом")
    return moment


async def _show(report: Report, out: Path | None, *, as_json: bool) -> None:
    if out is not None:
        await asyncio.to_thread(_write_report, report, out)
    if as_json:
        say_json(digest_tree(report.digest) | {"text": report.text})
    else:
        say(words.unlinked(report.text))


async def _tell_others(desk: Desk, noted: Noted, report: Report) -> None:
    """Beside the output, which is the report to the byte."""
    async with desk.db.read() as conn:
        moments = await reports.sent_moments(conn, noted.kind, noted.first)
    zone = report.made_of.rules.desk.zone
    for at in moments:
        if at != noted.made_at:
            warn(f"За этот период есть и другая: --as-known {at.astimezone(zone):%Y-%m-%dT%H:%M:%S}")


def _is_same(noted: Noted, report: Report) -> bool:
    if not noted.text:
        warn("Текст отправленной сводки удалён вместе со старыми обращениями: сверить не с чем.")
        return True
    same = hash_of(report.text.encode()) == noted.text_hash
    if not same:
        warn("Отправленный текст был другим: данные с тех пор удалены или это другая версия программы.")
    elif hash_of(report.picture) != noted.picture_hash:
        warn("Картинка отличается от отправленной: её рисует другая версия библиотеки.")
    return same


def _write_report(report: Report, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{report.file_stem}.txt").write_text(words.unlinked(report.text) + "\n", "utf-8")
    (out / f"{report.file_stem}.png").write_bytes(report.picture)
    (out / f"{report.file_stem}.xlsx").write_bytes(report.sheet)


async def _send_by_hand(desk: Desk, report: Report, on: date | None) -> None:
    """Through the running service, if there is one: it makes the same digest and knows the chat."""
    if not desk.rules.chats.digest:
        raise Mistake("в правилах не указан чат для сводки: [chats] digest")
    if await lead(desk):
        async with holding(desk):
            await send_report(desk, report, f"digest/by-hand/{desk.now().isoformat()}")
    else:
        args = {"period": report.digest.period.kind.value, "on": on.isoformat() if on else None}
        answered(await ask(desk, "digest", args, PATIENCE))
    say("Отправлено в чат.")
