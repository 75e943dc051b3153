"""The same request came twice and the portal merged the cards: one goes, its letters move (domain.md 7.1).

The portal has no event of a merge: what is seen is a deleted card and letters bound to another.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.commands.explaining import explanation
from app.demo.office import Case
from app.metrics.kpi import FORMULAS, Kpi
from app.model import Side, State
from app.store import outcomes
from app.web.figures import question_of, read_for
from app.web.looking import known_of
from tests.jobs.scenes import Scene, letter, ref_of, scene

pytestmark = pytest.mark.anyio
LETTER_AT, DOUBLE_AT, MERGED_AT = "24.11 10:00", "24.11 10:40", "24.11 12:00"


@dataclass
class Merge:
    """A department where the later of two cards was merged into the earlier."""

    town: Scene
    survivor: Case
    merged: Case
    due_before: tuple[object, object]


@pytest.fixture
async def merge(tmp_path: Path) -> AsyncIterator[Merge]:
    async with scene(tmp_path, LETTER_AT) as town:
        office, portal = town.office, town.portal
        survivor = office.receive(letter(), office.agents[0])
        await town.settle()
        await town.until(DOUBLE_AT)
        merged = office.receive(letter(title="Ещё раз о том же"), office.agents[1])
        await town.settle()
        before = (await town.ticket(survivor)).now_cycle
        await town.until(MERGED_AT)
        moved = max(portal.world.activities)
        portal.world.activities[moved]["owner"] = (2, survivor.id)
        portal.bind_activity(moved, (2, survivor.id))
        portal.delete_item(2, merged.id, by=office.head)
        await town.settle()
        yield Merge(town, survivor, merged, (before.reply.due_at, before.solution.due_at))


async def figures(town: Scene) -> dict[str, Kpi]:
    asked = question_of(town.desk, None, None, None, None)
    return dict((await read_for(town.desk, asked)).figures(asked))


async def test_the_merged_cards_clocks_end_without_a_verdict(merge: Merge) -> None:
    ticket = await merge.town.ticket(merge.merged)
    assert (ticket.state, ticket.sla_state, ticket.next_at) == (State.DELETED, None, None)
    assert [clock.outcome for clock in ticket.now_cycle.ledgers] == [None, None]
    assert not any(clock.running or clock.paused for clock in ticket.now_cycle.ledgers)


async def test_its_explanation_says_when_and_why_they_ended(merge: Merge) -> None:
    desk, ticket = merge.town.desk, await merge.town.ticket(merge.merged)
    async with desk.db.read() as conn:
        known = await known_of(conn, desk, ticket)
    verdicts = [
        line for line in explanation(ticket, known.account(desk.now()), known.told) if "ердикт" in line
    ]
    assert verdicts == ["  Вердикта нет: «Удалено в Битрикс24» 24.11 12:00"] * 2


async def test_the_survivor_keeps_its_start_and_its_terms(merge: Merge) -> None:
    ticket = await merge.town.ticket(merge.survivor)
    cycle = ticket.now_cycle
    assert ticket.open
    assert (cycle.number, cycle.started_at) == (1, ticket.created_at)
    assert (cycle.reply.due_at, cycle.solution.due_at) == merge.due_before


async def test_the_moved_letter_is_a_word_of_the_survivors_client(merge: Merge) -> None:
    desk, ticket = merge.town.desk, await merge.town.ticket(merge.survivor)
    async with desk.db.read() as conn:
        story = (await known_of(conn, desk, ticket)).told.story
    assert story is not None
    assert [said.side for said in story.spoken] == [Side.CLIENT, Side.CLIENT]


async def test_one_request_counts_once(merge: Merge) -> None:
    found = await figures(merge.town)
    counted = {code: found[code].value for code in ("created", "backlog", "solved", "repeats")}
    assert counted == {"created": 1, "backlog": 1, "solved": 0, "repeats": 0}
    assert not [code for code in FORMULAS if ref_of(merge.merged) in found[code].refs]
    async with merge.town.desk.db.read() as conn:
        [outcome] = await outcomes.of_ticket(conn, ref_of(merge.merged))
    assert not outcome.counted


async def test_a_merged_card_is_spoken_of_no_more(merge: Merge) -> None:
    town = merge.town
    before = len(town.portal.notices(merge.merged.agent))
    for moment in ("24.11 14:30", "24.11 14:50", "25.11 10:00", "30.11 10:00"):
        await town.until(moment)
    assert len(town.portal.notices(merge.merged.agent)) == before
    assert [text for text in town.chat() if f"№{merge.merged.id}" in text] == []
    assert [text for text in town.chat() if f"№{merge.survivor.id}" in text]  # its own terms ran out


async def test_a_card_that_became_a_double_after_its_breach_stays_out_of_every_figure(tmp_path: Path) -> None:
    async with scene(tmp_path, LETTER_AT) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        await town.until("24.11 15:00")
        assert (await figures(town))["reply_sla"].denominator == 1
        town.office.move(case, "duplicate")
        await town.settle()
        found = await figures(town)
    assert (found["reply_sla"].denominator, found["created"].value) == (0, 0)
