"""The digest: made from the database, sent once a period, late rather than never (contract.md 1).

At most three messages: the text with the heading, the picture, the table. Each is noted as soon
as the portal has it; one of unknown fate is looked for in the dialog before it is sent again.
What it was made of is kept, so that any of them can be made again as it was (sla.md 2).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app import words
from app.desk import BORN, Desk, rule_book
from app.knowing import Cut, Knowledge
from app.metrics.digest import Digest, Freshness, Office, digest_of
from app.metrics.digest_text import digest_text
from app.metrics.periods import Period, PeriodKind, finished_period, period_before, period_of, reach
from app.metrics.picture import picture_of
from app.metrics.sheet import sheet_of
from app.metrics.targets import targets_of
from app.model import ItemRef, Message, MessageKind
from app.recalling import Stretch, remembered_now, remembered_then, rules_in_force
from app.reporting import Slot, due_slots
from app.rules import Rules
from app.store import marks, reports, rules_log, swept
from app.store.reports import Noted
from app.ticket_view import card_url

SENT = "digest"  # marks: digest/<slot> → which of the three messages stand in the chat
UNDER_WAY = timedelta(minutes=2)
"""So long may a message of a process that died still be on its way into the chat."""


@dataclass(frozen=True, slots=True)
class MadeOf:
    """What a report is made of beside facts."""

    rules: Rules
    cut: Cut
    fresh: Freshness
    names: Mapping[int, str]
    portal: str = ""  # for links to cards; "" for none
    late: bool = False

    def url_of(self) -> Callable[[ItemRef], str] | None:
        """What makes the links."""
        return (lambda ref: card_url(self.portal, ref)) if self.portal else None


@dataclass(frozen=True, slots=True)
class Report:
    """One digest in its three forms."""

    digest: Digest
    text: str
    picture: bytes
    sheet: bytes
    made_of: MadeOf

    @property
    def file_stem(self) -> str:
        """«sla-2026-11-24»."""
        return f"sla-{self.digest.period.first.isoformat()}"


async def make_report(desk: Desk, kind: PeriodKind, on: date | None = None, *, late: bool = False) -> Report:
    """The period that contains `on`, or the last finished one; nothing is sent."""
    rules, now = desk.rules, desk.now()
    period = _period(kind, on, rules, now)
    async with desk.db.read() as conn:
        found = await remembered_now(conn, desk, _stretch(period, rules), now)
        fresh = await _freshness(conn, desk, now)
    known = await found.known()
    names = {agent: desk.name_of(agent) for agent in sorted(_agents(known))}
    portal = desk.portal.address if desk.portal else ""
    return await _report(period, known, MadeOf(rules, found.cut, fresh, names, portal, late))


class NeverSent(Exception):
    """No digest of this period was sent: name the moment of which to ask."""


async def report_as_known(
    desk: Desk, kind: PeriodKind, on: date | None, at: datetime | None
) -> tuple[Report, Noted | None]:
    """A digest as it was known at `at`, or when it was sent; with what was noted of it then, if it was.

    Raises NeverSent where no digest of the period was and no moment is named.
    """
    async with desk.db.read() as conn:
        rules = await rules_in_force(conn, desk, at) if at else desk.rules
        period = _period(kind, on, rules, at or desk.now())
        noted = await _noted(conn, period, at)
        if noted is None and at is None:
            raise NeverSent(f"{period.first:%d.%m.%Y}")
        made_of = await _made_of(conn, desk, noted, at or desk.now())
        found = await remembered_then(conn, desk, _stretch(period, made_of.rules), made_of.cut)
    known = await found.known()
    if noted is None:
        made_of = replace(made_of, names={agent: desk.name_of(agent) for agent in sorted(_agents(known))})
    return await _report(period, known, made_of), noted


def _period(kind: PeriodKind, on: date | None, rules: Rules, now: datetime) -> Period:
    calendar = rules.calendar
    return (
        period_of(kind, on, calendar) if on else finished_period(kind, calendar.local(now).date(), calendar)
    )


async def _noted(conn: AsyncConnection, period: Period, at: datetime | None) -> Noted | None:
    if at is None:
        return await reports.first_sent(conn, period.kind, period.first)
    return await reports.made_at(conn, period.kind, period.first, at)


async def _made_of(conn: AsyncConnection, desk: Desk, noted: Noted | None, at: datetime) -> MadeOf:
    """What was noted with the report; else what the sweeps tell of that moment."""
    if noted is not None:
        return await _remembered(conn, desk, noted)
    last = await reports.last_sweep(conn, at)
    fresh = Freshness(last.read_at, last.unread, last.trouble) if last else Freshness(None)
    portal = desk.portal.address if desk.portal else ""
    return MadeOf(await rules_in_force(conn, desk, at), Cut(at, at), fresh, {}, portal)


def _stretch(period: Period, rules: Rules) -> Stretch:
    calendar = rules.calendar
    start_at, end_at = reach(period, calendar)
    if period.kind is not PeriodKind.DAY:  # it stands beside the period before
        start_at = min(start_at, period_before(period, calendar).bounds(calendar.zone)[0])
    return Stretch(start_at, end_at)


def _agents(known: Knowledge) -> set[int]:
    return {outcome.agent for outcome in known.outcomes if outcome.agent}


async def _report(period: Period, known: Knowledge, made_of: MadeOf) -> Report:
    digest = _digest(period, known, made_of)
    name, url_of = made_of.rules.desk.name, made_of.url_of()
    return Report(
        digest,
        digest_text(digest, name, url_of, late=made_of.late),
        await asyncio.to_thread(picture_of, digest, name),
        await asyncio.to_thread(sheet_of, digest, known.outcomes, name, url_of),
        made_of,
    )


def _digest(period: Period, known: Knowledge, made_of: MadeOf) -> Digest:
    rules, calendar = made_of.rules, made_of.rules.calendar
    on_duty = {o.agent for o in known.outcomes if o.agent and _recent(o.received_at, period, calendar.zone)}
    since = rules.desk.since
    office = Office(
        calendar=calendar,
        names=made_of.names,
        agents_on_duty=max(1, len(on_duty)),
        targets=targets_of({value: terms.target for value, terms in rules.classes.items()}),
        since=calendar.local(since).date() if since else None,
    )
    return digest_of(
        known.outcomes, known.waiting, period, office=office, fresh=made_of.fresh, now=made_of.cut.at
    )


def _recent(received_at: datetime, period: Period, zone: Any) -> bool:
    start_at, end_at = period.bounds(zone)
    return start_at <= received_at < end_at


async def _freshness(conn: Any, desk: Desk, now: datetime) -> Freshness:
    trouble = desk.health.portal_fault or ""
    return Freshness(await swept.last_at(conn), await swept.unread(conn, now), trouble)


# --- what is kept of it ------------------------------------------------------------------


async def note_report(conn: AsyncConnection, report: Report) -> None:
    """Keep what makes this report again, before anybody is told of it."""
    rules, period = report.made_of.rules, report.digest.period
    await rules_log.pin(conn, rules.version, rules.text, report.made_of.cut.at)
    await reports.note(
        conn,
        Noted(
            kind=period.kind,
            first=period.first,
            last=period.last,
            made_at=report.made_of.cut.at,
            known_at=report.made_of.cut.known_at,
            rules=rules.version,
            made_of=_made_of_json(report.made_of),
            text=report.text,
            text_hash=hash_of(report.text.encode()),
            picture_hash=hash_of(report.picture),
        ),
    )


async def _mark_sent(conn: AsyncConnection, period: Period, now: datetime) -> None:
    await reports.sent(conn, period.kind, period.first, now)


def hash_of(data: bytes) -> str:
    """What tells whether two texts or pictures are the same to the byte."""
    return hashlib.sha256(data).hexdigest()


def _made_of_json(made_of: MadeOf) -> dict[str, Any]:
    fresh = made_of.fresh
    return {
        "names": {str(agent): name for agent, name in sorted(made_of.names.items())},
        "read_at": fresh.read_at.isoformat() if fresh.read_at else None,
        "unread": fresh.unread,
        "trouble": fresh.trouble,
        "portal": made_of.portal,
        "late": made_of.late,
    }


async def _remembered(conn: AsyncConnection, desk: Desk, noted: Noted) -> MadeOf:
    told = noted.made_of
    read_at = datetime.fromisoformat(told["read_at"]) if told["read_at"] else None
    return MadeOf(
        rules=(await rule_book(conn, desk, [noted.rules]))(noted.rules),
        cut=Cut(noted.known_at or noted.made_at, noted.made_at),
        fresh=Freshness(read_at, told["unread"], told["trouble"]),
        names={int(agent): name for agent, name in told["names"].items()},
        portal=told["portal"],
        late=told["late"],
    )


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
    if _may_be_under_way(desk, sent):
        return False
    if not sent and desk.gap and desk.gap[0] < slot.due_at <= desk.gap[1]:
        # A copy was restored: whoever ran then has sent it, or began to.
        sent = {"begun": {"by": "", "at": slot.due_at.isoformat()}}
    sent = await _with_text_found(desk, slot, sent)
    await send_report(desk, await _report_of(desk, slot, sent), name, sent)
    return True


def _may_be_under_way(desk: Desk, sent: Mapping[str, Any]) -> bool:
    """Another process began to say something just now and may have died: too early to look for it."""
    begun_at = _begun_at(sent)
    if begun_at is None or sent["begun"]["by"] == desk.name:
        return False
    return timedelta(0) <= desk.now() - begun_at < UNDER_WAY  # a clock that was set back must not delay it


def _begun_at(sent: Mapping[str, Any]) -> datetime | None:
    """Since when the last message that was begun may stand in the chat."""
    begun = sent.get("begun")
    return datetime.fromisoformat(begun["at"]) if isinstance(begun, Mapping) else None


async def _with_text_found(desk: Desk, slot: Slot, sent: dict[str, Any]) -> dict[str, Any]:
    """A text of unknown fate is looked for first: what follows must belong to it."""
    if "text" in sent or not sent.get("begun"):
        return sent
    async with desk.db.read() as conn:
        noted = await reports.last_made(conn, slot.kind, slot.period.first)
    if noted is None:
        return sent
    marker = noted.text.partition("\n")[0]
    found = await desk.working_portal.find_said(desk.rules.chats.digest, marker, since=noted.made_at)
    if found is None:
        return sent
    async with desk.db.begin() as conn:
        await _mark_sent(conn, slot.period, desk.now())
    return sent | {"text": found}


async def _report_of(desk: Desk, slot: Slot, sent: Mapping[str, Any]) -> Report:
    """Picture and table belong to the text that stands in the chat already."""
    if "text" in sent:
        try:
            return (await report_as_known(desk, slot.kind, slot.period.first, None))[0]
        except NeverSent:  # by a service that kept nothing of its reports
            pass
    return await make_report(desk, slot.kind, slot.period.first, late=slot.is_late(desk.now()))


async def send_report(desk: Desk, report: Report, name: str, sent: dict[str, Any] | None = None) -> None:
    """The three messages into the digest's chat; `sent` tells which stand there already."""
    sent = dict(sent or {})
    if "text" not in sent:
        async with desk.db.begin() as conn:
            await note_report(conn, report)
    async for part, told in _parts(desk, report, sent):
        sent |= {part: told}
        async with desk.db.begin() as conn:
            await marks.put(conn, name, sent)
            if part == "text":
                await _mark_sent(conn, report.digest.period, desk.now())
    async with desk.db.begin() as conn:
        await marks.put(conn, name, sent | {"done": desk.now().isoformat()})


async def _parts(desk: Desk, report: Report, sent: dict[str, Any]) -> AsyncIterator[tuple[str, Any]]:
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
            begun_at = _begun_at(sent)
            found = await portal.find_said(chat, marker, since=begun_at) if sent.get("begun") else None
            yield "begun", {"by": desk.name, "at": desk.now().isoformat()}
            yield part, found if found is not None else await act()


def _title(report: Report) -> str:
    period = report.digest.period
    if period.first == period.last:
        return f"Показатели за {words.day(period.first)}"
    return f"Показатели за {period.first:%d.%m}–{period.last:%d.%m}"
