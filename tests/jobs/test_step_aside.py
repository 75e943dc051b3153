"""Messages that wait for a reading do not stand in the way of those that may go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.jobs.deliver import BATCH, deliver_next
from app.model import Message, MessageKind
from app.store import outbox
from tests.jobs.scenes import letter, ref_of, scene

pytestmark = pytest.mark.anyio


async def test_a_card_that_cannot_be_reread_silences_only_itself(tmp_path: Path) -> None:
    async with scene(tmp_path) as town:
        head = town.office.head
        hidden, shown = (town.office.receive(letter(), town.office.agents[0]) for _ in range(2))
        await town.settle()
        old = [
            Message(f"a/{n}", MessageKind.NOTICE, str(head), "старое", ref_of(hidden))
            for n in range(BATCH + 5)
        ]
        async with town.desk.db.begin() as conn:
            await outbox.put(conn, old, town.clock.now())
        town.clock.advance(timedelta(minutes=5))
        async with town.desk.db.begin() as conn:
            await outbox.put(conn, [Message("z/new", MessageKind.TIMELINE, "deal", "новое", ref_of(shown))],
                             town.clock.now())  # fmt: skip
        await deliver_next(town.desk)
        await deliver_next(town.desk)
        assert "новое" in [row["text"] for row in town.portal.timeline(2, shown.id)]
        assert not [notice for notice in town.portal.notices(head) if notice["text"] == "старое"]
