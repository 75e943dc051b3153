"""How long work that fails is tried again, and how often. No job: what several of them count on."""

from __future__ import annotations

from datetime import timedelta

GIVE_UP_AFTER = timedelta(hours=24)
"""Transport and limits fail work for good after this; what is refused, at once (contract.md 1)."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)


def wait_after(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … at most ten minutes."""
    return min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 10))
