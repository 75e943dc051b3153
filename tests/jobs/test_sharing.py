"""Two processes on one database share one budget: a running service and a command by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, cast

import pytest
import sqlalchemy as sa

from app import serving
from app.bitrix.portal import Portal
from app.commands import reconciling, reporting, ruling
from app.commands import sharing as sharing_module
from app.commands.sharing import SMALLEST, sharing
from app.commands.speech import Mistake, answered
from app.desk import Desk, TakenOver, open_desk
from app.jobs.ask import ASKED, Question, answer, ask, asked
from app.jobs.lead import lead
from app.model import Lane
from app.serving import answer_asked
from app.store import leases, marks, schema
from app.store.engine import StoreUnavailable
from app.store.rules_log import Applied
from benchmarks.ground import Town, town
from tests.lives import at

if TYPE_CHECKING:
    from app.jobs.report import Report

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="a self-hosted portal has no limits"),
]

SOON = timedelta(seconds=5)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def service(place: Town) -> AsyncIterator[Desk]:
    """The running service: it holds the lease and does what it is asked for."""
    assert await lead(place.desk)

    async def serve() -> None:
        while True:
            await answer_asked(place.desk)
            await asyncio.sleep(0.005)

    serving = asyncio.create_task(serve())
    yield place.desk
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


@asynccontextmanager
async def command(place: Town) -> AsyncIterator[Desk]:
    """Another process on the same database, in front of the same portal."""

    def portal_of(config: object, clock: object) -> Portal:
        return Portal(config, clock, place.road)  # type: ignore[arg-type]

    async with open_desk(place.desk.settings, clock=place.clock, portal_of=portal_of) as desk:
        yield desk


def capacity(desk: Desk) -> float:
    return desk.working_portal.budget.pacing(desk.now()).capacity


async def test_command_by_hand_works_with_a_part_of_the_services_budget(place: Town, service: Desk) -> None:
    whole = capacity(service)
    async with command(place) as by_hand, sharing(by_hand):
        assert 0 < capacity(by_hand) < capacity(service) < whole
        assert capacity(by_hand) + capacity(service) == pytest.approx(whole)
    assert capacity(service) == whole


async def test_two_commands_at_once_share_what_is_lent(place: Town, service: Desk) -> None:
    whole = capacity(service)
    async with command(place) as one, command(place) as two, sharing(one), sharing(two):
        assert capacity(one) + capacity(two) + capacity(service) == pytest.approx(whole)
    assert capacity(service) == pytest.approx(whole)


async def test_neither_is_refused_when_both_ask_all_they_may(place: Town, service: Desk) -> None:
    async def busy(desk: Desk, lane: Lane) -> None:
        for _ in range(60):
            await desk.working_portal.people(lane)

    async with command(place) as by_hand, sharing(by_hand):
        await asyncio.gather(busy(service, Lane.URGENT), busy(by_hand, Lane.URGENT))
    assert place.portal.refused.total() == 0


async def test_loan_of_a_command_that_died_comes_back_by_itself(place: Town, service: Desk) -> None:
    whole = capacity(service)
    async with command(place) as by_hand:
        await ask(by_hand, "lend", {"seconds": 600}, SOON)
    assert capacity(service) < whole
    place.clock.leap(timedelta(minutes=10))
    assert capacity(service) == whole


async def test_service_that_does_not_answer_leaves_the_smallest_part(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing_module, "PATIENCE", timedelta(0))
    assert await lead(place.desk)
    async with command(place) as by_hand, sharing(by_hand):
        assert by_hand.working_portal.budget.pacing(by_hand.now()).share == SMALLEST.share


async def test_command_without_a_service_has_everything_and_keeps_a_starting_one_waiting(place: Town) -> None:
    async with command(place) as by_hand:
        whole = capacity(by_hand)
        async with sharing(by_hand):
            assert capacity(by_hand) == whole
            assert not await lead(place.desk)
        assert await lead(place.desk)


# --- in place of a service ---------------------------------------------------------------


APPLIED = Applied("v1", at("24.11 10:00"), "Соколов И.", to_open=True)
ACTS: dict[str, tuple[ModuleType, str, Callable[[Desk], Awaitable[object]]]] = {
    "rules apply": (ruling, "rerule", lambda desk: ruling._done(desk, APPLIED)),
    "digest": (
        reporting,
        "send_report",
        lambda desk: reporting._send_by_hand(desk, cast("Report", None), None),
    ),
    "reconcile": (reconciling, "_reconcile_here", lambda desk: reconciling.reconcile(desk.settings)),
}


@pytest.mark.parametrize("act", ACTS)
async def test_command_keeps_the_lease_for_as_long_as_it_works(
    place: Town, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    module, name, command_of = ACTS[act]
    until: list[int] = []

    async def works(desk: Desk, *_args: object) -> int:
        until.append(await lease_ends(desk))
        for _ in range(500):
            if await lease_ends(desk) > until[0]:
                break
            await asyncio.sleep(0.002)
        until.append(await lease_ends(desk))
        return 0

    monkeypatch.setattr(sharing_module, "PACE", timedelta(milliseconds=5))
    monkeypatch.setattr(module, name, works)
    await command_of(place.desk)
    assert until[1] > until[0]
    assert await lease_ends(place.desk) == 0, "given back"


@pytest.mark.parametrize("act", ACTS)
async def test_command_that_another_process_took_over_from_writes_nothing_more(
    place: Town, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    module, name, command_of = ACTS[act]
    refused: list[bool] = []

    async def works(desk: Desk, *_args: object) -> int:
        async with command(place) as other, other.db.begin() as conn:
            await leases.release(conn, leases.PORTAL, desk.name)
            await leases.take(conn, leases.PORTAL, other.name, SOON)
        try:
            async with desk.db.begin():
                refused.append(False)
        except TakenOver:
            refused.append(True)
        return 0

    monkeypatch.setattr(module, name, works)
    await command_of(place.desk)
    assert refused == [True]


async def test_renewal_that_failed_once_ends_no_command(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    renewals = 0

    async def renews(_: Desk) -> bool:
        nonlocal renewals
        renewals += 1
        if renewals == 2:
            raise StoreUnavailable("no answer")
        return await lead(place.desk)

    monkeypatch.setattr(sharing_module, "PACE", timedelta(milliseconds=5))
    monkeypatch.setattr(sharing_module, "lead", renews)
    async with sharing(place.desk):
        for _ in range(500):
            if renewals > 3:
                break
            await asyncio.sleep(0.002)
    assert renewals > 3


async def lease_ends(desk: Desk) -> int:
    """In milliseconds, by the database's clock."""
    async with desk.db.read() as conn:
        found: int = (await conn.execute(sa.select(schema.leases.c.until_millis))).scalar_one()
        return found


