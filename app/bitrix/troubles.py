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

QUIET = timedelta(minutes=15)  # longer than the longest wait between two attempts (app/patience.py)
CALM = timedelta(minutes=1)  # refusals by the rate limit come and go; this ends them
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
    """What began and has not ended. `methods`: when each failed last."""

    kind: Kind
    text: str
    since: datetime
    methods: Mapping[str, datetime] = field(default_factory=dict)


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
    methods = [OPENED] if kind is Kind.SHUT else methods
    hit = dict.fromkeys((method.lower() for method in methods), now)
    known = troubles.get(kind) or Trouble(kind, str(error), now)
    return {**troubles, kind: replace(known, methods={**known.methods, **hit})}


def ended(troubles: Troubles, methods: Iterable[str], now: datetime) -> Troubles:
    """With these methods' success; a kind that is missing there has just ended."""
    good = {method.lower() for method in methods}
    left = {kind: replace(t, methods=_left(t, good, now)) for kind, t in troubles.items()}
    return {kind: trouble for kind, trouble in left.items() if trouble.methods}


def _left(trouble: Trouble, good: set[str], now: datetime) -> dict[str, datetime]:
    if trouble.kind is Kind.RATE:
        return {name: at for name, at in trouble.methods.items() if now - at < CALM}
    lasts = trouble.kind in {Kind.FORBIDDEN, Kind.SHUT}  # somebody has to allow it first
    return {n: at for n, at in trouble.methods.items() if n not in good and (lasts or now - at < QUIET)}


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
        """For whoever has to mend it."""
        return f"портал не принимает запросы ({self.code}): {self.remedy}"
