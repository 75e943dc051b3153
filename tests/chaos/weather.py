"""What goes wrong and when, from a seed. Fair weather is the undisturbed run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TRANSPORT = ("http502", "html", "hang", "reset", "timeout_after_apply", "cut")
REFUSALS = ("limit", "access", "internal")
BAD = 0.3  # share of events dropped, doubled, shuffled
HOURS_LATE = 0.1  # share of events that come hours after what they tell of
JUMP = 90  # seconds: what is said by such a clock may be said so much too early
SHUTTING = frozenset({"down", "faults", "locked", "full"})  # nobody can be told anything meanwhile


@dataclass(slots=True)
class Trouble:
    """Something that lasts from one moment of the script to another."""

    kind: str  # down, faults, locked, full, skew
    begin_at: datetime
    end_at: datetime
    seconds: int = 0  # of a skew: how far the clock of every process jumps, on or back


@dataclass(slots=True)
class Weather:
    """Troubles and kills of one run; `kills` are moments of the script's clock."""

    drop: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    late: float = 0.0
    troubles: list[Trouble] = field(default_factory=list)
    kills: list[datetime] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)
    over_at: datetime | None = None  # from here on the weather is fair

    def now(self, kind: str, at: datetime) -> bool:
        return any(one.kind == kind and one.begin_at <= at < one.end_at for one in self._blowing(at))

    def skew(self, at: datetime) -> int:
        jumps = (one.seconds for one in self._blowing(at) if one.begin_at <= at < one.end_at)
        return next(filter(None, jumps), 0)

    def edges(self, after: datetime) -> Iterator[datetime]:
        """Moments at which something begins, ends or dies."""
        for one in self._blowing(after):
            yield from (at for at in (one.begin_at, one.end_at) if at > after)
        yield from self.kills[:1]

    def shut(self) -> tuple[tuple[datetime, datetime], ...]:
        """When neither the portal nor the database could be counted on."""
        return tuple((one.begin_at, one.end_at) for one in self.troubles if one.kind in SHUTTING)

    def _blowing(self, at: datetime) -> list[Trouble]:
        return [] if self.over_at is not None and at >= self.over_at else self.troubles


def silence(seed: int) -> Weather:
    """Every third event is lost, and that is all."""
    return Weather(drop=BAD, chance=random.Random(f"silence {seed}"))


def storm(begin_at: datetime, span: timedelta, seed: int, kills: int) -> Weather:
    """A trouble of each kind every few days, none of them longer than half a working day."""
    chance = random.Random(f"weather {seed}")
    troubles = [
        _trouble(kind, begin_at, span, chance)
        for kind in ("down", "faults", "skew", "locked", "full")
        for _ in range(max(1, span.days // 4))
    ]
    moments = sorted(begin_at + chance.random() * span for _ in range(kills))
    return Weather(BAD, BAD, BAD, HOURS_LATE, troubles, moments, chance)


def _trouble(kind: str, begin_at: datetime, span: timedelta, chance: random.Random) -> Trouble:
    starts_at = begin_at + chance.random() * span * 0.9
    longest = min({"locked": 20, "full": 90}.get(kind, 240), int(span.total_seconds() / 240))
    ends_at = starts_at + timedelta(minutes=chance.randint(min(10, longest), longest))
    return Trouble(kind, starts_at, ends_at, chance.choice((-JUMP, JUMP)) if kind == "skew" else 0)
