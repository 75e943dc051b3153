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
CAUTIOUS = 0.75  # share of ALLOWED after which a method rests: no method may reach 80 %
WINDOW = timedelta(minutes=10)

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


@dataclass(frozen=True, slots=True)
class Worked:
    """What a method has worked in its window, and when the oldest part of it leaves."""

    length: timedelta
    reset_at: datetime


@dataclass(frozen=True, slots=True)
class Operating:
    """Methods' working time, learnt from the `time` of answers. Self-hosted portals tell none."""

    worked: Mapping[str, Worked] = field(default_factory=dict)

    def noted(self, method: str, time: Mapping[str, Any], now: datetime) -> Operating:
        """With what an answer (or `result_time` of a batch) says about its method."""
        seconds = time.get("operating")
        if not isinstance(seconds, int | float):
            return self
        reset = time.get("operating_reset_at")
        reset_at = (
            datetime.fromtimestamp(reset, tz=now.tzinfo)
            if isinstance(reset, int | float)
            else now + WINDOW / 10
        )
        worked = Worked(timedelta(seconds=seconds), min(reset_at, now + WINDOW))
        return Operating({**self.worked, method.lower(): worked})

    def resting(self, method: str, until: datetime) -> Operating:
        """With a method that the portal has blocked."""
        return Operating({**self.worked, method.lower(): Worked(ALLOWED, until)})

    def rests_until(self, method: str, now: datetime) -> datetime | None:
        """Until when a method must not be called; None: it may."""
        worked = self.worked.get(method.lower())
        if worked is None or worked.length < ALLOWED * CAUTIOUS or worked.reset_at <= now:
            return None
        return worked.reset_at
