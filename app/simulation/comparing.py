"""What other rules would have meant: who would have been late, how often, when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from app.model import ClockName, ItemRef, OutcomeWord, TicketClass
from app.pinning import RulesOf, composed
from app.rules import Rules
from app.simulation.columns import CLASSES, NONE, Column, Mask, Tracks
from app.simulation.exact import Strangeness
from app.simulation.judgements import CLOCKS, Judgements, joined, judged_plainly
from app.simulation.judging import BREACHED, MET, UNJUDGED
from app.sla.many import moments_of

QUARTER = 900_000_000  # of an hour, in microseconds: zones are off by no less
WORDS = {UNJUDGED: None, MET: OutcomeWord.MET, BREACHED: OutcomeWord.BREACHED}


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that would be another. `over`: open time past the deadline, below zero to spare."""

    ref: ItemRef
    cycle: int
    value: TicketClass
    clock: ClockName
    before: OutcomeWord | None
    after: OutcomeWord | None
    due_before: datetime | None
    due_after: datetime | None
    over_before: timedelta
    over_after: timedelta


@dataclass(frozen=True, slots=True)
class Share:
    """Kept terms among all that were judged."""

    met: int
    judged: int

    @property
    def value(self) -> float | None:
        """0..1; None where nothing was judged."""
        return self.met / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """The same count under the rules of then and under the others."""

    before: Share
    after: Share


@dataclass(frozen=True, slots=True)
class Breaches:
    """Missed deadlines by local hour (24) and by weekday (7, from Monday)."""

    by_hour: tuple[int, ...]
    by_weekday: tuple[int, ...]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.by_weekday)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole answer to «что было бы»."""

    now: datetime
    zone: ZoneInfo
    since: datetime | None  # tickets that began earlier were not asked
    tickets: int  # that have a term under the old rules or the new
    cycles: int  # rounds looked at, those without terms too
    folded: int  # of them by the full fold: numbers did not tell all
    changes: tuple[Change, ...]  # the greatest lateness first
    shares: Mapping[tuple[TicketClass | None, ClockName], BeforeAfter]  # None: all classes
    breaches: tuple[Breaches, Breaches]  # before, after
    targets: Mapping[TicketClass, float]  # of the other rules
    unknown_stages: tuple[str, ...]
    left: tuple[str, ...]  # tickets that no source of the other rules holds
    unread_fields: tuple[str, ...]  # asked by its policies, but never read from the cards


def told_in_numbers(tracks: Tracks, rules_of: RulesOf, other: Rules) -> Mask:
    """Which tracks can be judged without their facts: those that say all, if the story stays the same."""
    return tracks.plain & _told_alike(tracks, rules_of, other)


def compared(
    tracks: Tracks,
    plain: Mask,
    exact: Sequence[Judgements],
    strange: Strangeness,
    rules_of: RulesOf,
    other: Rules,
    *,
    since: datetime | None,
    now: datetime,
) -> Comparison:
    """`exact`: what `judged_exactly` said of all tickets that are not `plain`."""
    parts = judged_plainly(tracks.of(np.flatnonzero(plain)), rules_of, other, now)
    folded = [_not_plain(each, tracks, plain) for each in exact]
    found, zone = joined([*parts, *folded]), other.desk.zone
    before = _breaches(found.before, found.due_before, zone)
    return Comparison(
        now=now,
        zone=zone,
        since=since,
        tickets=_tickets(found),
        cycles=len(found) // len(CLOCKS),
        folded=sum(len(each) for each in folded) // len(CLOCKS),
        changes=_changes(found),
        shares=_shares(found),
        breaches=(before, _breaches(found.after, found.due_after, zone)),
        targets={value: terms.target for value, terms in other.classes.items()},
        unknown_stages=tuple(sorted(strange.stages)),
        left=tuple(strange.left),
        unread_fields=_unread_fields(tracks, rules_of, other),
    )


def _tickets(found: Judgements) -> int:
    """Spam and the like have no terms on either side: whether they were looked at depends on the file."""
    asked = (found.due_before != NONE) | (found.due_after != NONE)
    return len(set(found.refs[asked].tolist()))  # sorting a hundred thousand texts would take a second


def _unread_fields(tracks: Tracks, rules_of: RulesOf, other: Rules) -> tuple[str, ...]:
    """Fields that the other rules' policies ask, and no rules so far: nobody has read them."""
    read = {name for terms, _ in tracks.pins.words for name in rules_of(terms).policy_fields}
    return tuple(name for name in other.policy_fields if name not in read)


