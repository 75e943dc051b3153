"""Builders: an outcome with nothing in it, Moscow moments of November 2026, an office calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.metrics.kpi import Kpi, figures_of, view_of
from app.metrics.periods import midnight
from app.metrics.targets import Targets
from app.metrics.view import EVERYBODY, Scope
from app.model import Area, ItemRef, Kind, Outcome, OutcomeWord, State, TicketClass
from app.sla.calendar import Calendar, calendar_of

MOSCOW = ZoneInfo("Europe/Moscow")
MET, BREACHED = OutcomeWord.MET, OutcomeWord.BREACHED
TUESDAY = date(2026, 11, 24)
WORKING = ("mon", "tue", "wed", "thu", "fri")

IVANOVA, PETROV = 7, 8

_BARE: tuple[tuple[object, str], ...] = (
    (
        None,
        "agent reply_agent solve_agent reply_due reply_outcome reply_outcome_at first_reply_at reply_spent",
    ),
    (None, "solve_due solve_outcome solve_outcome_at solved_at first_solved_at solve_spent closed_at"),
    (None, "escalated_at csat class_auto"),
    (False, "confirmed waited_client paused extended waived documented off_hours"),
    ("", "repeat_of repeat_kind object channel"),
)


def at(text: str) -> datetime:
    """`24.11 10:00` of 2026 by Moscow."""
    return datetime.strptime(f"2026.{text}", "%Y.%d.%m %H:%M").replace(tzinfo=MOSCOW).astimezone(UTC)


def office() -> Calendar:
    """Monday to Friday, 09:00-18:00 Moscow, without holidays."""
    return calendar_of(zone=MOSCOW, weekly={day: ["09:00-18:00"] for day in WORKING})


def ref(number: int) -> ItemRef:
    """A deal."""
    return ItemRef(Kind.DEAL, number)


def outcome(number: int = 41, **changes: Any) -> Outcome:
    """A standard ticket that came on Tuesday 24.11 at 10:00 and nothing more."""
    bare = {name: what for what, names in _BARE for name in names.split()}
    usual = {
        "ref": ref(number),
        "cycle": 1,
        "title": f"Обращение {number}",
        "value": TicketClass.STANDARD,
        "area": Area.OTHER,
        "state": State.NEW,
        "received_at": at("24.11 10:00"),
        "escalation_level": 0,
        "reopened_at": (),
        "counted": True,
    }
    return Outcome(**{**bare, **usual, **changes})


def replied(number: int = 41, *, minutes: int = 20, when: str = "", **changes: Any) -> Outcome:
    """Answered in time, twenty minutes after it came unless told."""
    received_at = changes.get("received_at", at("24.11 10:00"))
    moment = at(when) if when else received_at + timedelta(minutes=20)
    usual = {
        "reply_outcome": MET,
        "reply_outcome_at": moment,
        "first_reply_at": moment,
        "reply_spent": timedelta(minutes=minutes),
    }
    return outcome(number, **{**usual, **changes})


def solved(number: int = 41, *, when: str = "24.11 16:00", minutes: int = 360, **changes: Any) -> Outcome:
    """Answered and solved in time, not closed."""
    moment = at(when)
    usual = {
        "state": State.RESOLVED,
        "solve_outcome": MET,
        "solve_outcome_at": moment,
        "solved_at": moment,
        "first_solved_at": moment,
        "solve_spent": timedelta(minutes=minutes),
    }
    return replied(number, **{**usual, **changes})


def closed(number: int = 41, *, when: str = "24.11 17:00", **changes: Any) -> Outcome:
    """Solved in time and closed with the client's consent."""
    usual = {"state": State.CLOSED_CONFIRMED, "closed_at": at(when), "confirmed": True}
    return solved(number, **{**usual, **changes})


def figures(
    outcomes: Iterable[Outcome],
    first: date = TUESDAY,
    last: date | None = None,
    *,
    agents: int = 2,
    targets: Targets | None = None,
    scope: Scope = EVERYBODY,
    now: str = "25.11 09:05",
) -> dict[str, Kpi]:
    """The figures of a period, Tuesday 24.11 unless told."""
    end = midnight((last or first) + timedelta(days=1), MOSCOW)
    view = view_of(
        outcomes,
        (midnight(first, MOSCOW), end),
        calendar=office(),
        targets=targets or Targets(),
        agents_on_duty=agents,
        now=at(now),
    )
    return dict(figures_of(view.of(scope)))
