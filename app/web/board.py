"""The board: open tickets by urgency, at one moment. Pure; times and lengths become words here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app import words
from app.metrics.board import burning
from app.model import Kind, Ledger, OutcomeWord, SlaState, State, Ticket, TicketClass
from app.sla.calendar import Calendar
from app.sla.state import sla_state
from app.ticket_view import card_url, rfc3339


class Place(StrEnum):
    """A section of the board, the urgent first."""

    BURNING = "burning"
    AT_RISK = "at_risk"
    WORKING = "working"
    PAUSED = "paused"
    CONFIRMING = "confirming"


PLACE_LABEL: Mapping[Place, str] = {
    Place.BURNING: "Горит",
    Place.AT_RISK: "Срок истекает",
    Place.WORKING: "В работе",
    Place.PAUSED: "На паузе",
    Place.CONFIRMING: "Ждёт подтверждения",
}
PLACE_EMPTY: Mapping[Place, str] = {
    Place.BURNING: "Просроченных обращений нет.",
    Place.AT_RISK: "Сроки не поджимают.",
    Place.WORKING: "Открытых обращений нет.",
    Place.PAUSED: "Никого не ждём.",
    Place.CONFIRMING: "Все решения подтверждены.",
}
EARLIER_SHOWN = 100

KIND_LABEL: Mapping[Kind, str] = {Kind.DEAL: "сделка", Kind.ITEM: "элемент", Kind.TASK: "задача"}

_PLACE_OF = {
    SlaState.OVERDUE: Place.BURNING,
    SlaState.AT_RISK: Place.AT_RISK,
    SlaState.PAUSED: Place.PAUSED,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What turns tickets into words: who is called what, whose hours hold, where the cards are."""

    name_of: Callable[[int | None], str]
    calendar: Calendar  # the desk's
    calendars: Mapping[str, Calendar]  # all, by name in the rules
    zone: ZoneInfo
    portal_url: str

    def between(self, clock: Ledger, start: datetime, end: datetime) -> timedelta:
        """Open time of the clock's calendar; of absolute time when the rules no longer know it."""
        calendar = self.calendars.get(clock.calendar)
        return calendar.between(start, end) if calendar else max(end - start, timedelta(0))

    def length(self, clock: Ledger, length: timedelta) -> str:
        """In working days of the clock's own calendar: «1 раб. дн. 3 ч», kept on one line."""
        calendar = self.calendars.get(clock.calendar)
        workday = calendar.hours_per_day if calendar else words.WORKDAY
        return words.work_length(length, workday).replace(" ", words.NBSP)


