"""Replicas share a server's database."""

from __future__ import annotations

import pytest

from tests.databases import _new_database


@pytest.fixture
def server_url(postgres: str, postgres_template: str) -> str:
    """A migrated PostgreSQL database without rows."""
    return _new_database(postgres, postgres_template)
