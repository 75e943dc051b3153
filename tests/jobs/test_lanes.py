"""An emergency never waits behind a mass edit: ten thousand deals changed at once, then one call for help.

On a portal that keeps its limits. Its clock goes on by its own work, one request after another, so the
moments here are the latest that they could be.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.demo.office import Case
from app.jobs import handle
from app.jobs.handle import BATCH, handle_first, handle_next
from app.jobs.reconcile import reconcile
from app.jobs.watch import watch
from app.model import Event, ItemRef, Kind, Lane
from app.serving import go_on, hurry
from app.store import facts, inbox, stamps, tickets
from benchmarks.ground import TOKEN, Town, town
from benchmarks.lanes import beside_the_mass, fire, mass_edit
from tests.jobs.scenes import SMS, letter, ref_of

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="a self-hosted portal has no limits"),
]


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


async def test_emergency_beside_ten_thousand_changes_is_stamped_and_announced_at_once(place: Town) -> None:
    """Takes a while: ten thousand deals are searched at every request of the long pass."""
    await mass_edit(place)
    wait = await beside_the_mass(place)
    assert place.portal.refused.total() == 0
    for found in (wait.stamped, wait.told):
        assert found
        requests, took = found
        assert requests <= 12
        assert took < timedelta(seconds=30)


# --- what makes it so --------------------------------------------------------------------


async def lanes_of(place: Town) -> dict[str, Lane]:
    now = place.clock.now() + timedelta(seconds=1)
    async with place.desk.db.begin() as conn:
        await inbox.take_in(conn)
        claims = await inbox.claim(conn, BATCH, now, "test", timedelta(minutes=1))
    return {str(claim.subject): claim.lane for claim in claims}


async def put(place: Town, ref: ItemRef, lane: Lane) -> None:
    async with place.desk.db.begin() as conn:
        await inbox.put(conn, [(ref, lane, "test")], place.clock.now())


async def emergency(place: Town) -> Case:
    """One that the service knows."""
    case = await fire(place)
    await place.settle()
    return case


@pytest.mark.parametrize(
    ("event", "lane"),
    [
        ("ONCRMDEALADD", Lane.URGENT),
        ("ONCRMDYNAMICITEMADD_177", Lane.URGENT),
        ("ONTASKADD", Lane.URGENT),
        ("ONCRMACTIVITYADD", Lane.URGENT),
        ("ONTASKCOMMENTADD", Lane.URGENT),
        ("ONCRMDEALUPDATE", Lane.LIVE),
        ("ONCRMTIMELINECOMMENTADD", Lane.LIVE),
        ("ONCRMDEALDELETE", Lane.LIVE),
    ],
)
def test_what_is_new_or_said_goes_first(event: str, lane: Lane) -> None:
    assert Event(event, None).lane is lane


async def test_events_reach_the_inbox_in_their_lanes(place: Town) -> None:
    place.portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
    deal = place.portal.add_deal("Обращение", category=place.office.category)
    await place.portal.deliver(place.web, until=place.clock.now() + timedelta(seconds=10))
    assert (await lanes_of(place))[f"deal:{deal}"] is Lane.URGENT


async def test_change_of_an_open_emergency_goes_first(place: Town) -> None:
    case = await emergency(place)
    await put(place, ref_of(case), Lane.LIVE)
    assert await handle_first(place.desk)


async def test_change_of_another_ticket_waits_its_turn(place: Town) -> None:
    case = place.office.receive(letter(SMS), place.office.agents[0])
    await put(place, ref_of(case), Lane.LIVE)
    await place.settle()
    await put(place, ref_of(case), Lane.LIVE)
    assert not await handle_first(place.desk)


async def test_urgent_words_about_what_a_long_pass_holds_do_not_wait_for_its_end(place: Town) -> None:
    case = place.office.receive(letter(SMS), place.office.agents[0])
    await put(place, ref_of(case), Lane.LIVE)
    async with place.desk.db.begin() as conn:
        await inbox.claim(conn, 5, place.clock.now(), place.desk.name, timedelta(minutes=5))
    await put(place, ref_of(case), Lane.URGENT)
    assert await handle_first(place.desk)


async def test_long_pass_that_was_overtaken_brings_nothing_old_back(place: Town) -> None:
    case = place.office.receive(letter(SMS), place.office.agents[0])
    await put(place, ref_of(case), Lane.LIVE)
    await place.settle()
    agent = place.office.agents[1]

    await put(place, ref_of(case), Lane.LIVE)
    asked = place.desk.working_portal.read

    async def read(*given: object) -> object:
        """Somebody changes the card after the long pass has read it, and a newer reading is saved."""
        told = await asked(*given)  # type: ignore[arg-type]
        place.portal.update_item(2, case.id, {"assignedById": agent}, by=1)
        place.clock.leap(timedelta(seconds=1))
        place.desk.working_portal.read = asked  # type: ignore[method-assign]
        await put(place, ref_of(case), Lane.URGENT)
        await handle_first(place.desk)
        return told

    place.desk.working_portal.read = read  # type: ignore[method-assign, assignment]
    await handle_next(place.desk)
    async with place.desk.db.read() as conn:
        known = await facts.load(conn, ref_of(case))
    assigned = [fact.value["value"] for fact in known if fact.value.get("code") == "assignee"]
    assert assigned == [str(place.office.agents[0]), str(agent)]


async def test_card_of_an_emergency_is_written_before_the_others(place: Town) -> None:
    refs = await mass_edit(place, 12)
    await handle_next(place.desk)
    case = await fire(place)
    await handle_first(place.desk)
    async with place.desk.db.read() as conn:
        due = await stamps.due(conn, 99, place.clock.now(), emergencies=True)
    assert [each.ref for each in due] == [ref_of(case)]
    await hurry(place.desk)
    assert place.portal.writes[2, case.id] == 1
    assert sum(place.portal.writes[2, ref.id] for ref in refs) == 0


async def test_two_workers_never_write_one_card_at_once(place: Town) -> None:
    case = await fire(place)
    await handle_first(place.desk)
    await asyncio.gather(hurry(place.desk), go_on(place.desk), hurry(place.desk))
    assert place.portal.writes[2, case.id] + place.portal.idle_writes[2, case.id] == 1
    assert len(place.portal.notices(place.office.head)) == 1


async def test_due_emergency_is_looked_at_before_a_crowd_that_came_due_earlier(place: Town) -> None:
    for _ in range(3):
        await put(place, ref_of(place.office.receive(letter(SMS), place.office.agents[0])), Lane.LIVE)
    await place.settle()
    place.clock.leap(timedelta(hours=2, minutes=55))  # they come due in five minutes, it in ten
    case = await emergency(place)
    async with place.desk.db.read() as conn:
        due = await tickets.due(conn, place.clock.now() + timedelta(hours=1), 9)
    assert len(due) == 4
    assert due[0] == ref_of(case)


async def test_mass_import_is_no_emergency(place: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """More news than a department can have: they travel like other changes, and keep the reserve free."""
    monkeypatch.setattr(handle, "FLOOD", 3)
    lanes: list[Lane] = []
    asked = place.desk.working_portal.read

    async def read(asks: object, lane: Lane = Lane.LIVE) -> object:
        lanes.append(lane)
        return await asked(asks, lane)  # type: ignore[arg-type]

    place.desk.working_portal.read = read  # type: ignore[method-assign, assignment]
    for count in (3, 4):
        refs = [
            ItemRef(Kind.DEAL, place.portal.add_deal("Импорт", category=place.office.category))
            for _ in range(count)
        ]
        async with place.desk.db.begin() as conn:
            await inbox.put(conn, [(ref, Lane.URGENT, "ONCRMDEALADD") for ref in refs], place.clock.now())
        await handle_first(place.desk)
    assert lanes == [Lane.URGENT, Lane.LIVE]


async def test_sweep_puts_a_few_news_first_and_a_crowd_in_its_own_lane(place: Town) -> None:
    await reconcile(place.desk)
    place.clock.leap(timedelta(minutes=10))
    case = place.office.receive(letter(SMS), place.office.agents[0])
    await reconcile(place.desk)
    assert (await lanes_of(place))[str(ref_of(case))] is Lane.URGENT
    place.clock.leap(timedelta(minutes=10))
    crowd = [place.portal.add_deal("Обращение", category=place.office.category) for _ in range(60)]
    await reconcile(place.desk)
    lanes = await lanes_of(place)
    assert {lanes[f"deal:{deal}"] for deal in crowd} == {Lane.SWEEP}


async def test_watcher_and_lanes_meet(place: Town) -> None:
    """What comes due of an emergency is handled by the first worker, whoever put it there."""
    await emergency(place)
    place.clock.leap(timedelta(minutes=16))
    assert await watch(place.desk)
    assert await handle_first(place.desk)
