"""A command's part in the portal's budget: the whole of it when nobody else works, else a loan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from app.bitrix.portal import Loan
from app.desk import Desk
from app.jobs.ask import ask
from app.jobs.lead import PACE, lead, step_down
from app.store.engine import StoreUnavailable

LENT_FOR = timedelta(minutes=10)  # a command that died gives it back by this
PATIENCE = timedelta(seconds=10)  # for the running service to answer
SMALLEST = Loan(0.0, None, "standard", 0.1, 0.0)
"""Without an answer: five requests at once, in what the service leaves to others on its address."""


@asynccontextmanager
async def sharing(desk: Desk) -> AsyncIterator[None]:
    """Inside, this process may ask the portal, and the running service asks so much less."""
    if await lead(desk):
        async with holding(desk):
            yield
        return
    told = await ask(desk, "lend", {"seconds": LENT_FOR.total_seconds()}, PATIENCE)
    loan = Loan.of(told) if told and not told.get("fault") else SMALLEST
    desk.working_portal.budget.borrow(loan, desk.now())
    try:
        yield
    finally:
        if loan is not SMALLEST:
            await ask(desk, "take back", {"part": loan.part}, PATIENCE)


@asynccontextmanager
async def holding(desk: Desk) -> AsyncIterator[None]:
    """The lease is ours and stays ours: a service that starts now waits for the command's end.

    If it was lost all the same (the machine slept), nothing more is written or asked.
    """
    over = asyncio.Event()

    async def renew() -> None:
        # Never cancelled: SQLite's driver thread would keep the lock of a transaction that nobody ends.
        while not await _within(PACE, over):
            with suppress(StoreUnavailable):  # one renewal may fail without any harm
                await lead(desk)

    renewing = asyncio.create_task(renew())
    try:
        with desk.in_turn():
            yield
    finally:
        over.set()
        await renewing
        await step_down(desk)


async def _within(length: timedelta, over: asyncio.Event) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(length.total_seconds()):
            await over.wait()
    return over.is_set()
