"""The portal's two limits as arithmetic on `now` (rest.md 1.5). No I/O, nothing waits here.

Rate: every HTTP request raises a level that drains by so many a second; above the burst requests are
refused. The portal counts them by our address, so we keep to a share of it. Time: every method may
work 480 s within ten minutes. Both are kept before sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from app.model import Lane

# --- requests ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tariff:
    """What the portal's plan allows one address. A burst of 0: the portal counts nothing (self-hosted)."""

    name: str
    burst: int
    drain: float  # a second


STANDARD = Tariff("standard", 50, 2.0)
ENTERPRISE = Tariff("enterprise", 250, 5.0)
UNLIMITED = Tariff("unlimited", 0, 0.0)
TARIFFS: Mapping[str, Tariff] = {tariff.name: tariff for tariff in (STANDARD, ENTERPRISE, UNLIMITED)}
AUTO = "auto"

SHARE = 0.8
"""The default of [pace] share: another integration or a person's script on the same address gets a fifth,
which at two requests a second is a request each 2.5 s, and no refusal of theirs is ours."""
LEAST_SHARE = 0.05  # with less a burst of fifty would hold no request of the last lane
CROWDED = 0.5  # a refusal though we kept our share halves it: somebody else fills the bucket too
CALM = timedelta(seconds=30)  # refusals within this are of one crowd
RECOVERY = timedelta(minutes=30)  # a share that was lowered to nothing would be whole again after this

HEADROOM: Mapping[Lane, float] = {Lane.URGENT: 0.04, Lane.LIVE: 0.2, Lane.SWEEP: 0.4, Lane.BACKFILL: 0.5}
"""Part of our share that a lane leaves to those before it (architecture.md 1.5); the first lane's own covers
that the portal drains in whole seconds."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of the address's budget is ours now: the rules' part, less what is lent or crowded out."""

    whole: float = SHARE
    lent: float = 0.0  # part of it that a command by hand has until `lent_until`
    lent_until: datetime | None = None
    factor: float = 1.0  # after the last refusal, at `lowered_at`
    lowered_at: datetime | None = None

    def at(self, now: datetime) -> float:
        """Between LEAST_SHARE and 1. Between two changes it only grows."""
        return max(LEAST_SHARE, self.whole * (1 - self.lent_at(now)) * self.factor_at(now))

    def lent_at(self, now: datetime) -> float:
        return self.lent if self.lent_until and now < self.lent_until else 0.0

    def factor_at(self, now: datetime) -> float:
        """1.0: nobody else was noticed on our address lately."""
        if self.lowered_at is None:
            return 1.0
        return min(1.0, self.factor + max(timedelta(0), now - self.lowered_at) / RECOVERY)

    def lowered(self, now: datetime) -> Share:
        """After a refusal that we did not cause. Several of one crowd lower it once."""
        if self.lowered_at is not None and now - self.lowered_at < CALM:
            return self
        return replace(self, factor=self.factor_at(now) * CROWDED, lowered_at=now)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Our share of the portal's leaky bucket as we reckon it."""

    at: datetime
    level: float = 0.0
    tariff: Tariff = STANDARD
    share: Share = Share()

    def capacity(self, now: datetime) -> float:
        """Requests that may stand in it."""
        return self.tariff.burst * self.share.at(now)

    def level_at(self, now: datetime) -> float:
        passed = max(0.0, (now - self.at).total_seconds())
        return max(0.0, self.level - passed * self._drain)

    def wait(self, lane: Lane, now: datetime) -> timedelta:
        """How long a request of this lane has to wait; zero: it may go."""
        if not self.tariff.burst:
            return timedelta(0)
        room = max(0.0, self.capacity(now) * (1 - HEADROOM[lane]) - 1)
        excess = self.level_at(now) - room
        return timedelta(seconds=max(0.0, excess / self._drain))

    def taken(self, now: datetime) -> Bucket:
        """After one more request."""
        return replace(self, at=now, level=self.level_at(now) + 1)

    def full(self, now: datetime) -> Bucket:
        """After the portal said that it is full: somebody else fills it too, and there is a bucket."""
        tariff = self.tariff if self.tariff.burst else STANDARD
        crowded = replace(self, at=now, tariff=tariff, share=self.share.lowered(now))
        return replace(crowded, level=max(self.level_at(now), crowded.capacity(now)))

    def of(self, tariff: Tariff, now: datetime) -> Bucket:
        """Under another tariff, once it is known."""
        return replace(self, at=now, level=self.level_at(now), tariff=tariff)

    def lending(self, part: float, until: datetime, now: datetime) -> Bucket:
        """With a part of our share in somebody else's hands until then."""
        share = replace(self.share, lent=part, lent_until=until)
        return replace(self, at=now, level=self.level_at(now), share=share)

    def borrowed(self, part: float, now: datetime) -> Bucket:
        """What the borrower of that part has: as full as ours."""
        share = Share(max(LEAST_SHARE, self.share.whole * part), 0.0, None, *self._crowding)
        return Bucket(now, self.level_at(now) * part, self.tariff, share)

    @property
    def _crowding(self) -> tuple[float, datetime | None]:
        return self.share.factor, self.share.lowered_at

    @property
    def _drain(self) -> float:
        """A second. As at the last change: the share has only grown since."""
        return self.tariff.drain * self.share.at(self.at)


