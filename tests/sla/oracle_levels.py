"""The inner lines' clock told by the oracle of minutes: whose turn it is, and whether they were in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from app.model import DONE_STATES, State
from tests.sla.minutes import Cut, Life, cuts_of, is_work, reached
from tests.sla.oracle_turns import judged

STAGES = {State.ESCALATED: 1, State.ENGINEER: 2}


class Terms(NamedTuple):
    """In minutes of the office; None: that line promises nothing."""

    by_level: Mapping[int, int | None]
    wishes: int


class Answered(NamedTuple):
    level: int
    start: int
    end: int | None
    by: str
    due: int
    outcome: str | None


class Held(NamedTuple):
    level: int
    start: int
    end: int | None
    how: str


class Card:
    """Somebody who looks at the card and says whose turn it is."""

    def __init__(self) -> None:
        self.state = State.NEW
        self.written = self.level = 0

    def write(self, level: int) -> str:
        """Of a ticket on which nobody works a level is only a note."""
        self.written = level
        if is_work(self.state):
            self.level = level
        return "hand_back"

    def move(self, state: State) -> str:
        left, self.state = self.state, state
        if state in STAGES:
            self.level = max(STAGES[state], self.written)
        elif not is_work(state) or left in STAGES:
            self.level = 0
        if is_work(state):
            return "hand_back"
        return "done" if state in DONE_STATES else ""


def internal(life: Life, now: int, terms: Terms) -> list[list[Answered]]:
    """By cycle."""
    return [list(_answered(life, cut, now, terms)) for cut in cuts_of(life, now)]


def _answered(life: Life, cut: Cut, now: int, terms: Terms) -> Iterator[Answered]:
    for held in _turns(life, cut, now):
        limit = now if held.end is None else held.end
        term = _term(life, held.level, limit, terms)
        if term is not None:
            end, by = _end(life, held, limit)
            met = end is not None and by != ""
            due = reached("office", held.start, term, set())
            told = judged(held.start, end, met, due, now)
            outcome = None if end is not None and not met else told.outcome
            yield Answered(held.level, held.start, end, by, due, outcome)


def _term(life: Life, level: int, limit: int, terms: Terms) -> int | None:
    """A wish for something new has a term of its own; the reason is often written after the hand-over."""
    reasons = [each.value for each in life.of("reason", limit)]
    wish = level == 2 and reasons[-1:] == ["development"]
    return terms.wishes if wish else terms.by_level[level]


def _end(life: Life, held: Held, limit: int) -> tuple[int | None, str]:
    """Their first word after the hand-over, else what ended their turn."""
    words = [
        each.at for each in life.of("answer", limit) if each.value == held.level and each.at > held.start
    ]
    if words and min(words) != held.end:
        return min(words), "answer"
    return held.end, held.how


def _turns(life: Life, cut: Cut, now: int) -> Iterator[Held]:
    """Within a minute the level is written first, the card moves after."""
    card, since = Card(), cut.start
    levels = [(each.at, 0, each.value) for each in life.of("level", now) if cut.holds(each.at)]
    steps = [*levels, *((at, 1, state) for at, state in cut.states)]
    for at, rank, value in sorted(steps, key=lambda step: step[:2]):
        before = card.level
        how = card.move(value) if rank else card.write(value)
        if card.level == before:
            continue
        if before and since != at:
            yield Held(before, since, at, "handed_on" if card.level > before else how)
        since = at
    if card.level:
        yield Held(card.level, since, None, "")
