"""`.xml` at the end of an address: the same answer as `<response>…</response>` (rest.md 1.1)."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def xml_of(body: dict[str, Any]) -> str:
    """Keys become tags; the elements of a list, and keys that are no names, become `item`."""
    return f"{HEAD}<response>{''.join(_tags(body))}</response>"


def _tags(value: Any) -> Iterator[str]:
    pairs = value.items() if isinstance(value, dict) else (("item", one) for one in value)
    for key, inner in pairs:
        tag = key if str(key).isidentifier() else "item"
        yield f"<{tag}>{_inner(inner)}</{tag}>"


def _inner(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return "".join(_tags(value))
    if value is None or value is False:
        return ""
    return "1" if value is True else escape(str(value))
