"""A locked database and a full disk: 503, never 200 and never a long wait; afterwards everything goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from app.desk import Desk
from app.jobs.lead import lead
from app.jobs.tend import guarded
from app.model import Event
from app.store import arrivals, inbox
from app.store import engine as store_engine
from app.store.engine import Database, StoreUnavailable
from app.web import intake
from app.web.health import REFUSED, UNLED
from tests.web.town import EVENT_TOKEN, client_of, deal, desk_of

pytestmark = pytest.mark.anyio

HOOK = "/webhooks/bitrix24"
ARRIVED = "SELECT value ->> 0 FROM arrivals, json_each(events)"


def event(number: int) -> dict[str, str]:
    return {
        "event": "ONCRMDEALUPDATE",
        "data[FIELDS][ID]": str(number),
        "auth[application_token]": EVENT_TOKEN,
    }


def desk_with(file: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Desk:
    """A desk that waits for locks a twentieth of a second; `more` pragmas hold for all its connections."""
    pragmas = ("PRAGMA busy_timeout = 50", *store_engine.SQLITE_PRAGMAS[1:], *more)
    monkeypatch.setattr(store_engine, "SQLITE_PRAGMAS", pragmas)
    return desk_of(Database.open(f"sqlite:///{file}"))


@pytest.fixture
async def hasty(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    desk = desk_with(file, monkeypatch)
    yield desk
    await desk.db.close()


@pytest.fixture
async def filling(
    file: Path, monkeypatch: pytest.MonkeyPatch, other_process: sqlite3.Connection
) -> AsyncIterator[Desk]:
    """A desk whose disk has room for a few pages more."""
    [pages] = other_process.execute("PRAGMA page_count").fetchone()
    desk = desk_with(file, monkeypatch, f"PRAGMA max_page_count = {pages + 2}")
    yield desk
    await desk.db.close()


@pytest.fixture
def other_process(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that the service knows nothing of."""
    connection = sqlite3.connect(file, isolation_level=None)
    yield connection
    connection.close()


async def waiting(desk: Desk) -> set[str]:
    async with desk.db.begin() as conn:
        await inbox.take_in(conn)
        claims = await inbox.claim(conn, 10, desk.now(), "test", desk.rules.pace.watch)
        return {str(claim.subject) for claim in claims}


async def test_a_locked_database_is_503_and_recovers(hasty: Desk, other_process: sqlite3.Connection) -> None:
    async with client_of(hasty) as client:
        other_process.execute("BEGIN IMMEDIATE")
        refused = await client.post(HOOK, data=event(41))
        other_process.execute("ROLLBACK")
        taken = await client.post(HOOK, data=event(42))
    assert (refused.status_code, taken.status_code) == (503, 200)
    assert refused.headers["Retry-After"] == "10"
    assert "deal:42" in await waiting(hasty)


async def test_a_full_disk_is_503_and_recovers(filling: Desk, other_process: sqlite3.Connection) -> None:
    async with client_of(filling) as client:
        answers = [await client.post(HOOK, data=event(number)) for number in range(1, 300)]
        other_process.execute("DELETE FROM arrivals")
        after = await client.post(HOOK, data=event(1000))
    assert {answer.status_code for answer in answers} == {200, 503}
    assert (answers[-1].status_code, after.status_code) == (503, 200)


async def test_refusals_are_one_line_when_they_begin_and_one_when_they_end(
    hasty: Desk, other_process: sqlite3.Connection
) -> None:
    async with client_of(hasty) as client:
        other_process.execute("BEGIN IMMEDIATE")
        with capture_logs() as told:
            refused = [await client.post(HOOK, data=event(number)) for number in (41, 42, 43)]
            other_process.execute("ROLLBACK")
            taken = [await client.post(HOOK, data=event(number)) for number in (44, 45)]
    assert [answer.status_code for answer in (*refused, *taken)] == [503, 503, 503, 200, 200]
    assert [(line["event"], line.get("refused")) for line in told] == [
        ("events_refused", None),
        ("events_stored_again", 3),
    ]


async def test_a_database_that_takes_no_event_is_not_ready_until_one_is_taken(
    hasty: Desk, other_process: sqlite3.Connection
) -> None:
    async with client_of(hasty) as client:
        other_process.execute("BEGIN IMMEDIATE")
        await client.post(HOOK, data=event(41))
        refusing = await client.get("/readyz")
        other_process.execute("ROLLBACK")
        await client.post(HOOK, data=event(42))
        again = await client.get("/readyz")
    assert (refusing.status_code, refusing.json()["reasons"]) == (503, [REFUSED])
    assert (again.status_code, again.json()["reasons"]) == (200, [])


