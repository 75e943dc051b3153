"""A copy while the service works, and the day after it is restored: nothing lost, nothing said twice."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from app.bitrix.portal import Portal
from app.commands import backing_up
from app.commands.speech import Mistake
from app.demo.office import Case
from app.desk import open_desk
from app.jobs.notice import RESTORED, declare_restored, notice_restored
from app.jobs.refresh import refresh_people
from app.jobs.report import send_due
from app.model import Event
from app.store import inbox, marks, tickets
from app.store.copies import COPIED, CopyFault, copy_file
from app.store.engine import Database
from app.web.application import create_app
from app.web.intake import Intake
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene
from tests.lives import at
from tests.web.town import deal, desk_of

pytestmark = pytest.mark.anyio


# --- the copy -------------------------------------------------------------------------------


async def test_a_copy_taken_under_load_is_whole(file: Path, tmp_path: Path) -> None:
    desk = desk_of(Database.open(f"sqlite:///{file}"))
    intake, stored, warm = Intake(desk), 0, asyncio.Event()

    async def load() -> None:
        nonlocal stored
        for number in range(1, 400):
            await intake.put(Event("ONCRMDEALUPDATE", deal(number)))
            stored = number
            if number == 50:
                warm.set()

    pounding = asyncio.create_task(load())
    await warm.wait()
    at_least = stored
    await asyncio.to_thread(copy_file, file, tmp_path / "copy.db", desk.now())
    assert not pounding.done()
    await pounding
    await intake.close()
    await desk.db.close()
    copy = Database.open(f"sqlite:///{tmp_path / 'copy.db'}")
    async with copy.read() as conn:
        kept, _ = await inbox.lag(conn, desk.now())
        assert await marks.get(conn, COPIED) == desk.now().isoformat()
    await copy.close()
    assert at_least <= kept <= 399


def test_a_copy_is_one_file_for_its_owner_only(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    copy_file(file, folder / "copy.db", at("24.11 10:00"))
    assert [(each.name, each.stat().st_mode & 0o777) for each in folder.iterdir()] == [("copy.db", 0o600)]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 1000)
    with pytest.raises(CopyFault):
        copy_file(tmp_path / "broken.db", tmp_path / "copy.db", at("24.11 10:00"))
    assert [each.name for each in tmp_path.iterdir()] == ["broken.db"]


async def test_the_command_names_its_file_and_refuses_to_overwrite(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        settings = town.desk.settings
        assert await backing_up.backup(settings, tmp_path / "copy.db", restored=False)
        assert "copy.db" in capsys.readouterr().out
        with pytest.raises(Mistake, match="уже есть"):
            await backing_up.backup(settings, tmp_path / "copy.db", restored=False)
        with pytest.raises(Mistake, match="назовите файл"):
            await backing_up.backup(settings, None, restored=False)


async def test_for_a_server_the_command_names_the_servers_own(tmp_path: Path, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return
    async with scene(tmp_path, database=database_url) as town:
        with pytest.raises(Mistake, match=r"pg_dump.+без \+asyncpg.+docs/restore\.md"):
            await backing_up.backup(town.desk.settings, tmp_path / "copy.db", restored=False)


# --- the day after --------------------------------------------------------------------------


def put_back(copy: Path, folder: Path) -> None:
    for beside in folder.glob("desk.db*"):
        beside.unlink()
    shutil.copy(copy, folder / "desk.db")


@asynccontextmanager
async def on_the_copy(town: Scene, copy: Path, folder: Path) -> AsyncIterator[Scene]:
    """The same portal, the same hour; the service starts on the older copy."""
    await asyncio.to_thread(put_back, copy, folder)
    road = httpx.ASGITransport(app=town.portal.app)
    async with open_desk(
        town.desk.settings, clock=town.clock, portal_of=lambda config, now: Portal(config, now, road)
    ) as desk:
        await notice_restored(desk)
        await refresh_people(desk)
        yield replace(town, desk=desk, web=httpx.ASGITransport(app=create_app(desk)))


def said(town: Scene, *cases: Case) -> Counter[str]:
    """Everything that people can read of us, notices by their tag: a repeat replaces the former."""
    comments = [f"{case.id} {one['text']}" for case in cases for one in town.portal.timeline(2, case.id)]
    return Counter([*town.chat(), *comments])


async def days_work(town: Scene) -> list[Case]:
    """An emergency whose reply is late, and another one, both known to everybody by three o'clock."""
    cases = [town.office.receive(letter(FIRE, f"Пожар {n}"), town.office.agents[0]) for n in (1, 2)]
    await town.settle()
    for hour in ("10:30", "11:00", "12:00", "14:00", "15:00"):
        await town.until(f"24.11 {hour}")
    return cases


