"""The offline queue: changes that wait until the application fetches them (rest.md 3.4)."""

import json
from datetime import timedelta
from hashlib import md5
from typing import Any

from . import errors, query
from .bindings import application_of, upper
from .php import listed
from .query import Column
from .registry import Call, Page, integer, rest
from .times import written
from .world import Application, Binding, OfflineRow, Record, World

LIFE = timedelta(seconds=2_952_000)
MOST = 50
_COLUMNS = {
    "ID": Column("integer", lambda row: row.id),
    "TIMESTAMP_X": Column("datetime", lambda row: row.at),
    "EVENT_NAME": Column("string", lambda row: row.event),
    "MESSAGE_ID": Column("string", lambda row: row.message),
}
_LIST_COLUMNS = _COLUMNS | {
    "PROCESS_ID": Column("string", lambda row: row.process or None),
    "ERROR": Column("integer", lambda row: row.error),
}


def note(
    world: World, application: Application, binding: Binding, event: str, data: Record, user: int
) -> None:
    """One row by application, event, data and connector: the same again only makes it later.

    A reserved row is not touched: what changes after it was fetched makes a row of its own.
    """
    text = json.dumps(data, ensure_ascii=False, default=str)
    message = md5(f"{event}|{text}".encode(), usedforsecurity=False).hexdigest()
    key = (application.client_id, binding.connector, message, "")
    for row in world.offline:
        if (row.application, row.connector, row.message, row.process) == key:
            row.at, row.user = world.instant(), user
            return
    number = world.next_id("offline")
    world.offline.append(OfflineRow(number, world.instant(), key[0], event, data, user, key[1], message))


@rest("event.offline.get", "")
def get(call: Call) -> Any:
    """Takes the first rows: away (clear=1, the default), or reserved under a process (clear=0)."""
    rows, params = _queue(call), upper(call)
    clear = integer(params.get("CLEAR", 1)) != 0
    if not clear and call.world.features.get("rest_offline_extended") != "Y":
        raise errors.no_license("extended offline events handling")
    process, limit = str(params.get("PROCESS_ID") or ""), integer(params.get("LIMIT", MOST))
    if limit <= 0:
        raise errors.RestError(
            "ERROR_ARGUMENT", "Value must be positive integer", extra={"argument": "LIMIT"}
        )
    wanted = [row for row in rows if row.process == process and row.error == integer(params.get("ERROR"))]
    taken = _chosen(call, wanted, _COLUMNS, params, "TIMESTAMP_X")[:limit]
    answered = process or (None if clear else call.world.oauth.word(32))
    for row in taken:
        row.process = answered or "taken"
    if clear:
        call.world.offline[:] = [row for row in call.world.offline if row not in taken]
    return {"process_id": answered, "events": [_shown(call.world, row) for row in taken]}


@rest("event.offline.list", "")
def rows(call: Call) -> Any:
    """Looks and touches nothing."""
    found = _chosen(call, _queue(call), _LIST_COLUMNS, upper(call), "ID")
    page, total, following = query.page(found, upper(call).get("START", 0))
    shown = [_shown(call.world, row) | {"PROCESS_ID": row.process, "ERROR": str(row.error)} for row in page]
    return Page(shown, total, following)


@rest("event.offline.clear", "")
def clear(call: Call) -> Any:
    """Away with the reserved rows, all of a process or those named."""
    params = upper(call)
    reserved = _reserved(call)
    if "MESSAGE_ID" in params and "ID" not in params:
        named = [str(one).strip() for one in listed(params["MESSAGE_ID"])]
        if any(len(one) != len(md5(usedforsecurity=False).hexdigest()) for one in named):
            raise errors.RestError("ERROR_ARGUMENT", "Value must be array of MESSAGE_ID values")
        gone = [row for row in reserved if row.message in named]
    else:
        ids = {integer(one) for one in listed(params.get("ID"))}
        gone = [row for row in reserved if not ids or row.id in ids]
    call.world.offline[:] = [row for row in call.world.offline if row not in gone]
    return True


@rest("event.offline.error", "")
def error(call: Call) -> Any:
    """Reserved rows that could not be handled go back, marked; `get` gives them with error=1."""
    named = {str(one) for one in listed(upper(call).get("MESSAGE_ID"))}
    for row in _reserved(call):
        if row.message in named:
            row.error, row.process = 1, ""
    return True


def _reserved(call: Call) -> list[OfflineRow]:
    process = str(upper(call).get("PROCESS_ID") or "")
    if not process:
        raise errors.RestError(
            "ERROR_ARGUMENT", "Argument 'PROCESS_ID' is null or empty", extra={"argument": "PROCESS_ID"}
        )
    return [row for row in _queue(call) if row.process == process]


def _queue(call: Call) -> list[OfflineRow]:
    """The caller's rows under its key of source; too old ones are dropped. Administrators only."""
    application = application_of(call)
    call.needs_admin()
    world = call.world
    world.offline[:] = [row for row in world.offline if row.at >= world.now() - LIFE]
    own = (application.client_id, call.connector)
    return [row for row in world.offline if (row.application, row.connector) == own]


def _chosen(
    call: Call, rows: list[OfflineRow], columns: query.Columns, params: Any, default: str
) -> list[OfflineRow]:
    zone, unknown = call.world.profile.portal_zone, _unknown
    found = query.chosen(rows, params.get("FILTER"), columns, zone, unknown)
    return query.in_order(found, params.get("ORDER"), columns, default, unknown)


def _unknown(name: str) -> None:
    raise errors.RestError("ERROR_ARGUMENT", f"Filter field not allowed: {name}")


def _shown(world: World, row: OfflineRow) -> Record:
    """`EVENT_ADDITIONAL` names who acted, if anybody did."""
    return {
        "ID": str(row.id),
        "TIMESTAMP_X": written(row.at, world.profile.portal_zone),
        "EVENT_NAME": row.event,
        "EVENT_DATA": row.data,
        "EVENT_ADDITIONAL": {"user_id": str(row.user)} if row.user else [],
        "MESSAGE_ID": row.message,
    }
