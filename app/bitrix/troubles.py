"""What is wrong with the portal now, so that each kind of trouble is told once when it begins and ends.

However many requests fail in between, and whichever others succeed: a trouble lasts until every method
that it hit has succeeded again, or was quiet for long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.bitrix.errors import Effect, PortalError, ShutOut, TooFast

CALM = timedelta(minutes=5)  # without a failure: until then it may only come and go
QUIET = timedelta(minutes=15)  # a method that was not called again for so long says nothing any more
OPENED = "*"
"""Stands for a method where somebody looked on purpose: what was under way before says nothing."""


class Kind(StrEnum):
    """Troubles of one kind are one trouble."""

    SILENCE = "no answer"
    RATE = "too many requests from our address"
    RESTING = "a method works too long"
    FORBIDDEN = "a method is not allowed"
    SHUT = "nothing is allowed"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What began and has not ended."""

    kind: Kind
    text: str
    since: datetime
    failed: Mapping[str, datetime] = field(default_factory=dict)  # methods, and when each failed last
    healed: frozenset[str] = frozenset()  # those of them that have succeeded since

    def hit(self, methods: Iterable[str], now: datetime) -> Trouble:
        """With one more failure."""
        new = dict.fromkeys((method.lower() for method in methods), now)
        return replace(self, failed={**self.failed, **new}, healed=self.healed - new.keys())

    def over(self, now: datetime) -> bool:
        """Nothing has failed for a while, and whatever did works again or is not needed any more."""
        if OPENED in self.healed:
            return True
        if any(now - at < CALM for at in self.failed.values()):
            return False
        lasting = self.kind in {Kind.FORBIDDEN, Kind.SHUT}  # somebody has to allow it first
        sick = self.failed.keys() - self.healed
        return self.kind is Kind.RATE or not any(lasting or now - self.failed[name] < QUIET for name in sick)


Troubles = Mapping[Kind, Trouble]


def kind_of(error: PortalError) -> Kind | None:
    """None: a refusal of one item is no trouble of the road."""
    if isinstance(error, TooFast):
        return Kind.RATE
    return _KINDS.get(error.effect)


_KINDS = {
    Effect.WAIT: Kind.SILENCE,
    Effect.REST: Kind.RESTING,
    Effect.METHOD: Kind.FORBIDDEN,
    Effect.RENEW: Kind.FORBIDDEN,
    Effect.STOP: Kind.SHUT,
}


def begun(troubles: Troubles, error: PortalError, methods: Iterable[str], now: datetime) -> Troubles:
    """With one more failure; a kind that is new there has just begun."""
    kind = kind_of(error)
    if kind is None:
        return troubles
    known = troubles.get(kind) or Trouble(kind, str(error), now)
    return {**troubles, kind: known.hit([OPENED] if kind is Kind.SHUT else methods, now)}


def ended(troubles: Troubles, methods: Iterable[str], now: datetime) -> Troubles:
    """With these methods' success; a kind that is missing there has just ended."""
    good = {method.lower() for method in methods}
    healed = {kind: replace(t, healed=t.healed | (good & t.failed.keys())) for kind, t in troubles.items()}
    return {kind: trouble for kind, trouble in healed.items() if not trouble.over(now)}


@dataclass(frozen=True, slots=True)
class Shut:
    """We are shut out: no call is made until somebody looks and finds the door open."""

    code: str
    text: str
    remedy: str
    since: datetime
    look_at: datetime  # when to look next
    pause: timedelta  # before the look after that
    made: type[ShutOut]

    @classmethod
    def begun(cls, error: ShutOut, now: datetime) -> Shut:
        """At the first such refusal."""
        first, _ = error.looks
        return cls(error.code, error.text, error.remedy, now, now + first, first, type(error))

    def looked(self, now: datetime) -> Shut:
        """Somebody looks now; if in vain, the next look is later."""
        pause = min(2 * self.pause, self.made.looks[1])
        return replace(self, look_at=now + pause, pause=pause)

    def error(self) -> ShutOut:
        """What every call gets instead of an answer."""
        return self.made(self.code, self.text)

    def __str__(self) -> str:
        """What the portal does, for whoever has to mend it."""
        return f"не принимает запросы ({self.code}): {self.remedy}"
