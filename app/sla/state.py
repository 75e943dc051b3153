"""The state of a ticket's SLA on the card, and when to look again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app.model import DONE_STATES, VOID_STATES, Cycle, Ledger, OutcomeWord, SlaState, State

JUST_PAST = timedelta(seconds=1)
"""Met exactly at the deadline is met, so a breach shows one second later (the portal's grain)."""


def sla_state(cycle: Cycle, state: State, now: datetime) -> SlaState | None:
    """The card's state (contract.md 5); None where there are no clocks. A paused clock does not run.

    Reply and solution only: the clocks whose deadlines stand on the card beside the state and whose
    verdicts are the KPIs', so that card and figures never disagree. The others are shown, not judged.
    """
    ledgers = (cycle.reply, cycle.solution)
    if state in VOID_STATES or all(ledger.due_at is None for ledger in ledgers):
        return None
    if state in DONE_STATES:
        late = any(ledger.outcome is OutcomeWord.BREACHED for ledger in ledgers)
        return SlaState.BREACHED if late else SlaState.MET
    running = [ledger for ledger in ledgers if ledger.running]
    if any(ledger.due_at and now > ledger.due_at for ledger in running):
        return SlaState.OVERDUE
    if any(ledger.warn_at and now >= first_warning(ledger) for ledger in running):
        return SlaState.AT_RISK
    return SlaState.PAUSED if cycle.solution.paused else SlaState.ON_TRACK


def first_warning(ledger: Ledger) -> datetime:
    """The earliest warning of a clock that has any."""
    return min(at for _, at in ledger.warn_at)


def next_moment(cycle: Cycle, now: datetime) -> datetime | None:
    """When something happens next by the clock alone: a warning, a breach, the end of a postponement."""
    moments = [at for ledger in cycle.ledgers for at in _moments(ledger)]
    return min((at for at in moments if at > now), default=None)


def _moments(ledger: Ledger) -> Iterator[datetime]:
    if ledger.paused:
        yield from (pause.end for pause in ledger.pauses if pause.end is not None)
    elif ledger.running and ledger.due_at is not None:
        yield from (at for _, at in ledger.warn_at)
        yield ledger.due_at + JUST_PAST
