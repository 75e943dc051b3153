"""While the portal shuts us out: knock rarely, and tell people once it lets us in again (rest.md 1.4).

Until then a person learns of it from /readyz, the pages and the log: the portal takes no message.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app import words
from app.bitrix.portal import Shut
from app.desk import Desk
from app.model import Lane, Message, MessageKind
from app.store import marks, outbox

PACE = timedelta(seconds=30)
NOT_YET = "not_installed"  # an application whose installation has not come: nobody was kept waiting


async def knock(desk: Desk) -> bool:
    """True: the door has just opened."""
    portal = desk.working_portal
    was_shut = portal.shut is not None
    if portal.shut and portal.shut.look_at <= desk.now():
        await portal.look()
    if desk.epoch is not None:
        await _note(desk, portal.shut)
    if was_shut and portal.shut is None:
        desk.health.portal_fault = None
        return True
    return False


async def _note(desk: Desk, shut: Shut | None) -> None:
    async with desk.db.read() as conn:
        known = await marks.get(conn, marks.SHUT)
    if shut is not None and shut.code != NOT_YET:
        since = known["since"] if known else shut.since.isoformat()
        noted = {"since": since, "why": str(shut)}
        if noted != known:
            async with desk.db.begin() as conn:
                await marks.put(conn, marks.SHUT, noted)
    elif shut is None and known is not None and _works_again(desk, known["since"]):
        async with desk.db.begin() as conn:
            await _tell(conn, desk, datetime.fromisoformat(known["since"]), known["why"])
            await marks.forget(conn, [marks.SHUT])


def _works_again(desk: Desk, since: str) -> bool:
    """Not merely a restart: the portal has answered since then."""
    answered_at = desk.working_portal.last_ok_at
    return answered_at is not None and answered_at > datetime.fromisoformat(since)


async def _tell(conn: AsyncConnection, desk: Desk, since: datetime, why: str) -> None:
    head, now, zone = desk.rules.people.head, desk.now(), desk.rules.desk.zone
    if not head:
        return
    text = (
        f"🟠 Служба SLA не работала с {words.moment_short(since, zone)} до {words.moment_short(now, zone)}: "
        f"портал {why}. Что накопилось, разбирается сейчас."
    )
    key = f"portal/shut/{since.isoformat()}/{head}"
    message = Message(key, MessageKind.NOTICE, str(head), text, None, Lane.URGENT, tag="b24sla|shut")
    await outbox.put(conn, [message], now)
