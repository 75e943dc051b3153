"""Every clock's verdict before and after, in columns: what a comparison counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from app.model import ClockName, Fact
from app.pinning import RulesOf, composed
from app.rules import Rules
from app.simulation.columns import NONE, Column, Tracks
from app.simulation.judging import UNJUDGED, Verdicts, verdicts_of
from app.simulation.terms import terms_table
from app.sla.many import instants_of

CLOCKS = (ClockName.REPLY, ClockName.SOLUTION)
MICROSECOND = timedelta(microseconds=1)
Life = Sequence[Fact]


@dataclass(frozen=True, slots=True, eq=False)
class Judgements:
    """One place for each clock of each cycle; `clock` is its place in CLOCKS."""

    refs: npt.NDArray[np.str_]
    cycle: Column
    clock: Column
    value: Column  # the class under the other rules
    before: Column
    after: Column
    due_before: Column
    due_after: Column
    over_before: Column
    over_after: Column

    def __len__(self) -> int:
        return len(self.cycle)

    def of(self, places: Column) -> Judgements:
        """Only these."""
        return Judgements(*(getattr(self, each.name)[places] for each in fields(self)))


def joined(parts: Iterable[Judgements]) -> Judgements:
    """All of them, one after another."""
    some = list(parts)
    names = [each.name for each in fields(Judgements)]
    return Judgements(*(np.concatenate([getattr(part, name) for part in some]) for name in names))


def judged_plainly(tracks: Tracks, rules_of: RulesOf, other: Rules, now: datetime) -> list[Judgements]:
    """Of tracks that say all there is to say; `rules_of` finds what they are judged by now."""
    [at] = instants_of([now]).tolist()
    found = []
    for place, clock in enumerate(CLOCKS):
        before, after = _before(clock, tracks, rules_of, at), _under(clock, tracks, other, at)
        found.append(_judgements(place, tracks, before, after))
    return found


def _before(clock: ClockName, tracks: Tracks, rules_of: RulesOf, now: int) -> Verdicts:
    """Each under the versions that it is pinned to."""
    pairs = list(zip(tracks.terms, tracks.desk, strict=True))
    places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
    group = np.array([places[pair] for pair in pairs], dtype=np.int64)
    columns = {each.name: np.full(len(tracks), NONE) for each in fields(Verdicts)}
    for (terms, desk), place in places.items():
        mine = np.flatnonzero(group == place)
        part = tracks if len(mine) == len(tracks) else tracks.of(mine)
        found = _under(clock, part, composed(rules_of(terms), rules_of(desk)), now)
        for name, column in columns.items():
            column[mine] = getattr(found, name)
    return Verdicts(**columns)


def _under(clock: ClockName, tracks: Tracks, rules: Rules, now: int) -> Verdicts:
    """What was before the desk's first day is not counted."""
    found = verdicts_of(clock, tracks, terms_table(rules, tracks.asked), now)
    if rules.desk.since is None:
        return found
    [since] = instants_of([rules.desk.since]).tolist()
    verdict = np.where(tracks.started >= since, found.verdict, UNJUDGED)
    return Verdicts(verdict, found.due, found.over, found.value)


def _judgements(clock: int, tracks: Tracks, before: Verdicts, after: Verdicts) -> Judgements:
    return Judgements(
        refs=tracks.refs,
        cycle=tracks.cycle,
        clock=np.full(len(tracks), clock),
        value=after.value,
        before=before.verdict,
        after=after.verdict,
        due_before=before.due,
        due_after=after.due,
        over_before=before.over,
        over_after=after.over,
    )
