"""The digest: made from the database, sent once a period, late rather than never (contract.md 1).

At most three messages: the text with the heading, the picture, the table. Each is noted as soon
as the portal has it; one of unknown fate is looked for in the dialog before it is sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app import words
from app.desk import BORN, Desk
from app.metrics.digest import Digest, Freshness, Office, digest_of
from app.metrics.digest_text import digest_text
from app.metrics.periods import Period, PeriodKind, finished_period, period_before, period_of, reach
from app.metrics.picture import picture_of
from app.metrics.sheet import sheet_of
from app.metrics.targets import targets_of
from app.model import Message, MessageKind, Outcome
from app.reporting import Slot, due_slots
from app.store import inbox, marks, outcomes, tickets

SENT = "digest"  # marks: digest/<slot> → which of the three messages stand in the chat


@dataclass(frozen=True, slots=True)
class Report:
    """One digest in its three forms."""

    digest: Digest
    text: str
    picture: bytes
    sheet: bytes

    @property
    def file_stem(self) -> str:
        """«sla-2026-11-24»."""
        return f"sla-{self.digest.period.first.isoformat()}"


async def make_report(desk: Desk, kind: PeriodKind, on: date | None = None, *, late: bool = False) -> Report:
    """The period that contains `on`, or the last finished one; nothing is sent."""
    calendar, now = desk.rules.calendar, desk.now()
    today = calendar.local(now).date()
    period = period_of(kind, on, calendar) if on else finished_period(kind, today, calendar)
    digest, found = await _digest(desk, period, now)
    name, card_url = desk.rules.desk.name, desk.portal.card_url if desk.portal else None
    return Report(
        digest,
        digest_text(digest, name, card_url, late=late),
        await asyncio.to_thread(picture_of, digest, name),
        await asyncio.to_thread(sheet_of, digest, found, name, card_url),
    )


async def _digest(desk: Desk, period: Period, now: datetime) -> tuple[Digest, list[Outcome]]:
    calendar = desk.rules.calendar
    start_at, end_at = reach(period, calendar)
    if period.kind is not PeriodKind.DAY:  # it stands beside the period before
        start_at = min(start_at, period_before(period, calendar).bounds(calendar.zone)[0])
    async with desk.db.read() as conn:
        found = await outcomes.between(conn, start_at, end_at)
        waiting = [ticket for ticket in await tickets.open_tickets(conn) if ticket.counted]
        fresh = await _freshness(conn, desk, now)
    agents = {o.agent for o in found if o.agent and _recent(o.received_at, period, calendar.zone)}
    goals = targets_of({value: terms.target for value, terms in desk.rules.classes.items()})
    since = desk.rules.desk.since
    office = Office(
        calendar=calendar,
        names={person: desk.name_of(person) for person in {o.agent for o in found if o.agent}},
        agents_on_duty=max(1, len(agents)),
        targets=goals,
        since=calendar.local(since).date() if since else None,
    )
    return digest_of(found, waiting, period, office=office, fresh=fresh, now=now), found


def _recent(received_at: datetime, period: Period, zone: Any) -> bool:
    start_at, end_at = period.bounds(zone)
    return start_at <= received_at < end_at


async def _freshness(conn: Any, desk: Desk, now: datetime) -> Freshness:
    swept = await marks.get(conn, "swept_at")
    count, age = await inbox.lag(conn, now)
    waiting = count if age > timedelta(minutes=1) else 0
    trouble = desk.health.portal_fault or ""
    return Freshness(datetime.fromisoformat(swept) if swept else None, waiting, trouble)


# --- sending -----------------------------------------------------------------------------


async def send_due(desk: Desk) -> int:
    """Send every digest whose hour has come and that is not in the chat yet; how many."""
    async with desk.db.read() as conn:
        born = await marks.get(conn, BORN)
    born_at = datetime.fromisoformat(born) if born else desk.now()
    slots = due_slots(desk.rules.digest, desk.rules.calendar, born_at, desk.now())
    return sum([await _send_slot(desk, slot) for slot in slots])


async def _send_slot(desk: Desk, slot: Slot) -> bool:
    name = f"{SENT}/{slot.name}"
    async with desk.db.read() as conn:
        sent = await marks.get(conn, name) or {}
    if not desk.rules.chats.digest or sent.get("done") or desk.settings.dry_run:
        return False
    report = await make_report(desk, slot.kind, slot.period.first, late=slot.is_late(desk.now()))
    await send_report(desk, report, name, sent)
    return True


async def send_report(desk: Desk, report: Report, name: str, sent: dict[str, Any] | None = None) -> None:
    """The three messages into the digest's chat; `sent` tells which stand there already."""
    sent = dict(sent or {})
    async for part, message_id in _parts(desk, report, sent):
        sent |= {part: message_id}
        async with desk.db.begin() as conn:
            await marks.put(conn, name, sent)
    async with desk.db.begin() as conn:
        await marks.put(conn, name, sent | {"done": desk.now().isoformat()})


async def _parts(desk: Desk, report: Report, sent: dict[str, Any]) -> AsyncIterator[tuple[str, int]]:
    portal, chat = desk.working_portal, desk.rules.chats.digest
    title = _title(report)

    async def text() -> int:
        message = Message(f"digest/{report.file_stem}", MessageKind.DIGEST, chat, report.text)
        return await portal.say(message)

    async def png() -> int:
        return await portal.upload(chat, f"{report.file_stem}.png", report.picture, f"{title}: картинка")

    async def xlsx() -> int:
        return await portal.upload(chat, f"{report.file_stem}.xlsx", report.sheet, f"{title}: таблица")

    steps: tuple[tuple[str, str, Callable[[], Awaitable[int]]], ...] = (
        ("text", report.text.partition("\n")[0], text),
        ("picture", f"{title}: картинка", png),
        ("sheet", f"{title}: таблица", xlsx),
    )
    for part, marker, act in steps:
        if part not in sent:
            found = await portal.find_said(chat, marker) if sent.get("begun") else None
            yield "begun", 1
            yield part, found if found is not None else await act()


def _title(report: Report) -> str:
    period = report.digest.period
    if period.first == period.last:
        return f"Показатели за {words.day(period.first)}"
    return f"Показатели за {period.first:%d.%m}–{period.last:%d.%m}"
