"""Replicas of two versions side by side, while one after the other is replaced."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from app.jobs.lead import lead
from app.store import inbox, leases, strangers
from app.store.engine import Database
from app.store.migrate import _config, migrate
from tests.jobs.scenes import Scene, letter, scene
from tests.replicas.pairs import beside

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="about our own processes")]
NOW = datetime(2026, 11, 24, 7, 0)  # noqa: DTZ001  as a table of SQLite holds it


async def newer(town: Scene, revision: str) -> None:
    async with town.desk.db.begin() as conn:
        await conn.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


async def test_a_holder_lets_go_as_soon_as_the_tables_are_of_a_newer_version(
    database_url: str, tmp_path: Path
) -> None:
    async with scene(tmp_path, database=database_url) as old, beside(old) as new:
        assert await lead(old.desk)
        async with new.desk.db.read() as conn:
            revision = str((await conn.execute(sa.text("SELECT version_num FROM alembic_version"))).scalar())
        await newer(old, "9999")
        assert not await lead(old.desk)
        assert old.desk.epoch is None
        await newer(old, revision)  # to the newer replica they are its own
        assert await lead(new.desk)


async def test_an_older_replica_goes_on_taking_events(database_url: str, tmp_path: Path) -> None:
    async with scene(tmp_path, database=database_url) as old:
        await newer(old, "9999")
        case = old.office.receive(letter(), old.office.agents[0])
        assert await old.portal.deliver(old.web, until=old.clock.now().replace(hour=23))
        async with old.desk.db.read() as conn:
            waiting = inbox.waiting(old.desk.db.dialect).c.subject
            assert f"deal:{case.id}" in set(await conn.scalars(sa.select(waiting)))


def earlier_revisions() -> list[str]:
    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in walked][:0:-1]


VALUES: dict[type[Any], Callable[[], Any]] = {
    sa.DateTime: lambda: NOW,
    sa.BigInteger: lambda: 1,
    sa.Text: lambda: "deal:5",
}


def _as_then(connection: sa.Connection, columns: dict[str, set[str]]) -> None:
    """Rows with the columns that an older version knew, nothing else."""
    now = sa.MetaData()
    now.reflect(connection, only=list(columns))
    for name, known in columns.items():
        row = {c.name: _value(c, connection) for c in now.tables[name].columns if c.name in known}
        connection.execute(now.tables[name].insert().values(row))


def _value(column: sa.Column[Any], connection: sa.Connection) -> Any:
    kind = next(kind for kind in VALUES if isinstance(column.type, kind))
    value = VALUES[kind]()
    return value.replace(tzinfo=UTC) if kind is sa.DateTime and connection.dialect.name != "sqlite" else value


def _columns(connection: sa.Connection) -> dict[str, set[str]]:
    known = sa.inspect(connection)
    return {name: {c["name"] for c in known.get_columns(name)} for name in ("inbox", "leases", "strangers")}


@pytest.mark.parametrize("revision", earlier_revisions())
async def test_no_migration_closes_the_inbox_to_an_earlier_version(empty_url: str, revision: str) -> None:
    """What an older replica needs for taking events and for asking who leads stays as it was, or more."""
    await migrate(empty_url, revision)
    database = Database.open(empty_url)
    async with database.read() as conn:
        columns = await conn.run_sync(_columns)
    await migrate(empty_url)
    async with database.begin() as conn:
        await conn.run_sync(_as_then, columns)
        assert await leases.take(conn, "portal", "other", leases.MILLISECOND) is not None
        assert await strangers.counts(conn)
    await database.close()
