"""The ways PHP writes and reads structures: array encoding in JSON, bracketed forms, batch commands."""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote_plus, unquote_plus

_BRACKETS = re.compile(r"\[([^\]]*)\]")


def php_json(value: Any) -> Any:
    """The value as PHP's json_encode gives it: an empty map is `[]`, keys 0..n-1 make a list."""
    if isinstance(value, dict):
        values = [php_json(item) for item in value.values()]
        keys = [str(key) for key in value]
        in_row = keys == [str(number) for number in range(len(keys))]
        return values if in_row else dict(zip(keys, values, strict=True))
    if isinstance(value, (list, tuple)):
        return [php_json(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def parse_query(text: str) -> dict[str, Any]:
    """PHP's parse_str: `a[b][]=1&c=2` as nested maps; every value is a string; `+` is a space."""
    tree: dict[str, Any] = {}
    for part in filter(None, text.split("&")):
        name, _, value = part.partition("=")
        put(tree, unquote_plus(name), unquote_plus(value))
    return tree


def put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Store one bracketed form field in the tree as PHP would."""
    head = name.split("[", 1)[0]
    if not head:
        return
    keys = [head, *_BRACKETS.findall(name[len(head) :])]
    for key in keys[:-1]:
        node = tree.setdefault(_next_key(tree, key), {})
        if not isinstance(node, dict):  # a scalar with the same name came first: PHP replaces it
            node = tree[key] = {}
        tree = node
    tree[_next_key(tree, keys[-1])] = value


def _next_key(tree: dict[str, Any], key: str) -> str:
    if key:
        return key
    numbers = [int(known) for known in tree if known.isdigit()]
    return str(max(numbers, default=-1) + 1)


def build_query(tree: dict[str, Any]) -> str:
    """PHP's http_build_query: null is dropped, true is 1, false is 0."""
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in _pairs(tree, ""))


def _pairs(node: Any, prefix: str) -> Iterator[tuple[str, str]]:
    children: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in children:
        name = f"{prefix}[{key}]" if prefix else str(key)
        if isinstance(value, (dict, list, tuple)):
            yield from _pairs(value, name)
        elif value is not None:
            yield name, str(int(value)) if isinstance(value, bool) else str(value)


def listed(value: Any) -> list[Any]:
    """A PHP array read as a list, whichever shape it came in; a scalar is a list of one."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, (list, tuple)):
        return list(value)
    return [] if value in (None, "", False) else [value]
