from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event

from app.pinning import Pin, pins_of
from app.store import facts, schema, tracks
from app.store.engine import Database
from app.store.migrate import NewerDatabase, downgrade, is_current, migrate
from app.store.schema import metadata
from tests.store.builders import DEAL, HOUR, NOW, deal, fact

pytestmark = pytest.mark.anyio

OLD_TICKET = """INSERT INTO tickets (ref, cycle, state, value, area, client, open, created_at, started_at,
read_at, urgency, title_folded, body) VALUES (:ref, 1, 'new', 'standard', 'other', '', true, :at, :at, :at,
1, '', '{"rules_version": "v1"}')"""
OLD_OUTCOME = """INSERT INTO outcomes (ref, cycle, value, area, state, counted, received_at, body)
VALUES (:ref, 1, 'standard', 'other', 'new', true, :at, '{}')"""
MANY = 450  # more than two pages
WRITTEN = {"sqlite": "2026-11-24 06:00:00.000000", "postgresql": NOW}


async def looked_at(url: str, question: Any) -> Any:
    database = Database.open(url)
    try:
        async with database.read() as conn:
            return await conn.run_sync(question)
    finally:
        await database.close()


def differences(connection: sa.Connection) -> list[Any]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


def conditions(connection: sa.Connection) -> dict[str | None, bool]:
    """Index → is it partial? (alembic does not compare that on SQLite)."""
    inspector = sa.inspect(connection)
    option = f"{connection.dialect.name}_where"
    return {
        index["name"]: option in index.get("dialect_options", {})
        for table in metadata.tables
        for index in inspector.get_indexes(table)
    }


async def test_migrated_tables_equal_the_schema(database_url: str) -> None:
    assert await looked_at(database_url, differences) == []


async def test_migrated_partial_indexes_equal_the_schema(database_url: str) -> None:
    wanted = {
        index.name: bool(index.dialect_options["sqlite"]["where"] is not None)
        for table in metadata.tables.values()
        for index in table.indexes
    }
    assert await looked_at(database_url, conditions) == wanted


async def test_down_to_base_leaves_only_alembics_own_table(database_url: str) -> None:
    await downgrade(database_url, "base")
    names = await looked_at(database_url, lambda connection: sa.inspect(connection).get_table_names())
    assert names == ["alembic_version"]


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await migrate(database_url)
    assert await looked_at(database_url, differences) == []


async def test_a_database_of_a_later_version_is_left_alone(database_url: str) -> None:
    database = Database.open(database_url)
    async with database.begin() as conn:
        await conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase):
        await migrate(database_url)
    async with database.read() as conn:
        assert await conn.scalar(sa.text("SELECT version_num FROM alembic_version")) == "9999"
    await database.close()


async def test_several_may_start_at_once(empty_url: str) -> None:
    script = f"import asyncio; from app.store.migrate import migrate; asyncio.run(migrate({empty_url!r}))"
    import sys

    starts = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    ends = await asyncio.gather(*(each.communicate() for each in starts))
    assert [each.returncode for each in starts] == [0, 0, 0], ends
    assert await looked_at(empty_url, differences) == []


async def test_a_ticket_of_an_older_version_is_pinned_to_its_rules_and_has_a_track(database_url: str) -> None:
    await downgrade(database_url, "0002")
    database = Database.open(database_url)
    async with database.begin() as conn:
        await facts.add(conn, [fact(), fact("2", recorded_at=NOW + HOUR)])
        for old in (OLD_TICKET, OLD_OUTCOME):
            await conn.execute(sa.text(old), {"ref": str(DEAL), "at": WRITTEN[database.dialect]})
    await migrate(database_url)
    async with database.read() as conn:
        [pin] = pins_of(await facts.load(conn, DEAL))
        [track] = await tracks.since(conn, None)
    await database.close()
    assert pin == Pin(NOW, "v1", "v1")
    assert tuple(track)[:4] == (str(DEAL), 1, "standard", tracks.micros(NOW))
    assert not track[-1], "its facts must be folded"


async def test_whether_the_database_is_current(empty_url: str) -> None:
    database = Database.open(empty_url)
    async with database.read() as conn:
        before = await is_current(conn)
    await migrate(empty_url)
    async with database.read() as conn:
        assert (before, await is_current(conn)) == (False, True)
    await database.close()


async def test_tickets_are_pinned_a_page_at_a_time(empty_url: str) -> None:
    """Their bodies, all at once, need not fit into memory."""
    await migrate(empty_url, "0002")
    database = Database.open(empty_url)
    rows = [{"ref": str(deal(number)), "at": WRITTEN[database.dialect]} for number in range(1, MANY + 1)]
    async with database.begin() as conn:
        await facts.add(conn, [fact(ref=deal(number)) for number in range(1, MANY + 1)])
        for old in (OLD_TICKET, OLD_OUTCOME):
            await conn.execute(sa.text(old), rows)
    fetched: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        fetched.append(statement)

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        await migrate(empty_url, "0003")
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)
    async with database.read() as conn:
        pins = sa.select(schema.facts.c.ref).where(schema.facts.c.kind == "rules")
        assert sorted(await conn.scalars(pins)) == sorted(str(deal(number)) for number in range(1, MANY + 1))
        assert len(await tracks.since(conn, None)) == MANY
    await database.close()
    bodies = [each for each in fetched if each.startswith("SELECT tickets.") or "FROM outcomes" in each]
    assert bodies
    assert all("LIMIT" in each for each in bodies)
