"""Whose turn it is to speak: where the clocks of the next reply and of progress begin and end (sla.md 2).

A client who writes again waits from the oldest message that nobody answered; a client of an open
ticket is told how it goes from our last message on. Neither outlives the solution.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.model import DONE_STATES, Side, Spoken, Story
from app.sla.rounds import Round, Stay


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of such a clock. Without `ended_at` it still runs, or went down with the ticket."""

    start: datetime
    ended_at: datetime | None = None
    met_by: str = ""  # message, call, done; "": ended unanswered, by the solution


class _Step(NamedTuple):
    """What happened, in order of time. At one instant a client's word stands before ours, and both
    before the move that follows from them: nobody is accused for the portal's grain of a second."""

    at: datetime
    rank: int
    said: Spoken | None = None
    stay: Stay | None = None


def waiting_turns(story: Story, of: Round, replied_at: datetime, now: datetime) -> Iterator[Turn]:
    """From the oldest unanswered message of the client after the first reply to our next message.

    A message to a ticket that stands solved waits from the return to work: the time in between is
    not counted, as for the solution. One left without an answer by the solution ends with it.
    """
    waiting: datetime | None = None
    is_done = False
    for step in _steps(story, of, now):
        if step.stay:
            if waiting and not is_done and step.stay.state in DONE_STATES:
                yield Turn(waiting, step.at)
                waiting = None
            elif waiting and is_done and step.stay.open:
                waiting = step.at
            is_done = step.stay.state in DONE_STATES or (is_done and not step.stay.open)
        elif step.said and step.said.side is Side.CLIENT:
            asks = not step.said.thanks and step.at > replied_at
            waiting = waiting or (step.at if asks else None)
        elif step.said and waiting:
            if not is_done:
                yield Turn(waiting, step.at, _how(step.said))
            waiting = None
    if waiting and not is_done:
        yield Turn(waiting)


def telling_turns(story: Story, of: Round, now: datetime) -> Iterator[Turn]:
    """From each of our messages while the ticket was open to the next one, or to the solution."""
    told_at: datetime | None = None
    is_open = False
    for step in _steps(story, of, now):
        if step.stay:
            is_open = step.stay.open or (is_open and step.stay.state not in DONE_STATES)
            if told_at and step.stay.state in DONE_STATES:
                yield from _lasting(Turn(told_at, step.at, "done"))
                told_at = None
        elif step.said and step.said.side is Side.OURS:
            if told_at:
                yield from _lasting(Turn(told_at, step.at, _how(step.said)))
            told_at = step.at if is_open else None
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
        yield _Step(stay.start, 2 if number else -1, stay=stay)
