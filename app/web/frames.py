"""The frame around every page: where one can go, and how fresh the data is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app import words
from app.desk import Desk
from app.web.access import Visitor
from app.web.failures import failed_work

_ENTRIES = (("board", "/", "Сейчас"), ("kpi", "/kpi", "Показатели"), ("failed", "/failed", "Сбои"))


@dataclass(frozen=True, slots=True)
class Entry:
    """A place to go to."""

    href: str
    label: str
    here: bool
    count: int


@dataclass(frozen=True, slots=True)
class Frame:
    """`mark` goes into every form of the page."""

    entries: tuple[Entry, ...]
    can_leave: bool
    mark: str
    now: str
    portal: str
    swept: str


async def frame_of(desk: Desk, visitor: Visitor, *, here: str) -> Frame:
    async with desk.db.read() as conn:
        failed = (await failed_work(conn)).count
    counts = {"failed": failed}
    entries = tuple(Entry(href, label, name == here, counts.get(name, 0)) for name, href, label in _ENTRIES)
    now = desk.now()
    return Frame(
        entries=entries,
        can_leave=visitor.by_cookie,
        mark=visitor.mark,
        now=f"{words.moment(now, desk.rules.desk.zone)}, {_zone_name(desk)}",
        portal=portal_words(desk),
        swept=_swept(desk, now),
    )


def portal_words(desk: Desk) -> str:
    """«Портал отвечает» or what is wrong with it, as far as this process knows."""
    health = desk.health
    if desk.role == "web":
        return "С порталом работает другой процесс"
    if health.portal_fault:
        return f"Портал не отвечает: {health.portal_fault}"
    return "Портал отвечает" if health.last_portal_ok_at else "Портал ещё не ответил"


def _swept(desk: Desk, now: datetime) -> str:
    at = desk.health.last_sweep_at
    if at is None:
        return ""
    zone = desk.rules.desk.zone
    return f"Сверено с порталом: {words.moment_short(at, zone, now.astimezone(zone).date())}"


def _zone_name(desk: Desk) -> str:
    zone = desk.rules.desk.zone.key
    return "время московское" if zone == "Europe/Moscow" else f"время {zone}"
