"""A person's change that our own write overtakes: known with its author, and never lost (contract.md 5)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.demo.office import Case
from app.jobs.deliver import deliver_next
from app.jobs.handle import handle_next
from app.model import FactKind, TicketClass
from app.store import facts
from tests.jobs.scenes import Scene, letter, ref_of, scene

pytestmark = pytest.mark.anyio
LATER = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


def change(town: Scene, case: Case, by: int, **fields: object) -> None:
    prefix = "UF_CRM_" if case.place == 2 else f"UF_CRM_{town.office.type_id}_"
    named = {prefix + code: value for code, value in fields.items()}
    town.portal.update_item(int(case.place), case.id, named, by)


async def stamp_is_about_to_go(town: Scene, channel: str = "email", **fields: object) -> Case:
    """An agent's change or answer was read and decided on; the stamp that follows waits to be written."""
    case = town.office.receive(letter(channel=channel), town.office.agents[0])
    await town.settle()
    if fields:
        change(town, case, case.agent, **fields)
    else:
        town.office.reply(case, "Проверили, сейчас всё должно работать")
    town.clock.advance(timedelta(seconds=2))
    await town.desk_puts(case)
    town.portal.drop_pending()
    assert await handle_next(town.desk)
    return case


async def overtaken(town: Scene) -> None:
    """The stamp lands before the person's event is heard of."""
    assert await deliver_next(town.desk)
    await town.settle()


async def actors(town: Scene, case: Case, code: str) -> list[int | None]:
    async with town.desk.db.read() as conn:
        known = await facts.load(conn, ref_of(case))
    return [f.actor for f in known if f.kind is FactKind.FIELD and f.value["code"] == code]


@pytest.mark.parametrize("channel", ["email", "telegram"])
@pytest.mark.parametrize("agents", [{"SLA_CLASS": "consultation"}, {}])
async def test_heads_extension_counts_though_our_stamp_came_after_it(
    town: Scene, channel: str, agents: dict[str, object]
) -> None:
    case = await stamp_is_about_to_go(town, channel, **agents)
    change(town, case, town.office.head, SLA_SOLVE_DUE=LATER, SLA_EXT_REASON="Ждём деталь от поставщика")
    await overtaken(town)
    ticket = await town.ticket(case)
    assert (ticket.now_cycle.solution.extended, ticket.now_cycle.solution.due_at) == (True, LATER)
    assert await actors(town, case, "SLA_SOLVE_DUE") == [town.office.head]
    shown = town.fields(case)
    assert (shown["SLA_SOLVE_DUE"], shown["SLA_EXT_BY"]) == (LATER, town.office.head)
    assert not [note for note in ticket.notes if note.startswith("extension")]


async def test_agents_wish_is_shown_as_the_agents_and_put_back(town: Scene) -> None:
    case = await stamp_is_about_to_go(town)
    due_at = (await town.ticket(case)).now_cycle.solution.due_at
    change(town, case, town.office.agents[1], SLA_SOLVE_DUE=LATER)
    await overtaken(town)
    ticket = await town.ticket(case)
    assert not ticket.now_cycle.solution.extended
    assert await actors(town, case, "SLA_SOLVE_DUE") == [town.office.agents[1]]
    assert town.fields(case)["SLA_SOLVE_DUE"] == due_at
    assert [note for note in ticket.notes if note.startswith("extension_asked")]


async def test_class_that_a_person_chose_is_not_written_over(town: Scene) -> None:
    case = await stamp_is_about_to_go(town, SLA_CLASS="consultation")
    change(town, case, town.office.head, SLA_CLASS="emergency")
    await overtaken(town)
    assert (await town.ticket(case)).value is TicketClass.EMERGENCY
    assert town.fields(case)["SLA_CLASS"] == "emergency"


async def test_own_stamp_sees_nothing_new_in_itself(town: Scene) -> None:
    case = await stamp_is_about_to_go(town, SLA_CLASS="consultation")
    await overtaken(town)
    assert await actors(town, case, "SLA_SOLVE_DUE") == []
    writes = town.portal.writes[(2, case.id)]
    for _ in range(3):
        await town.desk_puts(case)
        await town.settle()
    assert town.portal.writes[(2, case.id)] == writes


async def test_first_stamp_needs_no_look(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    assert await handle_next(town.desk) is False
    await town.desk_puts(case)
    await handle_next(town.desk)
    listed = town.portal.calls_of("crm.item.list")
    await deliver_next(town.desk)
    assert town.portal.calls_of("crm.item.list") == listed


async def test_extension_read_in_time_names_who_gave_it(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    change(town, case, town.office.head, SLA_SOLVE_DUE=LATER, SLA_EXT_REASON="Ждём деталь")
    await town.settle()
    assert town.fields(case)["SLA_EXT_BY"] == town.office.head
