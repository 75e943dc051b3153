"""The only reader of the clock: real, accelerated for the demo, or set by hand for tests."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

CLOCK_FORM = "2026-11-24T08:55+03:00@60x"
YEARS = range(2000, 2101)
"""Of every date that somebody may name: nearer the ends of time no zone and no calendar can be counted in."""
OUT_OF_YEARS = f"годы с {YEARS[0]} по {YEARS[-1]}"
_CLOCK = re.compile(r"(?P<start>[^@]+?)(?:@(?P<speed>\d+(?:\.\d+)?)x)?")


class Clock(Protocol):
    """Where the running parts take `now` from."""

    @property
    def speed(self) -> float:
        """How many of this clock's seconds pass in one of the machine's."""

    def now(self) -> datetime:
        """The current instant, aware UTC."""

    async def sleep(self, length: timedelta) -> None:
        """Wait for `length` of this clock's time; nothing if it is not positive."""


class RealClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, length: timedelta) -> None:
        await asyncio.sleep(max(0.0, length.total_seconds()))


class ScaledClock:
    """Begins at `start` and runs `speed` times as fast as the machine."""

    def __init__(self, start: datetime, speed: float, ticks: Callable[[], float] = time.monotonic) -> None:
        self._start = _aware(start)
        self.speed = speed
        self._ticks = ticks
        self._origin = ticks()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(self._ticks() - self._origin) * self.speed)

    async def sleep(self, length: timedelta) -> None:
        await asyncio.sleep(max(0.0, length.total_seconds() / self.speed))


class SetClock:
    """Stands until somebody sets it; then it wakes those whose time has come."""

    speed = 1.0

    def __init__(self, at: datetime) -> None:
        self._now = _aware(at)
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        self._now = _aware(at)
        for wakes_at, alarm in self._sleepers:
            if wakes_at <= self._now:
                alarm.set()

    def advance(self, length: timedelta) -> None:
        self.set(self._now + length)

    async def sleep(self, length: timedelta) -> None:
        sleeper = (self._now + length, asyncio.Event())
        if sleeper[0] <= self._now:
            await asyncio.sleep(0)
            return
        self._sleepers.append(sleeper)
        try:
            await sleeper[1].wait()
        finally:
            self._sleepers.remove(sleeper)


def parse_clock(text: str) -> ScaledClock:
    """Read `2026-11-24T08:55+03:00@60x` (without `@60x`: real speed); ValueError says what was expected."""
    found = _CLOCK.fullmatch(text.strip())
    start = _moment(found["start"]) if found else None
    speed = float(found["speed"] or 1) if found else 0.0
    if start is None or speed <= 0:
        raise ValueError(f"«{text}» не похоже на часы: нужен момент со смещением и скорость, {CLOCK_FORM}")
    if start.year not in YEARS:
        raise ValueError(f"«{text}»: {OUT_OF_YEARS}")
    return ScaledClock(start, speed)


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no zone")
    return at.astimezone(UTC)
