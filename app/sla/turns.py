"""Whose turn it is to speak: where the clocks of the next reply and of progress begin and end (sla.md 2).

A client who writes again waits from the oldest message that nobody answered; a client of an open
ticket is told how it goes from our last message on. Neither outlives the solution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.model import DONE_STATES, Side, Spoken, State, Story
from app.sla.rounds import Round, Stay


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of such a clock. Without `ended_at` it still runs, or went down with the ticket."""

    start: datetime
    ended_at: datetime | None = None
    met_by: str = ""  # message, call, done; "": ended unanswered, by the solution


class _Step(NamedTuple):
    """What happened, in order of time.

    At one instant a client's word stands before ours, and both before the move that follows from
    them: nobody is accused for the portal's grain of a second.
    """

    at: datetime
    rank: int
    said: Spoken | None = None
    state: State | None = None
    is_open: bool = False


def waiting_turns(story: Story, of: Round, replied_at: datetime, now: datetime) -> Iterator[Turn]:
    """From the oldest unanswered message of the client after the first reply to our next message.

    A message to a ticket that stands solved waits from the return to work: the time in between is
    not counted, as for the solution. One left without an answer by the solution ends with it.
    """
    since: datetime | None = None
    idle = False
    for step in _steps(story, of, now):
        if since and not idle and (how := _answered(step)) is not None:
            yield Turn(since, step.at, how)
        since = _waiting_since(step, since, idle, replied_at)
        idle = _is_idle(step, idle)
    if since and not idle:
        yield Turn(since)


def _answered(step: _Step) -> str | None:
    """How a step ends a client's wait: by our word, by the solution (""), or not at all."""
    if step.said:
        return _how(step.said) if step.said.side is Side.OURS else None
    return "" if step.state in DONE_STATES else None


def _waiting_since(step: _Step, since: datetime | None, idle: bool, replied_at: datetime) -> datetime | None:
    if step.said and step.said.side is Side.CLIENT:
        asks = not step.said.thanks and step.at > replied_at
        return since or (step.at if asks else None)
    if step.said or (step.state in DONE_STATES and not idle):
        return None
    return step.at if since and idle and step.is_open else since


def _is_idle(step: _Step, idle: bool) -> bool:
    """Whether the ticket stands solved, so that nobody waits for us."""
    if not step.state:
        return idle
    return step.state in DONE_STATES or (idle and not step.is_open)


def telling_turns(story: Story, of: Round, now: datetime) -> Iterator[Turn]:
    """From each of our messages while the ticket was open to the next one, or to the solution."""
    told_at: datetime | None = None
    idle = False
    for step in _steps(story, of, now):
        idle = _is_idle(step, idle)
        how = _answered(step)
        if how is None:
            continue
        if told_at:
            yield from _lasting(Turn(told_at, step.at, how or "done"))
        told_at = None if idle else step.at
    if told_at:
        yield Turn(told_at)


def _how(said: Spoken) -> str:
    return "call" if said.call else "message"


def _lasting(turn: Turn) -> Iterator[Turn]:
    """Two messages of one second are one message to the client."""
    if turn.ended_at != turn.start:
        yield turn


def _steps(story: Story, of: Round, now: datetime) -> list[_Step]:
    spoken = [said for said in story.spoken if said.at <= now and of.holds(said.at)]
    words = [_Step(max(said.at, of.started_at), int(said.side is Side.OURS), said=said) for said in spoken]
    return sorted([*words, *_moves(of.stays)], key=lambda step: (step.at, step.rank))


def _moves(stays: Iterable[Stay]) -> Iterator[_Step]:
    """The first stay is there before the first word."""
    for number, stay in enumerate(stays):
        yield _Step(stay.start, 2 if number else -1, state=stay.state, is_open=stay.open)
