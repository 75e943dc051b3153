"""A command asks the running service for a sweep, so that both share one budget of requests."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk
from app.store import inbox, marks, outbox, stamps

ASKED, ANSWERED = "asked/reconcile", "answered/reconcile"
POLL_SECONDS = 0.5


async def asked(desk: Desk) -> str | None:
    """The question that nobody has answered yet."""
    async with desk.db.read() as conn:
        question, answer = await marks.get(conn, ASKED), await marks.get(conn, ANSWERED)
    return None if question is None or (answer and answer["asked"] == question) else str(question)


async def answer(desk: Desk, question: str, found: int) -> None:
    """Tell the asking command what the sweep found."""
    told = {"asked": question, "found": found, "fault": desk.health.portal_fault}
    async with desk.db.begin() as conn:
        await marks.put(conn, ANSWERED, told)


async def ask_for_sweep(desk: Desk, patience: timedelta) -> dict[str, Any] | None:
    """Ask, and wait until what was found is handled; None: no answer in time."""
    question = f"{desk.name} {desk.now().isoformat()}"
    async with desk.db.begin() as conn:
        await marks.put(conn, ASKED, question)
    for _ in range(int(patience.total_seconds() / POLL_SECONDS)):
        await asyncio.sleep(POLL_SECONDS)
        async with desk.db.read() as conn:
            told = await marks.get(conn, ANSWERED)
            busy = await _is_busy(desk, conn)
        if told and told["asked"] == question and not busy:
            return dict(told)
    return None


async def _is_busy(desk: Desk, conn: AsyncConnection) -> bool:
    """Whether the running service has yet to handle or to deliver something that is due."""
    lags = [await inbox.lag(conn, desk.now()), await outbox.lag(conn, desk.now())]
    if not desk.settings.dry_run:
        lags.append(await stamps.lag(conn, desk.now()))
    return any(waiting for waiting, _ in lags)
