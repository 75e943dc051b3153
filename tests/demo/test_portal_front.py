"""Addresses, encodings and the envelope of the emulated portal (emulator-notes.md A)."""

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.demo.portal import CLOUD_STD, SELF_HOSTED
from app.demo.portal.php import build_query, parse_query, php_json
from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("tail", ["profile", "profile.json", "profile/", "PROFILE", "Profile.json"])
async def test_method_is_found_under_every_spelling_of_its_address(tail: str, desk: Helpdesk) -> None:
    assert (await desk.http("POST", desk.path + tail)).json()["result"]["ID"] == "9"


async def test_get_takes_parameters_from_the_query(desk: Helpdesk) -> None:
    answer = await desk.http("GET", desk.path + "user.get?FILTER[ID]=1")
    assert [one["ID"] for one in answer.json()["result"]] == ["1"]


async def test_form_with_php_brackets(desk: Helpdesk) -> None:
    answer = await desk.http(
        "POST", desk.path + "user.get", content="FILTER[ID][0]=1&FILTER[ID][1]=9", headers=FORM
    )
    assert [one["ID"] for one in answer.json()["result"]] == ["1", "9"]


async def test_multipart_form(desk: Helpdesk) -> None:
    answer = await desk.http("POST", desk.path + "user.get", files={"FILTER[ID]": (None, b"9")})
    assert [one["ID"] for one in answer.json()["result"]] == ["9"]


async def test_body_wins_over_the_query(desk: Helpdesk) -> None:
    answer = await desk.http("POST", desk.path + "user.get?ID=1", json={"ID": 9})
    assert [one["ID"] for one in answer.json()["result"]] == ["9"]


async def test_malformed_json_is_no_parameters_and_no_parse_error(desk: Helpdesk) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await desk.http("POST", desk.path + "crm.item.get", content="{broken", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "100")


async def test_json_without_its_content_type_is_not_read_as_json(desk: Helpdesk) -> None:
    answer = await desk.http("POST", desk.path + "user.get", content='{"ID":9}', headers=FORM)
    assert len(answer.json()["result"]) == 2


@pytest.mark.parametrize("name", ["id", "ID", "Id", "arId"])
async def test_classic_parameters_in_four_spellings(name: str, desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    assert (await desk.call("crm.deal.get", **{name: number}))["TITLE"] == "Сделка"


async def test_universal_parameters_only_by_their_exact_names(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    assert await desk.refused("crm.item.get", ENTITYTYPEID=2, ID=number) == (400, "100")


async def test_timeline_comment_takes_only_lower_case_fields(desk: Helpdesk) -> None:
    fields = {"ENTITY_ID": desk.portal.add_deal("Сделка"), "ENTITY_TYPE": "deal", "COMMENT": "Заметка"}
    assert (await desk.refused("crm.timeline.comment.add", FIELDS=fields))[0] == 400


async def test_comment_items_are_positional(desk: Helpdesk) -> None:
    number = desk.portal.add_task("Задача", created_by=9, responsible=1)
    answer = await desk.http(
        "POST", desk.path + "task.commentitem.add", json=[number, {"POST_MESSAGE": "Привет"}]
    )
    assert answer.json()["result"] > 0


async def test_envelope_has_the_running_time(desk: Helpdesk) -> None:
    cloud = Helpdesk(CLOUD_STD)
    time = (await cloud.body("profile"))["time"]
    assert set(time) == {
        "start", "finish", "duration", "processing", "date_start", "date_finish", "operating_reset_at",
        "operating",
    }  # fmt: skip


async def test_envelope_without_the_limiter() -> None:
    time = (await Helpdesk(SELF_HOSTED).body("profile"))["time"]
    assert "operating" not in time
    assert isinstance(time["start"], int)


async def test_time_is_in_the_portals_zone(desk: Helpdesk) -> None:
    assert (await desk.body("profile"))["time"]["date_start"] == "2026-11-24T09:00:00+03:00"


async def test_answers_are_utf8_json(desk: Helpdesk) -> None:
    answer = await desk.post("profile")
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "Интеграция" in answer.content.decode("utf-8")


async def test_renamed_portal_redirects_with_the_whole_address(desk: Helpdesk) -> None:
    desk.portal.moved_to = "http://new.test"
    answer = await desk.http("POST", desk.path + "user.get?ID=1")
    assert (answer.status_code, answer.headers["location"]) == (
        302,
        f"http://new.test{desk.path}user.get?ID=1",
    )


async def test_server_speaks_lifespan(desk: Helpdesk) -> None:
    heard = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]
    said: list[str] = []

    async def receive() -> Any:
        return heard.pop()

    async def send(message: Any) -> None:
        said.append(message["type"])

    await desk.portal.app({"type": "lifespan"}, receive, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


PHP_ARRAYS: list[tuple[Any, Any]] = [
    ({}, []),
    ({"0": "a", "1": "b"}, ["a", "b"]),
    ({"1": "a"}, {"1": "a"}),
    ({"a": {}}, {"a": []}),
    ([{"x": {}}], [{"x": []}]),
    (10.0, 10),
    (10.5, 10.5),
]


@pytest.mark.parametrize(("value", "encoded"), PHP_ARRAYS)
def test_php_array_encoding(value: Any, encoded: Any) -> None:
    assert json.dumps(php_json(value)) == json.dumps(encoded)


FORMS: list[tuple[str, Any]] = [
    ("a=1&b=2", {"a": "1", "b": "2"}),
    ("a[b][c]=1", {"a": {"b": {"c": "1"}}}),
    ("a[]=1&a[]=2", {"a": {"0": "1", "1": "2"}}),
    ("a[5]=1&a[]=2", {"a": {"5": "1", "6": "2"}}),
    ("a=x+y%2B%D1%8F", {"a": "x y+я"}),
    ("a=1&a[b]=2", {"a": {"b": "2"}}),
    ("a", {"a": ""}),
]


@pytest.mark.parametrize(("text", "tree"), FORMS)
def test_php_forms(text: str, tree: Any) -> None:
    assert parse_query(text) == tree


def test_php_query_drops_null_and_counts_booleans() -> None:
    assert (
        build_query({"a": None, "b": True, "c": [1, {"d": "я"}]}) == "b=1&c%5B0%5D=1&c%5B1%5D%5Bd%5D=%D1%8F"
    )


async def test_answers_as_xml_on_wish(desk: Helpdesk) -> None:
    desk.portal.add_funnel("Поддержка & сервис", [("NEW", "Новая", "P")])
    answer = await desk.http("POST", f"{desk.path}crm.category.list.xml", json={"entityTypeId": 2})
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    tree = ET.fromstring(answer.text)
    names = {one.findtext("name") for one in tree.iterfind("result/categories/item")}
    assert names == {"Общая", "Поддержка & сервис"}
    assert tree.findtext("total") == "2"


async def test_refusals_as_xml_too(desk: Helpdesk) -> None:
    answer = await desk.http("GET", f"{desk.path}crm.nobody.xml")
    assert (answer.status_code, ET.fromstring(answer.text).findtext("error")) == (
        404,
        "ERROR_METHOD_NOT_FOUND",
    )
