"""Spoilt input, a few thousand cases of each kind; `make fuzz` plays two hundred thousand."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.bitrix import events
from app.bitrix.events import Unreadable, parse_php, read_form
from tests.security import fuzzing
from tests.security.fuzzing import TARGETS, play
from tests.web.town import EVENT_TOKEN

CASES = {"form": 1000, "json": 1000, "answer": 1500, "rules": 20, "settings": 1000, "reference": 5000}
HOOK = "/webhooks/bitrix24"


@pytest.mark.parametrize("target", TARGETS)
def test_every_reader_keeps_its_law(target: str) -> None:
    ends = play(target, range(CASES[target]))
    print(f"{target}: {dict(ends)}")
    assert ends.total() == CASES[target]
    assert len(ends) > 1  # cases that are all refused alike would prove little


@pytest.mark.anyio
async def test_a_spoilt_event_is_never_our_fault(client: httpx.AsyncClient) -> None:
    statuses = set()
    for seed in range(150):
        chance = random.Random(seed)
        tree = fuzzing.spoilt_tree(chance, chance.choice(fuzzing.events()))
        whole: dict[str, Any] = tree if isinstance(tree, dict) else {"event": tree}
        text = f"{fuzzing._as_form(chance, whole)}&auth[application_token]={EVENT_TOKEN}"
        body = text.encode("utf-8", "replace")
        statuses.add(
            (await client.post(HOOK, content=body, headers={"Content-Type": fuzzing.FORM})).status_code
        )
    assert statuses <= {200, 400, 403, 413, 415}
    assert {200, 400} <= statuses


# --- edges (an oracle for well-formed input: tests/bitrix/test_events.py) --------------------


@pytest.mark.parametrize(("levels", "read"), [(10, True), (11, False)])
@pytest.mark.parametrize("kind", [fuzzing.FORM, fuzzing.JSON])
def test_the_edge_of_depth(levels: int, read: bool, kind: str) -> None:
    form = "event=X&a" + "[b]" * (levels - 1) + "=1"
    tree = '{"event":"X","a":' + '{"b":' * (levels - 1) + '"1"' + "}" * levels
    assert _is_read(form if kind == fuzzing.FORM else tree, kind) is read


@pytest.mark.parametrize(("keys", "read"), [(1000, True), (1001, False)])
@pytest.mark.parametrize("kind", [fuzzing.FORM, fuzzing.JSON])
def test_the_edge_of_width(keys: int, read: bool, kind: str) -> None:
    form = "event=X&" + "&".join(f"k{n}=1" for n in range(keys - 1))
    tree = '{"event":"X",' + ",".join(f'"k{n}":"1"' for n in range(keys - 1)) + "}"
    assert _is_read(form if kind == fuzzing.FORM else tree, kind) is read


def _is_read(text: str, kind: str) -> bool:
    try:
        return bool(read_form(text.encode(), kind))
    except Unreadable as refused:
        fuzzing.keeps(refused.status == 400, f"status {refused.status}")
        return False


def test_a_sender_cannot_fill_memory_with_the_names_of_keys() -> None:
    before = events._path.cache_info().currsize
    for number in range(50):
        parse_php(f"{quote(f'{number}' * 3000)}=1")
    assert events._path.cache_info().currsize - before == 0
