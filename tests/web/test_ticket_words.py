"""What pages say of an unusual course: a late end, a return to work, a pause."""

from __future__ import annotations

import re

import httpx
import pytest

from app.desk import Desk
from tests.web.test_pages import section_of, text_of
from tests.web.town import live, town

pytestmark = pytest.mark.anyio


async def page(client: httpx.AsyncClient, number: int) -> str:
    return text_of((await client.get(f"/tickets/deal:{number}")).text)


async def test_a_solution_after_its_term_says_so_on_the_board(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(desk, 48, "16.11 10:00", replies=("16.11 10:20",), moves=(("23.11 15:00", "SOLVED"),))
    html = (await client.get("/")).text
    assert "решено 23.11 15:00, с опозданием" in section_of(html, "confirming")
    assert "left tone-breached" in html


async def test_only_the_reply_was_late(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(desk, 48, "23.11 10:00", replies=("23.11 17:00",), moves=(("23.11 17:30", "SOLVED"),))
    text = section_of((await client.get("/")).text, "confirming")
    assert "решено 23.11 17:30, ответ с опозданием" in text


async def test_what_counted_and_the_pauses_are_summed_up(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    assert "Как посчитано: засчитано 6 ч 1 мин, на паузе 4 ч 59 мин" in await page(client, 45)


async def test_a_word_stands_before_the_move_that_follows_from_it(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await live(desk, 48, "24.11 09:00", replies=("24.11 09:30",), moves=(("24.11 09:30", "SOLVED"),))
    text = await page(client, 48)
    assert text.index("Ответили клиенту") < text.rindex("Решено, ждёт подтверждения")


async def test_a_return_to_work_is_called_so(client: httpx.AsyncClient, desk: Desk) -> None:
    moves = (("23.11 12:00", "SOLVED"), ("23.11 15:00", "PREPARATION"))
    await live(desk, 48, "23.11 10:00", replies=("23.11 11:00",), moves=moves)
    assert "Возврат в работу" in await page(client, 48)


@pytest.mark.parametrize(("source", "shown"), [("EMAIL", "почта"), ("CALL", "звонок"), ("OWN", "OWN")])
async def test_channels_have_names(client: httpx.AsyncClient, desk: Desk, source: str, shown: str) -> None:
    await live(desk, 48, "24.11 09:00", channel=source)
    assert f"Канал {shown}" in await page(client, 48)


async def test_an_inner_line_that_does_not_answer_is_shown_by_its_name(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await live(desk, 48, "24.11 09:00", replies=("24.11 09:30",), moves=(("24.11 10:00", "DEV"),))
    text = await page(client, 48)
    assert "Внутренний срок: Руководитель ОС просрочено до 24.11.2026 11:00" in text.replace("\xa0", " ")


async def test_clocks_that_are_over_in_time_are_folded(client: httpx.AsyncClient, desk: Desk) -> None:
    moves = (("24.11 10:00", "DEV"), ("24.11 10:30", "PREPARATION"))
    await live(desk, 48, "24.11 09:00", replies=("24.11 09:30",), moves=moves)
    open_part, _, folded = (await page(client, 48)).partition("Другие сроки этого круга: 1")
    assert "Внутренний срок" not in open_part
    assert "Внутренний срок: Руководитель ОС в срок" in folded


async def test_an_earlier_round_is_folded_with_its_verdicts_in_one_line(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    moves = (("03.11 16:00", "SOLVED"), ("05.11 10:00", "WON"), ("23.11 10:00", "PREPARATION"))
    await live(desk, 48, "02.11 10:00", replies=("02.11 15:00",), moves=moves)
    html = (await client.get("/tickets/deal:48")).text
    label = "Круг 1, с 02.11.2026 10:00: первый ответ с опозданием, решение в срок"
    assert label in text_of(html).replace("\xa0", " ")
    names = re.findall(r'id="(t-[^"]+)"', html)
    assert names[:2] + names[-3:-1] == ["t-reply", "t-solution", "t-1-reply", "t-1-solution"]


async def test_what_the_history_lacks_is_said(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(desk, 48, "24.11 09:00", moves=(("24.11 10:00", "MYSTERY"),))
    words = "тадия «C3:MYSTERY» не описана в правилах: состояние осталось прежним"
    assert f"С{words}." in await page(client, 48)
    item = (await client.get("/api/v1/tickets/deal:48")).json()
    assert item["gaps"] == [f"с{words}"]
