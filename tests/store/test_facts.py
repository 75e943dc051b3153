from __future__ import annotations

import pytest

from app.model import FactKind
from app.store import facts
from app.store.engine import Database
from tests.store.builders import DEAL, ITEM, MINUTE, NOW, TASK, fact

pytestmark = pytest.mark.anyio


async def test_the_same_fact_again_adds_nothing_and_changes_nothing(database: Database) -> None:
    async with database.begin() as conn:
        assert await facts.add(conn, [fact("1"), fact("2")]) == 2
        assert await facts.add(conn, [fact("2", value={"stage": "other"}), fact("3"), fact("3")]) == 1
        assert await facts.load(conn, DEAL) == (fact("1"), fact("2"), fact("3"))


async def test_key_and_kind_and_item_tell_facts_apart(database: Database) -> None:
    some = [fact("1"), fact("1", kind=FactKind.FIELD), fact("1", TASK)]
    async with database.begin() as conn:
        assert await facts.add(conn, some) == 3


async def test_they_come_in_the_order_in_which_they_happened(database: Database) -> None:
    late, early = fact("a", happened_at=NOW), fact("b", happened_at=NOW - MINUTE)
    async with database.begin() as conn:
        await facts.add(conn, [late, early])
        assert await facts.load(conn, DEAL) == (early, late)


async def test_unknown_items_have_no_facts(database: Database) -> None:
    async with database.begin() as conn:
        await facts.add(conn, [fact("1")])
        assert await facts.load_many(conn, [DEAL, TASK]) == {DEAL: (fact("1"),), TASK: ()}


async def test_no_facts_are_no_work(database: Database) -> None:
    async with database.begin() as conn:
        assert await facts.add(conn, []) == 0


async def test_whose_an_utterance_is(database: Database) -> None:
    said = [fact("activity:12", ref, kind=FactKind.UTTERANCE) for ref in (DEAL, ITEM)]
    other = fact("activity:13", kind=FactKind.STAGE)
    async with database.begin() as conn:
        await facts.add(conn, [*said, other])
        found = await facts.owners_of(conn, ["activity:12", "activity:13"])
    assert found == {"activity:12": (DEAL, ITEM), "activity:13": ()}
