"""Builders for calendars, terms and lives of tickets; Moscow wall time as text, so that cases read well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.model import (
    ClassChange,
    Cycle,
    Extension,
    ItemRef,
    Ledger,
    OutcomeWord,
    Side,
    Spoken,
    State,
    StateChange,
    Story,
    TicketClass,
)
from app.sla.calendar import Calendar, calendar_of
from app.sla.ledger import cycles_of
from app.sla.terms import ClassTerms
from app.sla.workdays import russian_workdays

MOSCOW = ZoneInfo("Europe/Moscow")
FIVE_DAYS = {day: ["09:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")}
OFFICE = calendar_of(zone=MOSCOW, weekly=FIVE_DAYS, production=russian_workdays())
ALWAYS = calendar_of(zone=MOSCOW, weekly={}, around_the_clock=True)

WORK, WAIT, HOLD, DEV = State.IN_PROGRESS, State.WAITING_CLIENT, State.POSTPONED, State.ESCALATED
SOLVED, CLOSED, NO_ANSWER = State.RESOLVED, State.CLOSED_CONFIRMED, State.CLOSED_UNCONFIRMED
MET, BREACHED = OutcomeWord.MET, OutcomeWord.BREACHED
EMERGENCY, STANDARD, CONSULTATION = TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION
TermsMap = Mapping[TicketClass, ClassTerms | None]


def at(text: str) -> datetime:
    """`23.11 10:00`, `23.11 10:00:30` or `23.11.2026 10:00`, Moscow, as aware UTC."""
    day, clock = text.split()
    day = day if day.count(".") == 2 else f"{day}.2026"
    clock = clock if clock.count(":") == 2 else f"{clock}:00"
    return datetime.strptime(f"{day} {clock}", "%d.%m.%Y %H:%M:%S").replace(tzinfo=MOSCOW).astimezone(UTC)


def shown(moment: datetime | None) -> str:
    """The inverse of `at` for the year 2026."""
    return f"{moment.astimezone(MOSCOW):%d.%m %H:%M}" if moment else "-"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def class_terms(value: TicketClass, respond: float, resolve: float, **changes: Any) -> ClassTerms:
    """Terms in hours on the office calendar."""
    usual: dict[str, Any] = {
        "value": value,
        "label": value.value,
        "calendar_name": "office",
        "calendar": OFFICE,
        "respond": hours(respond),
        "resolve": hours(resolve),
        "warn_resolve": (0.75, 0.9),
    }
    return ClassTerms(**(usual | changes))


TERMS: TermsMap = {
    EMERGENCY: class_terms(EMERGENCY, 0.25, 4, warn_respond=(0.67,), warn_resolve=(0.5, 0.75, 0.9)),
    STANDARD: class_terms(STANDARD, 4, 24),
    CONSULTATION: class_terms(CONSULTATION, 8, 48, warn_resolve=(0.9,)),
    TicketClass.NOT_TICKET: None,
}


def one_class(calendar: Calendar, respond: float, resolve: float, **changes: Any) -> TermsMap:
    """Only the standard class, on a calendar of its own."""
    return {STANDARD: class_terms(STANDARD, respond, resolve, calendar=calendar, **changes)}


def ours(text: str, **changes: Any) -> Spoken:
    return Spoken(at(text), Side.OURS, **changes)


def client(text: str, **changes: Any) -> Spoken:
    return Spoken(at(text), Side.CLIENT, **changes)


def becomes(text: str, value: TicketClass, *, correction: bool = False) -> ClassChange:
    return ClassChange(at(text), value, by_person=not correction, correction=correction)


def extended(text: str, due: str) -> Extension:
    return Extension(at(text), at(due), by=7, reason="договорились с клиентом")


def life(
    start: str = "23.11 10:00",
    *moves: tuple[str, State],
    value: TicketClass = STANDARD,
    classes: Sequence[ClassChange] = (),
    **rest: Any,
) -> Story:
    """A ticket that starts as new and then makes `moves`."""
    started_at = at(start)
    told_of: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in rest.items()}
    return Story(
        ref=ItemRef.parse("deal:41"),
        started_at=started_at,
        states=(StateChange(started_at, State.NEW), *(StateChange(at(when), to) for when, to in moves)),
        classes=(ClassChange(started_at, value, by_person=False, correction=True), *classes),
        **told_of,
    )


def cycles(story: Story, now: str, terms: TermsMap = TERMS) -> tuple[Cycle, ...]:
    return cycles_of(story, terms, at(now))


def cycle(story: Story, now: str = "31.12 09:00", terms: TermsMap = TERMS) -> Cycle:
    """The cycle that runs or ran last."""
    return cycles(story, now, terms)[-1]


def day(text: str) -> date:
    return datetime.strptime(text, "%d.%m.%Y").replace(tzinfo=UTC).date()


def told(ledger: Ledger) -> list[tuple[str, str, str]]:
    """The entries as (when, kind, cause)."""
    return [(shown(entry.at), entry.kind.value, entry.cause) for entry in ledger.entries]
