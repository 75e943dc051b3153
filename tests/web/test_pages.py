"""Pages as people get them."""

from __future__ import annotations

import re

import httpx
import pytest

from app.desk import Desk
from app.model import Person
from app.web import pages
from tests.lives import at
from tests.web.town import failed_work_in, live, town

pytestmark = pytest.mark.anyio


def text_of(html: str) -> str:
    """The words of a page, one space between."""
    plain = re.sub(r"<(script|style|noscript|select)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)
    return " ".join(plain.replace("\u00a0", " ").split())


def section_of(html: str, name: str) -> str:
    found = re.search(rf'<section[^>]*id="{name}".*?</section>', html, re.DOTALL)
    assert found
    return text_of(found[0])


async def test_the_board_has_a_section_for_each_kind_of_urgency(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await town(desk)
    html = (await client.get("/")).text
    numbers = {name: re.findall(r"№(\d+) ·", section_of(html, name)) for name in
               ("burning", "at_risk", "working", "paused", "confirming")}  # fmt: skip
    assert numbers == {
        "burning": ["41"], "at_risk": ["43", "42"], "working": ["44"], "paused": ["45"], "confirming": ["46"],
    }  # fmt: skip


async def test_a_row_says_what_is_left_who_and_for_whom(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    html = (await client.get("/")).text
    row = section_of(html, "burning")
    for words in (
        "Экстренное",
        "просрочено на 45 мин",
        "первый ответ до 11:15",
        "Иванова А.",
        "Мария Крылова",
    ):
        assert words in row
    assert 'href="https://portal.test/crm/deal/details/41/"' in html
    assert "осталось 40 мин" in section_of(html, "at_risk")
    assert "не назначен" in section_of(html, "at_risk")


async def test_a_crowded_board_shows_the_most_urgent_and_says_so(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town(desk)
    assert "самых срочных" not in (await client.get("/")).text
    monkeypatch.setattr(pages, "OPEN_SHOWN", 2)
    html = (await client.get("/")).text
    assert "показаны не больше 2 самых срочных" in text_of(html)
    assert re.findall(r"№(\d+) ·", section_of(html, "burning")) == ["41"]
    assert re.findall(r"№(\d+) ·", section_of(html, "working")) == []


async def test_an_empty_board_says_so(client: httpx.AsyncClient) -> None:
    html = (await client.get("/")).text
    assert "Просроченных обращений нет." in section_of(html, "burning")


@pytest.mark.parametrize(
    ("query", "numbers"), [("agent=6", ["42"]), ("class=emergency", ["41"]), ("agent=6&class=emergency", [])]
)
async def test_the_board_can_be_narrowed(
    client: httpx.AsyncClient, desk: Desk, query: str, numbers: list[str]
) -> None:
    await town(desk)
    assert re.findall(r"№(\d+) ·", (await client.get(f"/?{query}")).text) == numbers


@pytest.mark.parametrize("query", ["agent=&class=", "agent=x&class=y", "agent=" + "9" * 40])
async def test_a_senseless_filter_asks_for_nothing(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/?{query}")).status_code == 200


async def test_tickets_from_before_the_service_stand_apart(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(desk, 60, "30.10 10:00", title="Старое обращение")
    html = (await client.get("/")).text
    assert "Старое обращение" not in section_of(html, "burning")
    assert "До начала учёта 1" in text_of(html)


async def test_the_board_says_when_the_portal_does_not_answer(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.health.portal_fault = "вебхук удалён, создайте новый"
    assert "Портал не отвечает: вебхук удалён, создайте новый" in text_of((await client.get("/")).text)


async def test_a_ticket_explains_its_time(client: httpx.AsyncClient, desk: Desk) -> None:
    await live(
        desk, 70, "03.11 16:00", replies=("05.11 09:30",), now=at("05.11 10:00"), title="Пропуск для такси"
    )
    text = text_of((await client.get("/tickets/deal:70")).text)
    assert "до 05.11.2026 12:00" in text
    assert "03.11 16:00 17:00 1 ч 1 ч рабочее время" in text
    assert "праздник: День народного единства" in text
    assert "05.11 09:00 09:30 30 мин 1 ч 30 мин рабочее время" in text


async def test_a_ticket_shows_pauses_and_history(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    text = text_of((await client.get("/tickets/deal:45")).text)
    assert (
        "23.11 16:01 18:00 — 6 ч 1 мин пауза: ждём клиента, наше сообщение 23.11 16:00 (Иванова А.)" in text
    )
    assert "23.11 18:00 24.11 09:00 — 6 ч 1 мин ночь" in text
    assert "Ответили клиенту · Иванова А." in text
    assert "Область продукта Распознавание номеров (PASS24.auto)" in text


async def test_a_late_reply_says_by_how_much(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    text = text_of((await client.get("/tickets/deal:47")).text)
    assert "с опозданием" in text
    assert "ответили 19.11.2026 18:00, позже на 4 ч" in text


@pytest.mark.parametrize("ref", ["deal:999", "nonsense", "deal:0x1", "deal:-1", "item:1", "deal:" + "9" * 30])
async def test_an_unknown_ticket_is_a_page_that_says_so(client: httpx.AsyncClient, ref: str) -> None:
    answer = await client.get(f"/tickets/{ref}", headers={"Accept": "text/html"})
    assert (answer.status_code, "Такой страницы нет" in answer.text) == (404, True)


async def test_the_figures_say_value_parts_goal_and_mark(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    text = text_of((await client.get("/kpi?from=2026-11-01&to=2026-11-24")).text)
    assert "Соблюдение SLA по первому ответу 66,7 % ▼ 4 из 6 не меньше 95 %" in text
    assert "Соблюдение SLA по решению 2 из 2 ▲" in text
    assert "Оценки клиентов 4–5 нет данных" in text
    assert "Экстренное 1 0 1 0 из 1 ▼" in text


async def test_a_figure_leads_to_its_tickets(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    html = (await client.get("/kpi?from=2026-11-01&to=2026-11-24")).text
    found = re.search(r'href="(/kpi/reply_sla\?[^"]+)"', html)
    assert found
    text = text_of((await client.get(found[1].replace("&amp;", "&"))).text)
    assert text.index("Снизили показатель 2") < text.index("№41") < text.index("Остальные 4")


@pytest.mark.parametrize(
    "query", ["from=x", "from=2026-11-24&to=2026-11-01", "from=0001-01-01&to=0001-01-01"]
)
async def test_a_wrong_period_is_refused_in_words(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/kpi?{query}", headers={"Accept": "text/html"})
    assert (answer.status_code, "Неверные параметры" in answer.text) == (422, True)


async def test_a_wrong_period_is_told_with_the_forms_own_words(client: httpx.AsyncClient) -> None:
    answer = await client.get("/kpi?from=2026-11-24&to=2026-11-01", headers={"Accept": "text/html"})
    assert "первый день («С», from) должен быть не позже последнего («По», to)" in text_of(answer.text)
    assert '<a href="/kpi">К показателям</a>' in answer.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("agent=abc", "Сотрудник задаётся номером"),
        ("agent=" + "9" * 40, "Сотрудник задаётся номером"),
        ("class=foo", "Известны: emergency, standard, consultation."),
    ],
)
async def test_figures_of_nobody_and_nothing_are_refused(
    client: httpx.AsyncClient, query: str, said: str
) -> None:
    answer = await client.get(f"/kpi?{query}", headers={"Accept": "text/html"})
    assert (answer.status_code, said in text_of(answer.text)) == (422, True)


async def test_norms_of_the_figures_say_what_they_are_made_of(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    text = text_of((await client.get("/kpi?from=2026-10-20&to=2026-11-24")).text)
    assert "2 × 30 мин от рабочего времени смены" in text
    assert "0 за 32 человеко-дня" in text  # 16 working days since 01.11, two people
    assert "Учёт идёт с 01.11.2026: дни до этого в нормы и доли не входят." in text


async def test_days_before_the_service_have_no_figures(client: httpx.AsyncClient, desk: Desk) -> None:
    await town(desk)
    text = text_of((await client.get("/kpi?from=2026-10-01&to=2026-10-31")).text)
    assert "Служба тогда ещё не считала: учёт идёт с 01.11.2026." in text
    assert "Поступило нет данных —" in text
    assert "По классам" not in text


async def test_figures_are_not_compared_with_days_before_the_service(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await town(desk)
    young = text_of((await client.get("/kpi?from=2026-11-01&to=2026-11-24")).text)
    older = text_of((await client.get("/kpi?from=2026-11-23&to=2026-11-24")).text)
    assert "Поступило 7 —" in young
    assert "Поступило 4 0" in older


async def test_only_people_with_tickets_are_offered_for_the_figures(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await town(desk)
    desk.people |= {99: Person(99, "Робот Почты")}
    offered = re.search(r'<select name="agent">.*?</select>', (await client.get("/kpi")).text)
    assert offered
    assert re.findall(r">([^<]+)</option>", offered[0]) == ["все", "Иванова А.", "Петров С."]
    chosen = (await client.get("/kpi?agent=99")).text
    assert '<option value="99" selected>Робот Почты</option>' in chosen


async def test_empty_fields_of_the_form_ask_for_nothing(client: httpx.AsyncClient) -> None:
    assert (await client.get("/kpi?from=&to=&agent=&class=")).status_code == 200


# --- failed work -------------------------------------------------------------------------


def mark_in(html: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', html)
    assert found
    return found[1]


async def test_without_failures_there_is_nothing_to_do(client: httpx.AsyncClient) -> None:
    assert "разбирать нечего" in (await client.get("/failed")).text


async def test_failed_work_says_what_and_why(client: httpx.AsyncClient, desk: Desk) -> None:
    await failed_work_in(desk)
    text = text_of((await client.get("/failed")).text)
    assert "Сбои 4" in text
    assert "Не записано в карточки 1" in text
    assert "№43 уведомление о просрочке Пользователь уволен: поправьте people.head в правилах." in text


@pytest.mark.parametrize(("what", "key"), [("inbox", "deal:43"), ("stamps", "deal:43"),
                                           ("outbox", "deal:43/1/solve_breach/7")])  # fmt: skip
@pytest.mark.parametrize(
    ("act", "said"), [("retry", "Поставлено в очередь снова: 1."), ("drop", "Снято с очереди: 1.")]
)
async def test_a_button_moves_one_piece(
    client: httpx.AsyncClient, desk: Desk, what: str, key: str, act: str, said: str
) -> None:
    await failed_work_in(desk)
    mark = mark_in((await client.get("/failed")).text)
    answer = await client.post(
        f"/failed/{act}", data={"what": what, "key": key, "mark": mark}, follow_redirects=True
    )
    text = text_of(answer.text)
    assert said in text
    assert "Сбои 3" in text


async def test_all_of_a_kind_at_once(client: httpx.AsyncClient, desk: Desk) -> None:
    await failed_work_in(desk)
    mark = mark_in((await client.get("/failed")).text)
    answer = await client.post("/failed/retry", data={"what": "inbox", "mark": mark}, follow_redirects=True)
    assert "Сбои 2" in text_of(answer.text)


@pytest.mark.parametrize(
    "fields", [{"what": "nonsense"}, {"what": "inbox", "key": "nonsense:1"}, {"what": "inbox"}, {}]
)
async def test_senseless_drops_are_refused(
    client: httpx.AsyncClient, desk: Desk, fields: dict[str, str]
) -> None:
    await failed_work_in(desk)
    mark = mark_in((await client.get("/failed")).text)
    assert (await client.post("/failed/drop", data=fields | {"mark": mark})).status_code == 400


async def test_figures_of_another_moment_say_so(client: httpx.AsyncClient) -> None:
    asked = {"from": "2026-11-24", "to": "2026-11-24", "known_at": "2026-11-24T11:00"}
    answer = await client.get("/kpi", params=asked)
    assert (answer.status_code, "как было известно 24.11.2026 11:00" in answer.text) == (200, True)
    splits = re.findall(r'href="(/kpi\?[^"]*(?:class|agent)=[^"]*)"', answer.text)
    assert splits
    assert all("known_at=2026-11-24T08" in address for address in splits)
    assert (await client.get("/kpi", params=asked | {"known_at": "вчера"})).status_code == 422
