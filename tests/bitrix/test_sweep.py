"""The sweep over an emulated portal: nothing that changed is missed, a part that failed is repeated."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.bitrix.portal import Unread
from app.model import Hint, HintKind, ItemRef, Kind

if TYPE_CHECKING:
    from .conftest import World

pytestmark = pytest.mark.anyio


async def caught_up(world: World) -> dict[str, str]:
    """Marks of a sweep that saw everything, with time before and after it."""
    world.clock.advance(timedelta(minutes=15))
    changes = await world.portal.changes({})
    assert not changes.failed
    world.clock.advance(timedelta(minutes=15))
    return dict(changes.marks)


async def test_first_sweep_looks_a_day_back(world: World) -> None:
    old = world.deal()
    world.clock.advance(timedelta(hours=25))
    refs = {world.deal(), world.item(), world.task()}
    found = set((await world.portal.changes({})).refs)
    assert found == refs
    assert old not in found


async def test_quiet_portal_has_no_changes_and_takes_one_request(world: World) -> None:
    world.deal(), world.item(), world.task()
    marks = await caught_up(world)
    before = world.emulated.requests
    assert (await world.portal.changes(marks)).refs == ()
    assert world.emulated.requests - before == 1


async def test_every_kind_of_change_is_found(world: World) -> None:
    renamed, moved, mailed = world.deal(), world.deal(), world.deal()
    done, talked, quiet = world.task(), world.task(), world.task()
    marks = await caught_up(world)
    world.emulated.update_item(2, renamed.id, {"title": "Иначе"}, by=1)
    world.emulated.move(2, moved.id, "WORK", by=1)
    world.emulated.add_email((2, mailed.id), 1)
    world.emulated.set_status(done.id, 5, by=1)
    world.emulated.task_message(talked.id, "Слово", by=1)
    found = (await world.portal.changes(marks)).refs
    assert {renamed, moved, mailed, done, talked} <= set(found)
    assert quiet not in found


async def test_deal_that_left_our_funnel_is_found(world: World) -> None:
    deal = world.deal()
    marks = await caught_up(world)
    world.emulated.move_funnel(2, deal.id, 0, by=1)
    assert deal in (await world.portal.changes(marks)).refs


async def test_foreign_funnels_and_projects_are_left_alone(world: World) -> None:
    marks = await caught_up(world)
    world.emulated.add_deal("Продажа", category=0)
    world.emulated.add_task("Чужая", created_by=1, responsible=1)
    assert (await world.portal.changes(marks)).refs == ()


async def test_clients_mail_is_a_hint(world: World) -> None:
    marks = await caught_up(world)
    activity = world.emulated.add_email((3, world.client), 1)
    assert (await world.portal.changes(marks)).refs == (Hint(HintKind.ACTIVITY, activity),)


async def test_marks_move_on_and_overlap(world: World) -> None:
    marks = await caught_up(world)
    deal = world.deal()
    first = await world.portal.changes(marks)
    world.clock.advance(timedelta(minutes=1))
    again = await world.portal.changes(first.marks)
    world.clock.advance(timedelta(minutes=5))
    once_more = await world.portal.changes(again.marks)
    later = await world.portal.changes(once_more.marks)
    assert deal in first.refs
    assert deal in again.refs, "two minutes are read twice"
    assert later.refs == ()


async def test_change_that_was_told_is_not_told_again_by_a_sweep_half_a_minute_later(world: World) -> None:
    marks = await caught_up(world)
    deal, task = world.deal(), world.task()
    world.emulated.add_email((2, deal.id), 1)
    world.clock.advance(timedelta(seconds=10))
    first = await world.portal.changes(marks)
    world.clock.advance(timedelta(seconds=30))
    again = await world.portal.changes(first.marks)
    assert set(first.refs) == {deal, task}
    assert again.refs == ()


async def test_item_that_changed_once_more_is_told_once_more(world: World) -> None:
    marks = await caught_up(world)
    deal = world.deal()
    for _ in range(3):
        world.clock.advance(timedelta(seconds=10))
        found = await world.portal.changes(marks)
        marks = dict(found.marks)
        assert found.refs == (deal,)
        world.emulated.update_item(2, deal.id, {"title": str(world.clock.now())}, by=1)


async def test_row_that_shows_later_than_its_time_is_told(world: World) -> None:
    marks = await caught_up(world)
    seen, late = world.deal(), world.deal()
    world.emulated.hide(2, late.id)
    world.clock.advance(timedelta(seconds=20))
    first = await world.portal.changes(marks)
    world.emulated.show(2, late.id)
    world.clock.advance(timedelta(seconds=40))
    second = await world.portal.changes(first.marks)
    assert (seen in first.refs, late in first.refs) == (True, False)
    assert (seen in second.refs, late in second.refs) == (False, True)


async def test_words_are_told_apart_from_other_changes(world: World) -> None:
    marks = await caught_up(world)
    edited, mailed = world.deal(), world.deal()
    world.emulated.add_email((2, mailed.id), 1)
    found = await world.portal.changes(marks)
    assert {edited, mailed} <= set(found.refs)
    assert found.spoken == {mailed}


async def test_part_that_failed_keeps_its_mark(world: World) -> None:
    marks = await caught_up(world)
    deal, task = world.deal(), world.task()
    world.emulated.faults.fail("tasks.task.list", "internal", times=2)
    first = await world.portal.changes(marks)
    second = await world.portal.changes(first.marks)
    assert (first.refs, len(first.failed)) == ((deal,), 2)
    assert first.marks["tasks"] == marks["tasks"]
    assert task in second.refs


async def test_hundreds_of_changes_take_few_requests(world: World) -> None:
    marks = await caught_up(world)
    deals = {world.deal() for _ in range(430)}
    before = world.emulated.requests
    assert set((await world.portal.changes(marks)).refs) == deals
    assert world.emulated.requests - before <= 3


async def test_owner_of_an_activity_is_looked_up(world: World) -> None:
    deal, other = world.deal(), world.deal(contact=None)
    direct = Hint(HintKind.ACTIVITY, world.emulated.add_email((2, other.id), 1))
    of_client = Hint(HintKind.ACTIVITY, world.emulated.add_email((3, world.client), 1))
    nobody = Hint(HintKind.COMMENT, 5)
    owners = await world.portal.owners([direct, of_client, nobody, Hint(HintKind.ACTIVITY, 99999)])
    assert owners == {direct: (other,), of_client: (deal,), nobody: (), Hint(HintKind.ACTIVITY, 99999): ()}


async def test_owner_that_cannot_be_looked_up_is_looked_up_later(world: World) -> None:
    hint = Hint(HintKind.ACTIVITY, world.emulated.add_email((2, world.deal().id), 1))
    world.emulated.faults.fail("crm.activity.list", "internal")
    told = (await world.portal.owners([hint]))[hint]
    assert isinstance(told, Unread)
    assert not told.final


async def test_card_has_its_address(world: World) -> None:
    urls = [world.portal.card_url(ref) for ref in (
        ItemRef(Kind.DEAL, 41), ItemRef(Kind.ITEM, 5, 177), ItemRef(Kind.TASK, 17)
    )]  # fmt: skip
    assert urls == [
        "http://portal.test/crm/deal/details/41/",
        "http://portal.test/crm/type/177/details/5/",
        "http://portal.test/company/personal/user/0/tasks/task/view/17/",
    ]
