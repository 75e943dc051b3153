"""`backup`: a copy of the database while the service is at work; or the word that it was restored."""

from __future__ import annotations

import asyncio
from pathlib import Path

from app import words
from app.commands.speech import Mistake, needs_database, say
from app.desk import open_desk
from app.jobs.notice import declare_restored
from app.settings import Settings
from app.store.copies import CopyFault, copy_file
from app.store.engine import file_of

PG_DUMP = (
    "базу PostgreSQL копирует её сервер: pg_dump --format=custom --file=b24sla.dump АДРЕС, где адрес — "
    "B24SLA_DATABASE_URL без +asyncpg; все шаги, и для docker compose: docs/restore.md"
)


async def backup(settings: Settings, to: Path | None, *, restored: bool) -> bool:
    """One file with everything; `restored` tells the service that its memory is of the past."""
    needs_database(settings)
    async with open_desk(settings, role="web") as desk:
        if restored:
            copied_at = await declare_restored(desk)
            say(f"Учтено: база восстановлена на {words.moment(copied_at, desk.rules.desk.zone)}.")
            say("Запустите службу: пропущенное она перечитает, сказанное с тех пор не повторит.")
            return True
        now = desk.now()
    source = file_of(settings.database_url.get_secret_value())
    if source is None:
        raise Mistake(PG_DUMP)
    try:
        copy = await asyncio.to_thread(copy_file, source, _free(to), now)
    except CopyFault as fault:
        raise Mistake(str(fault)) from None
    say(f"Записано: {to}, {words.tickets(copy.tickets)}, {copy.size / 1024 / 1024:.1f} МБ.")
    say("В копии те же персональные данные, что в базе: храните её так же и удаляйте вовремя.")
    return True


def _free(to: Path | None) -> Path:
    if to is None:
        raise Mistake("назовите файл копии: b24sla backup b24sla-2026-11-24.db")
    if to.exists():
        raise Mistake(f"{to}: такой файл уже есть; назовите другой")
    return to
