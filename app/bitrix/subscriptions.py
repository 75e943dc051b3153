"""Which events an application hears: what it needs, what it has, what to bind and unbind (rest.md 3.3). Pure.

Events of items of smart processes come twice, common and by type; only the common ones are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.bitrix.config import PortalConfig
from app.bitrix.wire import Command, number
from app.model import DEAL_TYPE

_VERBS = ("ADD", "UPDATE", "DELETE")
_OF_ITSELF = ("ONAPPUPDATE", "ONAPPUNINSTALL")


@dataclass(frozen=True, slots=True, order=True)
class Subscription:
    """One binding: online with a handler's address, offline with a key of source (mostly empty)."""

    event: str
    handler: str = ""
    connector: str = ""

    @property
    def offline(self) -> bool:
        return not self.handler


@dataclass(frozen=True, slots=True)
class Difference:
    """What must change so that the portal's subscriptions are as they should be."""

    missing: tuple[Subscription, ...]
    stale: tuple[Subscription, ...]


def needed(config: PortalConfig) -> tuple[str, ...]:
    """Events about everything that the sources of the rules read."""
    families: list[str] = []
    if DEAL_TYPE in config.crm_types:
        families.append("ONCRMDEAL")
    if set(config.crm_types) - {DEAL_TYPE}:
        families.append("ONCRMDYNAMICITEM")
    if config.crm_types:
        families += ["ONCRMACTIVITY", "ONCRMTIMELINECOMMENT"]
    if config.reads_tasks:
        families += ["ONTASK", "ONTASKCOMMENT"]
    moves = ("ONCRMDEALMOVETOCATEGORY",) if DEAL_TYPE in config.crm_types else ()
    return (*(family + verb for family in families for verb in _VERBS), *moves)


def wanted(config: PortalConfig, handler: str, *, offline: bool, connector: str) -> frozenset[Subscription]:
    """`handler` empty: nothing can be posted to us."""
    events = needed(config)
    online = [Subscription(event, handler) for event in (*events, *_OF_ITSELF)] if handler else []
    queued = [Subscription(event, "", connector) for event in events] if offline else []
    return frozenset([*online, *queued])


def present(rows: Iterable[Mapping[str, Any]]) -> frozenset[Subscription]:
    """The answer of event.get; names may come in any case."""
    return frozenset(_subscription(row) for row in rows)


def _subscription(row: Mapping[str, Any]) -> Subscription:
    event = str(row.get("event") or "").upper()
    if number(row.get("offline")):
        return Subscription(event, "", str(row.get("connector_id") or ""))
    return Subscription(event, str(row.get("handler") or ""))


def difference(
    want: frozenset[Subscription], have: frozenset[Subscription], path: str, connector: str
) -> Difference:
    """Stale are only those that we know for ours: handlers of this path, the queue under our key of source.

    A queue under another key can only be left by a request that carries that key.
    """
    stale = [one for one in have - want if _ours(one, path, connector)]
    return Difference(tuple(sorted(want - have)), tuple(sorted(stale)))


def _ours(one: Subscription, path: str, connector: str) -> bool:
    return one.connector == connector if one.offline else one.handler.endswith(path)


def commands(change: Difference) -> Iterator[Command]:
    """What is missing first: at no moment is an event heard at no address."""
    for one in change.missing:
        yield Command("event.bind", _params(one))
    for one in change.stale:
        yield Command("event.unbind", _params(one))


def _params(one: Subscription) -> dict[str, Any]:
    if one.offline:
        return {"event": one.event, "event_type": "offline"}
    return {"event": one.event, "handler": one.handler}
