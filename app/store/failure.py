"""Work that gave up, in one shape for the dashboard and `b24sla failed`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """One piece of work that nobody will try again unless a person says so."""

    key: str  # the inbox's subject, the stamp's reference or the message's key
    error: str
    attempts: int
    since_at: datetime  # how long it has been wanted
    failed_at: datetime
