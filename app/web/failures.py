"""Work that gave up: what there is of it, and another chance or an end for each piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Subject, parse_subject
from app.store import inbox, outbox, stamps
from app.store.failure import Failure

LABELS: Mapping[str, str] = {
    "inbox": "Не прочитано из портала",
    "stamps": "Не записано в карточки",
    "outbox": "Не отправлено людям",
}


@dataclass(frozen=True, slots=True)
class FailedWork:
    """Everything that gave up, by kind."""

    groups: Mapping[str, tuple[Failure, ...]]

    @property
    def count(self) -> int:
        return sum(len(group) for group in self.groups.values())


async def failed_work(conn: AsyncConnection) -> FailedWork:
    return FailedWork(
        {
            "inbox": tuple(await inbox.failed(conn)),
            "stamps": tuple(await stamps.failed(conn)),
            "outbox": tuple(await outbox.failed(conn)),
        }
    )


async def retry(conn: AsyncConnection, what: str, key: str | None, now: datetime) -> int:
    """How many got another chance; `key` None: all of that kind. KeyError: no such kind."""
    if what == "inbox":
        subject = _subject(key) if key else None
        return 0 if key and subject is None else await inbox.retry(conn, subject, now)
    return await {"stamps": stamps.retry, "outbox": outbox.retry}[what](conn, key, now)


async def drop(conn: AsyncConnection, what: str, key: str) -> bool:
    """False: there is none of this name."""
    if what == "inbox":
        subject = _subject(key)
        return subject is not None and await inbox.drop(conn, subject)
    return await {"stamps": stamps.drop, "outbox": outbox.drop}[what](conn, key)


def _subject(key: str) -> Subject | None:
    """None: a person typed what names nothing that the inbox could hold."""
    try:
        return parse_subject(key)
    except ValueError:
        return None
