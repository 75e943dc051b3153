"""One ticket's explanation as plain data: `explain`, the pages and the API only lay it out. Pure.

Texts are Russian, with the desk's local times; instants and minutes beside them are for programs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from app import words
from app.account import Told, due_line, running_totals, span_words, sum_line, turns, verdict_line
from app.model import ClockName, Cycle, ExplainedSpan, Ledger, Ticket
from app.sla.calendar import Calendar
from app.sla.explanation import spans_of_clock
from app.ticket_view import rfc3339, said_of, span_json

MINUTE = timedelta(minutes=1)


_OF_THE_CARD = (ClockName.REPLY, ClockName.SOLUTION)
"""Their lack is told; another clock without a term is none."""


class Queued(Protocol):
    """A message that was put into the outbox (store/outbox.py)."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def sent_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """A stretch of time, what has been counted at its end, and why it counts or not."""

    span: ExplainedSpan
    total: timedelta
    text: str

    @property
    def length(self) -> timedelta:
        return timedelta(minutes=self.span.minutes)


@dataclass(frozen=True, slots=True)
class ClockAccount:
    """How one clock's figures come about; `due` is "" without a deadline."""

    ledger: Ledger
    label: str
    spans: tuple[CountedSpan, ...]
    turns: tuple[tuple[datetime, str], ...]
    due: str
    sum: str
    verdict: str

    @property
    def is_kept(self) -> bool:
        """Some tickets have no terms (`sla = false`, not a ticket)."""
        return self.ledger.due_at is not None or bool(self.ledger.term)


@dataclass(frozen=True, slots=True)
class CycleAccount:
    """Every clock of one cycle, also those that were kept long ago."""

    number: int
    started_at: datetime
    clocks: tuple[ClockAccount, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """One step of the ladder or one comment: what, to whom, and when it was said or why not."""

    cycle: int
    step: str
    whom: str
    text: str
    state: str
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class TicketAccount:
    """The whole explanation, cycles and alerts in the order in which they came."""

    cycles: tuple[CycleAccount, ...]
    alerts: tuple[Alert, ...]

    @property
    def present(self) -> CycleAccount:
        return self.cycles[-1]


def account_of(
    ticket: Ticket,
    calendars: Mapping[str, Calendar],
    told: Told,
    queued: Iterable[Queued],
    now: datetime,
) -> TicketAccount:
    """`calendars`: by name, in the ticket's own rules."""
    cycles = tuple(_cycle(cycle, calendars, told, now) for cycle in ticket.cycles)
    return TicketAccount(cycles, tuple(_alerts(queued, told)))


def _cycle(cycle: Cycle, calendars: Mapping[str, Calendar], told: Told, now: datetime) -> CycleAccount:
    clocks = (clock_account(each, calendars.get(each.calendar), told, now) for each in cycle.ledgers)
    shown = (clock for clock in clocks if clock.is_kept or clock.ledger.clock in _OF_THE_CARD)
    return CycleAccount(cycle.number, cycle.started_at, tuple(shown))


def clock_account(ledger: Ledger, calendar: Calendar | None, told: Told, now: datetime) -> ClockAccount:
    """One clock's; a calendar that the rules no longer know leaves the sum and the verdict."""
    spans = tuple(_spans(ledger, calendar, told, now)) if calendar else ()
    if spans:
        ledger = replace(ledger, spent=_spent(spans, ledger.started_at))
    return ClockAccount(
        ledger=ledger,
        label=_label(ledger),
        spans=spans,
        turns=turns(ledger, told),
        due=due_line(ledger, calendar, told.zone) if calendar else "",
        sum=sum_line(ledger, told, now, _spent(spans, ledger.anchor_at) if spans else None),
        verdict=verdict_line(ledger, told),
    )


def _label(ledger: Ledger) -> str:
    level = words.ESCALATION_LEVEL[str(ledger.level)] if ledger.clock is ClockName.INTERNAL else ""
    return f"{words.CLOCK[ledger.clock]}: {level}" if level else words.CLOCK[ledger.clock]


def _spans(ledger: Ledger, calendar: Calendar, told: Told, now: datetime) -> Iterator[CountedSpan]:
    spans = spans_of_clock(ledger, calendar, now)
    for span, total in zip(spans, running_totals(spans), strict=True):
        yield CountedSpan(span, total, span_words(span, told))


def _spent(spans: Iterable[CountedSpan], since: datetime) -> timedelta:
    """Until now, to the second: a stored ledger stands at the moment of the ticket's last decision."""
    counted = (each.span for each in spans if each.span.counted and each.span.end > since)
    return sum((span.end - max(span.start, since) for span in counted), timedelta(0))


def _alerts(queued: Iterable[Queued], told: Told) -> Iterator[Alert]:
    for put in queued:
        said = said_of(put.key, told.name_of)
        if said is not None:
            yield Alert(said.cycle, said.step, said.whom, said.text, str(put.state), put.sent_at)


# --- for programs ------------------------------------------------------------------------


def spans_of_present(account: TicketAccount) -> tuple[ExplainedSpan, ...]:
    """The bare spans of the present cycle."""
    return tuple(each.span for clock in account.present.clocks for each in clock.spans)


def explanation_json(account: TicketAccount) -> dict[str, Any]:
    """What `GET /api/v1/tickets/{ref}` and `explain --json` tell beside the ticket of every list."""
    return {
        "explanation": [_cycle_json(cycle) for cycle in account.cycles],
        "alerts": [_alert_json(alert) for alert in account.alerts],
    }


def _cycle_json(cycle: CycleAccount) -> dict[str, Any]:
    return {
        "cycle": cycle.number,
        "started_at": rfc3339(cycle.started_at),
        "clocks": [_clock_json(clock) for clock in cycle.clocks],
    }


def _clock_json(clock: ClockAccount) -> dict[str, Any]:
    ledger = clock.ledger
    return {
        "clock": ledger.clock.value,
        "label": clock.label,
        "level": ledger.level or None,
        "started_at": rfc3339(ledger.started_at),
        "counted_from": rfc3339(ledger.anchor_at),
        "term_minutes": ledger.term // MINUTE,
        "spent_minutes": ledger.spent // MINUTE,
        "due_at": rfc3339(ledger.due_at),
        "met_at": rfc3339(ledger.met_at),
        "outcome": ledger.outcome,
        "outcome_at": rfc3339(ledger.outcome_at),
        "spans": [_span_json(each) for each in clock.spans],
        "turns": [{"at": rfc3339(at), "text": text} for at, text in clock.turns],
        "due": clock.due or None,
        "sum": clock.sum,
        "verdict": clock.verdict,
    }


def _span_json(each: CountedSpan) -> dict[str, Any]:
    return {**span_json(each.span), "total_minutes": each.total // MINUTE, "text": each.text}


def _alert_json(alert: Alert) -> dict[str, Any]:
    return {
        "cycle": alert.cycle,
        "step": alert.step,
        "to": alert.whom,
        "text": alert.text,
        "state": alert.state,
        "sent_at": rfc3339(alert.sent_at),
    }
