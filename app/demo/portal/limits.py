"""What the portal allows: requests per address, running time per method (rest.md 1.5)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .profile import Profile

WINDOW = 600
BASKET = 60
SHORTEST = 0.1
"""Runs shorter than this many seconds are not counted."""

_COSTS: Mapping[str, float] = {
    ".get": 0.03, ".list": 0.12, ".add": 0.15, ".update": 0.15, ".delete": 0.12, ".upload": 0.3,
    ".send": 0.12,
    ".getlist": 0.12, ".set": 0.15,
}  # fmt: skip


def cost(profile: Profile, method: str) -> float:
    """Seconds a method takes on this portal."""
    name = method.lower()
    if name in profile.costs:
        return profile.costs[name]
    return _COSTS.get(name[name.rfind(".") :], 0.02)


@dataclass(slots=True)
class Bucket:
    """A leaky bucket per client address: +1 a request, lowered once a second."""

    profile: Profile
    _levels: dict[str, tuple[float, float]] = field(default_factory=dict)

    def admits(self, client: str, now: float) -> bool:
        """Count a request; False when it is above the burst and must not be run."""
        if self.profile.bucket is None:
            return True
        level = self.level(client, now)
        fits = level + 1 <= self.profile.bucket
        if fits or self.profile.refused_count:
            level += 1
        self._levels[client] = (level, self._whole_seconds(client, now))
        return fits

    def level(self, client: str, now: float) -> float:
        level, since = self._levels.get(client, (0.0, now))
        return max(0.0, level - self.profile.drain * math.floor(max(0.0, now - since)))

    def _whole_seconds(self, client: str, now: float) -> float:
        since = self._levels.get(client, (0.0, now))[1]
        return since + math.floor(max(0.0, now - since))


@dataclass(slots=True)
class _Basket:
    minute: int
    first: float
    seconds: float = 0.0


@dataclass(slots=True)
class Operating:
    """Running time by credential and method, in ten baskets of a minute."""

    profile: Profile
    _baskets: dict[tuple[str, str], list[_Basket]] = field(default_factory=dict)

    def blocked(self, credential: str, method: str, now: float) -> bool:
        limit = self.profile.operating
        return limit is not None and self.used(credential, method, now) >= limit

    def used(self, credential: str, method: str, now: float) -> float:
        return sum(one.seconds for one in self._live(credential, method, now))

    def reset_at(self, credential: str, method: str, now: float) -> int:
        """When the oldest basket leaves: its first call + 600 s."""
        live = self._live(credential, method, now)
        return int((live[0].first if live else now) + WINDOW)

    def add(self, credential: str, method: str, seconds: float, now: float) -> None:
        if seconds < SHORTEST:
            return
        baskets = self._live(credential, method, now)
        minute = int(now // BASKET)
        if not baskets or baskets[-1].minute != minute:
            baskets.append(_Basket(minute, now))
        baskets[-1].seconds += seconds

    def _live(self, credential: str, method: str, now: float) -> list[_Basket]:
        key = (credential, method.lower())
        live = [one for one in self._baskets.get(key, []) if one.first + WINDOW > now]
        self._baskets[key] = live
        return live
