"""The portal's two limits as arithmetic on `now` (rest.md 1.5). No I/O, nothing waits here.

Rate: every HTTP request raises a level that drains by two a second; above fifty requests are
refused. Time: every method may work 480 s within ten minutes. Both are kept before sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.model import Lane

BURST = 50
DRAIN = 2.0  # a second; the smallest tariff
ALLOWED = timedelta(seconds=480)
CAUTIOUS = 0.75  # share of ALLOWED that a method's calls may take: none shall reach 80 %
WINDOW, BASKET = timedelta(minutes=10), timedelta(minutes=1)
LEARNING = 0.2  # weight of the latest call in a method's average
UNKNOWN_COST = 0.2  # seconds
SHORTEST = 0.1  # seconds; the portal does not count shorter runs
LONGEST = 40.0  # seconds of work in one request: the cloud cuts it at 60

HEADROOM: Mapping[Lane, float] = {Lane.URGENT: 0.04, Lane.LIVE: 0.2, Lane.SWEEP: 0.4, Lane.BACKFILL: 0.5}
"""Share of the burst that a lane leaves to those before it; the rest also covers that the portal
drains in whole seconds and that other applications may share our address."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The portal's leaky bucket as we reckon it."""

    at: datetime
    level: float = 0.0
    burst: int = BURST
    drain: float = DRAIN

    def level_at(self, now: datetime) -> float:
        passed = max(0.0, (now - self.at).total_seconds())
        return max(0.0, self.level - passed * self.drain)

    def wait(self, lane: Lane, now: datetime) -> timedelta:
        """How long a request of this lane has to wait; zero: it may go."""
        room = self.burst * (1 - HEADROOM[lane]) - 1
        excess = self.level_at(now) - room
        return timedelta(seconds=max(0.0, excess / self.drain))

    def taken(self, now: datetime) -> Bucket:
        """After one more request."""
        return replace(self, at=now, level=self.level_at(now) + 1)

    def full(self, now: datetime) -> Bucket:
        """After the portal said that it is full: somebody else fills it too."""
        return replace(self, at=now, level=max(self.level_at(now), float(self.burst)))


Baskets = tuple[tuple[datetime, float], ...]
"""When a minute of work began, and the seconds worked in it; oldest first."""


@dataclass(frozen=True, slots=True)
class Operating:
    """Methods' working time as answers tell it. Self-hosted portals tell none, and limit none."""

    baskets: Mapping[str, Baskets] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)  # seconds that one call takes, on average
    blocked: Mapping[str, datetime] = field(default_factory=dict)

    def noted(
        self, method: str, time: Mapping[str, Any], now: datetime, *, limited: bool = False
    ) -> Operating:
        """With what an answer's `time` (in a batch its `result_time`) says of its method.

        Commands of a batch tell only how long they took. `limited`: the portal keeps the limit, so
        that is added up (rest.md 1.5: a batch's commands are billed to their own methods).
        """
        method, told, took = method.lower(), time.get("operating"), time.get("duration")
        live = _live(self.baskets.get(method, ()), now)
        found = self
        if isinstance(took, int | float):
            known = self.costs.get(method, float(took))
            found = replace(found, costs={**found.costs, method: known + LEARNING * (took - known)})
        if isinstance(told, int | float):
            return replace(found, baskets={**found.baskets, method: _fitted(live, float(told), now)})
        if limited and isinstance(took, int | float) and took >= SHORTEST:
            return replace(found, baskets={**found.baskets, method: _added(live, float(took), now)})
        return found

    def resting(self, method: str, until: datetime) -> Operating:
        """With a method that the portal has blocked."""
        return replace(self, blocked={**self.blocked, method.lower(): until})

    def cost(self, method: str) -> float:
        """Seconds that one call is expected to take."""
        return self.costs.get(method.lower(), UNKNOWN_COST)

    def rests_until(self, method: str, calls: int, now: datetime) -> datetime | None:
        """Until when `calls` more calls of a method would take too long together; None: they may go."""
        until = self.blocked.get(method.lower())
        if until and until > now:
            return until
        live = _live(self.baskets.get(method.lower(), ()), now)
        worked = sum(seconds for _, seconds in live)
        excess = worked + calls * self.cost(method) - ALLOWED.total_seconds() * CAUTIOUS
        if excess <= 0 or not live:
            return None
        for began_at, seconds in live:
            excess -= seconds
            if excess <= 0:
                return began_at + WINDOW + BASKET
        return live[-1][0] + WINDOW + BASKET


def _live(baskets: Baskets, now: datetime) -> Baskets:
    return tuple(basket for basket in baskets if now - basket[0] < WINDOW + BASKET)


def _added(baskets: Baskets, seconds: float, now: datetime) -> Baskets:
    if baskets and now - baskets[-1][0] < BASKET:
        return (*baskets[:-1], (baskets[-1][0], baskets[-1][1] + seconds))
    return (*baskets, (now, seconds))


def _fitted(baskets: Baskets, told: float, now: datetime) -> Baskets:
    """The baskets brought to the sum that the portal tells: more is of this minute, less left the oldest."""
    excess = told - sum(seconds for _, seconds in baskets)
    if excess > 0:
        return _added(baskets, excess, now)
    kept = list(baskets)
    while kept and excess < 0:
        began_at, seconds = kept.pop(0)
        excess += seconds
        if excess > 0:
            kept.insert(0, (began_at, excess))
    return tuple(kept)
