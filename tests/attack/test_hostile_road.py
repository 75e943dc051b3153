"""What must not stop the road: one bad item, one dialog that cannot be searched, lost rights, odd answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import decision
from app.bitrix.portal import Portal
from app.demo.office import Case
from app.jobs import deliver, handle
from app.jobs.watch import watch
from app.model import Fact, Message, MessageKind, State
from app.store import inbox, outbox
from app.web import failures
from tests.jobs.scenes import FIRE, Scene, letter, ref_of, scene
from tests.lives import at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


def fire(town: Scene) -> Case:
    return town.office.receive(letter(FIRE, "Пожар"), town.office.agents[0])


async def minutes(town: Scene, count: int) -> None:
    for _ in range(count):
        await asyncio.wait_for(town.settle(), 20)
        town.clock.advance(timedelta(minutes=1))


async def failed(town: Scene) -> dict[str, list[str]]:
    async with town.desk.db.read() as conn:
        groups = (await failures.failed_work(conn)).groups
    return {kind: [each.key for each in found] for kind, found in groups.items() if found}


# --- one item's fault ---------------------------------------------------------------------


async def test_any_exception_in_one_item_leaves_the_others_alone(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = fire(town), fire(town)
    decide = decision.decide

    def decided(facts: Sequence[Fact], *rest: Any) -> Any:
        if facts[0].ref == ref_of(bad):
            raise AttributeError("a fault that nobody thought of")
        return decide(facts, *rest)

    monkeypatch.setattr("app.deciding.decide", decided)
    await minutes(town, 1)
    assert town.fields(good)["SLA_CLASS"] == "emergency"
    assert await failed(town) == {"inbox": [f"deal:{bad.id}"]}


# --- messages of unknown fate -------------------------------------------------------------


async def test_dialog_that_cannot_be_searched_does_not_silence_the_others(town: Scene) -> None:
    town.portal.faults.fail("imbot.v2.Chat.Message.send", "timeout_after_apply")
    lost = fire(town)
    await minutes(town, 1)
    town.portal.faults.fail("im.dialog.messages.get", "access", times=1000)
    other = fire(town)
    await minutes(town, 3)
    assert any(f"№{other.id}" in text for text in town.chat())
    [key] = (await failed(town))["outbox"]
    assert key.startswith(f"deal:{lost.id}/")


async def sender_dies(town: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between noting that messages go out and sending them."""

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(town.desk.working_portal, "write", dies)
        with pytest.raises(asyncio.CancelledError):
            await deliver.deliver_next(town.desk)


