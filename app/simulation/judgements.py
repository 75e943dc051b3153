"""Every clock's verdict before and after, in columns: what a comparison counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from app.model import ClockName, Fact
from app.pinning import RulesOf, composed
from app.rules import Rules
from app.simulation.columns import NONE, Column, Tracks
from app.simulation.judging import UNJUDGED, Verdicts, last_class, verdicts_of
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
    before, after = _before(tracks, rules_of, at), _under(tracks, other, at)
    return [_judgements(place, tracks, before[place], after[place]) for place in range(len(CLOCKS))]


ByClock = tuple[Verdicts, ...]
"""In the order of CLOCKS."""


def _before(tracks: Tracks, rules_of: RulesOf, now: int) -> ByClock:
    """Each under the versions that it is pinned to."""
    names = [each.name for each in fields(Verdicts)]
    columns = [{name: np.full(len(tracks), NONE) for name in names} for _ in CLOCKS]
    for place, (terms, desk) in enumerate(tracks.pins.words):
        mine = np.flatnonzero(tracks.pins.place == place)
        part = tracks if len(mine) == len(tracks) else tracks.of(mine)
        for told, found in zip(
            columns, _under(part, composed(rules_of(terms), rules_of(desk)), now), strict=True
        ):
            for name in names:
                told[name][mine] = getattr(found, name)
    return tuple(Verdicts(**told) for told in columns)


def _under(tracks: Tracks, rules: Rules, now: int) -> ByClock:
    table = terms_table(rules, tracks.asked)
    return tuple(_counted(verdicts_of(clock, tracks, table, now), tracks, rules) for clock in CLOCKS)


def _counted(found: Verdicts, tracks: Tracks, rules: Rules) -> Verdicts:
    """What was before the desk's first day has no verdict."""
    if rules.desk.since is None:
        return found
    [since] = instants_of([rules.desk.since]).tolist()
    verdict = np.where(tracks.started >= since, found.verdict, UNJUDGED)
    return replace(found, verdict=verdict)


def _judgements(clock: int, tracks: Tracks, before: Verdicts, after: Verdicts) -> Judgements:
    return Judgements(
        refs=tracks.refs,
        cycle=tracks.cycle,
        clock=np.full(len(tracks), clock),
        value=last_class(tracks),
        before=before.verdict,
        after=after.verdict,
        due_before=before.due,
        due_after=after.due,
        over_before=before.over,
        over_after=after.over,
    )
