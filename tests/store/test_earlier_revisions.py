"""A database of every earlier revision, with rows in it, is migrated to the newest and read by today's store.

`tests/data/revisions/<revision>.json` holds rows of the tables that were new then, as they were written then.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory

from app.model import ItemRef, Lane
from app.store import facts, inbox, marks, outbox, outcomes, people, stamps, tickets
from app.store.engine import Database
from app.store.migrate import _config, downgrade, is_current, migrate, newest
from tests.store.builders import DEAL, NOW, deal

pytestmark = pytest.mark.anyio

ROWS = Path(__file__).parents[1] / "data" / "revisions"
SECOND = timedelta(seconds=1)


def revisions() -> list[str]:
    """From the first to the newest."""
    walked = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in walked][::-1]


async def at_revision(url: str, revision: str) -> None:
    """A database as a service of that revision left it."""
    known = revisions()
    for each in known[: known.index(revision) + 1]:
        if (ROWS / f"{each}.json").exists():
            await migrate(url, each)
            await _fill(url, each)
    await migrate(url, revision)


async def _fill(url: str, revision: str) -> None:
    database = Database.open(url)
    async with database.begin() as conn:
        await conn.run_sync(_insert, json.loads((ROWS / f"{revision}.json").read_text("utf-8")))
    await database.close()


def _insert(connection: sa.Connection, rows: dict[str, list[dict[str, Any]]]) -> None:
    known = sa.MetaData()
    known.reflect(connection, only=list(rows))
    for name, found in rows.items():
        table = known.tables[name]
        dialect = connection.dialect.name
        for row in found:
            values = {key: _value(value, table.c[key].type, dialect) for key, value in row.items()}
            connection.execute(table.insert().values(values))


def _value(value: Any, kind: sa.types.TypeEngine[Any], dialect: str) -> Any:
    if value is None:
        return sa.null()
    if isinstance(kind, sa.DateTime):
        moment = datetime.fromisoformat(value)
        return moment if dialect == "sqlite" else moment.replace(tzinfo=UTC)
    return bool(value) if isinstance(kind, sa.Boolean) else value


@pytest.mark.parametrize("revision", revisions())
async def test_what_an_earlier_version_kept_is_read_and_gone_on_with(empty_url: str, revision: str) -> None:
    await at_revision(empty_url, revision)
    await migrate(empty_url)
    database = Database.open(empty_url)
    async with database.read() as conn:
        assert await is_current(conn)
        [ticket] = (await tickets.load_many(conn, [DEAL])).values()
        assert (ticket.title, ticket.client_name) == ("Не открывается шлагбаум", "Мария Крылова")
        assert ticket.now_cycle.solution.due_at == NOW + timedelta(hours=9)
        assert [str(each.ref) for each in await tickets.open_tickets(conn, limit=9)] == ["deal:41"]
        told = await facts.load(conn, DEAL)
        assert {"title#1", "activity:12"} <= {fact.key for fact in told}
        assert len(await outcomes.between(conn, NOW, NOW + SECOND)) == 2
        assert await outbox.said(conn, deal(42)) == {"deal:42/1/solve_breach/7"}
        assert len(await outbox.due(conn, 10, NOW)) == 1
        assert await marks.get(conn, "born_at") == NOW.isoformat()
        assert (await people.load(conn))[7].name == "Смирнова О."
        assert [work.ref for work in await stamps.due(conn, 10, NOW)] == [DEAL]
    async with database.begin() as conn:
        claims = await inbox.claim(conn, 10, NOW, "b2", SECOND)
        assert {str(claim.subject) for claim in claims} == {"task:17", "deal:43"}
        await inbox.put(conn, [(ItemRef.parse("deal:41"), Lane.URGENT, "test")], NOW)
        [ticket] = (await tickets.load_many(conn, [DEAL])).values()
        assert await tickets.save(conn, ticket, await outcomes.of_ticket(conn, DEAL))
    await database.close()


@pytest.mark.parametrize("revision", [revisions()[0], revisions()[-2]])
async def test_the_way_back_keeps_what_that_version_knew(empty_url: str, revision: str) -> None:
    """A rollback: rows of tables that the earlier version has stay as they were."""
    await at_revision(empty_url, revisions()[-1])
    await downgrade(empty_url, revision)
    await migrate(empty_url)
    database = Database.open(empty_url)
    async with database.read() as conn:
        assert (await tickets.load(conn, DEAL)) is not None
        assert await outbox.said(conn, deal(42)) == {"deal:42/1/solve_breach/7"}
    await database.close()


def test_the_first_revision_has_rows_in_every_table_of_its_time() -> None:
    rows = json.loads((ROWS / "0001.json").read_text("utf-8"))
    assert len(rows) == 12
    assert all(rows.values())
    assert newest() == revisions()[-1]
