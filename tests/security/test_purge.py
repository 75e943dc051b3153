"""`purge`: words leave the database and its files, figures stay, and nothing brings the words back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.clock import SetClock
from app.commands import purging
from app.commands.speech import Mistake
from app.demo.office import Case
from app.desk import Desk
from app.jobs.purge import purge, purge_nightly
from app.jobs.report import make_report
from app.metrics.digest_tree import digest_tree
from app.metrics.periods import PeriodKind
from app.model import FactKind, State, TicketClass
from app.store import facts, outbox, outcomes, tickets
from app.web.figures import Question, read_for
from tests.jobs.scenes import SMS, Scene, letter, ref_of, scene
from tests.lives import at

pytestmark = pytest.mark.anyio

NAME = "Златокрылова"
TITLE, TEXT = f"Код не приходит, {NAME}", f"{SMS} Пишет {NAME}, квартира сто семь"
ANSWER = f"{NAME}, проверили настройки, попробуйте ещё раз"
LATER = date(2026, 12, 20)


async def solved(town: Scene, when: str = "24.11") -> Case:
    """A ticket that was answered, solved and confirmed within a day."""
    case = town.office.receive(letter(TEXT, TITLE), town.office.agents[0])
    await town.settle()
    await town.until(f"{when} 10:20")
    town.office.reply(case, ANSWER)
    await town.until(f"{when} 11:00")
    town.office.move(case, "resolved")
    await town.until(f"{when} 12:00")
    town.office.move(case, "closed_confirmed")
    await town.settle()
    return case


async def everything(desk: Desk) -> str:
    """Every value of every table, as text."""
    from app.store.schema import metadata

    async with desk.db.read() as conn:
        rows = [list((await conn.execute(table.select())).all()) for table in metadata.tables.values()]
    return repr(rows)


def on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("desk.db*"))


async def figures(desk: Desk) -> list[Any]:
    """Every KPI of two months, by class too, and a digest without the words that it quotes."""
    asked = [Question(date(2026, 11, 1), date(2026, 12, 31), value=value) for value in (None, *TicketClass)]
    book = await read_for(desk, *asked)
    tree = digest_tree((await make_report(desk, PeriodKind.DAY, date(2026, 11, 24))).digest)
    return [_wordless(tree), *(book.figures(question) for question in asked)]


def _wordless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _wordless(inner) for key, inner in value.items() if key not in {"title", "trouble"}}
    return [_wordless(inner) for inner in value] if isinstance(value, list) else value


async def test_the_words_are_gone_and_the_figures_are_not(tmp_path: Path, database_url: str) -> None:
    async with scene(tmp_path, database=database_url) as town:
        await solved(town)
        await town.sweep()
        moment, before = town.clock.now(), await figures(town.desk)
        assert NAME in await everything(town.desk)
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        assert await town.desk.db.scrub()
        assert NAME not in await everything(town.desk)
        town.clock.set(moment)
        assert await figures(town.desk) == before
    assert before[0]["figures"]["solved"]["value"] == 1


async def test_the_words_are_gone_from_the_files_too(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await solved(town)
        assert NAME.encode() in await asyncio.to_thread(on_disk, tmp_path)
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        assert await town.desk.db.scrub()
        assert NAME.encode() not in await asyncio.to_thread(on_disk, tmp_path)


async def test_a_dry_run_only_counts(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await solved(town)
        town.clock.set(at("20.12 12:00"))
        before = await everything(town.desk)
        done = await purge(town.desk, LATER, dry_run=True)
        assert (done.tickets, done.texts > 3) == (1, True)
        assert await everything(town.desk) == before


async def test_a_second_purge_finds_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await solved(town)
        town.clock.set(at("20.12 12:00"))
        assert (await purge(town.desk, LATER)).tickets == 1
        assert (await purge(town.desk, LATER)).tickets == 0


@pytest.mark.parametrize(("before", "count"), [("2026-11-24", 0), ("2026-11-25", 1)])
async def test_only_what_ended_before_the_day_is_taken(tmp_path: Path, before: str, count: int) -> None:
    async with scene(tmp_path) as town:
        await solved(town)
        town.office.receive(letter(TEXT, TITLE), town.office.agents[0])
        await town.settle()
        town.clock.set(at("20.12 12:00"))
        assert (await purge(town.desk, date.fromisoformat(before))).tickets == count


# --- what comes after ---------------------------------------------------------------------


async def test_a_later_reading_brings_no_word_back(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        town.office.write(case, SLA_CSAT=5)
        await town.settle()
        await town.sweep()
        await town.desk_puts(case)
        await town.settle()
        assert NAME not in await everything(town.desk)
        async with town.desk.db.read() as conn:
            assert len(await outcomes.of_ticket(conn, ref_of(case))) == 1


async def test_a_ticket_that_is_opened_again_is_served_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        first = (await town.ticket(case)).cycles[0]
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        await town.until("21.12 10:00")
        town.office.move(case, "in_progress")
        await town.settle()
        again = await town.ticket(case)
    assert (again.open, again.title, again.cycle) == (True, TITLE, 2)
    assert again.cycles[0].reply.outcome_at == first.reply.outcome_at
    assert again.cycles[0].solution.spent == first.solution.spent


async def test_a_purged_ticket_that_is_deleted_in_the_portal_is_deleted_here(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        town.portal.delete_item(2, case.id)
        await town.settle()
        await town.desk_puts(case)
        await town.settle()
        assert (await town.ticket(case)).state == "deleted"
        assert NAME not in await everything(town.desk)


async def test_no_message_is_said_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        async with town.desk.db.read() as conn:
            keys = await outbox.said(conn, ref_of(case))
        town.clock.set(at("20.12 12:00"))
        await purge(town.desk, LATER)
        async with town.desk.db.read() as conn:
            assert await outbox.said(conn, ref_of(case)) == keys
            assert await outbox.texts(conn, ref_of(case)) == []


# --- every night --------------------------------------------------------------------------


async def test_the_night_takes_what_is_older_than_the_rules_allow(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        keep = town.desk.rules.keep_words
        assert keep == timedelta(days=1095)
        for days, count in ((1094, 0), (1097, 1), (1098, 0)):
            town.clock.set(at("24.11 04:00") + timedelta(days=days))
            assert await purge_nightly(town.desk) == count
        async with town.desk.db.read() as conn:
            told = await facts.load(conn, ref_of(case))
        assert NAME not in json.dumps([dict(fact.value) for fact in told], ensure_ascii=False)
        assert {fact.kind for fact in told} >= {FactKind.STAGE, FactKind.UTTERANCE, FactKind.FIELD}
        assert NAME.encode() not in await asyncio.to_thread(on_disk, tmp_path)


async def test_it_is_done_once_a_night_and_not_in_the_evening(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        await solved(town)
        assert isinstance(town.clock, SetClock)
        town.clock.set(at("24.11 02:59") + timedelta(days=1200))
        assert await purge_nightly(town.desk) == 0
        town.clock.advance(timedelta(minutes=2))
        assert await purge_nightly(town.desk) == 1
        assert await purge_nightly(town.desk) == 0


async def test_a_ticket_that_comes_back_just_then_keeps_its_words_and_its_work(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = await solved(town)
        town.clock.set(at("20.12 04:00"))
        ended = await town.ticket(case)
        cycle = replace(ended.now_cycle, closed_at=None, solved_at=None)
        back = replace(ended, state=State.IN_PROGRESS, cycles=(cycle,), read_at=town.clock.now())

        async def reopen(conn: AsyncConnection) -> None:
            """Another transaction, after the old tickets were looked for."""
            town.desk.db.fence = None
            await tickets.save(conn, back, ())

        town.desk.db.fence = reopen
        await purge(town.desk, LATER)
        assert await town.ticket(case) == back
        assert ANSWER in await everything(town.desk)


# --- one client's ---------------------------------------------------------------------------


async def test_one_clients_words_go_and_the_others_stay(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        mine, other = await solved(town), await solved(town, "25.11")
        town.clock.set(at("20.12 12:00"))
        assert (await purge(town.desk, LATER, client=f"contact:{mine.contact}")).tickets == 1
        async with town.desk.db.read() as conn:
            known = await tickets.load_many(conn, [ref_of(mine), ref_of(other)])
    assert (known[ref_of(mine)].title, known[ref_of(other)].title) == ("", TITLE)


@pytest.mark.parametrize(
    ("before", "client", "words"),
    [(date(2200, 1, 1), "", "ещё не наступило"), (None, "contact:999", "в базе нет")],
)
async def test_what_cannot_be_is_refused_in_words(
    tmp_path: Path, before: date | None, client: str, words: str
) -> None:
    async with scene(tmp_path) as town:
        with pytest.raises(Mistake, match=words):
            await purging.purge(town.desk.settings, before, client, dry_run=False, as_json=False)


async def test_a_client_with_an_open_ticket_must_wait(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(TEXT, TITLE), town.office.agents[0])
        await town.settle()
        with pytest.raises(Mistake, match=f"незавершённые обращения \\({ref_of(case)}\\)"):
            await purging.purge(
                town.desk.settings, None, f"contact:{case.contact}", dry_run=False, as_json=False
            )
