"""The emulated OAuth server and what an application hears: tokens, their lives, installing, subscriptions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.demo.portal import CLOUD_STD
from tests.demo.applicant import INSTALL, Applicant, auth_of, fields_of, sample
from tests.demo.helpdesk import HANDLER

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk() -> Applicant:
    return Applicant()


# --- tokens ------------------------------------------------------------------------------


async def test_refresh_answers_with_the_keys_of_the_sample(desk: Applicant) -> None:
    status, body = await desk.refreshed()
    assert (status, set(body)) == (200, set(sample("oauth.token.refresh")["response"]))
    assert (body["expires_in"], body["user_id"], body["domain"]) == (3600, 9, "oauth.bitrix.info")


async def test_refresh_token_is_good_once(desk: Applicant) -> None:
    await desk.refreshed()
    assert await desk.refreshed() == (400, {"error": "invalid_grant", "error_description": "Invalid grant"})


async def test_whether_the_old_refresh_token_lives_on_is_a_knob(desk: Applicant) -> None:
    desk.oauth.keeps_old = True
    await desk.refreshed()
    assert (await desk.refreshed())[0] == 200


async def test_refresh_token_lives_180_days(desk: Applicant) -> None:
    desk.wait(days=180)
    assert (await desk.refreshed())[1]["error"] == "invalid_grant"


async def test_get_serves_as_well_as_post(desk: Applicant) -> None:
    params = {
        "grant_type": "refresh_token", "client_id": desk.application.client_id,
        "client_secret": desk.application.client_secret, "refresh_token": desk.refresh,
    }  # fmt: skip
    assert (await desk.http("GET", "/oauth/token/", params=params)).status_code == 200


async def test_code_is_good_for_half_a_minute(desk: Applicant) -> None:
    code = desk.oauth.code(desk.application.client_id, 9)
    desk.wait(seconds=30)
    _, body = await desk.token_answer(grant_type="authorization_code", code=code)
    assert body["error"] == "invalid_grant"


async def test_code_is_exchanged_once(desk: Applicant) -> None:
    code = desk.oauth.code(desk.application.client_id, 9)
    answers = [await desk.token_answer(grant_type="authorization_code", code=code) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 400]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"grant_type": "password"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_secret": "no"}, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "client_id": "no"}, "invalid_client"),
    ],
)
async def test_refusal_of_the_token_server(desk: Applicant, params: dict[str, str], code: str) -> None:
    status, body = await desk.token_answer(**params)
    assert (status >= 400, body["error"]) == (True, code)


async def test_unpaid_application_gets_no_tokens(desk: Applicant) -> None:
    desk.application.paid = False
    assert (await desk.refreshed())[1]["error"] == "PAYMENT_REQUIRED"
    desk.application.paid = True
    assert (await desk.refreshed())[0] == 200


async def test_token_server_goes_on_while_the_portal_is_down(desk: Applicant) -> None:
    desk.portal.faults.down = True
    assert (await desk.refreshed())[0] == 200


# --- calls -------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["auth", "access_token", "header", "query"])
async def test_token_is_taken_from_body_query_or_header(desk: Applicant, way: str) -> None:
    header = {"Authorization": f"Bearer {desk.access}"} if way == "header" else {}
    query = {"auth": desk.access} if way == "query" else {}
    body = {way: desk.access} if way in ("auth", "access_token") else {}
    answer = await desk.http("POST", "/rest/profile.json", json=body, params=query, headers=header)
    assert answer.json()["result"]["ID"] == "9"


async def test_access_token_expires_after_an_hour(desk: Applicant) -> None:
    desk.wait(minutes=59)
    assert (await desk.asked("profile"))[0] == 200
    desk.wait(minutes=1)
    assert await desk.denied("profile") == (401, "expired_token")


@pytest.mark.parametrize("token", ["nonsense", "0"])
async def test_unknown_token(desk: Applicant, token: str) -> None:
    assert await desk.denied("profile", token) == (401, "invalid_token")


async def test_token_of_a_dismissed_user(desk: Applicant) -> None:
    desk.portal.set_user(9, active=False)
    assert await desk.denied("profile") == (401, "authorization_error")


async def test_scopes_are_the_applications(desk: Applicant) -> None:
    narrow = desk.portal.add_application(INSTALL, ["crm"])
    token = desk.oauth.pair(narrow.client_id, 9)["access_token"]
    assert await desk.denied("im.chat.get", token) == (401, "insufficient_scope")


async def test_app_info_tells_about_the_caller(desk: Applicant) -> None:
    told = await desk.told("app.info")
    assert (told["CODE"], told["INSTALLED"], told["STATUS"]) == (desk.application.client_id, True, "L")
    assert set(told) == set(sample("app.info")["response"]["result"])


async def test_app_info_is_refused_to_a_webhook(desk: Applicant) -> None:
    assert await desk.refused("app.info") == (403, "ACCESS_DENIED")


# --- installing --------------------------------------------------------------------------


async def test_install_post_of_an_application_without_an_interface() -> None:
    desk = Applicant()
    other = desk.portal.add_application(INSTALL)
    [form] = await desk.heard()
    assert (form["event"], form["data[INSTALLED]"]) == ("ONAPPINSTALL", "Y")
    wanted = sample("event.ONAPPINSTALL")["body"]["decoded"]["auth"]
    assert set(auth_of(form)) == set(wanted) | {"expires", "user_id"}
    assert auth_of(form)["application_token"] == other.application_token


async def test_frame_of_an_application_with_an_interface() -> None:
    desk = Applicant(has_ui=True)
    address, body = desk.portal.open_frame(desk.application)
    form = fields_of(body)
    assert address.startswith(f"{INSTALL}?DOMAIN=")
    assert {"AUTH_ID", "REFRESH_ID", "AUTH_EXPIRES", "member_id", "status", "APPLICATION_TOKEN"} <= set(form)
    assert await desk.told("app.info", form["AUTH_ID"])


async def test_no_events_before_the_installation_is_finished() -> None:
    desk = Applicant(has_ui=True)
    await desk.bind("ONCRMDEALADD")
    desk.portal.add_deal("Сделка")
    assert (await desk.heard_names(), (await desk.told("app.info"))["INSTALLED"]) == ([], False)
    desk.portal.finish_install(desk.application)
    desk.portal.add_deal("Сделка")
    assert await desk.heard_names() == ["ONCRMDEALADD"]


async def test_others_may_not_call_before_the_installation_is_finished() -> None:
    desk = Applicant(has_ui=True)
    token = desk.oauth.pair(desk.application.client_id, 1)["access_token"]
    assert await desk.denied("profile", token) == (401, "ERROR_OAUTH")


async def test_removed_application_hears_so_without_a_token(desk: Applicant) -> None:
    await desk.bind("ONAPPUNINSTALL")
    desk.portal.remove_application(desk.application)
    [form] = await desk.heard()
    wanted = sample("event.ONAPPUNINSTALL")["body"]["decoded"]
    assert set(auth_of(form)) == set(wanted["auth"])
    assert form["data[CLEAN]"] == "1"


async def test_tokens_of_a_removed_application_are_dead(desk: Applicant) -> None:
    desk.portal.remove_application(desk.application)
    assert await desk.denied("profile") == (401, "APPLICATION_NOT_FOUND")
    assert (await desk.refreshed())[1]["error"] == "invalid_client"


async def test_update_tells_and_takes_the_subscriptions_away(desk: Applicant) -> None:
    await desk.bind("ONAPPUPDATE")
    await desk.bind("ONCRMDEALADD")
    desk.portal.update_application(desk.application)
    assert (await desk.heard_names(), await desk.told("event.get")) == (["ONAPPUPDATE"], [])


# --- subscriptions -----------------------------------------------------------------------


async def test_events_of_an_application_carry_tokens_of_who_acted(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD")
    desk.portal.add_deal("Сделка", by=1)
    [form] = await desk.heard()
    auth = auth_of(form)
    assert (auth["user_id"], auth["status"]) == ("1", "L")
    assert (await desk.told("profile", auth["access_token"]))["ID"] == "1"
    assert "refresh_token" not in auth


async def test_robots_event_has_no_token(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD")
    desk.portal.add_deal("Сделка", by=0)
    [form] = await desk.heard()
    webhook = {"domain", "client_endpoint", "server_endpoint", "member_id", "application_token"}
    assert set(auth_of(form)) == webhook


async def test_events_in_the_name_of_a_chosen_user(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD", auth_type=9)
    desk.portal.add_deal("Сделка", by=0)
    assert auth_of((await desk.heard())[0])["user_id"] == "9"


async def test_funnel_move_reaches_an_application(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALMOVETOCATEGORY")
    funnel = desk.portal.add_funnel("Поддержка", [("NEW", "Новая", "P")])
    deal = desk.portal.add_deal("Сделка")
    desk.portal.move_funnel(2, deal, funnel)
    [form] = await desk.heard()
    assert (form["data[FIELDS][ID]"], form["data[FIELDS][CATEGORY_ID]"]) == (str(deal), str(funnel))


async def test_depth_of_reactions_by_tokens_of_events_ends_in_silence(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALUPDATE")
    deal = desk.portal.add_deal("Сделка")
    desk.portal.update_item(2, deal, {"title": "0"}, by=9)
    heard = 0
    while forms := await desk.heard():
        heard += 1
        token = auth_of(forms[0])["access_token"]
        fields = {"title": str(heard)}
        await desk.told("crm.item.update", token, entityTypeId=2, id=deal, fields=fields)
    assert heard == 8, "the first token has depth 7, that of depth 0 raises nothing"


async def test_own_token_starts_afresh_each_time(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALUPDATE")
    deal = desk.portal.add_deal("Сделка")
    for title in range(12):
        await desk.told("crm.item.update", entityTypeId=2, id=deal, fields={"title": str(title)})
        assert await desk.heard_names() == ["ONCRMDEALUPDATE"]


async def test_subscriptions_as_event_get_tells_them(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD")
    await desk.bind_offline("ONCRMDEALUPDATE")
    assert await desk.told("event.get") == [
        {"event": "ONCRMDEALADD", "handler": HANDLER, "auth_type": "0", "offline": 0},
        {"event": "ONCRMDEALUPDATE", "connector_id": "", "offline": 1},
    ]


async def test_unbinding_counts(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD")
    counts = [await desk.told("event.unbind", event="OnCrmDealAdd", handler=HANDLER) for _ in range(2)]
    assert counts == [{"count": 1}, {"count": 0}]


async def test_event_names_by_scope(desk: Applicant) -> None:
    entity, _ = desk.portal.add_type("Заявки")
    names = await desk.told("events")
    assert {"ONCRMDEALMOVETOCATEGORY", f"ONCRMDYNAMICITEMADD_{entity}", "ONAPPINSTALL"} <= set(names)
    assert await desk.told("events", SCOPE="user") == ["ONUSERADD"]


async def test_test_event_repeats_the_query(desk: Applicant) -> None:
    await desk.bind("ONAPPTEST")
    assert await desk.told("event.test", any="data") == 1
    [form] = await desk.heard()
    assert form["data[QUERY][any]"] == "data"
    assert "refresh_token" in auth_of(form)


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"event": "ONNOTHING", "handler": HANDLER}, (400, "ERROR_EVENT_NOT_FOUND")),
        ({"event": "", "handler": HANDLER}, (400, "ERROR_ARGUMENT")),
        ({"event": "ONCRMDEALADD"}, (400, "ERROR_ARGUMENT")),
        ({"event": "ONCRMDEALADD", "handler": "ftp://service.test/"}, (400, "ERROR_UNSUPPORTED_PROTOCOL")),
        ({"event": "ONAPPTEST", "event_type": "offline"}, (400, "ERROR_ARGUMENT")),
        ({"event": "ONCRMDEALADD", "event_type": "often"}, (400, "ERROR_ARGUMENT")),
    ],
)
async def test_refused_binding(desk: Applicant, params: dict[str, Any], refusal: tuple[int, str]) -> None:
    assert await desk.denied("event.bind", **params) == refusal


async def test_same_subscription_twice_is_refused(desk: Applicant) -> None:
    await desk.bind("ONCRMDEALADD")
    assert await desk.denied("event.bind", event="oncrmdealadd", handler=HANDLER) == (400, "ERROR_CORE")


async def test_handler_without_a_dot_is_refused_where_the_profile_says_so() -> None:
    desk = Applicant(replace(CLOUD_STD, loopback_handlers=False))
    refusal = await desk.denied("event.bind", event="ONCRMDEALADD", handler="http://localhost/x")
    assert refusal == (400, "ERROR_WRONG_HANDLER_URL")


async def test_ordinary_user_binds_only_for_himself() -> None:
    desk = Applicant()
    desk.portal.add_user("Пётр", "Простой", 20)
    token = desk.oauth.pair(desk.application.client_id, 20)["access_token"]
    assert await desk.told("event.bind", token, event="ONCRMDEALADD", handler=HANDLER)
    assert (await desk.told("event.get"))[0]["auth_type"] == "20"
    assert await desk.denied("event.bind", token, event="ONCRMDEALADD", handler=HANDLER, auth_type=9) == (
        403, "ACCESS_DENIED",
    )  # fmt: skip
    offline = {"event": "ONCRMDEALADD", "event_type": "offline"}
    assert await desk.denied("event.bind", token, **offline) == (403, "ACCESS_DENIED")


@pytest.mark.parametrize("method", ["events", "event.bind", "event.get", "event.offline.get", "event.test"])
async def test_webhook_may_not_speak_of_events(desk: Applicant, method: str) -> None:
    assert await desk.refused(method, event="ONCRMDEALADD", handler=HANDLER) == (403, "WRONG_AUTH_TYPE")


async def test_one_application_does_not_see_anothers_subscriptions(desk: Applicant) -> None:
    other = desk.portal.add_application(INSTALL)
    await desk.bind("ONCRMDEALADD")
    token = desk.oauth.pair(other.client_id, 9)["access_token"]
    assert await desk.told("event.get", token) == []
