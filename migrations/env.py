"""Alembic's entry: runs inside the transaction that app/store/migrate.py opened.

A new revision, on a database migrated so far:
`alembic -c migrations/alembic.ini -x url=sqlite:///var/new.db revision --autogenerate -m "why"`;
then read it, and let tests/store/test_migrations.py compare on both databases.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from app.store.dialects import OuterText, UtcDateTime
from app.store.engine import Database
from app.store.schema import metadata


def plain_type(kind: str, item: Any, _: object) -> str | Literal[False]:
    """Our own column types as what they are in the database: a revision must not change with the code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, OuterText):
        return "sa.Text()"
    return False


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        render_item=plain_type,
        transactional_ddl=True,  # SQLite too: the driver's own transaction handling is off
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_by_hand() -> None:
    database = Database.open(context.get_x_argument(as_dictionary=True)["url"], seconds=None)
    try:
        async with database.begin() as conn:
            await conn.run_sync(run)
    finally:
        await database.close()


given = context.config.attributes.get("connection")
if given is None:
    asyncio.run(run_by_hand())
else:
    run(given)
