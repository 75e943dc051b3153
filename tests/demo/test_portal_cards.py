"""The read-only cards that the demo's links lead to."""

import pytest

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


async def card(desk: Helpdesk, path: str) -> str:
    answer = await desk.http("GET", path)
    assert answer.status_code == 200
    return answer.text


async def test_deal_shows_title_stage_and_what_was_written(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("КПП-2 не открывается")
    desk.portal.add_email((2, number), 1, "Въезд", "Машины стоят", by=1)
    text = await card(desk, f"/crm/deal/details/{number}/")
    for part in ("КПП-2 не открывается", "Стадия", "Письмо от клиента", "Машины стоят"):
        assert part in text


async def test_sla_fields_stand_under_their_labels(desk: Helpdesk) -> None:
    desk.portal.add_userfield("CRM_DEAL", "SLA_PAUSE_REASON", "string", label="Причина паузы")
    number = desk.portal.add_deal("Сделка", fields={"UF_CRM_SLA_PAUSE_REASON": "Ждём склад"})
    assert "<dt>Причина паузы</dt><dd>Ждём склад</dd>" in await card(desk, f"/crm/deal/details/{number}/")


async def test_item_of_a_smart_process(desk: Helpdesk) -> None:
    entity_type, _ = desk.portal.add_type("Обращения")
    number = desk.portal.add_item(entity_type, "Заявка")
    assert "Заявка" in await card(desk, f"/crm/type/{entity_type}/details/{number}/")


async def test_task_shows_its_conversation(desk: Helpdesk) -> None:
    number = desk.portal.add_task("Задача", created_by=9, responsible=1)
    desk.portal.task_message(number, "Взял в работу", 1)
    assert "Взял в работу" in await card(desk, f"/company/personal/user/0/tasks/task/view/{number}/")


async def test_strangers_text_stays_text(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("<script>alert(1)</script>")
    assert "<script" not in await card(desk, f"/crm/deal/details/{number}/")


@pytest.mark.parametrize(
    "path",
    [
        "/crm/deal/details/99/",
        "/crm/type/999/details/1/",
        "/crm/type/3/details/1/",
        "/company/personal/user/0/tasks/task/view/99/",
        "/crm/deal/details/x/",
        "/",
    ],
)
async def test_no_card_there(path: str, desk: Helpdesk) -> None:
    desk.portal.add_contact("Клиент")
    assert (await desk.http("GET", path)).status_code == 404


async def test_cards_are_only_to_look_at(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    assert (await desk.http("POST", f"/crm/deal/details/{number}/")).status_code == 404
