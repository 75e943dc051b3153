"""Fields that do not take what is written, or are gone, over the whole road: told and never fought over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.commands.preparing import write_again
from app.demo.portal import values
from app.model import TicketClass
from app.store import stamps
from tests.jobs.scenes import Scene, letter, scene

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def parked(town: Scene) -> list[str]:
    async with town.desk.db.read() as conn:
        return [failure.error for failure in await stamps.failed(conn)]


async def later(town: Scene, times: int = 6) -> None:
    for _ in range(times):
        town.clock.advance(timedelta(minutes=20))
        await town.sweep()


async def test_dates_that_the_portal_skips_end_in_a_clear_failure(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as deaf:
        deaf.setitem(values._READERS, "datetime", lambda *_: values.SKIP)
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        [error] = await parked(town)
        assert "портал не сохранил поля" in error
        assert "«Срок решения»" in error
        tried = town.portal.calls_of("crm.item.update")
        await later(town)
        assert town.portal.calls_of("crm.item.update") == tried
        town.portal.unknown_fields.clear()  # the dates that were skipped
    async with town.desk.db.begin() as conn:
        await stamps.retry(conn, None, town.clock.now())
    await town.settle()
    assert town.fields(case)["SLA_SOLVE_DUE"]
    assert await parked(town) == []


async def test_deleted_field_waits_and_its_loss_is_nobodys_act(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.office.write(case, SLA_CLASS="emergency")
    await town.settle()
    assert town.portal.remove_userfields("_SLA_CLASS") == 3
    await later(town, 4)
    ticket = await town.ticket(case)
    assert (ticket.value, ticket.class_by_person) == (TicketClass.EMERGENCY, True)
    await town.desk.working_portal.provision(dry_run=False, layout=False)
    await write_again(town.desk)
    await later(town)
    assert town.fields(case)["SLA_CLASS"] == "emergency"
    assert await parked(town) == []
    town.portal.unknown_fields.clear()  # the field that was gone