# --- asking for a duty -------------------------------------------------------------------


async def test_digest_by_hand_is_sent_by_the_service(place: Town, service: Desk) -> None:
    async with command(place) as by_hand:
        told = await ask(by_hand, "digest", {"period": "day", "on": "2026-11-23"}, timedelta(minutes=1))
        assert by_hand.working_portal.traffic.requests == 0
    assert answered(told) == {}
    sent = [message for message in place.portal.messages(place.office.chat) if message["file"]]
    assert len(sent) == 2


async def test_sweep_is_done_by_the_service(place: Town, service: Desk) -> None:
    place.portal.add_deal("Обращение", category=place.office.category)
    async with command(place) as by_hand:
        assert await ask(by_hand, "reconcile", {}, SOON) == {"found": 1, "fault": None}
        assert by_hand.working_portal.traffic.requests == 0


async def test_fault_of_the_portal_is_the_answer(place: Town, service: Desk) -> None:
    place.portal.faults.fail(None, "http502", times=10)
    async with command(place) as by_hand:
        told = await ask(by_hand, "digest", {"period": "day", "on": None}, timedelta(minutes=1))
    with pytest.raises(Mistake, match="HTTP 502"):
        answered(told)


async def test_duty_that_this_version_does_not_know_is_told_so(place: Town, service: Desk) -> None:
    async with command(place) as by_hand:
        with pytest.raises(Mistake, match="другой версии"):
            answered(await ask(by_hand, "dance", {}, SOON))


@pytest.mark.parametrize(
    ("fault", "told"),
    [(StoreUnavailable("no answer"), "база данных"), (ArithmeticError(), "внутренняя ошибка")],
)
async def test_whatever_goes_wrong_is_answered_and_not_done_again(
    place: Town, service: Desk, monkeypatch: pytest.MonkeyPatch, fault: Exception, told: str
) -> None:
    tries = 0

    async def fails(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise fault

    monkeypatch.setattr(serving, "make_report", fails)
    async with command(place) as by_hand:
        with pytest.raises(Mistake, match=told):
            answered(await ask(by_hand, "digest", {"period": "day", "on": None}, SOON))
    assert tries == 1


async def test_question_of_a_command_that_was_killed_is_done_by_nobody(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(marks, "forget", never)  # killed: it takes nothing away
        async with command(place) as by_hand:
            assert await ask(by_hand, "lend", {"seconds": 600}, timedelta(0)) is None
    whole = capacity(place.desk)
    assert not await answer_asked(place.desk)
    async with place.desk.db.read() as conn:
        assert await marks.under(conn, ASKED) == {}
    assert capacity(place.desk) == whole


async def never(*_: object) -> None:
    """Nothing is done."""


async def test_answer_for_somebody_who_has_gone_is_not_kept(place: Town) -> None:
    await answer(place.desk, Question("gone", "reconcile", {}), {"found": 0})
    async with command(place) as by_hand:
        assert await ask(by_hand, "reconcile", {}, timedelta(0)) is None
    assert await asked(place.desk) == []


async def test_retrying_failed_work_asks_nothing_of_the_portal(place: Town) -> None:
    """It only puts rows back: the service reads and writes them."""
    async with open_desk(place.desk.settings, clock=place.clock, role="web") as by_hand:
        assert by_hand.portal is None
