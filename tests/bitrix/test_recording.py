"""`check --record`: shapes of every reading method, and no value of anybody's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.bitrix import methods
from app.bitrix.recording import FOR_APPLICATIONS, UNASKED
from app.bitrix.shapes import differences, shape_of

if TYPE_CHECKING:
    from .conftest import World

pytestmark = pytest.mark.anyio

WRITES = (
    ".add", ".update", ".set", ".send", ".register", ".upload", ".bind", ".unbind", ".clear", ".subscribe",
    ".startwatch",
)  # fmt: skip


async def test_no_value_is_recorded(lively: World) -> None:
    text = json.dumps(await lively.portal.shapes(), ensure_ascii=False).lower()
    secret = lively.emulated.webhook_path.split("/")[3]
    leaked = ("тайна", "раскрытова", "raskrytova", "example.com", "шлагбаум", secret, "2026", "анна")
    assert [word for word in leaked if word in text] == []


async def test_every_method_that_reads_is_recorded(lively: World) -> None:
    reads = {name for name in methods.ALL if not name.lower().endswith(WRITES)} - {
        *UNASKED,
        *FOR_APPLICATIONS,
    }
    assert reads == (await lively.portal.shapes()).keys()


async def test_recording_writes_nothing(lively: World) -> None:
    before = lively.emulated.calls.copy()
    await lively.portal.shapes()
    called = (lively.emulated.calls - before).keys()
    assert [name for name in called if name.endswith(WRITES)] == []


async def test_method_that_refuses_is_recorded_by_its_code(world: World) -> None:
    world.emulated.faults.fail("crm.type.list", "access")
    assert (await world.portal.shapes())["crm.type.list"] == "error ACCESS_DENIED"


def test_shape_is_keys_and_kinds() -> None:
    value = {"a": [1, 2, None], "b": {"17": {"x": True}, "18": {"x": 1.5}}, "c": [], "d": {"e": "text"}}
    assert shape_of(value) == {
        ".": "object", "a": "array", "a[]": "integer|null", "b": "object", "b.*": "object",
        "b.*.x": "boolean|number", "c": "empty", "d": "object", "d.e": "string",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("ufCrm7_1721244482250", "UF_*"),
        ("UF_CRM_IVANOV", "UF_*"),
        ("ufTaskClientRequest", "UF_*"),
        ("parentId1220", "parentId*"),
        ("DT177_9:NEW", "*"),
        ("chat11", "chat*"),
        ("Иванов", "*"),
        ("ivanov@example.com", "*"),
        ("STAGE_ID", "STAGE_ID"),
    ],
)
def test_keys_that_people_chose_are_not_told(key: str, told: str) -> None:
    assert shape_of({key: 1}) == {".": "object", told: "integer"}


RECORDED = shape_of({"items": [{"id": 1, "title": "a", "group": []}], "total": 5})
OTHERS: dict[str, tuple[Any, list[str]]] = {
    "same": ({"items": [{"id": 2, "title": "b", "group": {"id": 5}}], "total": 7}, []),
    "nothing there says nothing": ({"items": [], "total": None}, []),
    "another kind": ({"items": [{"id": "2", "title": "b", "group": []}], "total": 7},
                     ["list items[].id: записано integer, здесь string"]),
    "a key less": ({"items": [{"id": 2, "group": []}], "total": 7}, ["list items[].title: только в записи"]),
    "a key more": ({"items": [{"id": 2, "title": "b", "group": [], "new": {"a": 1}}], "total": 7},
                   ["list items[].new: только здесь", "list items[].new.a: только здесь"][:1]),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_two_shapes_are_compared(name: str) -> None:
    value, told = OTHERS[name]
    assert list(differences({"list": RECORDED}, {"list": shape_of(value)})) == told


def test_refusal_is_another_answer() -> None:
    assert list(differences({"scope": RECORDED}, {"scope": "error ACCESS_DENIED"})) == [
        "scope: записано ответ, здесь error ACCESS_DENIED"
    ]
