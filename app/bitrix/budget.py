"""What this process may ask of the portal now: limits.py's arithmetic with what has happened so far.

One budget a client. Two processes on one address share it by a loan: the one that runs gives a part of
its share away for a while, and a command by hand keeps to that part (commands/sharing.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.limits import AUTO, SHARE, TARIFFS, Bucket, Guess, Operating, Share, Tariff, tariff_of
from app.model import Lane


@dataclass(frozen=True, slots=True)
class Pacing:
    """The limits in force, for `check`."""

    tariff: Tariff
    by_rules: bool  # set in [pace] tariff, not found out
    mistaken: bool  # the portal keeps stricter limits than those of the rules
    share: float
    capacity: float  # requests at once
    crowded: bool  # refused lately though we kept our share: others use our address
    busiest: tuple[str, float]  # the method that has used most of its allowance, and how much

    def told(self) -> dict[str, Any]:
        """As JSON, for whoever borrows."""
        return {"by_rules": self.by_rules, "mistaken": self.mistaken, "share": self.share,
                "crowded": self.crowded, "busiest": list(self.busiest)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loan:
    """A part of a running service's share in another process's hands."""

    part: float  # of the lender's share
    until: datetime | None
    tariff: str
    share: float  # of the address's budget
    level: float  # requests that stand in the lent part already
    lender: Mapping[str, Any] = field(default_factory=dict)  # its Pacing as told

    def told(self) -> dict[str, Any]:
        """As JSON."""
        until = self.until.isoformat() if self.until else None
        return {"part": self.part, "until": until, "tariff": self.tariff,
                "share": self.share, "level": self.level, "lender": self.lender}  # fmt: skip

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Loan:
        """The inverse of `told`."""
        until = datetime.fromisoformat(told["until"]) if told["until"] else None
        return cls(told["part"], until, told["tariff"], told["share"], told["level"], told["lender"])


LENT = 0.25  # of our share: a command by hand makes ten requests at once, the service still thirty


class Budget:
    """Remembers what was spent. Nothing here waits."""

    def __init__(self, now: datetime, tariff: str = AUTO, share: float = SHARE) -> None:
        self._by_rules = TARIFFS.get(tariff)
        self._told: Tariff | None = None  # by the portal itself
        self._guess = Guess()
        self._lender: Mapping[str, Any] = {}
        self._bucket = Bucket(now, tariff=self._by_rules or self._guess.tariff, share=Share(share))
        self._operating = Operating()

    # -- requests --

    def wait(self, lane: Lane, now: datetime) -> timedelta:
        """How long a request of this lane has to wait; zero: it may go."""
        return self._bucket.wait(lane, now)

    def take(self, now: datetime) -> None:
        """A request goes out."""
        self._bucket = self._bucket.taken(now)

    def refused(self, now: datetime) -> None:
        """The portal said that the bucket is full."""
        self._guess = Guess()
        self._bucket = self._bucket.full(now)

    # -- working time --

    def cost(self, method: str) -> float:
        """Seconds that one call is expected to take."""
        return self._operating.cost(method)

    def rests_until(self, method: str, calls: int, lane: Lane, now: datetime) -> datetime | None:
        """Until when this method must not be called so often; None: it may be."""
        return self._operating.rests_until(method, calls, now, lane)

    def resting(self, method: str, until: datetime) -> None:
        """The portal has blocked a method."""
        self._operating = self._operating.resting(method, until)

    # -- what answers tell --

    def answered(self, method: str, time: Mapping[str, Any], now: datetime) -> None:
        """A whole request's `time`."""
        self.noted(method, time, now)
        self._guess = self._guess.heard(time)
        tariff = self._by_rules or self._told or self._guess.tariff
        if tariff != self._bucket.tariff and not self._bucket.share.lowered_at:
            self._bucket = self._bucket.of(tariff, now)

    def noted(self, method: str, time: Mapping[str, Any], now: datetime, *, limited: bool = False) -> None:
        """A command's `time`."""
        self._operating = self._operating.noted(method, time, now, limited=limited)

    def licensed(self, licence: Mapping[str, Any], now: datetime) -> None:
        """What an application's `app.info` tells of the plan."""
        self._told = tariff_of(licence)
        if self._told and not self._by_rules:
            self._bucket = self._bucket.of(self._told, now)

    # -- sharing --

    def lend(self, until: datetime, now: datetime) -> Loan:
        """Give a part of our share away; of several borrowers each has less than the one before."""
        lender, lent = self.pacing(now).told(), self._bucket.share.lent_at(now)
        part = LENT * (1 - lent)
        taken = self._bucket.borrowed(part, now)
        self._bucket = self._bucket.lending(lent + part, until, now)
        return Loan(part, until, taken.tariff.name, taken.share.whole, taken.level, lender)

    def returned(self, part: float, now: datetime) -> None:
        """A borrower has ended."""
        share = self._bucket.share
        left = max(0.0, share.lent_at(now) - part)
        self._bucket = self._bucket.lending(left, share.lent_until or now, now)

    def borrow(self, loan: Loan, now: datetime) -> None:
        """Keep to what another process has lent us."""
        self._by_rules, self._lender = TARIFFS[loan.tariff], loan.lender
        self._bucket = Bucket(now, loan.level, TARIFFS[loan.tariff], Share(loan.share))

    def pacing(self, now: datetime) -> Pacing:
        """The limits in force; of a borrower also what the lender has learnt."""
        share, lender = self._bucket.share, self._lender
        by_rules, tariff = self._by_rules is not None, self._bucket.tariff
        busiest = [self._operating.busiest(now), tuple(lender.get("busiest", ("", 0.0)))]
        return Pacing(
            tariff,
            bool(lender.get("by_rules", by_rules)),
            bool(lender.get("mistaken", by_rules and tariff != self._by_rules)),
            float(lender.get("share", share.at(now))),
            self._bucket.capacity(now),
            share.factor_at(now) < 1 or bool(lender.get("crowded")),
            max(busiest, key=lambda one: one[1]),
        )
