"""What keeps the service from its database: a stranger's lock, and no room to write."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]

from app.store.schema import metadata


@dataclass(slots=True)
class Jam:
    """One database, and what is wrong with it now."""

    url: str
    is_locked: bool = False
    is_full: bool = False
    _stranger: sqlite3.Connection | asyncpg.Connection | None = None

    @property
    def is_shut(self) -> bool:
        return self.is_locked or self.is_full

    async def put(self, *, locked: bool, full: bool) -> None:
        if locked != self.is_locked:
            await (self._lock() if locked else self.unlock())
            self.is_locked = locked
        if full != self.is_full and not self.is_locked:
            await self._fill(full=full)
            self.is_full = full

    async def _lock(self) -> None:
        if self.url.startswith("sqlite"):
            file = Path(self.url.removeprefix("sqlite:///"))
            here = self._stranger = sqlite3.connect(file, timeout=5, isolation_level=None)
            here.execute("BEGIN IMMEDIATE")
            return
        there = self._stranger = await asyncpg.connect(self.url)
        await there.execute("BEGIN")
        await there.execute(f"LOCK TABLE {', '.join(metadata.tables)} IN ACCESS EXCLUSIVE MODE")

    async def unlock(self) -> None:
        if isinstance(self._stranger, sqlite3.Connection):
            self._stranger.close()
        elif self._stranger is not None:
            await self._stranger.close()
        self._stranger = None

    async def _fill(self, *, full: bool) -> None:
        """SQLite's file is kept from growing by the service's own connections (service.py).

        A PostgreSQL server takes nothing more, and everybody's connections break.
        """
        if self.url.startswith("sqlite"):
            return
        async with self._administrator() as conn:
            word = "SET default_transaction_read_only = on" if full else "RESET default_transaction_read_only"
            name = await conn.fetchval("SELECT current_database()")
            await conn.execute("SET default_transaction_read_only = off")
            await conn.execute(f"ALTER DATABASE {name} {word}")
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    @asynccontextmanager
    async def _administrator(self) -> AsyncIterator[asyncpg.Connection]:
        conn = await asyncpg.connect(self.url)
        try:
            yield conn
        finally:
            await conn.close()
