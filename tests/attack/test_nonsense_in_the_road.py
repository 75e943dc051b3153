"""An answer that makes no sense says nothing: no ticket is deleted and nobody accused by it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bitrix.errors import PortalError
from app.model import Lane, OutcomeWord, State
from tests.jobs.scenes import Scene, letter, ref_of, scene

pytestmark = pytest.mark.anyio
NONSENSE = (-1, "abc", "<html>", True)


class Twist:
    """Puts something else where `name` stands in an answer, as long as it is on."""

    def __init__(self, name: str, value: object) -> None:
        self.name, self.value, self.on = name, value, False

    def __call__(self, body: bytes) -> bytes:
        return json.dumps(self._twisted(json.loads(body))).encode() if self.on else body

    def _twisted(self, tree: Any) -> Any:
        if isinstance(tree, list):
            return [self._twisted(each) for each in tree]
        if not isinstance(tree, dict):
            return tree
        return {name: self.value if name == self.name else self._twisted(each) for name, each in tree.items()}


async def later(town: Scene, twist: Twist) -> None:
    """The portal makes sense again, and what was put off is tried again."""
    twist.on = False
    for _ in range(3):
        town.clock.advance(timedelta(minutes=10))
        await town.sweep()


@pytest.mark.parametrize("value", NONSENSE, ids=repr)
@pytest.mark.parametrize(("channel", "name"), [("form", "task"), ("email", "items")])
async def test_nobodys_ticket_is_deleted_by_it(
    tmp_path: Path, channel: str, name: str, value: object
) -> None:
    twist = Twist(name, value)
    async with scene(tmp_path, twist=twist) as town:
        case = town.office.receive(letter(channel=channel), town.office.agents[0])
        await town.settle()
        twist.on = True
        await town.desk_puts(case)
        await town.settle(events=False)
        assert (await town.ticket(case)).state is not State.DELETED
        await later(town, twist)
        assert (await town.ticket(case)).state is State.NEW


@pytest.mark.portals("cloud-std", reason="tasks with chats")
@pytest.mark.parametrize("value", NONSENSE, ids=repr)
async def test_a_reply_that_cannot_be_read_is_no_missing_reply(tmp_path: Path, value: object) -> None:
    twist = Twist("messages", value)
    async with scene(tmp_path, twist=twist) as town:
        case = town.office.receive(letter(channel="form"), town.office.agents[0])
        await town.settle()
        town.clock.advance(timedelta(minutes=20))
        town.office.reply(case, "Добрый день, уже смотрим журнал терминала")
        town.portal.drop_pending()
        twist.on = True
        await town.until("24.11 14:00")
        assert town.chat() == []
        await later(town, twist)
        assert (await town.ticket(case)).now_cycle.reply.outcome is OutcomeWord.MET


def nothing_known(_: bytes) -> bytes:
    return b'{"result": -1}'


@pytest.mark.parametrize("to", ["chat", "card"])
async def test_what_may_have_been_said_is_not_taken_for_unsaid(tmp_path: Path, to: str) -> None:
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        town.road.twist = nothing_known
        voice = town.desk.working_portal._voice
        with pytest.raises(PortalError):
            await voice.find(town.office.chat if to == "chat" else str(ref_of(case)), "#sla", Lane.LIVE)