async def test_alert_of_a_sender_that_died_is_not_said_after_its_ticket_closed(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    town.clock.set(at("24.11 14:01"))
    await watch(town.desk)
    await handle.handle_next(town.desk)
    await sender_dies(town, monkeypatch)
    town.office.move(case, "closed_confirmed")
    await minutes(town, 5)
    assert town.portal.notices(town.office.head) == []


async def test_summary_of_unknown_fate_takes_no_new_line_along(town: Scene) -> None:
    old, new = (Message(f"deal:1/1/{name}/7", MessageKind.SUMMARY, "7", name) for name in ("old", "new"))
    now = town.clock.now()
    async with town.desk.db.begin() as conn:
        await outbox.put(conn, [old], now)
        await outbox.later(conn, old.key, now, "", unknown_fate=True)
        await outbox.put(conn, [new], now)
        outgoing = await outbox.due(conn, 50, now)
    letters = await deliver._letters(town.desk, outgoing)
    assert sorted([each.message.text for each in each.says] for each in letters) == [["new"], ["old"]]


# --- deleted, hidden, no longer ours ------------------------------------------------------


async def test_card_deleted_before_it_was_written_leaves_no_failed_work(town: Scene) -> None:
    case = fire(town)
    await town.portal.deliver(town.web, until=town.clock.now() + timedelta(seconds=10))
    await handle.handle_first(town.desk)
    await handle.handle_first(town.desk)
    town.portal.delete_item(2, case.id, by=1)
    await deliver.deliver_next(town.desk)
    await minutes(town, 3)
    assert (await town.ticket(case)).state is State.DELETED
    assert await failed(town) == {}


async def test_cards_that_vanish_one_by_one_are_lost_rights_too(town: Scene) -> None:
    cases = [town.office.receive(letter(), town.office.agents[0]) for _ in range(12)]
    await town.settle()
    await town.hide(cases, one_by_one=True)
    assert (await town.ticket(cases[-1])).state is State.NEW
    assert "rights" in town.desk.health.warnings


async def test_tickets_taken_for_deleted_come_back_with_the_rights(town: Scene) -> None:
    cases = [town.office.receive(letter(), town.office.agents[0]) for _ in range(12)]
    await town.settle()
    await town.hide(cases, one_by_one=True)
    for case in cases:
        town.portal.show(2, case.id)
    await minutes(town, 12)
    assert {(await town.ticket(case)).state for case in cases} == {State.NEW}
    assert "rights" not in town.desk.health.warnings


async def test_rights_stay_lost_until_one_of_the_missing_is_seen(town: Scene) -> None:
    cases = [town.office.receive(letter(), town.office.agents[0]) for _ in range(12)]
    await town.settle()
    await town.hide(cases)
    fire(town)
    await town.settle()
    await town.desk_puts(cases[0])
    await town.settle(events=False)
    assert (await town.ticket(cases[0])).state is State.NEW


async def test_many_cards_that_people_deleted_are_deleted(town: Scene) -> None:
    cases = [town.office.receive(letter(), town.office.agents[0]) for _ in range(12)]
    await town.settle()
    for case in cases:
        town.portal.delete_item(2, case.id, by=1)
    await town.settle()
    assert {(await town.ticket(case)).state for case in cases} == {State.DELETED}
    assert "rights" not in town.desk.health.warnings


async def test_ticket_of_a_source_that_the_rules_lost_is_left_in_peace(town: Scene) -> None:
    case = town.office.receive(letter(), town.office.agents[0])
    await town.settle()
    kept = tuple(source for source in town.desk.rules.sources if source.kind != "deal")
    town.desk.rules = replace(town.desk.rules, sources=kept)
    await town.until("24.11 14:01")
    assert (await town.ticket(case)).state is State.LEFT
    assert await watch(town.desk) == 0


# --- the fuse -----------------------------------------------------------------------------


@pytest.mark.portals("cloud-std", reason="our own fuse")
async def test_fuse_forgets_writes_of_an_hour_ago(town: Scene) -> None:
    case = fire(town)
    await town.settle()
    for number in range(deliver.FUSE - 1):
        town.portal.update_item(2, case.id, {"UF_CRM_SLA_CLASS_WHY": f"чужое {number}"}, by=1)
        await town.settle()
    town.clock.advance(timedelta(hours=2))
    town.portal.update_item(2, case.id, {"UF_CRM_SLA_CLASS_WHY": "чужое"}, by=1)
    await town.settle()
    assert await failed(town) == {}


# --- odd answers --------------------------------------------------------------------------


ODD_ANSWERS: dict[str, Callable[[bytes], bytes]] = {
    "half an emoji": lambda body: body.replace(b"ODD", b"\\ud83d"),
    "an assignee no database holds": lambda body: body.replace(
        b'"assignedById":10,', b'"assignedById":1e300,'
    ),
    "time is a text": lambda body: body.replace(b'"time":{', b'"time":"soon","was":{'),
    "a clock out of reason": lambda body: body.replace(b'"finish":', b'"finish":1e18,"was":'),
    "a negative clock": lambda body: body.replace(b'"finish":', b'"finish":-1e18,"was":'),
}


@pytest.mark.parametrize("name", ODD_ANSWERS)
async def test_odd_answer_stops_nobody(tmp_path: Path, name: str) -> None:
    async with scene(tmp_path, twist=ODD_ANSWERS[name]) as town:
        case = town.office.receive(letter(FIRE, "Пожар ODD"), town.office.agents[0])
        await minutes(town, 2)
        assert town.fields(case)["SLA_CLASS"] == "emergency"
        async with httpx.AsyncClient(transport=town.web, base_url="http://127.0.0.1:8080") as reader:
            for path in ("/", "/api/v1/tickets", f"/tickets/deal:{case.id}"):
                assert (await reader.get(path)).status_code == 200
        async with town.desk.db.read() as conn:
            assert (await inbox.lag(conn, town.clock.now()))[0] == 0


# --- a portal that was not prepared -------------------------------------------------------


async def test_missing_fields_are_told_and_written_once_they_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Portal, "provision", _nothing)
        scene_without_fields = scene(tmp_path)
        town = await scene_without_fields.__aenter__()
    try:
        case = fire(town)
        await minutes(town, 2)
        assert any(f"№{case.id}" in text for text in town.chat())
        assert "b24sla provision" in town.desk.health.warnings["cards"]
        await town.desk.working_portal.provision(dry_run=False, layout=False)
        await minutes(town, 7)
        assert town.fields(case)["SLA_CLASS"] == "emergency"
        assert "cards" not in town.desk.health.warnings
    finally:
        await scene_without_fields.__aexit__(None, None, None)


async def _nothing(*_: object, **__: object) -> list[object]:
    return []
