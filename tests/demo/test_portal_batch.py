"""batch of the emulated portal (emulator-notes.md D)."""

import pytest

from tests.demo.helpdesk import HANDLER, Helpdesk

pytestmark = pytest.mark.anyio


async def test_five_maps_keyed_like_the_commands(desk: Helpdesk) -> None:
    answer = await desk.batch(who="user.current", people="user.get", bad="crm.deal.get?id=404")
    assert set(answer) == {"result", "result_error", "result_total", "result_next", "result_time"}
    assert set(answer["result"]) == {"who", "people"}
    assert answer["result_error"] == {"bad": {"error": "", "error_description": "Not found"}}
    assert (answer["result_total"], answer["result_next"]) == ({"people": 2}, [])


async def test_numeric_keys_make_lists(desk: Helpdesk) -> None:
    answer = await desk.call("batch", halt=0, cmd=["server.time", "server.time"])
    assert isinstance(answer["result"], list)
    assert answer["result_error"] == []


async def test_commands_are_decoded_as_php_does(desk: Helpdesk) -> None:
    text = "fields[TITLE]=%D0%9A%D0%B0%D1%81%D1%81%D0%B0+1%2B1&fields[COMMENTS]=x#cut&fields[SOURCE_ID]=WEB"
    number = (await desk.batch(a=f"crm.deal.add?{text}"))["result"]["a"]
    item = desk.portal.item(2, number)
    assert item is not None
    assert (item["title"], item["comments"], item["sourceId"]) == ("Касса 1+1", "x", None)


async def test_reference_to_an_earlier_answer(desk: Helpdesk) -> None:
    answer = await desk.batch(a="user.current", b="department.get?ID=$result[a][UF_DEPARTMENT][0]")
    assert answer["result"]["b"][0]["NAME"] == "Компания"


async def test_reference_to_a_total(desk: Helpdesk) -> None:
    answer = await desk.batch(a="user.get", b="crm.deal.add?fields[TITLE]=people $total[a]")
    assert desk.portal.item(2, answer["result"]["b"])["title"] == "people 2"  # type: ignore[index]


async def test_references_to_the_next_page_to_an_error_and_to_the_time(desk: Helpdesk) -> None:
    for number in range(60):
        desk.portal.add_deal(f"Сделка {number}")
    told = await desk.batch(
        page="crm.deal.list?select[]=ID",
        lost="crm.deal.get?id=404",
        rest="crm.deal.list?select[]=ID&start=$next[page]",
        note="crm.deal.add?fields[TITLE]=$error[lost][error_description]&fields[COMMENTS]=$time[page][duration]",
    )
    assert len(told["result"]["rest"]) == 10
    noted = desk.portal.item(2, told["result"]["note"]) or {}
    assert (noted["title"], noted["comments"]) == ("Not found", "0.12")


async def test_reference_may_bring_a_whole_array(desk: Helpdesk) -> None:
    desk.portal.add_department("Поддержка")
    answer = await desk.batch(a="user.current", b="department.get?ID=$result[a][UF_DEPARTMENT]")
    assert [one["ID"] for one in answer["result"]["b"]] == ["1"]


async def test_reference_runs_to_the_next_whitespace(desk: Helpdesk) -> None:
    answer = await desk.batch(a="user.current", b="crm.deal.add?fields[TITLE]=by $result[a][ID]-x here")
    assert desk.portal.item(2, answer["result"]["b"])["title"] == "by 9 here"  # type: ignore[index]


async def test_missing_path_leaves_the_text(desk: Helpdesk) -> None:
    answer = await desk.batch(b="crm.deal.add?fields[TITLE]=by $result[nobody][ID] here")
    assert desk.portal.item(2, answer["result"]["b"])["title"] == "by $result[nobody][ID] here"  # type: ignore[index]


async def test_missing_path_gives_what_was_found_when_it_is_the_whole_value(desk: Helpdesk) -> None:
    answer = await desk.batch(a="user.current", b="department.get?ID=$result[a][UF_DEPARTMENT][7]")
    assert [one["ID"] for one in answer["result"]["b"]] == ["1"]


async def test_halt_leaves_later_keys_out(desk: Helpdesk) -> None:
    answer = await desk.batch(halt=1, a="server.time", b="crm.deal.get?id=404", c="server.time")
    assert (set(answer["result"]), set(answer["result_error"])) == ({"a"}, {"b"})


async def test_commands_above_fifty_are_refused_inside(desk: Helpdesk) -> None:
    answer = await desk.call("batch", halt=0, cmd={f"c{number}": "server.time" for number in range(52)})
    assert len(answer["result"]) == 50
    assert {one["error"] for one in answer["result_error"].values()} == {"ERROR_BATCH_LENGTH_EXCEEDED"}


async def test_batch_inside_a_batch_is_refused(desk: Helpdesk) -> None:
    answer = await desk.batch(a="batch?cmd[x]=server.time")
    assert answer["result_error"]["a"]["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"


async def test_scope_failure_inside_has_no_description(desk: Helpdesk) -> None:
    desk.path = desk.portal.add_webhook(9, scopes=["im"])
    answer = await desk.batch(a="crm.deal.list")
    assert answer["result_error"]["a"] == {"error": "insufficient_scope", "error_description": ""}


async def test_all_values_become_strings_so_null_cannot_be_sent(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка", comments="Текст")
    await desk.batch(a=f"crm.item.update?entityTypeId=2&id={number}&fields[comments]=")
    assert desk.portal.item(2, number)["comments"] is None  # type: ignore[index]


async def test_events_of_a_batch_leave_after_it_merged(desk: Helpdesk) -> None:
    number = desk.portal.add_deal("Сделка")
    desk.portal.subscribe(HANDLER, "token")
    update = f"crm.deal.update?id={number}&fields[TITLE]="
    await desk.batch(a=update + "1", b=update + "2")
    assert await desk.heard_names() == ["ONCRMDEALUPDATE"]


async def test_fault_of_one_command_leaves_the_others(desk: Helpdesk) -> None:
    desk.portal.faults.fail("crm.deal.list", "access")
    answer = await desk.batch(a="crm.deal.list", b="server.time")
    assert (list(answer["result"]), list(answer["result_error"])) == (["b"], ["a"])
