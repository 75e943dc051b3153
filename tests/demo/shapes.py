"""Comparing answers by shape: keys and kinds of values, not the values."""

from collections.abc import Collection, Iterator
from typing import Any

NOTHING: tuple[Any, ...] = (None, [], {})


def differences(sample: Any, answer: Any, path: str = "", *, loose: Collection[str] = ()) -> Iterator[str]:
    """How the answer's shape differs. Nothing (null, [], {}) fits all; `loose` paths are not looked into."""
    if path.strip(".") in loose or sample in NOTHING or answer in NOTHING:
        return
    if isinstance(sample, dict) and isinstance(answer, dict):
        yield from _maps(sample, answer, path, loose)
    elif isinstance(sample, list) and isinstance(answer, list):
        yield from differences(sample[0], answer[0], f"{path}[]", loose=loose)
    elif _kind(sample) != _kind(answer):
        yield f"{path}: {_kind(sample)} in the sample, {_kind(answer)} in the answer"


def _maps(sample: dict[str, Any], answer: dict[str, Any], path: str, loose: Collection[str]) -> Iterator[str]:
    if all(key.isdigit() for key in (*sample, *answer)):  # keyed by ids
        yield from differences(
            next(iter(sample.values())), next(iter(answer.values())), f"{path}[]", loose=loose
        )
        return
    for key in sample.keys() ^ answer.keys():
        if f"{path}.{key}".strip(".") not in loose:
            yield f"{path}.{key}: only in the {'sample' if key in sample else 'answer'}"
    for key in sample.keys() & answer.keys():
        yield from differences(sample[key], answer[key], f"{path}.{key}", loose=loose)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, (int, float)) else type(value).__name__
