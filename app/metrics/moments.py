"""What an outcome says about one instant or one clock: the words the formulas are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from app.model import ClockName, Outcome, OutcomeWord, TicketClass

REPEAT_KINDS = frozenset({"same", "unsolved"})
"""Kinds 1 and 3 of domain.md 7.2; 2 and 4 are linked only."""

BULK = 10
"""Closings within one minute that no person does by hand."""

Key = tuple[str, int]


def key_of(outcome: Outcome) -> Key:
    """A ticket's cycle, one for all lists."""
    return str(outcome.ref), outcome.cycle


def open_at(outcome: Outcome, at: datetime) -> bool:
    """Whether the ticket was somebody's work at an instant, as its moments tell.

    «Решено» ends the work and a return begins it again. Solutions between the first and the
    last are not kept: such a ticket counts as open from the first return on.
    """
    if outcome.received_at >= at:
        return False
    ends = (outcome.first_solved_at, outcome.solved_at, outcome.closed_at)
    ended_at = max((end for end in ends if end and end < at), default=None)
    if ended_at is None:
        return True
    return any(ended_at <= back < at for back in outcome.reopened_at)


def solved_at(outcome: Outcome) -> datetime | None:
    """The last solution, unless the ticket came back after it."""
    return _standing(outcome.solved_at, outcome)


def closed_at(outcome: Outcome) -> datetime | None:
    """The closing, unless the ticket came back after it."""
    return _standing(outcome.closed_at, outcome)


def _standing(end: datetime | None, outcome: Outcome) -> datetime | None:
    undone = end and any(back >= end for back in outcome.reopened_at)
    return None if undone else end


def reply_verdict(outcome: Outcome) -> tuple[OutcomeWord, datetime] | None:
    """The reply clock's word and its moment; a waived ticket has none."""
    return _verdict(outcome, outcome.reply_outcome, outcome.reply_outcome_at)


def solve_verdict(outcome: Outcome) -> tuple[OutcomeWord, datetime] | None:
    """The solution clock's word and its moment."""
    return _verdict(outcome, outcome.solve_outcome, outcome.solve_outcome_at)


def _verdict(
    outcome: Outcome, word: OutcomeWord | None, at: datetime | None
) -> tuple[OutcomeWord, datetime] | None:
    if word is None or at is None or outcome.waived:
        return None
    return word, at


def overall_verdict(outcome: Outcome) -> tuple[OutcomeWord, datetime] | None:
    """Met when both clocks are; known, and dated, with the later of the two."""
    reply, solve = reply_verdict(outcome), solve_verdict(outcome)
    if reply is None or solve is None:
        return None
    met = reply[0] is OutcomeWord.MET and solve[0] is OutcomeWord.MET
    return (OutcomeWord.MET if met else OutcomeWord.BREACHED), max(reply[1], solve[1])


def breaches(outcome: Outcome, start_at: datetime, end_at: datetime) -> tuple[ClockName, ...]:
    """The clocks whose deadline passed unmet in the half-open period."""
    verdicts = {ClockName.REPLY: reply_verdict(outcome), ClockName.SOLUTION: solve_verdict(outcome)}
    return tuple(
        clock
        for clock, verdict in verdicts.items()
        if verdict and verdict[0] is OutcomeWord.BREACHED and start_at <= verdict[1] < end_at
    )


def is_repeat(outcome: Outcome) -> bool:
    """The same trouble again, or one that was not solved fully."""
    return bool(outcome.repeat_of) and outcome.repeat_kind in REPEAT_KINDS


def is_wish(outcome: Outcome) -> bool:
    """A wish for the product: a consultation handed on for development (domain.md 3.1)."""
    return outcome.value is TicketClass.CONSULTATION and outcome.escalation_reason == "development"


def repeated_within(outcomes: Iterable[Outcome], window: timedelta) -> frozenset[Key]:
    """Cycles whose trouble came back as a new ticket within `window` of the solution."""
    every = tuple(outcomes)
    by_ref: dict[str, list[Outcome]] = {}
    for outcome in every:
        by_ref.setdefault(str(outcome.ref), []).append(outcome)
    return frozenset(
        key_of(earlier)
        for later in every
        if is_repeat(later)
        for earlier in by_ref.get(later.repeat_of, ())
        if earlier.solved_at and timedelta(0) <= later.received_at - earlier.solved_at <= window
    )


def bulk_closed(outcomes: Iterable[Outcome]) -> frozenset[Key]:
    """Cycles closed together with at least nine others in one minute: a script's work (domain.md 7.1)."""
    closed = [(key_of(outcome), outcome.closed_at) for outcome in outcomes if outcome.closed_at]
    together = Counter(at.replace(second=0, microsecond=0) for _, at in closed)
    return frozenset(key for key, at in closed if together[at.replace(second=0, microsecond=0)] >= BULK)
