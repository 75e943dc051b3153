"""Outgoing events (emulator-notes.md E)."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.portal import CLOUD_STD, SELF_HOSTED, UNLIMITED, Profile
from app.demo.portal.php import parse_query
from tests.demo.helpdesk import HANDLER, Ear, Helpdesk
from tests.demo.shapes import differences

pytestmark = pytest.mark.anyio

SAMPLES = Path(__file__).parents[1] / "data" / "bitrix24" / "examples"
OLD_CARD = replace(UNLIMITED, task_card="comments")
FLAT = replace(UNLIMITED, timeline_event="flat")


def new_deal(desk: Helpdesk) -> int:
    return desk.portal.add_deal("Сделка")


def deal_update(desk: Helpdesk) -> None:
    desk.portal.move(2, new_deal(desk), "EXECUTING")


def deal_delete(desk: Helpdesk) -> None:
    desk.portal.delete_item(2, new_deal(desk))


def new_item(desk: Helpdesk) -> int:
    desk.portal.add_type("Заявка", 1220)
    return desk.portal.add_item(1220, "Заявка")


def item_update(desk: Helpdesk) -> None:
    desk.portal.move(1220, new_item(desk), "CLIENT")


def item_delete(desk: Helpdesk) -> None:
    desk.portal.delete_item(1220, new_item(desk))


def new_email(desk: Helpdesk) -> int:
    return desk.portal.add_email((2, new_deal(desk)), 1, "Тема")


def activity_update(desk: Helpdesk) -> None:
    desk.portal.update_activity(new_email(desk), {"COMPLETED": "Y"})


def activity_delete(desk: Helpdesk) -> None:
    desk.portal.delete_activity(new_email(desk))


def new_note(desk: Helpdesk) -> int:
    return desk.portal.add_timeline_note((2, new_deal(desk)), "Заметка")


def new_task(desk: Helpdesk) -> int:
    return desk.portal.add_task("Задача", created_by=1, responsible=9)


def task_update(desk: Helpdesk) -> None:
    desk.portal.set_status(new_task(desk), 3, 9)


def task_delete(desk: Helpdesk) -> None:
    desk.portal.delete_task(new_task(desk), 1)


def task_comment(desk: Helpdesk) -> None:
    desk.portal.task_message(new_task(desk), "Готово", 9)


def user_add(desk: Helpdesk) -> None:
    desk.portal.log_in(1)


RAISED: list[tuple[str, Profile, Callable[[Helpdesk], Any]]] = [
    ("ONCRMDEALADD", UNLIMITED, new_deal),
    ("ONCRMDEALUPDATE", UNLIMITED, deal_update),
    ("ONCRMDEALDELETE", UNLIMITED, deal_delete),
    ("ONCRMDYNAMICITEMADD", UNLIMITED, new_item),
    ("ONCRMDYNAMICITEMUPDATE", UNLIMITED, item_update),
    ("ONCRMDYNAMICITEMDELETE", UNLIMITED, item_delete),
    ("ONCRMACTIVITYADD", UNLIMITED, new_email),
    ("ONCRMACTIVITYUPDATE", UNLIMITED, activity_update),
    ("ONCRMACTIVITYDELETE", UNLIMITED, activity_delete),
    ("ONCRMTIMELINECOMMENTADD", FLAT, new_note),
    ("ONTASKADD", UNLIMITED, new_task),
    ("ONTASKUPDATE", UNLIMITED, task_update),
    ("ONTASKDELETE", UNLIMITED, task_delete),
    ("ONTASKCOMMENTADD", UNLIMITED, task_comment),
    ("ONTASKCOMMENTADD.old-card", OLD_CARD, task_comment),
    ("ONUSERADD", UNLIMITED, user_add),
]


@pytest.mark.parametrize(("name", "profile", "cause"), RAISED)
async def test_body_is_that_of_the_sample(
    name: str, profile: Profile, cause: Callable[[Helpdesk], Any]
) -> None:
    desk = Helpdesk(profile)
    desk.portal.subscribe(HANDLER, "token", [name.split(".", maxsplit=1)[0]])
    cause(desk)
    sent = parse_query(desk.portal.pending_events[-1].body.decode())
    sample = json.loads((SAMPLES / f"event.{name}.json").read_text(encoding="utf-8"))
    expected = sample["body_outgoing_webhook"]["decoded"]
    assert sorted(differences(expected, sent, loose={"event_handler_id"})) == []
    assert sent["event"] == expected["event"].upper()


async def test_undefined_is_sent_as_a_word(heard_desk: Helpdesk) -> None:
    new_task(heard_desk)
    (form,) = await heard_desk.heard()
    assert form["data[FIELDS_BEFORE]"] == "undefined"


async def test_event_carries_five_keys_of_auth_and_no_token(heard_desk: Helpdesk) -> None:
    new_deal(heard_desk)
    (form,) = await heard_desk.heard()
    auth = {key for key in form if key.startswith("auth")}
    assert auth == {
        "auth[domain]", "auth[client_endpoint]", "auth[server_endpoint]", "auth[member_id]",
        "auth[application_token]",
    }  # fmt: skip
    assert form["auth[application_token]"] == "token"


async def test_handler_id_may_be_missing() -> None:
    desk = Helpdesk(replace(UNLIMITED, handler_id=False))
    desk.portal.subscribe(HANDLER, "token")
    new_deal(desk)
    assert "event_handler_id" not in (await desk.heard())[0]


async def test_smart_items_fire_the_common_and_their_own_event() -> None:
    desk = Helpdesk()
    names = ["ONCRMDYNAMICITEMADD", "ONCRMDYNAMICITEMADD_1220"]
    desk.portal.subscribe(HANDLER, "token", names)
    new_item(desk)
    assert sorted(await desk.heard_names()) == names


async def test_deals_changed_through_universal_methods_fire_deal_events(desk: Helpdesk) -> None:
    number = new_deal(desk)
    desk.portal.subscribe(HANDLER, "token")
    await desk.call("crm.item.update", entityTypeId=2, id=number, fields={"title": "Новое"})
    assert await desk.heard_names() == ["ONCRMDEALUPDATE"]


@pytest.mark.parametrize(("profile", "names"), [(CLOUD_STD, ["ONCRMDEALUPDATE"]), (SELF_HOSTED, [])])
async def test_funnel_move_never_reaches_a_webhook_as_such(profile: Profile, names: list[str]) -> None:
    desk = Helpdesk(profile)
    number, funnel = new_deal(desk), desk.portal.add_funnel("Вторая", [("NEW", "Новая", "P")])
    desk.portal.subscribe(HANDLER, "token", ["ONCRMDEALUPDATE", "ONCRMDEALMOVETOCATEGORY"])
    desk.portal.move_funnel(2, number, funnel)
    assert await desk.heard_names() == names


async def test_save_without_a_change_is_silent(desk: Helpdesk) -> None:
    number = new_deal(desk)
    desk.portal.subscribe(HANDLER, "token")
    desk.wait(hours=1)
    before = desk.portal.item(2, number)
    await desk.call("crm.deal.update", id=number, fields={"TITLE": "Сделка"})
    assert desk.portal.item(2, number) == before
    assert await desk.heard() == []
    assert (desk.portal.writes[2, number], desk.portal.idle_writes[2, number]) == (0, 1)


@pytest.mark.parametrize("status", [400, 500, 302])
async def test_refused_event_is_not_sent_again(status: int, heard_desk: Helpdesk) -> None:
    new_deal(heard_desk)
    ear = Ear(status)
    heard_desk.wait(hours=1)
    await heard_desk.portal.deliver(ear.transport)
    await heard_desk.portal.deliver(ear.transport)
    assert (len(ear.forms), heard_desk.portal.events.lost) == (1, 1)


async def test_event_to_nobody_is_lost(heard_desk: Helpdesk) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    new_deal(heard_desk)
    heard_desk.wait(hours=1)
    await heard_desk.portal.deliver(httpx.MockTransport(refuse))
    assert (heard_desk.portal.events.lost, heard_desk.portal.pending_events) == (1, [])


async def test_events_come_after_a_delay(heard_desk: Helpdesk) -> None:
    new_deal(heard_desk)
    assert await heard_desk.portal.deliver(Ear().transport) == 0
    due = heard_desk.portal.next_event_at
    assert due is not None
    assert timedelta(seconds=0.3) <= due - heard_desk.at <= timedelta(seconds=2)


async def test_dropped_doubled_and_reordered_events(heard_desk: Helpdesk) -> None:
    events = heard_desk.portal.events
    events.drop, events.double, events.reorder = 0.3, 0.3, 0.5
    for _ in range(100):
        new_deal(heard_desk)
        heard_desk.wait(seconds=1)
    numbers = [int(form["data[FIELDS][ID]"]) for form in await heard_desk.heard()]
    assert 50 < len(set(numbers)) < 90
    assert len(numbers) > len(set(numbers))
    assert numbers != sorted(numbers)
    assert events.dropped == 100 - len(set(numbers))


async def test_same_seed_same_fate() -> None:
    fates = []
    for _ in range(2):
        desk = Helpdesk(seed=7)
        desk.portal.subscribe(HANDLER, "token")
        desk.portal.events.drop = 0.5
        for _ in range(20):
            new_deal(desk)
        fates.append([one.body for one in desk.portal.pending_events])
    assert fates[0] == fates[1]


async def test_burst(heard_desk: Helpdesk) -> None:
    heard_desk.portal.events.burst = 5
    new_deal(heard_desk)
    assert len(await heard_desk.heard()) == 5


async def test_slow_handler_waits_longer_for_later_events(heard_desk: Helpdesk) -> None:
    def slowly(request: httpx.Request) -> httpx.Response:
        heard_desk.wait(seconds=6)
        return httpx.Response(200)

    new_deal(heard_desk)
    heard_desk.wait(hours=1)
    await heard_desk.portal.deliver(httpx.MockTransport(slowly))
    new_deal(heard_desk)
    assert heard_desk.portal.next_event_at - heard_desk.at > timedelta(seconds=5)  # type: ignore[operator]


async def test_own_writes_come_back_as_events(desk: Helpdesk) -> None:
    desk.portal.subscribe(HANDLER, "token")
    await desk.call("crm.deal.add", fields={"TITLE": "x"})
    assert await desk.heard_names() == ["ONCRMDEALADD"]


async def test_robots_write_after_creation(heard_desk: Helpdesk) -> None:
    heard_desk.portal.add_robot(2, {"additionalInfo": "проверено роботом"})
    new_deal(heard_desk)
    assert sorted(await heard_desk.heard_names()) == ["ONCRMDEALADD", "ONCRMDEALUPDATE"]


@pytest.mark.parametrize("url", ["ftp://service.test/x", "file:///x"])
def test_handler_of_another_scheme_is_refused(url: str, desk: Helpdesk) -> None:
    with pytest.raises(ValueError, match="UNSUPPORTED_PROTOCOL"):
        desk.portal.subscribe(url, "token")


def test_handler_without_a_dot_is_a_matter_of_the_profile() -> None:
    strict = Helpdesk(replace(UNLIMITED, loopback_handlers=False))
    with pytest.raises(ValueError, match="WRONG_HANDLER_URL"):
        strict.portal.subscribe("http://localhost:8080/x", "token")
    assert Helpdesk().portal.subscribe("http://localhost:8080/x", "token") == 1


async def test_timeline_event_as_in_the_source(heard_desk: Helpdesk) -> None:
    new_note(heard_desk)
    assert (await heard_desk.heard())[-1]["data[FIELDS][ID]"] == "1"


async def test_old_card_comment_as_in_the_source() -> None:
    desk = Helpdesk(SELF_HOSTED)
    desk.portal.subscribe(HANDLER, "token", ["ONTASKCOMMENTADD"])
    task_comment(desk)
    (form,) = await desk.heard()
    assert (form["data[IS_ACCESSIBLE_BEFORE]"], form["data[FIELDS_AFTER][ID]"]) == ("N", "3001")


async def test_service_may_forget_everything_on_the_way(heard_desk: Helpdesk) -> None:
    new_deal(heard_desk)
    assert heard_desk.portal.drop_pending() == 1
    assert await heard_desk.heard() == []
