"""When the decree comes, open tickets that wait for it are counted anew, once (sla.md 1)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.desk import Desk
from app.jobs.recount import AT_ONCE, recount
from app.model import Ledger
from app.pinning import Pin, pinned, pins_of
from app.rules import load_rules
from app.store import facts, rules_log, schema, tickets
from app.store.engine import StoreUnavailable
from tests.jobs.scenes import Scene, letter, scene, write
from tests.lives import at
from tests.store.builders import closed_ticket, cycle, deal, ledger, ticket

pytestmark = pytest.mark.anyio

OWN_CALENDAR = '[calendar.office]\nproduction_calendar = "days.json"\n\n[desk]'
OFF = {"date": "2026-11-26", "name": "перенос", "kind": "transferred_day_off"}


def days(*decreed: str) -> str:
    years: dict[str, Any] = {year: {"status": "decreed", "non_working": []} for year in decreed}
    if "2026" in years:
        years["2026"]["non_working"] = [OFF]
    return json.dumps({"years": years})


def the_decree_comes(town: Scene, folder: Path) -> None:
    write(folder / "days.json", days("2025", "2026"))
    town.desk.rules = load_rules(folder / "rules.toml")


async def test_open_provisional_tickets_move_and_the_ledger_says_why(tmp_path: Path) -> None:
    write(tmp_path / "days.json", days("2025"))
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", OWN_CALENDAR, 1)) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        before = (await town.ticket(case)).now_cycle.solution
        the_decree_comes(town, tmp_path)
        counted = [await recount(town.desk), await recount(town.desk)]
        await town.settle()
        ticket = await town.ticket(case)
        solution = ticket.now_cycle.solution
        again = await recount(town.desk)

        assert (before.due_at, before.provisional) == (at("26.11 16:00"), True)
        assert (solution.due_at, solution.provisional) == (at("27.11 16:00"), False)
        assert town.fields(case)["SLA_SOLVE_DUE"]
        assert causes(solution) == [f"decree:{ticket.rules_version}"]
        assert [*counted, again] == [1, 0, 0]


async def test_what_has_ended_is_not_touched(tmp_path: Path) -> None:
    write(tmp_path / "days.json", days("2025"))
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", OWN_CALENDAR, 1)) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        town.office.move(case, "closed_confirmed")
        await town.settle()
        the_decree_comes(town, tmp_path)

        assert await recount(town.desk) == 0


def causes(ledger: Ledger) -> list[str]:
    return [entry.cause for entry in ledger.entries if entry.kind.value == "retargeted"]


# --- a crowd of them ---------------------------------------------------------------------


MANY = 2 * AT_ONCE + 50
SAME = pytest.mark.portals("cloud-std", reason="the portal is not asked")
WAITING = replace(cycle(), solution=ledger(provisional=True))


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Desk]:
    """Many open tickets wait for a decree, which has just come."""
    write(tmp_path / "days.json", days("2025"))
    async with scene(tmp_path, rewritten=lambda text: text.replace("[desk]", OWN_CALENDAR, 1)) as town:
        rules, desk = town.desk.rules, town.desk
        waiting = [
            ticket(deal(number), cycles=(WAITING,), rules_version=rules.version)
            for number in range(1, MANY + 1)
        ]
        async with desk.db.begin() as conn:
            await rules_log.pin(conn, rules.version, rules.text, desk.now())
            await conn.execute(sa.insert(schema.tickets), [tickets._row(each) for each in waiting])
        the_decree_comes(town, tmp_path)
        yield desk


async def pins(conn: AsyncConnection) -> int:
    return (await conn.execute(sa.select(sa.func.count()).select_from(schema.facts))).scalar_one()


@SAME
async def test_a_crowd_is_pinned_a_few_at_a_time(crowd: Desk) -> None:
    before: list[int] = []

    async def look(conn: AsyncConnection) -> None:
        before.append(await pins(conn))

    crowd.db.fence = look
    assert await recount(crowd) == MANY
    grown = [after - first for first, after in pairwise([*before, MANY])]
    assert max(grown) <= AT_ONCE


@SAME
async def test_what_was_cut_short_goes_on_and_nobody_is_pinned_twice(crowd: Desk) -> None:
    begun = count()

    async def fail_in_the_middle(_: AsyncConnection) -> None:
        if next(begun) == 2:
            raise StoreUnavailable("no space left")

    crowd.db.fence = fail_in_the_middle
    with pytest.raises(StoreUnavailable):
        await recount(crowd)
    assert await recount(crowd) == MANY - 2 * AT_ONCE
    async with crowd.db.read() as conn:
        assert await pins(conn) == MANY


@SAME
async def test_one_that_ended_while_the_others_were_looked_for_is_left_alone(crowd: Desk) -> None:
    async def end_one(conn: AsyncConnection) -> None:
        await tickets.save(conn, closed_ticket(deal(7)), ())

    crowd.db.fence = end_one
    assert await recount(crowd) == MANY - 1
    async with crowd.db.read() as conn:
        assert pins_of(await facts.load(conn, deal(7))) == ()


@SAME
async def test_rules_that_somebody_has_just_applied_stand(crowd: Desk) -> None:
    """They wait for the ticket's next decision: a decree on top of the former ones would undo them."""
    async with crowd.db.begin() as conn:
        now = crowd.now()
        await facts.add(conn, [pinned(deal(7), (), Pin(now, "applied", "applied", "Соколов И."))])
    assert await recount(crowd) == MANY - 1
