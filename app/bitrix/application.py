"""What only an application may ask: who it is, what it hears, what waits in its queue (rest.md 3.3, 3.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.errors import Misconfigured, PortalError, Refused
from app.bitrix.events import event_of
from app.bitrix.subscriptions import commands, difference, present, wanted
from app.bitrix.times import instant
from app.bitrix.wire import Answer, Command, Told, as_list, as_map, number
from app.model import Lane, Subject

AT_ONCE = 500  # rows of the queue in one answer
EXTENDED, KEYED = "rest_offline_extended", "rest_auth_connector"
SOURCE_KEY = "b24sla"
"""Sent with every call where the plan allows it: what we change ourselves is not queued for us."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token stands for, and the application that it belongs to."""

    user: int
    admin: bool
    code: str  # of a local application its client_id
    installed: bool  # False: an application with an interface whose installation is not finished
    license: str
    status: str


@dataclass(frozen=True, slots=True)
class Features:
    """What the plan allows: rows reserved until they are cleared, and a key of source."""

    extended: bool
    keyed: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What was bound and unbound; `refused`: event → why it could not be. `queued`: the queue is filled."""

    bound: int
    unbound: int
    refused: Mapping[str, str]
    queued: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the queue: this changed, last at this moment of the portal's clock."""

    subject: Subject | None
    name: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """Rows of the queue; `process`: under which they are reserved, empty when they are gone."""

    changes: tuple[Change, ...]
    process: str


async def identity(client: Client) -> Identity:
    """Two calls in one request. Raises PortalError."""
    told = await client.run_each([Command("profile"), Command("app.info")])
    profile, info = (as_map(_answer(one).result) for one in told)
    return Identity(
        user=number(profile.get("ID")),
        admin=profile.get("ADMIN") is True,
        code=str(info.get("CODE") or ""),
        installed=info.get("INSTALLED") is True,
        license=str(info.get("LICENSE") or ""),
        status=str(info.get("STATUS") or ""),
    )


async def features(client: Client) -> Features:
    """Raises PortalError."""
    asked = [Command("feature.get", {"CODE": code}) for code in (EXTENDED, KEYED)]
    *told, info = await client.run_each([*asked, Command("app.info")])
    extended, keyed = (as_map(_answer(one).result).get("value") == "Y" for one in told)
    if isinstance(info, Answer):
        client.budget.licensed(as_map(info.result), client.now())
    return Features(extended, keyed)


async def subscribe(
    client: Client, config: PortalConfig, handler: str, path: str, *, offline: bool, connector: str
) -> Subscribed:
    """Bring the subscriptions to what the rules need; what stands is left alone. Raises PortalError."""
    have = present(as_map(row) for row in as_list((await client.call(Command("event.get"))).result))
    change = difference(wanted(config, handler, offline=offline, connector=connector), have, path, connector)
    orders = list(commands(change))
    told = await client.run_each(orders)
    pairs = list(zip(orders, told, strict=True))
    for _, one in pairs:
        if isinstance(one, PortalError) and not isinstance(one, Refused | Misconfigured):
            raise one
    failed = [(order, one) for order, one in pairs if not _done(one)]
    refused = {str(order.params["event"]): _why(one) for order, one in failed}
    done = [order.method for order, one in pairs if _done(one)]
    queued = offline and not any(order.params.get("event_type") == "offline" for order, _ in failed)
    return Subscribed(done.count("event.bind"), done.count("event.unbind"), refused, queued)


async def fetch(client: Client, *, reserve: bool, done: str = "", again: str = "") -> Fetched:
    """The next rows; before them `done`'s reserved ones are cleared. `again`: rows reserved earlier.

    Raises PortalError.
    """
    order = [Command("event.offline.clear", {"process_id": done})] if done else []
    params: dict[str, Any] = {"limit": AT_ONCE, "clear": 0 if reserve else 1}
    params |= {"process_id": again} if again else {}
    *cleared, told = await client.run_each([*order, Command("event.offline.get", params)], Lane.SWEEP)
    for one in (*cleared, told):
        _answer(one)
    result = as_map(_answer(told).result)
    rows = [as_map(row) for row in as_list(result.get("events"))]
    return Fetched(tuple(map(_change, rows)), str(result.get("process_id") or "") if reserve else "")


async def clear(client: Client, process: str) -> None:
    """Away with the rows that are reserved under it. Raises PortalError."""
    await client.call(Command("event.offline.clear", {"process_id": process}), Lane.SWEEP)


async def stuck(client: Client) -> list[str]:
    """Processes of ours that reserved rows and did not come to clear them. Raises PortalError."""
    command = Command("event.offline.list", {"filter": {"!=PROCESS_ID": ""}, "order": {"ID": "ASC"}})
    rows = (await client.call(command, Lane.SWEEP)).rows()
    return list(dict.fromkeys(str(row["PROCESS_ID"]) for row in rows if row.get("PROCESS_ID")))


def _change(row: Mapping[str, Any]) -> Change:
    event = event_of({"event": str(row.get("EVENT_NAME") or "?"), "data": row.get("EVENT_DATA")})
    return Change(event.subject, event.name, instant(row.get("TIMESTAMP_X")))


def _answer(told: Told) -> Answer:
    if isinstance(told, PortalError):
        raise told
    return told


def _done(told: Told) -> bool:
    """Bound, unbound, or bound by somebody in between; `false`: the portal did not like the handler."""
    if isinstance(told, PortalError):
        return told.code.lower() == "error_core"
    return told.result is not False


def _why(told: Told) -> str:
    return str(told) if isinstance(told, PortalError) else "портал не принял адрес обработчика"
