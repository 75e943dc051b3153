"""The inner lines' own clock: from a hand-over to that level's answer, or till it came back (sla.md 2).

A ticket is handed over by its stage (escalated, engineer) or by a level that a person wrote on the
card. Only the ticket's explanation shows this clock: no alert, no state, no KPI depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from app.model import (
    DONE_STATES,
    VOID_STATES,
    ClockName,
    Entry,
    EntryKind,
    Handing,
    Ledger,
    OutcomeWord,
    State,
    Story,
)
from app.sla.rounds import Round, Stay
from app.sla.terms import Ola

STATE_LEVELS = {State.ESCALATED: 1, State.ENGINEER: 2}
"""The level that a stage implies when nobody wrote another (domain.md 2)."""

RESTING = DONE_STATES | VOID_STATES
BACK = "hand_back"
ON = "handed_on"
ANSWER = "answer"
SOLVED = "done"


@dataclass(frozen=True, slots=True)
class Held:
    """A level's turn; `ended_at` None: still theirs. `how`: hand_back, handed_on, done or a void state."""

    level: int
    start: datetime
    ended_at: datetime | None = None
    how: str = ""


def internal_ledgers(story: Story, of: Round, ola: Ola, now: datetime) -> tuple[Ledger, ...]:
    """A ledger for each hand-over of this round that has a term."""
    found = (_ledger(story, of, turn, ola, now) for turn in level_turns(story, of, now))
    return tuple(ledger for ledger in found if ledger is not None)


class _Step(NamedTuple):
    """The card's level stands before the stage of the same second: people change both at once."""

    at: datetime
    rank: int
    handing: Handing | None = None
    stay: Stay | None = None


def level_turns(story: Story, of: Round, now: datetime) -> Iterator[Held]:
    """Whose turn it was when; turns that did not last a second are nobody's."""
    written = held = 0
    standing: Held | None = None
    before: State | None = None
    for step in _steps(story, of, now):
        how = BACK
        if step.handing:
            written = step.handing.level
            held = 0 if before in RESTING else written  # on a card at rest it is a note, no hand-over
        elif step.stay:
            held = _held(step.stay.state, before, held, written)
            before, how = step.stay.state, _how_ended(step.stay.state)
        if standing and standing.level == held:
            continue
        if standing and standing.start != step.at:
            yield replace(standing, ended_at=step.at, how=ON if held > standing.level else how)
        standing = Held(held, step.at) if held else None
    if standing:
        yield standing


def _steps(story: Story, of: Round, now: datetime) -> list[_Step]:
    cards = [_Step(each.at, 0, handing=each) for each in story.handings if each.at <= now]
    moves = [_Step(stay.start, 1, stay=stay) for stay in of.stays]
    return sorted(
        [*(each for each in cards if of.holds(each.at)), *moves], key=lambda step: (step.at, step.rank)
    )


def _held(state: State, before: State | None, held: int, written: int) -> int:
    """The level after a move: leaving the stage of the escalation hands back, whatever the card says."""
    if state in RESTING:
        return 0
    if state in STATE_LEVELS:
        return max(STATE_LEVELS[state], written)
    return 0 if before in STATE_LEVELS else held


def _how_ended(state: State) -> str:
    if state in VOID_STATES:
        return state.value
    return SOLVED if state in DONE_STATES else BACK


# --- from a turn to its ledger -----------------------------------------------------------


def _ledger(story: Story, of: Round, turn: Held, ola: Ola, now: datetime) -> Ledger | None:
    reason = _reason(story, turn, now)
    term = ola.term(turn.level, reason)
    if term is None:
        return None
    met_at, met_by = _answer(story, turn, now)
    due_at = ola.calendar.add(turn.start, term)
    ended_at = met_at or turn.ended_at
    outcome, outcome_at = _verdict(met_at, ended_at, due_at, now)
    return Ledger(
        clock=ClockName.INTERNAL,
        cycle=of.number,
        started_at=turn.start,
        anchor_at=turn.start,
        term=term,
        calendar=ola.calendar_name,
        due_at=due_at,
        entries=tuple(_entries(turn, met_at, met_by, due_at if outcome is OutcomeWord.BREACHED else None)),
        met_at=met_at,
        met_by=met_by,
        outcome=outcome,
        outcome_at=outcome_at,
        running=ended_at is None,
        spent=ola.calendar.between(turn.start, ended_at or now),
        provisional=ola.calendar.is_provisional(due_at),
        level=turn.level,
        reason=reason,
    )


def _reason(story: Story, turn: Held, now: datetime) -> str:
    """The last one written by the end of the turn: people hand over first and tell why after."""
    limit = turn.ended_at or now
    written = [reason for at, reason in story.handing_reasons if at <= limit]
    return written[-1] if written else ""


def _answer(story: Story, turn: Held, now: datetime) -> tuple[datetime | None, str]:
    """Their first word or act after the hand-over, else the hand-back; a void ticket has neither."""
    limit = turn.ended_at or now
    answers = [each.at for each in story.level_answers if each.level == turn.level]
    own = min((at for at in answers if turn.start < at <= limit), default=None)
    if own is not None and own != turn.ended_at:
        return own, ANSWER
    handed = turn.ended_at is not None and turn.how in {BACK, ON, SOLVED}
    return (turn.ended_at, turn.how) if handed else (None, "")


def _verdict(
    met_at: datetime | None, ended_at: datetime | None, due_at: datetime, now: datetime
) -> tuple[OutcomeWord | None, datetime | None]:
    if ended_at is not None and met_at is None:
        return None, None
    if (met_at or now) > due_at:
        return OutcomeWord.BREACHED, due_at
    return (OutcomeWord.MET, met_at) if met_at else (None, None)


def _entries(
    turn: Held, met_at: datetime | None, met_by: str, breached_at: datetime | None
) -> Iterator[Entry]:
    yield Entry(turn.start, EntryKind.START, f"level:{turn.level}")
    if breached_at:
        yield Entry(breached_at, EntryKind.BREACHED)
    if met_at:
        yield Entry(met_at, EntryKind.MET, met_by)
    elif turn.ended_at:
        yield Entry(turn.ended_at, EntryKind.ENDED, turn.how)
