from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Fact, FactKind, Message, MessageKind
from app.store import engine, facts, marks, outbox
from app.store.dialects import chunks, json_text
from app.store.engine import Database, DatabaseUrlFault, StoreUnavailable
from app.store.schema import slots
from tests.store.builders import DEAL, NOW, deal, fact

pytestmark = pytest.mark.anyio


async def put_and_fail(conn: AsyncConnection, name: str) -> None:
    await marks.put(conn, name, 1)
    raise LookupError


async def test_an_error_rolls_everything_back(database: Database) -> None:
    with pytest.raises(LookupError):
        async with database.begin() as conn:
            await put_and_fail(conn, "sweep")
    async with database.read() as conn:
        assert await marks.get(conn, "sweep") is None


async def test_a_savepoint_takes_back_only_its_own(database: Database) -> None:
    async with database.begin() as conn:
        await marks.put(conn, "kept", 1)
        with pytest.raises(LookupError):
            async with conn.begin_nested():
                await put_and_fail(conn, "lost")
    async with database.read() as conn:
        assert (await marks.get(conn, "kept"), await marks.get(conn, "lost")) == (1, None)


async def test_reading_cannot_write(database: Database) -> None:
    with pytest.raises((StoreUnavailable, DBAPIError)):
        async with database.read() as conn:
            await marks.put(conn, "sweep", 1)


async def test_a_reader_sees_one_state_and_never_waits_for_a_writer(database: Database) -> None:
    async with database.read() as reader:
        before = await marks.get(reader, "sweep")
        async with database.begin() as writer:
            await marks.put(writer, "sweep", 1)
        assert before is await marks.get(reader, "sweep") is None


async def test_writers_that_read_first_all_come_through(database: Database) -> None:
    async def one_more(key: str) -> None:
        async with database.begin() as conn:
            await facts.load(conn, DEAL)
            await facts.add(conn, [fact(key)])

    await asyncio.gather(*(one_more(str(key)) for key in range(20)))
    async with database.read() as conn:
        assert len(await facts.load(conn, DEAL)) == 20


async def test_instants_come_back_aware_and_equal(database: Database) -> None:
    at = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=3)))
    async with database.begin() as conn:
        await marks.take_slot(conn, "digest", "1", "a", at)
        found = (await conn.execute(sa.select(slots.c.taken_at))).scalar_one()
    assert (found, found.tzinfo) == (at, UTC)


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        async with database.begin() as conn:
            await marks.take_slot(conn, "digest", "1", "a", datetime(2026, 11, 24))  # noqa: DTZ001


@pytest.mark.parametrize("text", ["нуль\0внутри", "половина \ud83d эмодзи", "'; DROP TABLE facts; --", "😀ё"])
async def test_odd_texts_of_the_portal_are_kept(database: Database, text: str) -> None:
    odd = fact(kind=FactKind.UTTERANCE, value={"text": text})
    async with database.begin() as conn:
        await facts.add(conn, [odd])
        await outbox.put(conn, [Message("k", MessageKind.NOTICE, "7", text)], NOW)
        assert await facts.load(conn, DEAL) == (odd,)


async def test_an_unreachable_database_is_said_so() -> None:
    database = Database.open("postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable) as fault:
        async with database.begin():
            pass
    await database.close()
    assert str(fault.value) == (
        "PostgreSQL 127.0.0.1:1/none does not answer or cannot write (ConnectionRefusedError)"
    )
    assert fault.value.remedy == (
        "PostgreSQL не отвечает или не пишет (127.0.0.1:1, база none; ConnectionRefusedError): запущен ли "
        "сервер, верны ли имя базы и пароль в B24SLA_DATABASE_URL, есть ли место"
    )


@pytest.mark.parametrize("shared_url", ["postgresql"], indirect=True)
async def test_a_database_that_the_server_does_not_have_is_named(shared_url: str) -> None:
    absent = Database.open(make_url(shared_url).set(database="absent").render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailable) as fault:
        async with absent.read():
            pass
    with pytest.raises(StoreUnavailable) as appending:
        await absent.append(slots, {"job": "j", "slot": "s", "holder": "h", "taken_at": NOW})
    await absent.close()
    for told in (fault.value, appending.value):
        assert "база absent; InvalidCatalogNameError)" in told.remedy


@pytest.mark.parametrize("shared_url", ["postgresql"], indirect=True)
async def test_a_strangers_lock_is_not_waited_for_for_ever(
    database: Database, shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert engine.POSTGRES_SETTINGS["lock_timeout"] == f"{engine.BUSY_SECONDS}s"
    monkeypatch.setitem(engine.POSTGRES_SETTINGS, "lock_timeout", "20ms")
    hindered = Database.open(shared_url)
    async with database.begin() as stranger:
        await stranger.exec_driver_sql("LOCK TABLE marks IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailable):
            async with hindered.read() as conn:
                await marks.get(conn, "sweep")
    await hindered.close()


async def test_a_full_or_foreign_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is no database " * 100)
    database = Database.open(f"sqlite:///{tmp_path}/x.db")
    with pytest.raises(StoreUnavailable) as fault:
        async with database.begin():
            pass
    await database.close()
    assert f"база {tmp_path}/x.db не читается или не пишется (SQLITE_NOTADB)" in fault.value.remedy


async def test_a_folder_that_cannot_be_made_is_the_databases_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailable, match="NotADirectoryError"):
        Database.open(f"sqlite:///{tmp_path}/file/var/x.db")


async def test_faults_show_no_stored_values(database: Database) -> None:
    row = {"job": "j", "slot": "s", "holder": "+79991234567", "taken_at": NOW}
    with pytest.raises(DBAPIError) as fault:
        async with database.begin() as conn:
            await conn.execute(sa.insert(slots), [row, row])
    assert "79991234567" not in str(fault.value)


@pytest.mark.parametrize(
    ("url", "dialect"),
    [
        ("sqlite:///x/y.db", "sqlite"),
        ("sqlite+aiosqlite:///x/y.db", "sqlite"),
        ("postgresql://u@h/d", "postgresql"),
        ("postgres://u@h/d", "postgresql"),
        ("postgresql+psycopg://u@h/d?sslmode=require", "postgresql"),
    ],
)
async def test_known_addresses(
    url: str, dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    database = Database.open(url)
    assert database.dialect == dialect
    await database.close()


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_unknown_addresses_are_refused_without_their_password(url: str) -> None:
    with pytest.raises(DatabaseUrlFault) as fault:
        Database.open(url)
    assert "secret" not in str(fault.value)


def test_json_stays_readable_unless_it_cannot_be_encoded() -> None:
    assert json_text({"text": "ё"}) == '{"text":"ё"}'
    assert json_text(["\ud83d"]) == '["\\ud83d"]'


def test_chunks_lose_nothing() -> None:
    assert [*chunks(range(5), 2)] == [[0, 1], [2, 3], [4]]


async def test_more_references_than_one_statement_takes(database: Database) -> None:
    many = [deal(number) for number in range(1, 1203)]
    async with database.begin() as conn:
        assert await facts.add(conn, [Fact(ref, FactKind.CREATED, "1", NOW, NOW) for ref in many]) == 1202
        assert all(len(some) == 1 for some in (await facts.load_many(conn, many)).values())
