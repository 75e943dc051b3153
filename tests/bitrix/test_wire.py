"""Commands and answers on the wire."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.errors import Misconfigured, Refused, RetryLater
from app.bitrix.events import parse_php
from app.bitrix.wire import (
    Answer,
    Command,
    as_list,
    as_map,
    batch_params,
    command_text,
    number,
    php_query,
    read_answer,
    read_batch,
)  # fmt: skip

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parent.parent / "data" / "bitrix24" / "examples"

QUERIES = [
    ({"filter": {"@id": [1, 2]}}, "filter%5B%40id%5D%5B0%5D=1&filter%5B%40id%5D%5B1%5D=2"),
    ({"a": True, "b": False, "c": None}, "a=1&b=0&c="),
    ({"text": "5 & 6 # 7 + ё"}, "text=5%20%26%206%20%23%207%20%2B%20%D1%91"),
    ({"at": "2026-11-24T06:15:00+00:00"}, "at=2026-11-24T06%3A15%3A00%2B00%3A00"),
    ({"empty": [], "none": {}}, ""),
]


@pytest.mark.parametrize(("params", "query"), QUERIES)
def test_query_is_encoded_once(params: Any, query: str) -> None:
    assert php_query(params) == query


def test_command_without_parameters_is_its_name() -> None:
    assert command_text(Command("profile")) == "profile"


@given(st.dictionaries(st.text("abc@>=", min_size=1, max_size=4), st.text(max_size=12), min_size=1))
def test_any_text_survives_the_road(values: dict[str, str]) -> None:
    assert parse_php(php_query({"f": values})) == {"f": values}


def test_keys_of_a_batch_are_never_numbers() -> None:
    keys = batch_params([Command("profile")] * 50)["cmd"]
    assert len(keys) == 50
    assert not any(key.isdigit() for key in keys)


def batch(**parts: Any) -> Answer:
    shape: dict[str, Any] = {
        "result": [],
        "result_error": [],
        "result_total": [],
        "result_next": [],
        "result_time": [],
    }
    return Answer(shape | parts)


def test_batch_gives_each_command_its_own() -> None:
    answer = batch(result={"c0": {"items": []}}, result_error={"c1": {"error": "insufficient_scope"}})
    first, second, third = read_batch(answer, [Command("a"), Command("b"), Command("c")], NOW)
    assert isinstance(first, Answer)
    assert isinstance(second, Misconfigured)
    assert second.method == "b"
    assert isinstance(third, RetryLater)


def test_batch_of_null_results_has_answers() -> None:
    [told] = read_batch(batch(result={"c0": None}), [Command("a")], NOW)
    assert isinstance(told, Answer)
    assert told.result is None


def test_batch_with_a_bare_text_for_an_error() -> None:
    [told] = read_batch(batch(result_error={"c0": "ERROR_CORE"}), [Command("a")], NOW)
    assert isinstance(told, Refused)
    assert told.code == "ERROR_CORE"


@pytest.mark.parametrize(
    ("told", "count", "complete"),
    [
        (Answer([]), 0, True),
        (Answer([], total=49), 49, True),
        (Answer([], total=50), 50, True),
        (Answer([], total=51, next=50), 50, False),
        (Answer([]), 50, False),
        (Answer([], next=50), 20, False),
    ],
)
def test_a_list_is_complete_only_with_its_last_page(told: Answer, count: int, complete: bool) -> None:
    assert told.complete(count) is complete


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b"[]", b"null", b'"x"', b"{}"])
def test_what_is_no_envelope_is_read_again_later(body: Any) -> None:
    with pytest.raises(RetryLater):
        read_answer(200, body, NOW)


def test_empty_error_code_is_an_error() -> None:
    with pytest.raises(Refused):
        read_answer(400, b'{"error":"","error_description":"Not found"}', NOW)


def methods() -> list[tuple[str, Any]]:
    found = [(path.stem, json.loads(path.read_text())) for path in sorted(EXAMPLES.glob("*.json"))]
    return [(name, sample) for name, sample in found if "result" in str(sample.get("response", ""))]


@pytest.mark.parametrize("sample", [s for _, s in methods()], ids=[name for name, _ in methods()])
def test_every_sample_answer_is_read(sample: Any) -> None:
    response = sample["response"]
    if "result" in response:
        assert read_answer(200, json.dumps(response).encode(), NOW).result == response["result"]


def test_sample_list_has_its_total_and_next() -> None:
    sample = json.loads((EXAMPLES / "crm.activity.list.json").read_text())["response"]
    answer = read_answer(200, json.dumps(sample).encode(), NOW)
    assert (answer.total, answer.next) == (123456, 50)
    assert [row["ID"] for row in answer.rows()] == ["20"]


@pytest.mark.parametrize(
    ("value", "listed", "mapped"),
    [
        ([], [], {}),
        (None, [], {}),
        (False, [], {}),
        ("", [], {}),
        ([7, 8], [7, 8], {"0": 7, "1": 8}),
        ({"5": 7}, [7], {"5": 7}),
    ],
)
def test_both_shapes_of_a_php_array(value: Any, listed: Any, mapped: Any) -> None:
    assert as_list(value) == listed
    assert as_map(value) == mapped


@pytest.mark.parametrize(
    ("value", "wanted"), [("17", 17), (17, 17), ("17.00", 17), (None, 0), ("", 0), (False, 0), ("x", 0)]
)
def test_numbers_come_in_many_forms(value: Any, wanted: Any) -> None:
    assert number(value) == wanted
