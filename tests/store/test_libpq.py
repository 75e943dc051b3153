"""PostgreSQL addresses as they are handed out: what libpq knows is understood, what nobody knows is named."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from app.store.engine import Database, DatabaseUrlFault
from app.store.libpq import arguments, bare

pytestmark = pytest.mark.anyio

PLAIN = "postgresql://u:s3cr3t@h:5433/d"


async def test_names_of_libpq_open_the_database(shared_postgres: str) -> None:
    said = "sslmode=prefer&channel_binding=prefer&connect_timeout=7&application_name=nightly"
    joint = "&" if "?" in shared_postgres else "?"
    database = Database.open(f"{shared_postgres}{joint}{said}&target_session_attrs=any&keepalives=1")
    async with database.read() as conn:
        assert await conn.scalar(sa.text("SHOW application_name")) == "nightly"
        assert await conn.scalar(sa.text("SHOW jit")) == "off"
    await database.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("sslmode=require&channel_binding=require", {"dsn": "postgresql:///?sslmode=require"}),
        ("sslrootcert=%2Fa%20b", {"dsn": "postgresql:///?sslrootcert=%2Fa+b"}),
        ("ssl=require", {"ssl": "require"}),
        ("connect_timeout=3", {"timeout": 3}),
        ("connect_timeout=0&command_timeout=0", {"timeout": None, "command_timeout": None}),
        ("command_timeout=1.5&statement_cache_size=0", {"command_timeout": 1.5, "statement_cache_size": 0}),
        ("application_name=me", {"server_settings": {"jit": "off", "application_name": "me"}}),
        ("target_session_attrs=read-write", {"target_session_attrs": "read-write"}),
        ("host=other&port=1", {}),
    ],
)
def test_a_parameter_becomes_the_drivers_argument(query: str, expected: dict[str, object]) -> None:
    ours = {"server_settings": {"jit": "off"}, "timeout": 10, "command_timeout": 60}
    assert arguments(make_url(f"{PLAIN}?{query}"), {"jit": "off"}, 10, 60) == ours | expected


async def test_no_limit_of_time_opens_the_database(shared_postgres: str) -> None:
    database = Database.open(f"{shared_postgres}&connect_timeout=0&command_timeout=0")
    async with database.read() as conn:
        assert await conn.scalar(sa.text("SELECT 1")) == 1
    await database.close()


def test_what_became_an_argument_is_no_part_of_the_address() -> None:
    left = bare(make_url(f"{PLAIN}?sslmode=require&host=other&channel_binding=require"))
    assert left == make_url(f"{PLAIN}?host=other")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("foo=bar", "foo"),
        ("sslmode=maybe", "sslmode"),
        ("connect_timeout=soon", "connect_timeout"),
        ("connect_timeout=-1", "connect_timeout"),
        ("target_session_attrs=x", "target_session_attrs"),
    ],
)
def test_an_unknown_parameter_is_named_without_the_password(query: str, name: str) -> None:
    with pytest.raises(DatabaseUrlFault) as fault:
        Database.open(f"{PLAIN}?{query}")
    assert name in str(fault.value)
    assert "s3cr3t" not in str(fault.value)
