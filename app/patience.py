"""How long work that fails is tried again, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta

GIVE_UP_AFTER = timedelta(hours=24)
"""Transport and limits fail work for good after this; what is refused, at once (contract.md 1)."""
MOST_ATTEMPTS = 150
"""The same in attempts, each after its wait, where nobody noted when the first of them was."""
FEWEST_ATTEMPTS = 20
"""A portal that was away for two days is not why work fails: it is tried this often first."""
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)


def is_over(since_at: datetime, attempts: int, now: datetime) -> bool:
    """Whether work that failed so often since then has failed for good."""
    age = now - since_at
    return age > GIVE_UP_AFTER and (attempts >= FEWEST_ATTEMPTS or age > 3 * GIVE_UP_AFTER)


def wait_after(attempts: int) -> timedelta:
    """5 s, 10 s, 20 s … at most ten minutes."""
    doublings: int = 2 ** min(attempts - 1, 10)
    return min(LONGEST_WAIT, FIRST_WAIT * doublings)