@dataclass(frozen=True, slots=True)
class Due:
    """The term that matters most now."""

    what: str  # «ответ», «решение»
    at: str
    iso: str
    left: str  # «осталось 1 ч 10 мин»
    used: int  # percent of the term, 0..100


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the board."""

    ref: str
    number: str
    kind: str
    title: str
    card: str
    value: str
    value_label: str
    sure: bool
    state: str
    agent: str
    client: str
    object: str
    due: Due | None
    done: str  # «решено 24.11 14:00»
    late: bool  # done, but a term was missed
    counted: bool


@dataclass(frozen=True, slots=True)
class Section:
    """A place with its rows, the most urgent first."""

    place: str  # also the tone
    label: str
    empty: str
    rows: tuple[Row, ...]
    altogether: int = 0  # where only the first rows are shown


def board(tickets: Sequence[Ticket], around: Surroundings, now: datetime) -> tuple[Section, ...]:
    """Every section, also the empty ones, of the tickets that count.

    «Горит» holds what the digest calls so: overdue, or at risk and an emergency or waiting for the head.
    """
    hot = {found.ref for found in burning(tickets, around.calendar, now)}
    placed: dict[Place, list[Ticket]] = {place: [] for place in Place}
    for ticket in tickets:
        place = Place.BURNING if ticket.ref in hot else place_of(ticket, now)
        if place is not None and ticket.counted:
            placed[place].append(ticket)
    return tuple(
        Section(place, PLACE_LABEL[place], PLACE_EMPTY[place], rows_of(found, around, now))
        for place, found in placed.items()
    )


def place_of(ticket: Ticket, now: datetime) -> Place | None:
    """Where a ticket stands by its state alone; None when nobody has to do anything about it."""
    if ticket.state is State.RESOLVED:
        return Place.CONFIRMING
    if not ticket.open:
        return None
    state = sla_state(ticket.now_cycle, ticket.state, now)
    return _PLACE_OF.get(state, Place.WORKING) if state else Place.WORKING


def earlier(tickets: Sequence[Ticket], around: Surroundings, now: datetime) -> Section:
    """Open tickets from before the service was switched on: shown, never counted."""
    found = [ticket for ticket in tickets if ticket.open and not ticket.counted]
    return Section("none", "До начала учёта", "", rows_of(found[:EARLIER_SHOWN], around, now), len(found))


def rows_of(tickets: Iterable[Ticket], around: Surroundings, now: datetime) -> tuple[Row, ...]:
    """The most urgent first."""
    ordered = sorted(tickets, key=lambda ticket: _urgency(ticket, now))
    return tuple(row_of(ticket, around, now) for ticket in ordered)


def _urgency(ticket: Ticket, now: datetime) -> tuple[int, datetime, str]:
    """Emergencies first, then by the nearest term; without any term last."""
    emergency = 0 if ticket.value is TicketClass.EMERGENCY else 1
    clock = pressing(ticket, now)
    last = datetime.max.replace(tzinfo=now.tzinfo)
    return emergency, clock.due_at if clock and clock.due_at else last, str(ticket.ref)


def pressing(ticket: Ticket, now: datetime) -> Ledger | None:
    """The clock to look at: of those not met the one that is or will be overdue first."""
    cycle = ticket.now_cycle
    unmet = [clock for clock in (cycle.reply, cycle.solution) if clock.due_at and clock.met_at is None]
    running = [clock for clock in unmet if not clock.paused]
    late = [clock for clock in running if clock.due_at and clock.due_at < now]
    found = late or running or unmet
    return min(found, key=lambda clock: clock.due_at or now, default=None)


def row_of(ticket: Ticket, around: Surroundings, now: datetime) -> Row:
    return Row(
        ref=str(ticket.ref),
        number=f"№{ticket.ref.id}",
        kind=KIND_LABEL[ticket.ref.kind],
        title=words.masked(ticket.title.strip()) or "Без темы",
        card=card_url(around.portal_url, ticket.ref),
        value=ticket.value.value,
        value_label=words.CLASS[ticket.value],
        sure=ticket.class_sure,
        state=words.STATE[ticket.state],
        agent=around.name_of(ticket.agent),
        client=words.masked(ticket.client_name),
        object=words.masked(ticket.object),
        due=_due(ticket, around, now) if ticket.open else None,
        done=_done(ticket, around),
        late=bool(_lateness(ticket)),
        counted=ticket.counted,
    )


def _due(ticket: Ticket, around: Surroundings, now: datetime) -> Due | None:
    clock = pressing(ticket, now)
    if clock is None or clock.due_at is None:
        return None
    return Due(
        what=words.CLOCK[clock.clock].lower(),
        at=words.moment_short(clock.due_at, around.zone, now.astimezone(around.zone).date()),
        iso=rfc3339(clock.due_at) or "",
        left=left_words(clock, around, now),
        used=used_share(clock, around, now),
    )


def _done(ticket: Ticket, around: Surroundings) -> str:
    solved_at = ticket.now_cycle.solved_at
    if ticket.open or solved_at is None:
        return ""
    return f"решено {words.moment_short(solved_at, around.zone)}{_lateness(ticket)}"


def _lateness(ticket: Ticket) -> str:
    cycle = ticket.now_cycle
    if cycle.solution.outcome is OutcomeWord.BREACHED:
        return ", с опозданием"
    return ", ответ с опозданием" if cycle.reply.outcome is OutcomeWord.BREACHED else ""


def left_words(clock: Ledger, around: Surroundings, now: datetime) -> str:
    """«осталось 1 ч 10 мин», «просрочено на 3 ч»: business time, as the term itself."""
    assert clock.due_at is not None
    if clock.paused and clock.pauses and clock.pauses[-1].start < clock.due_at:
        left = around.between(clock, clock.pauses[-1].start, clock.due_at)
        return f"останется {around.length(clock, left)}"
    if now > clock.due_at:
        late = around.between(clock, clock.due_at, now)
        return f"просрочено на {around.length(clock, late)}"
    return f"осталось {around.length(clock, around.between(clock, now, clock.due_at))}"


def used_share(clock: Ledger, around: Surroundings, now: datetime) -> int:
    """Percent of the term that is gone, at `now` and not when the ticket was saved."""
    if clock.due_at is None or not clock.term:
        return 0
    at = clock.met_at or (clock.pauses[-1].start if clock.paused and clock.pauses else now)
    left = around.between(clock, at, clock.due_at) if at < clock.due_at else timedelta(0)
    return max(0, min(100, round(100 - 100 * (left / clock.term))))