async def test_a_database_that_recovers_is_ready_again_although_no_event_comes(
    hasty: Desk, other_process: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "AGAIN_SECONDS", 0.01)
    async with client_of(hasty) as client:
        other_process.execute("BEGIN IMMEDIATE")
        await client.post(HOOK, data=event(41))
        other_process.execute("ROLLBACK")
        answer = await client.get("/readyz")
        for _ in range(1000):
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.01)
            answer = await client.get("/readyz")
    assert answer.json()["reasons"] == []
    assert await waiting(hasty) == set()


async def test_a_stop_waits_for_no_further_trial_of_the_database(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    again = asyncio.Event()

    async def refuse(*_: object) -> None:
        tried.append("")
        if len(tried) == 3:
            again.set()
        raise StoreUnavailable("away")

    monkeypatch.setattr(intake, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(arrivals, "append", refuse)
    taker = intake.Intake(desk)
    with pytest.raises(intake.NotStored):
        await taker.put(Event("ONCRMDEALUPDATE", deal(41)))
    await again.wait()
    await taker.close()
    tried.clear()
    for _ in range(100):
        await asyncio.sleep(0)
    assert tried == []


async def test_a_lease_that_cannot_be_renewed_is_a_reason_until_it_can(
    hasty: Desk, other_process: sqlite3.Connection
) -> None:
    async with client_of(hasty) as client:
        other_process.execute("BEGIN IMMEDIATE")
        await guarded("lead", lead, hasty)
        refusing = await client.get("/readyz")
        other_process.execute("ROLLBACK")
        await guarded("lead", lead, hasty)
        again = await client.get("/readyz")
    assert (refusing.status_code, refusing.json()["reasons"]) == (503, [UNLED])
    assert "desk.db" not in refusing.text
    assert (again.status_code, again.json()["reasons"]) == (200, [])


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (
            "ALTER DATABASE {0} SET default_transaction_read_only = on",
            "ALTER DATABASE {0} RESET default_transaction_read_only",
        ),
        ("ALTER TABLE leases RENAME TO gone", "ALTER TABLE gone RENAME TO leases"),
    ],
)
async def test_a_server_that_refuses_the_lease_is_a_reason_until_it_takes_it(
    database_url: str, spoil: str, mend: str
) -> None:
    name, admin = str(make_url(database_url).database), await asyncpg.connect(database_url)
    await admin.execute(spoil.format(name))
    desk = desk_of(Database.open(database_url))
    async with client_of(desk) as client:
        await guarded("lead", lead, desk)
        refusing = await client.get("/readyz")
        async with admin.transaction(readonly=False):
            await admin.execute(mend.format(name))
        await desk.db.close()
        await guarded("lead", lead, desk)
        again = await client.get("/readyz")
    await admin.close()
    await desk.db.close()
    assert (refusing.status_code, refusing.json()["reasons"]) == (503, [UNLED])
    assert (again.status_code, again.json()["reasons"]) == (200, [])


async def test_every_acknowledged_event_of_a_filling_disk_is_kept(
    filling: Desk, other_process: sqlite3.Connection
) -> None:
    async with client_of(filling) as client:
        answers = {number: await client.post(HOOK, data=event(number)) for number in range(1, 300)}
    said = {f"deal:{number}" for number, answer in answers.items() if answer.status_code == 200}
    kept = {subject for (subject,) in other_process.execute(ARRIVED)}
    assert said
    assert said <= kept


async def test_a_database_that_hangs_is_answered_within_our_patience(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.01)
    door = asyncio.Event()

    async def hang(_: object, __: object) -> None:
        await door.wait()

    monkeypatch.setattr(intake.Intake, "_store", hang)
    async with client_of(desk) as client:
        assert (await client.post(HOOK, data=event(41))).status_code == 503
        door.set()


async def test_memory_does_not_grow_while_the_database_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(intake, "MOST_WAITING", 5)
    door = asyncio.Event()

    async def hang(_: object, __: object) -> None:
        await door.wait()

    monkeypatch.setattr(intake.Intake, "_store", hang)
    taker = intake.Intake(desk)
    posts = [taker.put(Event("ONCRMDEALUPDATE", deal(number))) for number in range(50)]
    answers = await asyncio.gather(*posts, return_exceptions=True)
    assert {type(answer) for answer in answers} == {intake.NotStored}
    assert len(taker._waiting) <= 5
    door.set()
    await taker.close()


def test_sqlite_gives_up_sooner_than_a_sender_and_a_stop_would_wait() -> None:
    assert intake.PATIENCE_SECONDS <= 5
    assert store_engine.BUSY_SECONDS <= 5


async def test_the_same_desk_answers_pages_while_it_cannot_write(
    hasty: Desk, other_process: sqlite3.Connection
) -> None:
    other_process.execute("BEGIN IMMEDIATE")
    async with client_of(hasty) as client:
        answer: httpx.Response = await client.get("/api/v1/tickets")
    assert answer.status_code == 200
