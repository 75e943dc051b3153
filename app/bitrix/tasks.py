"""Tasks → Card and Moves (rest.md 5). Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.bitrix.config import PortalConfig
from app.bitrix.fields import single, task_name, task_sla, task_value
from app.bitrix.items import Unlike, texts
from app.bitrix.kanban import Columns
from app.bitrix.listing import Row
from app.bitrix.times import instant
from app.bitrix.wire import as_list, as_map, number
from app.model import DEAL_TYPE, Card, ItemRef, Kind, Move, Utterance

OWN_FIELDS = (
    "ID", "TITLE", "DESCRIPTION", "STATUS", "STAGE_ID", "GROUP_ID", "CREATED_BY", "RESPONSIBLE_ID",
    "CREATED_DATE", "CHANGED_DATE", "CHANGED_BY", "DEADLINE", "CHAT_ID", "UF_CRM_TASK", "AUDITORS",
    "ACCOMPLICES",
)  # fmt: skip
NATIVE = {"COMMENTS": "DESCRIPTION"}  # the body of a deal has another name on tasks
CRM_NAMES = frozenset({"CONTACT_ID", "COMPANY_ID", "SOURCE_ID", "SOURCE_DESCRIPTION"})
STATUS_FIELDS = frozenset({"STATUS", "REAL_STATUS"})
KANBAN_FIELDS = frozenset({"STAGE_ID", "STAGE"})  # by number, or by title as the kanban itself writes it
NEW_STATUS = "2"
_BINDING = re.compile(r"(?P<code>CO|C|D|T(?P<type>[0-9a-fA-F]+))_(?P<id>\d+)")


def task_select(config: PortalConfig) -> list[str]:
    """The fields to ask for; user fields come only when named."""
    read = {NATIVE.get(name, name) for name in config.read_names(0)} - CRM_NAMES
    sla = [task_name(field.code, config.fields) for field in config.card_fields]
    return list(dict.fromkeys([*OWN_FIELDS, *sorted(read), *sla]))


def task_of(result: Any) -> Mapping[str, Any] | None:
    """The task in an answer; None: there is none, or we may not see it (`result: []`)."""
    task = as_map(result).get("task")
    return task if isinstance(task, Mapping) and task else None


def says_no_task(result: Any) -> bool:
    """PHP's empty forms say it; anything else that is no task says nothing."""
    found = result.get("task") if isinstance(result, Mapping) else result
    return found in (None, "", False, [], {})


def task_card(
    task: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    config: PortalConfig,
    said: Sequence[Utterance],
) -> Card:
    """A task of tasks.task.get. Raises Unlike."""
    ref, group = ItemRef(Kind.TASK, number(task.get("id"))), number(task.get("groupId")) or None
    created_at = instant(task.get("createdDate"))
    if not ref.id or created_at is None:
        raise Unlike("задача без номера или времени создания")
    read, bound = config.read_fields(ref, None, group), list(bindings(task))

    def show(name: str) -> str:
        return str(single(task_value(task, NATIVE.get(name, name))) or "").strip() if name else ""

    return Card(
        ref=ref,
        title=str(task.get("title") or ""),
        stage=str(task.get("status") or ""),
        category=None,
        group=group,
        created_at=created_at,
        modified_at=instant(task.get("changedDate")) or created_at,
        created_by=number(task.get("createdBy")) or None,
        modified_by=number(task.get("changedBy")) or None,
        assignee=number(task.get("responsibleId")) or None,
        text=texts(_with_body(read.text), show, said),
        client=_client(task, bound),
        company=_bound_id(bound, "company"),
        contact=_bound_id(bound, "contact"),
        object=show(read.object),
        channel="task",
        bound_to=tuple(ref for ref in bound if isinstance(ref, ItemRef)),
        sla=task_sla(task, config.fields),
        extra={name: show(name) for name in config.extra} | _deadline_actor(history),
    )


def _with_body(names: Iterable[str]) -> list[str]:
    """The fields with the task's own body where the rules name that of a deal, each once."""
    return list(dict.fromkeys(NATIVE.get(name, name) for name in names))


