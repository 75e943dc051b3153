"""One clock for the portal, the script and every process of the service: eight bytes of a shared file."""

from __future__ import annotations

import asyncio
import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND, A_SECOND = timedelta(microseconds=1), timedelta(seconds=1)


class SharedClock:
    """Stands where the script put it; a sleeper moves it on for all. `skew`: how wrong this process's is.

    Two looks of one process never see the same instant, as in life: a write and a reading have an order.
    """

    speed = 1.0

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 8)
        self.skew = timedelta(0)
        self._seen_at = EPOCH

    def now(self) -> datetime:
        at, following = self._stands_at() + self.skew, self._seen_at + MICROSECOND
        self._seen_at = following if timedelta(0) < following - at < A_SECOND else at
        return self._seen_at

    def set(self, at: datetime) -> None:
        """Leap; never back."""
        at = max(at, self._stands_at())
        struct.pack_into("<q", self._bytes, 0, (at - EPOCH) // MICROSECOND)

    async def sleep(self, length: timedelta) -> None:
        self.set(self._stands_at() + max(length, timedelta(0)))
        await asyncio.sleep(0)

    def _stands_at(self) -> datetime:
        microseconds: int = struct.unpack_from("<q", self._bytes)[0]
        return EPOCH + microseconds * MICROSECOND


class PortalTime:
    """The portal's clock, and what people do at the very instant that the script names.

    A service that waits moves the clock on, at times over an act that was still to be played. The act
    happens when the script says in whatever weather, else two runs could not be compared to the second.
    """

    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._act_at: datetime | None = None
        self.latest = timedelta(0)  # how late an act was played at most; the sweep looks back two minutes

    def now(self) -> datetime:
        return self._act_at or self._clock.now()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        self.latest = max(self.latest, self._clock.now() - moment)
        self._act_at = moment
        try:
            yield
        finally:
            self._act_at = None
