"""Calls as the portal reads them, answers as it writes them (rest.md 1.3, 1.6, 1.8). No I/O.

PHP's arrays leave their mark on every answer: an empty map is `[]`, a map with keys 0..n-1 is a
list. `as_map` and `as_list` accept both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.bitrix.errors import LATER, PortalError, RetryLater, error_of, undecodable

BATCH = 50
PAGE = 50
BIGGEST = 2**63  # what no database's big integer holds is no id


@dataclass(frozen=True, slots=True)
class Command:
    """One method with its parameters, alone or inside a batch."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)


Group = Sequence[Command]
"""Commands that travel in one request, because one of them refers to another."""


@dataclass(frozen=True, slots=True)
class From:
    """A parameter taken from the result of the command `back` places before, in the same request.

    `path` is `[task][chatId]`. The portal reads a reference up to the next space, so nothing
    may follow it; a missing path leaves the literal text.
    """

    back: int
    path: str
    prefix: str = ""


_EMPTY: tuple[Any, ...] = (None, "", False, [])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command returned; `time` holds the portal's figures, if it sent any."""

    result: Any
    total: int | None = None
    next: int | None = None
    time: Mapping[str, Any] = field(default_factory=dict)

    def is_list(self, *path: str) -> bool:
        """Whether what stands there is a list of rows, be it an empty one as PHP may write it."""
        found = self.result
        for name in path:
            if not isinstance(found, Mapping) and found not in _EMPTY:
                return False
            found = as_map(found).get(name)
        if not isinstance(found, list | Mapping):
            return found in _EMPTY
        return all(isinstance(row, Mapping) for row in as_list(found))

    def rows(self, *path: str) -> list[Mapping[str, Any]]:
        """The rows of a list method; `path` leads to them (`items`, `tasks` …)."""
        found = self.result
        for name in path:
            found = as_map(found).get(name)
        return [row for row in as_list(found) if isinstance(row, Mapping)]

    def complete(self, count: int) -> bool:
        """Whether these `count` rows were the last page: no `next`, or fewer rows than a page."""
        return self.next is None and (count < PAGE or (self.total is not None and self.total <= count))


Told = Answer | PortalError


def php_query(params: Mapping[str, Any], place: int = 0) -> str:
    """PHP's http_build_query: brackets for nesting, every value percent-encoded once.

    Booleans become 1 and 0; None becomes "", because a batch cannot carry null. `place` is the
    command's own in its batch, for references.
    """
    return "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in _flat(params, place))


def command_text(command: Command, place: int = 0) -> str:
    """`method?query` for the `cmd` of a batch. A raw `#` or `&` would cut it, so nothing stays raw."""
    query = php_query(command.params, place)
    return f"{command.method}?{query}" if query else command.method


def key_of(index: int) -> str:
    """The key of a batch's command. Never numeric: 0..n-1 would come back as a list."""
    return f"c{index}"


def batch_params(commands: Sequence[Command]) -> dict[str, Any]:
    """The body of `batch`; halt 0: every command runs, whatever the others did."""
    return {"halt": 0, "cmd": {key_of(i): command_text(command, i) for i, command in enumerate(commands)}}


def read_answer(status: int, body: bytes, now: datetime, *, method: str = "") -> Answer:
    """The answer of one HTTP request. Raises the PortalError that it holds."""
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        raise undecodable(status, now, method=method) from None
    if not isinstance(tree, dict):
        raise undecodable(status, now, method=method)
    if b"\\ud" in body.lower():
        tree = _whole_text(tree)
    if error := error_of(status, tree, now, method=method):
        raise error
    if "result" not in tree:
        raise undecodable(status, now, method=method)
    return Answer(
        tree["result"], _count(tree.get("total")), _count(tree.get("next")), as_map(tree.get("time"))
    )


def read_batch(answer: Answer, commands: Sequence[Command], now: datetime) -> list[Told]:
    """Each command's own answer or error, in order. A command without either is read again later."""
    maps = as_map(answer.result)
    parts = {name: as_map(maps.get(name)) for name in _PARTS}
    return [_told(parts, key_of(i), command, now) for i, command in enumerate(commands)]


_PARTS = ("result", "result_error", "result_total", "result_next", "result_time")


def _told(parts: Mapping[str, Mapping[str, Any]], key: str, command: Command, now: datetime) -> Told:
    if key in parts["result_error"]:
        fault = parts["result_error"][key]
        body = fault if isinstance(fault, Mapping) and "error" in fault else {"error": str(fault)}
        error = error_of(None, body, now, method=command.method)
        assert error is not None, "a body with `error` is an error"
        return error
    if key not in parts["result"]:
        return RetryLater("no_answer", at=now + LATER, method=command.method, unknown_fate=True)
    total, following = _count(parts["result_total"].get(key)), _count(parts["result_next"].get(key))
    return Answer(parts["result"][key], total, following, as_map(parts["result_time"].get(key)))


def _whole_text(value: Any) -> Any:
    """Without halves of emoji, which JSON may hold and no text: nobody could store, show or send them."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_whole_text(item) for item in value]
    if isinstance(value, dict):
        return {_whole_text(key): _whole_text(item) for key, item in value.items()}
    return value


def as_map(value: object) -> Mapping[str, Any]:
    """A PHP array read as a map: `[]` is empty, a list has the keys "0", "1" …"""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def unlisted(answer: Answer, *path: str, method: str = "") -> PortalError | None:
    """An error where no list stands: taken for an empty one it would mean that all of it is gone."""
    if answer.is_list(*path):
        return None
    return PortalError("unreadable", "вместо списка пришло непонятное", method=method)


def as_list(value: object) -> list[Any]:
    """A PHP array read as a list; null, "" and false are empty lists too."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        return list(value.values())
    return []


def number(value: object) -> int:
    """An id as the portal may write it ("17", 17, "17.0", null, ""), else 0."""
    try:
        found = int(float(str(value)))
    except (ValueError, OverflowError):
        return 0
    return found if abs(found) < BIGGEST else 0


def _count(value: object) -> int | None:
    return number(value) if isinstance(value, int | float | str) and value not in ("", False) else None


def _flat(params: Mapping[str, Any], place: int) -> Iterator[tuple[str, str]]:
    for key, value in params.items():
        yield from _pairs(str(key), value, place)


def _pairs(key: str, value: object, place: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _pairs(f"{key}[{name}]", item, place)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _pairs(f"{key}[{index}]", item, place)
    else:
        yield key, _scalar(value, place)


def _scalar(value: object, place: int) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, From):
        return f"{value.prefix}$result[{key_of(place - value.back)}]{value.path}"
    return "" if value is None else str(value)
