"""`reconcile`: one sweep, through the running service if there is one."""

from __future__ import annotations

import asyncio

from app import patience
from app.commands.sharing import holding
from app.commands.speech import PATIENCE, answered, needs_portal, say
from app.desk import Desk, open_desk
from app.jobs.ask import LONGEST_PAUSE, ask
from app.jobs.lead import lead
from app.jobs.notice import notice_restored
from app.jobs.reconcile import reconcile as sweep
from app.jobs.refresh import refresh_people
from app.serving import walk
from app.settings import Settings
from app.store import inbox, outbox, stamps
from app.web import failures


async def reconcile(settings: Settings) -> bool:
    """One sweep, through the running service if there is one; False if something stays undelivered."""
    needs_portal(settings)
    async with open_desk(settings) as desk:
        if not await lead(desk):
            return await _reconcile_there(desk)
        async with holding(desk):
            return await _reconcile_here(desk)


async def _reconcile_there(desk: Desk) -> bool:
    told = await ask(desk, "reconcile", {}, PATIENCE)
    found = told.get("found") if told else None
    if found is None:
        answered(told)
    await _wait_until_handled(desk)
    say(f"Найдено изменений: {found}")
    return await nothing_left(desk) and told is not None and not told["fault"]


async def _wait_until_handled(desk: Desk) -> None:
    """Until the running service has handled and delivered what is due, or has taken too long."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while await _is_busy(desk):  # noqa: ASYNC110  another process's database rows ring no event
                await asyncio.sleep(LONGEST_PAUSE)
    except TimeoutError:
        answered(None)


async def _is_busy(desk: Desk) -> bool:
    async with desk.db.read() as conn:
        lags = [await inbox.lag(conn, desk.now()), await outbox.lag(conn, desk.now())]
        if not desk.settings.dry_run:
            lags.append(await stamps.lag(conn, desk.now()))
    return any(waiting for waiting, _ in lags)


async def _reconcile_here(desk: Desk) -> bool:
    await notice_restored(desk)
    await refresh_people(desk)
    found = await sweep(desk)
    while await walk(desk):
        pass
    say(f"Найдено изменений: {found}")
    return await nothing_left(desk) and desk.health.portal_fault is None


async def nothing_left(desk: Desk) -> bool:
    """Whether everything reached the portal; what waits for another attempt did not."""
    soon = desk.now() + patience.GIVE_UP_AFTER
    async with desk.db.read() as conn:
        unread, _ = await inbox.lag(conn, desk.now())
        unsaid, _ = await outbox.lag(conn, soon)
        unwritten, _ = (0, None) if desk.settings.dry_run else await stamps.lag(conn, soon)
        gave_up = (await failures.failed_work(conn)).count
    waiting = unread + unsaid + unwritten
    if waiting or gave_up:
        say(f"Не доставлено: {waiting}; не удалось: {gave_up} (см. b24sla failed)")
    return not waiting and not gave_up
