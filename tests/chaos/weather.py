"""What goes wrong and when, from a seed. Fair weather is the undisturbed run."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

TRANSPORT = ("http502", "html", "hang", "reset", "timeout_after_apply", "cut")
REFUSALS = ("limit", "access", "internal")


@dataclass(slots=True)
class Trouble:
    """Something that lasts from one moment of the script to another."""

    kind: str  # down, faults, locked, full, skew
    begin_at: datetime
    end_at: datetime


@dataclass(slots=True)
class Weather:
    """Troubles and kills of one run; `kills` are moments of the script's clock."""

    events: float = 0.0  # share of events dropped, doubled and reordered, each
    troubles: list[Trouble] = field(default_factory=list)
    kills: list[datetime] = field(default_factory=list)
    chance: random.Random = field(default_factory=random.Random)

    def now(self, kind: str, at: datetime) -> bool:
        return any(one.kind == kind and one.begin_at <= at < one.end_at for one in self.troubles)

    def quiet_after(self) -> datetime | None:
        """When the last trouble is over."""
        return max((one.end_at for one in self.troubles), default=None)


def storm(begin_at: datetime, span: timedelta, seed: int, kills: int, *, locks: bool) -> Weather:
    """A trouble of each kind every few days, none of them longer than half a working day."""
    chance = random.Random(f"weather {seed}")
    troubles = [
        _trouble(kind, begin_at, span, chance)
        for kind in ("down", "faults", "skew", *(("locked", "full") if locks else ()))
        for _ in range(max(1, span.days // 4))
    ]
    moments = sorted(begin_at + chance.random() * span for _ in range(kills))
    return Weather(0.3, troubles, moments, chance)


def _trouble(kind: str, begin_at: datetime, span: timedelta, chance: random.Random) -> Trouble:
    starts_at = begin_at + chance.random() * span * 0.9
    longest = min({"locked": 20, "full": 90}.get(kind, 240), int(span.total_seconds() / 240))
    return Trouble(kind, starts_at, starts_at + timedelta(minutes=chance.randint(min(10, longest), longest)))
