"""The digest: once a period, at most three messages, exactly one with the heading."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.bitrix.errors import PortalError
from app.jobs.report import send_due
from tests.jobs.scenes import Scene, letter, scene
from tests.lives import at

pytestmark = pytest.mark.anyio


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Scene]:
    """Half past nine after a day with one answered ticket."""
    async with scene(tmp_path) as town:
        case = town.office.receive(letter(), town.office.agents[0])
        await town.settle()
        town.office.reply(case, "Проверили, код отправлен повторно.")
        await town.until("24.11 17:00")
        town.clock.set(at("25.11 09:00"))
        await town.sweep()
        yield town


def headings(town: Scene) -> list[str]:
    return [text.partition("\n")[0] for text in town.chat() if text.startswith("📋 Поддержка")]


async def test_digest_comes_at_its_hour_with_picture_and_table(morning: Scene) -> None:
    morning.clock.set(at("25.11 09:05"))
    assert await send_due(morning.desk) == 1
    assert headings(morning) == ["📋 Поддержка PASS24: среда 25.11"]
    names = [file["name"] for file in morning.portal.files(morning.office.chat)]
    assert names == ["sla-2026-11-24.png", "sla-2026-11-24.xlsx"]


async def test_digest_is_not_sent_before_its_hour_nor_twice(morning: Scene) -> None:
    morning.clock.set(at("25.11 09:04"))
    assert await send_due(morning.desk) == 0
    morning.clock.set(at("25.11 09:05"))
    await send_due(morning.desk)
    assert await send_due(morning.desk) == 0
    assert len(headings(morning)) == 1


async def test_digest_of_a_service_that_was_down_comes_late_and_says_so(morning: Scene) -> None:
    morning.clock.set(at("25.11 11:40"))
    await morning.sweep()
    await send_due(morning.desk)
    text = next(text for text in morning.chat() if text.startswith("📋 Поддержка"))
    assert "Отправлено позже срока, в 11:40" in text


async def test_digest_whose_text_timed_out_after_it_stood_there_is_not_repeated(morning: Scene) -> None:
    morning.clock.set(at("25.11 09:05"))
    morning.portal.faults.fail("imbot.v2.Chat.Message.send", "timeout_after_apply")
    with pytest.raises(PortalError):
        await send_due(morning.desk)
    morning.clock.advance(timedelta(minutes=1))
    await send_due(morning.desk)
    assert len(headings(morning)) == 1
    assert len(morning.portal.files(morning.office.chat)) == 2


@pytest.mark.parametrize("method", ["imbot.v2.Chat.Message.send", "imbot.v2.File.upload"])
async def test_what_timed_out_is_found_under_a_lively_chat(morning: Scene, method: str) -> None:
    morning.clock.set(at("25.11 09:05"))
    morning.portal.faults.fail(method, "timeout_after_apply")
    with pytest.raises(PortalError):
        await send_due(morning.desk)
    for number in range(60):
        morning.portal.say(morning.office.chat, f"Обсуждаем {number}", 1)
    morning.clock.advance(timedelta(minutes=1))
    await send_due(morning.desk)
    assert len(headings(morning)) == 1
    assert len(morning.portal.files(morning.office.chat)) == 2
