"""A desk with a migrated database of its own, and a browser's or a program's way to it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.desk import Desk
from app.store.engine import Database
from app.store.migrate import migrate
from tests.web.town import client_of, desk_of


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("web") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def db(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copy(migrated_file, tmp_path / "desk.db")
    database = Database.open(f"sqlite:///{tmp_path}/desk.db")
    yield database
    await database.close()


@pytest.fixture
def desk(db: Database) -> Desk:
    """Without an admin token: open to this machine only."""
    return desk_of(db)


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(desk) as client:
        yield client
