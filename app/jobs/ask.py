"""A command asks the running service to do something, so that both share one budget of requests.

A question is a mark in the database: which duty, with which arguments. Whoever holds the lease does it
and leaves the answer, JSON too, beside it. Whoever asked takes both away.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.desk import Desk
from app.store import marks

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
    """The questions that nobody has answered yet."""
    async with desk.db.read() as conn:
        questions, answers = await marks.under(conn, ASKED), await marks.under(conn, TOLD)
    open_names = questions.keys() - answers.keys()
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
        await marks.put(conn, ASKED + name, {"duty": duty, "args": dict(args)})
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await _answer(desk, name)
    except TimeoutError:
        return None
    finally:
        async with desk.db.begin() as conn:
            await marks.forget(conn, [ASKED + name, TOLD + name])


async def _answer(desk: Desk, name: str) -> Answer:
    pause = FIRST_PAUSE
    while True:
        async with desk.db.read() as conn:
            told: Answer | None = await marks.get(conn, TOLD + name)
        if told is not None:
            return told
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