SURE = 3  # answers that agree


@dataclass(frozen=True, slots=True)
class Guess:
    """Which tariff a portal has, from its answers: a self-hosted one without limits tells no `operating`."""

    silent: int = 0  # answers in a row that told how long they took but no `operating`

    def heard(self, time: Mapping[str, Any]) -> Guess:
        """With one more answer's `time`."""
        if "operating" in time:
            return Guess()
        return Guess(self.silent + 1) if "duration" in time else self

    @property
    def tariff(self) -> Tariff:
        """The smallest until the portal proves to have none."""
        return UNLIMITED if self.silent >= SURE else STANDARD


def tariff_of(licence: Mapping[str, Any]) -> Tariff | None:
    """What `app.info` of an application tells of the plan (LICENSE_FAMILY, LICENSE); None: nothing."""
    family = str(licence.get("LICENSE_FAMILY") or licence.get("LICENSE") or "").lower()
    if not family:
        return None
    return ENTERPRISE if family.rpartition("_")[2].startswith("ent") else STANDARD


# --- working time ------------------------------------------------------------------------

ALLOWED = timedelta(seconds=480)
CAUTIOUS = 0.75  # share of ALLOWED that a method's calls may take; above it only the first lane's do
URGENTLY = 0.92  # all that the first lane may take, so that mass work never puts its methods to rest
WINDOW, BASKET = timedelta(minutes=10), timedelta(minutes=1)
LEARNING = 0.2  # weight of the latest call in a method's average
UNKNOWN_COST = 0.2  # seconds
SHORTEST = 0.1  # seconds; the portal does not count shorter runs
LONGEST = 40.0  # seconds of work in one request: the cloud cuts it at 60

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

    def worked(self, method: str, now: datetime) -> float:
        """Seconds of the last ten minutes."""
        return sum(seconds for _, seconds in _live(self.baskets.get(method.lower(), ()), now))

    def busiest(self, now: datetime) -> tuple[str, float]:
        """The method that has used most of its allowance, and how much: 0.31."""
        used = {method: self.worked(method, now) for method in self.baskets}
        method = max(used, key=used.__getitem__, default="")
        return method, used.get(method, 0.0) / ALLOWED.total_seconds()

    def rests_until(self, method: str, calls: int, now: datetime, lane: Lane = Lane.LIVE) -> datetime | None:
        """Until when `calls` more calls of a method would take too long together; None: they may go."""
        until = self.blocked.get(method.lower())
        if until and until > now:
            return until
        live = _live(self.baskets.get(method.lower(), ()), now)
        part = URGENTLY if lane is Lane.URGENT else CAUTIOUS
        excess = self.worked(method, now) + calls * self.cost(method) - ALLOWED.total_seconds() * part
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
