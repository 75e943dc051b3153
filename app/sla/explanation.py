"""Every stretch of a clock's time, counted or not, and why: so that people can check a figure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.model import Cycle, EntryKind, ExplainedSpan, Ledger
from app.sla.calendar import Calendar, Stretch, merged

MINUTE = timedelta(minutes=1)


def explained(cycle: Cycle, calendars: Mapping[str, Calendar], now: datetime) -> tuple[ExplainedSpan, ...]:
    """The spans of every clock from its start to its end or `now`; `calendars` by name in the rules.

    Closed hours keep their own reason inside a pause, so a pause's minutes are its open time. The
    counted minutes add up to `Ledger.spent` in whole minutes, seconds carried from span to span.
    """
    return tuple(
        span
        for ledger in cycle.ledgers
        if ledger.calendar in calendars
        for span in spans_of_clock(ledger, calendars[ledger.calendar], now)
    )


def spans_of_clock(ledger: Ledger, calendar: Calendar, now: datetime) -> tuple[ExplainedSpan, ...]:
    """The same for one clock on its own calendar."""
    return tuple(_in_minutes(ledger, _stretches(ledger, calendar, now)))


def way_to_due(ledger: Ledger, calendar: Calendar) -> tuple[Stretch, ...]:
    """From where the term is counted to the deadline: the open stretches add up to the term exactly.

    Not so for an agreed date, which is nobody's sum. A pause that still runs is not in it, even one
    that ends on a known date: the deadline moves once, when it ends (sla.md 2).
    """
    due_at = ledger.due_at
    if due_at is None:
        return ()
    ended = replace(ledger, pauses=ledger.pauses[:-1]) if ledger.paused else ledger
    return tuple(merged(_cut(ended, calendar, ledger.anchor_at, due_at)))


def _stretches(ledger: Ledger, calendar: Calendar, now: datetime) -> Iterator[Stretch]:
    return _cut(ledger, calendar, ledger.started_at, ledger_end(ledger, now))


def _cut(ledger: Ledger, calendar: Calendar, at: datetime, end: datetime) -> Iterator[Stretch]:
    for start, stop, cause in _pauses(ledger, end):
        yield from calendar.stretches(at, start)
        for stretch in calendar.stretches(max(at, start), stop):
            yield stretch._replace(open=False, why=f"pause:{cause}") if stretch.open else stretch
        at = max(at, stop)
    yield from calendar.stretches(at, end)


def ledger_end(ledger: Ledger, now: datetime) -> datetime:
    """Where a clock's time ends: when met, when it ended without a verdict, else now."""
    ended = [entry.at for entry in ledger.entries if entry.kind is EntryKind.ENDED]
    return ledger.met_at or (ended[0] if ended else now)


def _pauses(ledger: Ledger, end: datetime) -> Iterator[tuple[datetime, datetime, str]]:
    causes = {entry.at: entry.cause for entry in ledger.entries if entry.kind is EntryKind.PAUSE}
    for start, stop in ((span.start, span.end) for span in ledger.pauses if span.start < end):
        yield start, end if stop is None else min(stop, end), causes[start]


def _in_minutes(ledger: Ledger, stretches: Iterable[Stretch]) -> Iterator[ExplainedSpan]:
    carried: dict[str, timedelta] = {}
    for stretch in merged(stretches):
        before = carried.get(stretch.why, timedelta(0))
        carried[stretch.why] = before + (stretch.end - stretch.start)
        minutes = carried[stretch.why] // MINUTE - before // MINUTE
        yield ExplainedSpan(ledger.clock, stretch.start, stretch.end, stretch.open, minutes, stretch.why)
