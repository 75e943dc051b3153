"""Verdicts before and after by the full fold of a ticket's facts: exact whatever the rules change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from app.decision import Fold, fold
from app.gaps import UNKNOWN_STAGE
from app.model import Ledger, OutcomeWord
from app.pinning import Judging, RulesOf, judging, rules_then
from app.rules import Rules
from app.simulation.columns import CLASSES, NONE
from app.simulation.judgements import MICROSECOND, Judgements, Life
from app.simulation.judging import BREACHED, MET, UNJUDGED
from app.sla.many import instants_of

VERDICTS = {None: UNJUDGED, OutcomeWord.MET: MET, OutcomeWord.BREACHED: BREACHED}
Key = tuple[str, int, int]  # ref, cycle, clock
Judged = tuple[int, int, int, int]  # class, verdict, due, over


@dataclass(slots=True)
class Strangeness:
    """What the other rules have no word for."""

    stages: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)  # tickets now, of no source then


def judged_exactly(
    lives: Iterable[Life], rules_of: RulesOf, other: Rules, now: datetime, strange: Strangeness
) -> Judgements:
    """Of every cycle that the facts tell of, under either rules; what is strange is noted."""
    before: dict[Key, Judged] = {}
    after: dict[Key, Judged] = {}
    for life in lives:
        ordered = sorted(life, key=lambda fact: (fact.happened_at, fact.recorded_at, fact.kind, fact.key))
        rules = rules_then(ordered, rules_of)
        stood = fold(ordered, judging(ordered, rules, rules_of), now)
        stands = fold(ordered, Judging(other, other), now)
        if stood is None:
            continue
        before.update(_judged(stood, rules, now))
        if stands is None:
            strange.left.append(str(stood.ticket.ref))
        else:
            strange.stages |= _unknown(stands)
            after.update(_judged(stands, other, now))
    return _in_columns(before, after)


def _unknown(found: Fold) -> set[str]:
    notes = (note for note in found.ticket.notes if note.startswith(UNKNOWN_STAGE))
    return {note.removeprefix(UNKNOWN_STAGE) for note in notes}


def _judged(found: Fold, rules: Rules, now: datetime) -> Iterator[tuple[Key, Judged]]:
    ticket = found.ticket
    for cycle, outcome in zip(ticket.cycles, found.outcomes, strict=True):
        for place, ledger in enumerate((cycle.reply, cycle.solution)):
            verdict = VERDICTS[ledger.outcome] if outcome.counted and not ledger.waived else UNJUDGED
            due_at = ledger.outcome_at if verdict == BREACHED else ledger.due_at
            due = instants_of([due_at]).tolist()[0] if due_at else NONE
            key = (str(ticket.ref), cycle.number, place)
            yield key, (CLASSES.index(ticket.value), verdict, due, _over(ledger, due_at, rules, now))


def _over(ledger: Ledger, due_at: datetime | None, rules: Rules, now: datetime) -> int:
    calendar = rules.calendars.get(ledger.calendar)
    if due_at is None or calendar is None:
        return 0
    end_at = ledger.met_at or now
    over: timedelta = calendar.between(due_at, end_at) - calendar.between(end_at, due_at)
    return over // MICROSECOND


def _in_columns(before: Mapping[Key, Judged], after: Mapping[Key, Judged]) -> Judgements:
    keys = sorted({*before, *after})
    stood = np.array([before.get(key, NOTHING) for key in keys], dtype=np.int64).reshape(-1, 4)
    stands = np.array([after.get(key, NOTHING) for key in keys], dtype=np.int64).reshape(-1, 4)
    value = np.where(stands[:, 0] == NONE, stood[:, 0], stands[:, 0])
    return Judgements(
        refs=np.array([ref for ref, _, _ in keys], dtype=np.str_),
        cycle=np.array([cycle for _, cycle, _ in keys], dtype=np.int64),
        clock=np.array([clock for _, _, clock in keys], dtype=np.int64),
        value=value,
        before=stood[:, 1],
        after=stands[:, 1],
        due_before=stood[:, 2],
        due_after=stands[:, 2],
        over_before=stood[:, 3],
        over_after=stands[:, 3],
    )


NOTHING: Judged = (NONE, UNJUDGED, NONE, 0)
