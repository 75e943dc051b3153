"""Where the application's credential is kept: our database, sealed (rest.md 2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.bitrix.errors import RetryLater
from app.bitrix.oauth import NoKey
from app.clock import Clock
from app.model import Installation, Tokens
from app.store import installations
from app.store.engine import Database, StoreUnavailable
from app.store.sealing import Seal, WrongKey

SOON = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Vault:
    """`oauth.Vault` over the database; each call is one transaction. Raises PortalError and nothing else."""

    db: Database
    seal: Seal
    clock: Clock
    named: str  # the portal's address in the settings

    async def load(self) -> Installation | None:
        async with self._told(), self.db.read() as conn:
            return await installations.load(conn, self.seal)

    async def renewed(self, old: Installation, tokens: Tokens) -> bool:
        """Also when another process leads by now: a refresh token is good once, and here is the next one.

        So it is done outside whatever turn we are in; `generation` keeps a newer pair from being replaced.
        """
        return await asyncio.create_task(self._renewed(old, tokens), context=Context())

    async def _renewed(self, old: Installation, tokens: Tokens) -> bool:
        async with self._changing() as conn:
            return await installations.renewed(conn, self.seal, old.member_id, old.generation, tokens)

    async def moved(self, old: Installation, portal: str) -> None:
        async with self._changing() as conn:
            await installations.moved(conn, old.member_id, portal, self.named)

    async def put(self, new: Installation) -> None:
        """Raises OtherPortal."""
        async with self._changing() as conn:
            await installations.put(conn, self.seal, new)

    async def bound(self, known: Installation, at: datetime | None) -> None:
        async with self._changing() as conn:
            await installations.bound(conn, known.member_id, at)

    async def removed(self, known: Installation) -> None:
        async with self._changing() as conn:
            await installations.removed(conn, known.member_id, self.clock.now())

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[AsyncConnection]:
        async with self._told(), self.db.begin() as conn:
            yield conn

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        """The database's troubles in the words of the road."""
        try:
            yield
        except StoreUnavailable:
            raise RetryLater("database", "база данных недоступна", at=self.clock.now() + SOON) from None
        except WrongKey:
            raise NoKey("secret_key", "токены зашифрованы другим ключом") from None
