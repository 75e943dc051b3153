"""One invented Monday whose sums can be checked by hand: open 23 = 21 + 16 - 14."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from app.metrics.digest import Digest, Freshness, Office, digest_of
from app.metrics.periods import Period, PeriodKind
from app.model import (
    Area,
    ClockName,
    Cycle,
    Ledger,
    Outcome,
    SlaState,
    State,
    Ticket,
    TicketClass,
)
from tests.metrics.outcomes import BREACHED, IVANOVA, MET, PETROV, at, office, outcome, ref, replied, solved

MONDAY = date(2026, 11, 23)
NOW = "24.11 09:05"
NAMES = {IVANOVA: "Иванова А.", PETROV: "Петров И."}
HOUSES = ("ЖК «Сосны»", "КП «Дубрава»", "БЦ «Высота»")

EMERGENCY, STANDARD, CONSULTATION = (
    TicketClass.EMERGENCY,
    TicketClass.STANDARD,
    TicketClass.CONSULTATION,
)


def ledger(clock: ClockName, due: str | None, *, warned: str = "", **changes: Any) -> Ledger:
    """A running clock with a deadline."""
    usual = {
        "clock": clock,
        "cycle": 1,
        "started_at": at("23.11 10:00"),
        "anchor_at": at("23.11 10:00"),
        "term": timedelta(hours=4),
        "calendar": "office",
        "due_at": at(due) if due else None,
        "warn_at": ((0.5, at(warned)),) if warned else (),
        "running": due is not None,
    }
    return Ledger(**{**usual, **changes})


def ticket(number: int = 41, due: str = "24.11 16:00", *, warned: str = "", **changes: Any) -> Ticket:
    """An open, answered ticket whose solution is due."""
    reply = ledger(ClockName.REPLY, None)
    solution = changes.pop("solution", None) or ledger(ClockName.SOLUTION, due, warned=warned)
    handed_at = changes.pop("escalated_at", None)
    usual = {
        "ref": ref(number),
        "cycle": 1,
        "title": f"Обращение {number}",
        "state": State.IN_PROGRESS,
        "value": STANDARD,
        "area": Area.OTHER,
        "class_why": "",
        "class_sure": True,
        "class_by_person": False,
        "confidence": 0.9,
        "other_topics": "",
        "created_at": at("23.11 10:00"),
        "started_at": at("23.11 10:00"),
        "read_at": at("24.11 09:04"),
        "cycles": (Cycle(1, at("23.11 10:00"), reply, solution, escalated_at=handed_at),),
        "sla_state": SlaState.ON_TRACK,
        "agent": IVANOVA,
    }
    return Ticket(**{**usual, **changes})


def example_tickets() -> list[Ticket]:
    """Two that burn, five that run out today, one for tomorrow, one that waits for the client."""
    waits = ledger(ClockName.SOLUTION, "24.11 12:00", running=False, paused=True)
    return [
        ticket(4127, "24.11 09:02", title="КПП-2 не открывается", value=EMERGENCY),
        ticket(
            4098,
            "24.11 10:15",
            warned="23.11 17:00",
            title="нет SMS у жителей",
            state=State.ESCALATED,
            escalation_level=1,
            escalated_at=at("23.11 17:25"),
        ),
        ticket(4110, "24.11 11:00"),
        ticket(4111, "24.11 12:00", agent=PETROV),
        ticket(4112, "24.11 15:00", agent=None),
        ticket(4113, "24.11 17:00", agent=PETROV),
        ticket(4114, "24.11 18:00"),
        ticket(4115, "25.11 12:00"),
        ticket(4116, solution=waits, state=State.WAITING_CLIENT),
    ]


def example_outcomes() -> list[Outcome]:
    """21 open on Monday morning, 16 came, 14 were solved."""
    return [*_old(), *_came()]


def example(
    outcomes: Iterable[Outcome] | None = None,
    tickets: Iterable[Ticket] | None = None,
    *,
    period: Period | None = None,
    fresh: Freshness | None = None,
    now: str = NOW,
    agents: int = 2,
    months: int = 0,
) -> Digest:
    """The digest of that Monday, or of what is given."""
    return digest_of(
        example_outcomes() if outcomes is None else outcomes,
        example_tickets() if tickets is None else tickets,
        period or Period(PeriodKind.DAY, MONDAY, MONDAY),
        office=Office(office(), NAMES, agents),
        fresh=fresh or Freshness(at("24.11 09:04")),
        months=months,
        now=at(now),
    )


def _old() -> list[Outcome]:
    """Came on Friday: fourteen of them are solved on Monday, seven stay."""
    done = [_done(4000 + number, **_FRIDAY) for number in range(10)]
    waiting_owners = [IVANOVA] * 4 + [PETROV] * 2 + [None]
    return [
        *done,
        _done(4010, **_FRIDAY, reopened_at=(at("23.11 12:00"),), first_solved_at=at("23.11 10:00")),
        _done(4011, **_FRIDAY, escalated_at=at("20.11 16:00"), escalation_reason="bug", confirmed=False),
        _done(4013, **_FRIDAY, closed_at=None, confirmed=False, state=State.RESOLVED),
        _done(4088, **_FRIDAY, **_LATE, confirmed=False, state=State.CLOSED_UNCONFIRMED),
        *(replied(4020 + n, **{**_FRIDAY, "agent": owner}) for n, owner in enumerate(waiting_owners)),
    ]


_FRIDAY: dict[str, Any] = {
    "received_at": at("20.11 15:00"),
    "reply_outcome_at": at("20.11 15:20"),
    "first_reply_at": at("20.11 15:20"),
    "area": Area.PASSES,
}
_LATE: dict[str, Any] = {
    "solve_outcome": BREACHED,
    "solve_outcome_at": at("23.11 13:00"),
    "escalated_at": at("20.11 16:00"),
    "escalation_reason": "development",
}


def _done(number: int, **changes: Any) -> Outcome:
    agent = IVANOVA if number % 2 else PETROV
    usual = {
        "agent": agent,
        "reply_agent": agent,
        "solve_agent": agent,
        "documented": number % 3 > 0,
        "kb_link": number in {4004, 4005, 4006},
        "csat": 5 if number % 4 == 0 else None,
        "closed_at": at("23.11 17:00") + timedelta(minutes=number % 40),
        "confirmed": True,
        "state": State.CLOSED_CONFIRMED,
    }
    return solved(number, when="23.11 16:00", minutes=600, **{**usual, **changes})


def _came() -> list[Outcome]:
    """9 for one, 7 for the other; five off hours, one of them an emergency; one answered late."""
    classes = [EMERGENCY, *[STANDARD] * 11, *[CONSULTATION] * 4]
    tickets = [_arrival(number, value) for number, value in enumerate(classes)]
    due = at("23.11 13:00")
    late: dict[str, Any] = {
        "reply_outcome": BREACHED,
        "reply_outcome_at": due,
        "first_reply_at": due + timedelta(minutes=12),
    }
    tickets[6] = replace(tickets[6], **late)
    return tickets


def _arrival(number: int, value: TicketClass) -> Outcome:
    night, agent = number < 5, IVANOVA if number < 9 else PETROV
    spent = timedelta(minutes=number * 2 + 7)
    received = at("23.11 00:00") if night else at("23.11 11:00") + timedelta(minutes=number)
    answered = at("23.11 09:10") if night else received + spent
    repeats = number in {5, 6}
    return outcome(
        4095 + number,
        value=value,
        received_at=received,
        agent=agent,
        reply_agent=agent,
        off_hours=night,
        area=Area.APP_LOGIN if number in {5, 6, 7, 8} else Area.OTHER,
        object=HOUSES[number % 3],
        repeat_of="deal:4000" if repeats else "",
        repeat_kind="same" if repeats else "",
        reply_outcome=MET,
        reply_outcome_at=answered,
        first_reply_at=answered,
        reply_spent=spent,
    )
