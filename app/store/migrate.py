"""Bringing a database to this version's tables, from code.

Promises: all or nothing; several processes may start at once, one migrates and the others wait;
the caller's event loop is not held up.
"""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.engine import Database, lock_migrations

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
"""Beside `app`, both in a checkout and where the package is installed."""

NEWER = "база данных новее этой версии службы: установите новую версию или верните копию, docs/operations.md"

_one_at_a_time = threading.Lock()  # Alembic keeps its context in module globals


class NewerDatabase(Exception):
    """A later version has migrated this database; what it keeps in which columns is not known here."""


async def migrate(url: str, revision: str = "head") -> None:
    """Up to the newest revision, or to this one. StoreUnavailable, NewerDatabase: nothing has changed."""
    await asyncio.to_thread(_run, url, "upgrade", revision)


async def downgrade(url: str, revision: str) -> None:
    """Back to an earlier revision, or to `base`: nothing left."""
    await asyncio.to_thread(_run, url, "downgrade", revision)


async def is_current(conn: AsyncConnection) -> bool:
    """The database has exactly the tables that this version expects."""
    return await conn.run_sync(_revision_of) == newest()


@cache
def newest() -> str | None:
    """The last revision of this version."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _revision_of(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known_revisions(config: Config) -> set[str | None]:
    """None: a database without tables."""
    return {None, *(script.revision for script in ScriptDirectory.from_config(config).walk_revisions())}


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _run(url: str, direction: str, revision: str) -> None:
    with _one_at_a_time:
        asyncio.run(_in_own_loop(url, direction, revision))


async def _in_own_loop(url: str, direction: str, revision: str) -> None:
    database = Database.open(url, seconds=None)
    try:
        async with database.begin() as conn:
            await lock_migrations(conn)
            await conn.run_sync(_migrate, direction, revision)
    finally:
        await database.close()


def _migrate(connection: sa.Connection, direction: str, revision: str) -> None:
    config = _config()
    if _revision_of(connection) not in _known_revisions(config):
        raise NewerDatabase(NEWER)
    config.attributes["connection"] = connection  # migrations/env.py uses it: one transaction, ours
    {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, revision)
