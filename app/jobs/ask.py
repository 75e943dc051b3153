"""A command asks the running service to do something, so that both share one budget of requests.

A question is a mark in the database: which duty, with which arguments, until when by the database's clock.
Whoever holds the lease does it and leaves the answer, JSON too, beside it. Whoever asked takes both away;
what a command left there that was killed is taken away once its time is up.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk
from app.store import marks
from app.store.dialects import DatabaseMillis

ASKED, TOLD = "asked/", "told/"
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks for the answer

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants done."""

    name: str
    duty: str
    args: Mapping[str, Any]


async def asked(desk: Desk) -> list[Question]:
    """The questions that nobody has answered yet and somebody still waits for."""
    async with desk.db.read() as conn:
        questions, answers = await marks.under(conn, ASKED), await marks.under(conn, TOLD)
        now = await _millis(conn) if questions else 0
    late = {name for name, each in questions.items() if each.get("until", 0) <= now}
    if late:
        async with desk.db.begin() as conn:
            await marks.forget(conn, [start + name for name in late for start in (ASKED, TOLD)])
    open_names = questions.keys() - answers.keys() - late
    return [Question(name, questions[name]["duty"], questions[name]["args"]) for name in sorted(open_names)]


async def answer(desk: Desk, question: Question, told: Answer) -> None:
    """Leave the answer, unless whoever asked has gone."""
    async with desk.db.begin() as conn:
        if await marks.get(conn, ASKED + question.name) is not None:
            await marks.put(conn, TOLD + question.name, dict(told))


async def ask(desk: Desk, duty: str, args: Mapping[str, Any], patience: timedelta) -> Answer | None:
    """Have the running service do this; None: no answer in time, and nobody does it later."""
    name = secrets.token_hex(8)
    async with desk.db.begin() as conn:
        until = await _millis(conn) + patience // timedelta(milliseconds=1)
        await marks.put(conn, ASKED + name, {"duty": duty, "args": dict(args), "until": until})
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _answer(desk, name)
    except TimeoutError:
        return None
    finally:
        async with desk.db.begin() as conn:
            await marks.forget(conn, [ASKED + name, TOLD + name])


async def _millis(conn: AsyncConnection) -> int:
    """Command and service need not agree on a clock of theirs."""
    found: int = (await conn.execute(sa.select(DatabaseMillis()))).scalar_one()
    return found


async def _answer(desk: Desk, name: str) -> Answer:
    pause = FIRST_PAUSE
    while True:
        async with desk.db.read() as conn:
            told: Answer | None = await marks.get(conn, TOLD + name)
        if told is not None:
            return told
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
