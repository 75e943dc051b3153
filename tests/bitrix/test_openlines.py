"""Messengers: who spoke in a session, what it costs to read, and how the sweep hears of it (sla.md 3)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.bitrix.portal import Unread
from app.model import Gone, ItemRef, Reading, Side
from tests.bitrix.conftest import Make, World

pytestmark = pytest.mark.anyio


def line(world: World, owner: ItemRef) -> int:
    """A session of a client with the item's agent."""
    activity = world.emulated.add_open_line((owner.crm_type, owner.id), by=world.agent)
    return world.emulated.open_line_of(activity)


def sides(reading: Reading) -> list[Side]:
    return [said.side for said in reading.utterances]


@pytest.mark.parametrize(
    ("by", "automatic", "wanted"),
    [
        ("client", False, [Side.CLIENT]),
        ("agent", False, [Side.OURS]),
        ("agent", True, [Side.NOBODY]),
        ("bot", False, [Side.NOBODY]),
        (9, False, [Side.NOBODY]),
        (0, False, []),
    ],
)
async def test_who_spoke(world: World, by: int | str, automatic: bool, wanted: list[Side]) -> None:
    deal = world.deal()
    world.emulated.open_line_says(line(world, deal), "Слово", by, automatic=automatic)
    assert sides(await world.reading(deal)) == wanted


async def test_words_carry_their_channel_author_and_moment(world: World) -> None:
    item = world.item()
    session = line(world, item)
    world.emulated.open_line_says(session, "Не открывается")
    world.clock.advance(timedelta(minutes=3))
    world.emulated.open_line_says(session, "Смотрим", "agent")
    asked, answered = (await world.reading(item)).utterances
    assert (asked.channel, asked.author, asked.text) == ("openline", None, "Не открывается")
    assert answered.author == world.agent
    assert answered.at - asked.at == timedelta(minutes=3)


async def test_read_line_leaves_no_note_and_gives_the_first_words(world: World) -> None:
    deal = world.deal()
    world.emulated.open_line_says(line(world, deal), "Код не приходит")
    reading = await world.reading(deal)
    assert reading.notes == ()
    assert "Код не приходит" in reading.card.text


async def test_sessions_are_read_together_with_the_names(world: World) -> None:
    deals = [world.deal() for _ in range(30)]
    for deal in deals:
        world.emulated.open_line_says(line(world, deal), "Слово")
    await world.read(deals[0])
    before = world.emulated.requests
    readings = await world.read(*deals)
    assert all(isinstance(told, Reading) and len(told.utterances) == 1 for told in readings)
    assert world.emulated.requests - before == 2


async def test_session_that_may_not_be_read_leaves_a_note(make: Make) -> None:
    world = make()
    deal = world.deal()
    line(world, deal)
    world.emulated.faults.fail("imopenlines.session.history.get", "access")
    assert (await world.reading(deal)).notes == ("openline_unread", "replies_unreadable")


async def test_session_that_fails_for_now_leaves_the_item_unread(world: World) -> None:
    deal = world.deal()
    line(world, deal)
    world.emulated.faults.fail("imopenlines.session.history.get", "internal")
    [told] = await world.read(deal)
    assert isinstance(told, Unread)
    assert not told.final


async def test_sweep_hears_of_a_new_word_that_no_event_tells(world: World) -> None:
    deal, quiet = world.deal(), world.deal()
    session = line(world, deal)
    line(world, quiet)
    world.clock.advance(timedelta(hours=30))
    marks = (await world.portal.changes({})).marks
    world.clock.advance(timedelta(minutes=5))
    lines = {ref: (await world.reading(ref)).cursor for ref in (deal, quiet)}
    assert (await world.portal.changes(marks, lines)).refs == ()
    world.emulated.open_line_says(session, "Ау")
    assert (await world.portal.changes(marks, lines)).refs == (deal,)


async def test_sweep_looks_into_fifty_sessions_with_one_request(world: World) -> None:
    deals = [world.deal() for _ in range(40)]
    for deal in deals:
        line(world, deal)
    readings = await world.read(*deals)
    lines = {told.ref: told.cursor for told in readings if isinstance(told, Reading)}
    world.clock.advance(timedelta(minutes=10))
    marks = (await world.portal.changes({})).marks
    before = world.emulated.requests
    assert (await world.portal.changes(marks, lines)).refs == ()
    assert world.emulated.requests - before == 1


async def test_closed_session_is_left_to_its_activity(world: World) -> None:
    deal = world.deal()
    session = line(world, deal)
    world.emulated.close_open_line(session)
    told = await world.reading(deal)
    assert not isinstance(told, Gone)
    assert told.cursor == {}


async def test_sweep_names_sessions_that_it_could_not_look_into(world: World) -> None:
    deal = world.deal()
    line(world, deal)
    lines = {deal: (await world.reading(deal)).cursor}
    world.emulated.faults.fail("imopenlines.session.history.get", "internal")
    [failed] = (await world.portal.changes({}, lines)).failed
    assert failed.startswith("openlines")
