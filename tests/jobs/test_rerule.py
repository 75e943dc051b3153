"""Other rules applied to open tickets: on purpose, on the record, by whoever leads."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.commands import reporting, ruling, simulating
from app.commands.simulating import comparison
from app.commands.speech import Mistake
from app.jobs.lead import lead
from app.jobs.rerule import rerule
from app.metrics.periods import PeriodKind
from app.model import EntryKind, OutcomeWord
from app.pinning import pins_of
from app.rules import RulesFault, load_rules
from app.store import facts, rules_log
from app.store.engine import Database
from app.store.rules_log import Applied
from tests.jobs.scenes import Scene, letter, ref_of, scene, write
from tests.store.builders import HOUR, NOW

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="what the portal says of a card is the same everywhere"),
]

LONGER = '\n[class.standard]\nrespond = "6h"\nresolve = "30h"\n'
BY = "Соколов И."


def other_rules(town: Scene, folder: Path, more: str = LONGER) -> Path:
    write(folder / "other.toml", town.office.rules() + more)
    return folder / "other.toml"


async def applied(town: Scene, file: Path) -> None:
    """As the command asks and the service does, by the clock of the scene."""
    other = load_rules(file, default_since=town.desk.rules.desk.since)
    async with town.desk.db.begin() as conn:
        await rules_log.pin(conn, other.version, other.text, town.desk.now())
        await rules_log.ask(conn, Applied(other.version, town.desk.now(), BY, to_open=True))
    await rerule(town.desk)
    await town.settle()


async def test_open_tickets_get_the_new_terms_and_their_cards_follow(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        before = (await town.ticket(case)).now_cycle.solution.due_at
        await applied(town, other_rules(town, tmp_path))
        after = (await town.ticket(case)).now_cycle
        assert (after.reply.term, after.solution.term) == (timedelta(hours=6), timedelta(hours=30))
        assert before is not None
        assert after.solution.due_at is not None
        assert after.solution.due_at - before > timedelta(hours=6)
        assert str(town.fields(case)["SLA_SOLVE_DUE"]).startswith(f"{after.solution.due_at:%Y-%m-%d}")


async def test_a_breach_that_was_recorded_stays(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.until("24.11 15:00")
        await applied(town, other_rules(town, tmp_path))
        reply = (await town.ticket(case)).now_cycle.reply
        assert reply.outcome is OutcomeWord.BREACHED
        kinds = {entry.kind for entry in reply.entries if entry.cause.startswith("rules:")}
        assert kinds == {EntryKind.RETARGETED, EntryKind.SUPERSEDED}


async def test_who_applied_the_rules_stays_with_the_ticket(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        await applied(town, other_rules(town, tmp_path))
        async with town.desk.db.read() as conn:
            pins = pins_of(await facts.load(conn, ref_of(case)))
            [told] = await rules_log.history(conn)
        assert [pin.by for pin in pins] == ["", BY]
        assert (told.by, told.to_open, told.tickets, told.version) == (BY, True, 1, pins[-1].terms)


async def test_doing_it_again_touches_nobody(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        file = other_rules(town, tmp_path)
        await applied(town, file)
        await applied(town, file)
        async with town.desk.db.read() as conn:
            assert [each.tickets for each in await rules_log.history(conn)] == [0, 1]


async def test_the_running_service_does_it_when_there_is_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        await lead(town.desk)
        asking = ruling.apply_rules(town.desk.settings, other_rules(town, tmp_path), BY, to_open=True)
        command = asyncio.create_task(asking)
        for _ in range(500):
            if await rerule(town.desk):
                break
            await asyncio.sleep(0.01)
        assert await command
    assert "Карточки обновляет работающая служба" in capsys.readouterr().out


async def test_without_open_it_is_only_written_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        file = other_rules(town, tmp_path)
        await ruling.apply_rules(town.desk.settings, file, str(town.office.head), to_open=False)
        assert (await town.ticket(case)).now_cycle.reply.term == timedelta(hours=4)
        assert await rerule(town.desk) == 0
    told = capsys.readouterr().out
    assert "Записано: Соколов" in told
    assert "Новые обращения пойдут по этим правилам, когда B24SLA_RULES" in told


async def test_a_number_that_nobody_has_is_a_mistake(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        with pytest.raises(Mistake, match="4711"):
            await ruling.apply_rules(town.desk.settings, other_rules(town, tmp_path), "4711", to_open=False)


async def test_preview_tells_programs_what_would_move_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        assert await ruling.preview_rules(town.desk.settings, other_rules(town, tmp_path), as_json=True)
        async with town.desk.db.read() as conn:
            assert await rules_log.history(conn) == []
    [changed] = json.loads(capsys.readouterr().out)["changed"]
    assert changed["ref"] == f"deal:{case.id}"
    assert [clock["moved_minutes"] for clock in changed["clocks"]] == [120, 360]


async def test_faults_of_the_file_are_all_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        file = other_rules(town, tmp_path, '\n[class.standard]\nrespond = "1 day"\nresolv = "2h"\n')
        with pytest.raises(RulesFault) as refused:
            await simulating.simulate(town.desk.settings, file, 0, as_json=False, out=None, picture=None)
        assert len(refused.value.faults) == 2


async def test_what_if_reads_what_the_service_has_kept_and_never_the_portal(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.until("24.11 15:00")
        asked, other = town.portal.requests, load_rules(other_rules(town, tmp_path))
        found = await comparison(town.desk, other, None)
        assert town.portal.requests == asked
    [change] = found.changes
    assert (change.ref, change.before, change.after) == (ref_of(case), OutcomeWord.BREACHED, None)
    assert (found.cycles, found.folded) == (1, 0)


async def test_what_if_leaves_files_where_it_was_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with scene(tmp_path) as town:
        town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        sheet, picture = tmp_path / "out.xlsx", tmp_path / "out.png"
        file = other_rules(town, tmp_path)
        assert await simulating.simulate(
            town.desk.settings, file, 0, as_json=True, out=sheet, picture=picture
        )
    assert json.loads(capsys.readouterr().out)["rules"] == "other.toml"
    assert (sheet.read_bytes()[:2], picture.read_bytes()[:4]) == (b"PK", b"\x89PNG")


async def test_the_digest_of_a_period_that_was_never_sent_is_a_mistake_with_a_remedy(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        with pytest.raises(Mistake, match="--as-known 2026"):
            await reporting.digest_as_known(
                town.desk.settings, PeriodKind.DAY, date(2026, 11, 20), None, out=None, as_json=False
            )


async def test_both_databases_remember_who_asked(database: Database) -> None:
    asked = Applied("v2", NOW, BY, to_open=True)
    async with database.begin() as conn:
        await rules_log.ask(conn, Applied("v1", NOW - HOUR, BY, to_open=False))
        await rules_log.ask(conn, asked)
        assert await rules_log.waiting(conn) == [asked]
        await rules_log.done(conn, asked, 3, NOW + HOUR)
        assert await rules_log.waiting(conn) == []
        assert [each.tickets for each in await rules_log.history(conn)] == [3, None]
