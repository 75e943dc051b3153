"""What `reconcile` answers for: everything found has reached the portal (contract.md 1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.commands.reconciling import nothing_left
from app.jobs.ask import ask, asked
from app.jobs.report import send_due
from app.patience import GIVE_UP_AFTER, wait_after
from tests.jobs.scenes import Scene, letter, scene
from tests.lives import at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


async def test_a_delivered_ticket_leaves_nothing(town: Scene) -> None:
    town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    assert await nothing_left(town.desk)


@pytest.mark.parametrize("method", ["crm.item.update", "crm.timeline.comment.add", "crm.activity.list"])
async def test_what_waits_for_another_attempt_is_left(
    town: Scene, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    town.portal.faults.fail(method, "internal", times=1000)
    town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    assert not await nothing_left(town.desk)
    assert "Не доставлено: " in capsys.readouterr().out


async def test_dry_run_sends_no_digest(tmp_path: Path) -> None:
    async with scene(tmp_path, dry_run=True) as town:
        town.clock.set(at("25.11 09:06"))
        assert await send_due(town.desk) == 0


async def test_a_question_that_nobody_answers_is_given_up_and_not_done_later(town: Scene) -> None:
    assert await ask(town.desk, "reconcile", {}, wait_after(1) * 0) is None
    assert await asked(town.desk) == []


def test_waits_grow_to_ten_minutes_and_reach_the_giving_up() -> None:
    waits = [wait_after(attempt) for attempt in range(1, 200)]
    assert [wait.total_seconds() for wait in waits[:3]] == [5, 10, 20]
    assert waits == sorted(waits)
    assert waits[-1].total_seconds() == 600
    assert sum(wait.total_seconds() for wait in waits) > GIVE_UP_AFTER.total_seconds()