async def test_nothing_is_said_twice_after_an_older_copy_was_restored(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await asyncio.to_thread(copy_file, tmp_path / "desk.db", tmp_path / "old.db", town.clock.now())
        cases = await days_work(town)
        before, spoken = said(town, *cases), len(town.chat())
        notices = {one: len(town.portal.notices(one)) for one in (town.office.head, *town.office.agents)}
    assert max(before.values()) == 1
    async with on_the_copy(town, tmp_path / "old.db", tmp_path) as again:
        await again.sweep()
        for hour in ("15:10", "16:00"):
            await again.until(f"24.11 {hour}")
        after = said(again, *cases)
        assert max(after.values()) == 1
        assert len(again.chat()) == spoken
        for person, count in notices.items():
            assert len(again.portal.notices(person)) <= count + 1


async def test_what_the_copy_missed_is_read_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await asyncio.to_thread(copy_file, tmp_path / "desk.db", tmp_path / "old.db", town.clock.now())
        cases = await days_work(town)
        lost = {ref_of(case): await town.ticket(case) for case in cases}
        fields = {case.id: town.fields(case) for case in cases}
    async with on_the_copy(town, tmp_path / "old.db", tmp_path) as again:
        async with again.desk.db.read() as conn:
            assert await tickets.load_many(conn, lost) == {}
        await again.sweep()
        for case in cases:
            found = await again.ticket(case)
            was = lost[ref_of(case)]
            assert (found.value, found.now_cycle.reply.outcome, found.now_cycle.solution.due_at) == (
                was.value, was.now_cycle.reply.outcome, was.now_cycle.solution.due_at,
            )  # fmt: skip
            assert again.fields(case) == fields[case.id]


async def test_what_comes_due_after_the_restoring_is_said(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await asyncio.to_thread(copy_file, tmp_path / "desk.db", tmp_path / "old.db", town.clock.now())
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
    async with on_the_copy(town, tmp_path / "old.db", tmp_path) as again:
        await again.sweep()
        before = len(again.portal.notices(town.office.head))
        for hour in ("10:30", "11:00", "11:30", "12:30", "14:00"):
            await again.until(f"24.11 {hour}")
        assert len(again.portal.notices(town.office.head)) == before + 1
        assert (await again.ticket(case)).now_cycle.reply.outcome == "breached"


async def test_the_mornings_digest_is_not_sent_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await town.sweep()
        town.clock.set(at("25.11 08:00"))
        await town.sweep()
        await asyncio.to_thread(copy_file, tmp_path / "desk.db", tmp_path / "old.db", town.clock.now())
        town.clock.set(at("25.11 09:06"))
        assert await send_due(town.desk) == 1
        before = len(town.chat())
    town.clock.set(at("25.11 11:00"))
    async with on_the_copy(town, tmp_path / "old.db", tmp_path) as again:
        await again.sweep()
        await send_due(again.desk)
        assert len(again.chat()) == before


async def test_the_gap_is_closed_by_the_first_start_only(tmp_path: Path, database_url: str) -> None:
    """Also where the copy came by pg_restore, and a person said so."""
    async with scene(tmp_path, database=database_url) as town:
        await town.sweep()
        swept = await declare_restored(town.desk)
        town.clock.set(at("24.11 15:00"))
        assert await notice_restored(town.desk)
        first = town.desk.gap
        town.clock.set(at("24.11 18:00"))
        assert await notice_restored(town.desk)
        assert town.desk.gap == first == (swept, at("24.11 15:00"))
        assert town.desk.forgot_what_it_said()
        town.clock.set(at("24.11 18:00").replace(month=12, day=20))
        assert not town.desk.forgot_what_it_said()
        async with town.desk.db.read() as conn:
            assert await marks.get(conn, RESTORED)


async def test_a_database_that_was_never_copied_has_no_gap(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        assert not await notice_restored(town.desk)
        assert (town.desk.gap, town.desk.forgot_what_it_said()) == (None, False)


def test_a_copy_opens_in_any_sqlite(file: Path, tmp_path: Path) -> None:
    copy_file(file, tmp_path / "copy.db", at("24.11 10:00"))
    with sqlite3.connect(tmp_path / "copy.db") as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert plain.execute("SELECT count(*) FROM tickets").fetchone() == (0,)
    plain.close()
