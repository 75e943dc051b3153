"""Many lives in order of time: each a generator of the instants at which something happens to it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

Life = Generator[datetime, None, None]


class Lives:
    """`next_at` and `play` drive them; lives of one instant go by their numbers."""

    def __init__(self) -> None:
        self._queue: list[tuple[datetime, int, Life]] = []

    def add(self, number: int, life: Life) -> None:
        """Its next act, if it has one."""
        at = next(life, None)
        if at is not None:
            heapq.heappush(self._queue, (at, number, life))

    @property
    def next_at(self) -> datetime | None:
        """When somebody next does something."""
        return self._queue[0][0] if self._queue else None

    def play(
        self, now: datetime, during: Callable[[datetime], AbstractContextManager[object]] = nullcontext
    ) -> int:
        """Everything that happens up to `now`, each act within `during` of its instant; how many acts."""
        acts = 0
        while self._queue and self._queue[0][0] <= now:
            at, number, life = heapq.heappop(self._queue)
            with during(at):
                self.add(number, life)
            acts += 1
        return acts
