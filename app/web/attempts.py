"""How often somebody may guess the admin token."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=5)
PER_PEER = 5
ALTOGETHER = 50


class Attempts:
    """Failed logins of the last minutes: few from one address, not many from all.

    Behind a proxy every guess comes from one address, so the first limit holds for all.
    """

    def __init__(self) -> None:
        self._failed: deque[tuple[datetime, str]] = deque(maxlen=ALTOGETHER)

    def wait(self, peer: str, now: datetime) -> timedelta:
        """How long `peer` must wait before the next guess; zero when it may try."""
        fresh = [(at, who) for at, who in self._failed if now - at < WINDOW]
        own = [at for at, who in fresh if who == peer]
        if len(own) >= PER_PEER:
            return own[-PER_PEER] + WINDOW - now
        if len(fresh) >= ALTOGETHER:
            return fresh[0][0] + WINDOW - now
        return timedelta(0)

    def failed(self, peer: str, now: datetime) -> None:
        self._failed.append((now, peer))
