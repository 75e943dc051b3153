"""One clock for the portal, the script and every process of the service: eight bytes of a shared file."""

from __future__ import annotations

import asyncio
import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class SharedClock:
    """Stands where the script put it; a sleeper moves it on for all. `skew`: how wrong this process's is."""

    speed = 1.0

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._bytes = mmap.mmap(opened.fileno(), 8)
        self.skew = timedelta(0)

    def now(self) -> datetime:
        microseconds: int = struct.unpack_from("<q", self._bytes)[0]
        return EPOCH + microseconds * MICROSECOND + self.skew

    def set(self, at: datetime) -> None:
        """Leap; never back."""
        at = max(at, self.now() - self.skew)
        struct.pack_into("<q", self._bytes, 0, (at - EPOCH) // MICROSECOND)

    async def sleep(self, length: timedelta) -> None:
        self.set(self.now() - self.skew + max(length, timedelta(0)))
        await asyncio.sleep(0)
