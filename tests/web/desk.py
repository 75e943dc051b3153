"""Fixtures of a desk with a migrated database of its own, and a browser's or a program's way to it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.desk import Desk
from app.store.engine import Database
from tests.web.town import client_of, desk_of


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    """A migrated SQLite file without rows."""
    shutil.copy(sqlite_template, tmp_path / "desk.db")
    return tmp_path / "desk.db"


@pytest.fixture
async def db(file: Path) -> AsyncIterator[Database]:
    database = Database.open(f"sqlite:///{file}")
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