def bindings(task: Mapping[str, Any]) -> Iterable[ItemRef | str]:
    """UF_CRM_TASK: items as refs, people as `contact:5` or `company:7` (rest.md 4.1)."""
    for code in as_list(task_value(task, "UF_CRM_TASK")):
        found = _BINDING.fullmatch(str(code))
        if found is None:
            continue
        number_ = int(found["id"])
        if found["type"]:
            kind = int(found["type"], 16)
            yield ItemRef(Kind.DEAL, number_) if kind == DEAL_TYPE else ItemRef(Kind.ITEM, number_, kind)
        elif found["code"] == "D":
            yield ItemRef(Kind.DEAL, number_)
        else:
            yield f"{'company' if found['code'] == 'CO' else 'contact'}:{number_}"


def _client(task: Mapping[str, Any], bound: Sequence[ItemRef | str]) -> str:
    """The contact or company that the task is bound to, else its author (sla.md 3)."""
    author = number(task.get("createdBy"))
    asks = author and author != number(task.get("responsibleId"))
    return next((key for key in bound if isinstance(key, str)), f"user:{author}" if asks else "")


def _bound_id(bound: Sequence[ItemRef | str], prefix: str) -> str:
    keys = [key for key in bound if isinstance(key, str) and key.startswith(prefix)]
    return keys[0].partition(":")[2] if keys else ""


def _deadline_actor(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Who moved the deadline last: `changedBy` may already be somebody else."""
    rows = [row for row in history if row.get("field") == "DEADLINE"]
    if not rows:
        return {}
    last = max(rows, key=lambda row: number(row.get("id")))
    return {"deadline_changed_by": str(number(as_map(last.get("user")).get("id")) or "")}


def kanban_titles(history: Iterable[Row]) -> set[str]:
    """Columns that the log names by title only."""
    sides = [_value(row, side) for row in history if row.get("field") == "STAGE" for side in ("from", "to")]
    return {title for title in sides if title and not number(title)}


def task_moves(
    task: Row, history: Sequence[Row], columns: Columns, named: Collection[str]
) -> tuple[Move, ...]:
    """Status and kanban changes with who made them; the first is the creation.

    `named`: the stages that the rules know; a task that was created in one of these columns began there.
    """
    rows = sorted(history, key=lambda row: number(row.get("id")))
    created_at, creator = instant(task.get("createdDate")), number(task.get("createdBy")) or None
    if created_at is None:
        raise Unlike("задача без времени создания")
    statuses = [row for row in rows if row.get("field") in STATUS_FIELDS]
    first = _value(statuses[0], "from") if statuses else str(task.get("status") or "")
    moves = [move for row in statuses if (move := _move(row, _value(row, "to"))) is not None]
    begun = Move("new", created_at, first or NEW_STATUS, None, creator)
    found = [begun, *moves, *_columns(task, rows, columns, named, created_at)]
    return tuple(sorted(found, key=lambda move: (move.at, number(move.key), move.key)))


def _columns(
    task: Row, rows: Sequence[Row], columns: Columns, named: Collection[str], created_at: datetime
) -> Iterator[Move]:
    """Where the task stood in the kanban. A column that the log does not name clearly is nobody's guess,
    save the last: there the task stands now.
    """
    moved = [row for row in rows if row.get("field") in KANBAN_FIELDS]
    stands = number(task.get("stageId"))
    first = _stage(moved[0], "from", columns) if moved else stands
    if f"stage:{first}" in named:
        yield Move("new:stage", created_at, f"stage:{first}", None, number(task.get("createdBy")) or None)
    for row in moved:
        stage = _stage(row, "to", columns) or (stands if row is moved[-1] else 0)
        if stage and (move := _move(row, f"stage:{stage}")):
            yield move


def _stage(row: Row, side: str, columns: Columns) -> int:
    told = _value(row, side)
    return columns.get(told, 0) or number(told)


def _move(row: Row, stage: str) -> Move | None:
    at, actor = instant(row.get("createdDate")), number(as_map(row.get("user")).get("id")) or None
    return Move(str(number(row.get("id"))), at, stage, None, actor) if at and stage else None


def _value(row: Mapping[str, Any], side: str) -> str:
    return str(as_map(row.get("value")).get(side) or "")


def members_of(task: Mapping[str, Any]) -> set[int]:
    """Who takes part in a task and so reads its talk."""
    people = [*as_list(task.get("auditors")), *as_list(task.get("accomplices"))]
    return {number(one) for one in (task.get("createdBy"), task.get("responsibleId"), *people)} - {0}


def chat_of(task: Mapping[str, Any]) -> int:
    """The id of the task's chat; 0: the old card, comments are in a forum."""
    return number(task.get("chatId"))