def _told_alike(tracks: Tracks, rules_of: RulesOf, other: Rules) -> Mask:
    """Whether the other rules tell a ticket's story as its own do: then only its terms differ."""
    alike = [
        _tell_alike(composed(rules_of(terms), rules_of(desk)), other) for terms, desk in tracks.pins.words
    ]
    found: Mask = np.array(alike, dtype=np.bool_)[tracks.pins.place]
    return found


def _tell_alike(rules: Rules, other: Rules) -> bool:
    """Stages, phrases and people decide the story; hours and terms do not."""
    stages = [
        [(each.kind, each.category, each.entity_type, each.group, dict(each.stages)) for each in some.sources]
        for some in (rules, other)
    ]
    people = [(some.people.head, set(some.people.leads), set(some.people.robots)) for some in (rules, other)]
    return stages[0] == stages[1] and people[0] == people[1] and rules.phrases == other.phrases


def _not_plain(exact: Judgements, tracks: Tracks, plain: Mask) -> Judgements:
    """A folded ticket tells of all its cycles; those judged in numbers are not counted twice."""
    done = set(zip(tracks.refs[plain].tolist(), tracks.cycle[plain].tolist(), strict=True))
    keys = zip(exact.refs.tolist(), exact.cycle.tolist(), strict=True)
    return exact.of(np.flatnonzero(np.array([key not in done for key in keys], dtype=np.bool_)))


# --- counting ----------------------------------------------------------------------------


def _changes(found: Judgements) -> tuple[Change, ...]:
    changed = np.flatnonzero(found.before != found.after)
    late = np.where(found.after[changed] == BREACHED, found.over_after[changed], 0)
    some = found.of(changed[np.lexsort((found.refs[changed], -late))])
    return tuple(_each_change(some))


def _each_change(some: Judgements) -> Iterator[Change]:
    rows = zip(
        some.refs.tolist(), some.cycle.tolist(), some.value.tolist(), some.clock.tolist(),
        some.before.tolist(), some.after.tolist(), _moments(some.due_before), _moments(some.due_after),
        some.over_before.tolist(), some.over_after.tolist(), strict=True,
    )  # fmt: skip
    for ref, cycle, value, clock, before, after, due_before, due_after, over_before, over_after in rows:
        yield Change(
            ItemRef.parse(ref),
            cycle,
            CLASSES[value],
            CLOCKS[clock],
            WORDS[before],
            WORDS[after],
            due_before,
            due_after,
            timedelta(microseconds=over_before),
            timedelta(microseconds=over_after),
        )


def _moments(instants: Column) -> list[datetime | None]:
    missing = (instants == NONE).tolist()
    return [None if none else at for at, none in zip(moments_of(instants), missing, strict=True)]


def _shares(found: Judgements) -> dict[tuple[TicketClass | None, ClockName], BeforeAfter]:
    classes: list[TicketClass | None] = [
        None,
        *(value for value in CLASSES if value is not TicketClass.NOT_TICKET),
    ]
    return {
        (value, clock): BeforeAfter(
            _share(found, found.before, value, place), _share(found, found.after, value, place)
        )
        for value in classes
        for place, clock in enumerate(CLOCKS)
    }


def _share(found: Judgements, verdict: Column, value: TicketClass | None, clock: int) -> Share:
    wanted = found.clock == clock
    if value is not None:
        wanted &= found.value == CLASSES.index(value)
    met = int(np.count_nonzero(wanted & (verdict == MET)))
    return Share(met, met + int(np.count_nonzero(wanted & (verdict == BREACHED))))


def _breaches(verdict: Column, due: Column, zone: ZoneInfo) -> Breaches:
    """A breach belongs to the local moment of its deadline (sla.md 2)."""
    quarters = Counter((due[verdict == BREACHED] // QUARTER).tolist())
    by_hour, by_weekday = [0] * 24, [0] * 7
    for quarter, count in quarters.items():
        local = datetime.fromtimestamp(quarter * 900, zone)
        by_hour[local.hour] += count
        by_weekday[local.weekday()] += count
    return Breaches(tuple(by_hour), tuple(by_weekday))
