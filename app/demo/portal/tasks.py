"""tasks.task.* and task.*: answers in camelCase strings, in the caller's zone (rest.md 5)."""

from collections.abc import Callable
from typing import Any

from . import errors, query, tasklife, taskrows
from .php import listed
from .query import Column
from .registry import Call, Page, integer, mapping, rest, yes
from .tasklife import DEFERRED, DONE, STARTED, WAITING
from .times import written
from .world import Record, Task, TaskChange, TaskComment, World


def readable(call: Call, task: Task) -> bool:
    """Administrators see all, others their own (rest.md 5.1)."""
    return call.sees("task", task.id) and (call.admin or call.user in task.members)


def _readable(call: Call, raw: Any) -> Task | None:
    task = call.world.tasks.get(tasklife.number_of(raw))
    return task if task and readable(call, task) else None


def _changeable(call: Call) -> Task:
    task = _readable(call, call.exact("taskId"))
    if task is None:
        raise errors.RestError("0", "Действие над задачей не разрешено (internal error)")
    return task


@rest("tasks.task.get", "task")
def get(call: Call) -> Any:
    """A missing or forbidden task is HTTP 200 with an empty result."""
    task = _readable(call, call.exact("taskId"))
    if task is None:
        return []
    answer = taskrows.selected(call.world, task, taskrows.names_of(call))
    answer |= {"favorite": task.fields["FAVORITE"]} | ({"chatId": task.chat} if task.chat is not None else {})
    answer.pop("subStatus", None)
    return {"task": answer | {"action": taskrows.actions(call, task)}}


@rest("tasks.task.list", "task")
def list_(call: Call) -> Any:
    """A filter by a name it does not know is ignored and noted; an order is refused. Newest first."""
    columns, zone = _columns(call.world), call.world.profile.portal_zone
    rows = [one for one in call.world.tasks.values() if readable(call, one)]
    conditions = _checked(mapping(call.params.get("filter")))
    filterable = {name: one for name, one in columns.items() if name in _FILTERS or name.startswith("UF_")}
    rows = query.chosen(
        rows, conditions, filterable, zone, lambda name: call.world.unknown_fields.append(f"task {name}")
    )
    order = {str(name).upper(): way for name, way in mapping(call.params.get("order")).items()}
    sortable = {name: one for name, one in columns.items() if name in _ORDERS}
    rows = query.in_order(rows, order or {"ID": "DESC"}, sortable, "ID", _no_order)
    part, total, following = query.page(rows, call.params.get("start"))
    return Page({"tasks": [_listed(call, one) for one in part]}, total, following)


def _no_order(name: str) -> None:
    raise errors.RestError("0", "Invalid sorting key (internal error)")


def _checked(conditions: Record) -> Record:
    """Version 2 knows only `! < <= > >=`; a plain list means any of it (rest.md 1.6)."""
    kept: Record = {}
    for key, value in conditions.items():
        if str(key).startswith("::"):
            kept[str(len(kept))] = _checked(mapping(value))
            continue
        prefix, name = query.split(str(key))
        if prefix not in ("", "!", "<", "<=", ">", ">="):
            raise errors.RestError("0", f"Invalid filter key {key} (internal error)")
        kept[prefix + name.upper()] = value
    return kept


def _listed(call: Call, task: Task) -> Record:
    names, wishes = taskrows.names_of(call), mapping(call.params.get("params"))
    answer = taskrows.selected(call.world, task, names)
    if "DEADLINE" in {str(name).upper() for name in mapping(call.params.get("order"))}:
        answer["lengthDeadline"] = "1" if task.fields["DEADLINE"] else "0"
    if yes(wishes.get("WITH_RESULT_INFO")):
        answer |= {"taskRequireResult": "N", "taskHasOpenResult": "N", "taskHasResult": "N"}
    if yes(wishes.get("WITH_TIMER_INFO")):
        answer |= {"timeElapsed": None, "timerIsRunningForCurrentUser": "N"}
    if yes(wishes.get("WITH_PARSED_DESCRIPTION")):
        answer["parsedDescription"] = task.fields["DESCRIPTION"]
    if "COUNTERS" in names:
        answer["counter"] = {"counters": dict.fromkeys(_COUNTERS, 0), "color": "gray", "value": 0}
    if "TAGS" in names:
        answer["tags"] = {
            str(place): {"id": place, "title": tag} for place, tag in enumerate(task.fields["TAGS"], 35)
        }
    return answer


_COUNTERS = "expired newComments projectExpired projectNewComments mutedExpired mutedNewComments".split()

_FILTERS = frozenset(
    "ID PARENT_ID GROUP_ID CREATED_BY PRIORITY RESPONSIBLE_ID TITLE TAG REAL_STATUS STATUS MARK DATE_START "
    "DEADLINE CREATED_DATE CLOSED_DATE CHANGED_DATE ACCOMPLICE AUDITOR STAGE_ID FAVORITE".split()
)
"""What the documentation lets one filter by; UF_* beside them. ACTIVITY_DATE only sorts."""
_ORDERS = frozenset(
    "ID TITLE DATE_START CREATED_DATE CHANGED_DATE CLOSED_DATE ACTIVITY_DATE START_DATE_PLAN END_DATE_PLAN "
    "DEADLINE REAL_STATUS PRIORITY MARK GROUP_ID FAVORITE".split()
)

_KEPT = {
    "integer": "CREATED_BY RESPONSIBLE_ID GROUP_ID STAGE_ID PRIORITY PARENT_ID",
    "string": "TITLE DESCRIPTION MARK XML_ID UF_CRM_TASK FAVORITE TAGS",
    "datetime": "DEADLINE START_DATE_PLAN END_DATE_PLAN",
}


def _columns(world: World) -> dict[str, Column]:
    def kept(name: str) -> Callable[[Task], Any]:
        return lambda task: task.fields.get(name)

    columns = {name: Column(kind, kept(name)) for kind, names in _KEPT.items() for name in names.split()}
    columns |= _SPECIAL | {"STATUS": Column("integer", lambda task: tasklife.substatus(world, task))}
    for name, field in tasklife.user_fields(world).items():
        columns[name] = Column(field.type, kept(name), user_field=True)
    return columns


_SPECIAL = {
    "ID": Column("integer", lambda task: task.id),
    "REAL_STATUS": Column("integer", lambda task: task.fields["STATUS"]),
    "AUDITOR": Column("integer", lambda task: task.fields["AUDITORS"]),
    "ACCOMPLICE": Column("integer", lambda task: task.fields["ACCOMPLICES"]),
    "TAG": Column("string", lambda task: task.fields["TAGS"]),
    "CREATED_DATE": Column("datetime", lambda task: task.created_at),
    "CHANGED_DATE": Column("datetime", lambda task: task.changed_at),
    "ACTIVITY_DATE": Column("datetime", lambda task: task.activity_at),
    "CLOSED_DATE": Column("datetime", lambda task: task.closed_at),
    "DATE_START": Column("datetime", lambda task: task.started_at),
}


def _fields(call: Call) -> Record:
    fields = call.params.get("fields")
    if not isinstance(fields, dict) or not fields:
        raise errors.missing("fields")
    return fields


@rest("tasks.task.add", "task")
def add(call: Call) -> Any:
    return taskrows.whole_answer(call, tasklife.create(call.world, _fields(call), call.user))


@rest("tasks.task.update", "task")
def update(call: Call) -> Any:
    fields = _fields(call)
    task = _changeable(call)
    changed = tasklife.update(call.world, task, fields, call.user)
    call.world.count_write("task", task.id, changed)
    return taskrows.whole_answer(call, task)


@rest("tasks.task.delete", "task")
def delete(call: Call) -> Any:
    tasklife.delete(call.world, _changeable(call))
    return {"task": True}


def _action_method(status: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        task = _changeable(call)
        changed = tasklife.update(call.world, task, {"STATUS": status}, call.user)
        call.world.count_write("task", task.id, changed)
        return taskrows.whole_answer(call, task)

    return run


for _name, _status in (
    ("complete", DONE), ("start", STARTED), ("pause", WAITING), ("defer", DEFERRED), ("renew", WAITING),
    ("approve", DONE), ("disapprove", WAITING),
):  # fmt: skip
    rest(f"tasks.task.{_name}", "task")(_action_method(_status))


@rest("tasks.task.startwatch", "task")
def start_watch(call: Call) -> Any:
    """Whoever may read a task may watch it: he becomes one of its auditors."""
    task = _changeable(call)
    call.world.count_write("task", task.id, tasklife.watch(call.world, task, call.user))
    return taskrows.whole_answer(call, task)


@rest("tasks.task.history.list", "task")
def history(call: Call) -> Any:
    task = _readable(call, call.exact("taskId"))
    if task is None:
        raise errors.RestError("0", "Access denied. (internal error)")
    rows = [one for one in call.world.task_history if one.task == task.id]
    wanted = mapping(call.params.get("filter")).get("FIELD")
    if wanted:
        rows = [one for one in rows if one.field in {str(name) for name in listed(wanted)}]
    order = mapping(call.params.get("order"))
    if any(str(way).upper().startswith("DESC") for way in order.values()):
        rows = rows[::-1]
    return {"list": [_change(call.world, one) for one in rows]}


def _change(world: World, row: TaskChange) -> Record:
    user = world.users.get(row.user)
    return {
        "id": row.id,
        "createdDate": written(row.at, world.profile.user_zone),
        "field": row.field,
        "value": {"from": row.old, "to": row.new},
        "user": {
            "id": row.user,
            "name": user.name if user else "",
            "lastName": user.last_name if user else "",
            "secondName": user.second_name if user else "",
            "login": user.email if user else "",
        },
    }


@rest("tasks.task.result.list", "task")
def results(call: Call) -> Any:
    """Results of a task; nothing in this portal makes one."""
    if _readable(call, call.exact("taskId")) is None:
        raise errors.RestError("0", "Access denied. (internal error)")
    return []


@rest("tasks.task.getFields", "task")
def get_fields(call: Call) -> Any:
    described: Record = {
        name: {"title": name, "type": column.kind} for name, column in _columns(call.world).items()
    }
    described["TITLE"] |= {"required": True}
    described["STATUS"] = {"title": "Статус", "type": "enum", "values": _STATUS_NAMES, "default": 2}
    return {"fields": described | {"CHAT_ID": {"title": "CHAT_ID", "type": "integer"}}}


_STATUS_NAMES = {
    "2": "Ждёт выполнения",
    "3": "Выполняется",
    "4": "Ожидает контроля",
    "5": "Завершена",
    "6": "Отложена",
}


@rest("task.commentitem.add", "task")
def add_comment(call: Call) -> Any:
    """Positional: the task, then the fields. In the new card the number is of no use elsewhere."""
    task = _readable(call, call.position(0))
    fields = mapping(call.position(1))
    if task is None or not str(fields.get("POST_MESSAGE") or "").strip():
        raise errors.RestError("ERROR_CODE", "Недостаточно прав для добавления комментария.<br>")
    author = integer(fields.get("AUTHOR_ID")) if call.admin else 0
    return tasklife.comment(call.world, task, str(fields["POST_MESSAGE"]), author or call.user)


def _own_comment(call: Call) -> TaskComment:
    """A comment of the old card by its task and number; the new card's are messages (rest.md 5.3)."""
    task = _readable(call, call.position(0))
    found = call.world.task_comments.get(integer(call.position(1)))
    if task is None or task.chat is not None or found is None or found.task != task.id:
        raise errors.RestError("ERROR_CODE", "Action not supported in the new task card.<br>")
    return found


@rest("task.commentitem.get", "task")
def get_comment(call: Call) -> Any:
    return _comment(call.world, _own_comment(call).id)


@rest("task.commentitem.update", "task")
def update_comment(call: Call) -> Any:
    found = _own_comment(call)
    tasklife.edit_comment(call.world, found, str(mapping(call.position(2)).get("POST_MESSAGE") or found.text))
    return True


@rest("task.commentitem.delete", "task")
def delete_comment(call: Call) -> Any:
    tasklife.delete_comment(call.world, _own_comment(call))
    return True


@rest("task.commentitem.getlist", "task")
def comments(call: Call) -> Any:
    """Does not work with the new card (rest.md 5.3)."""
    task = _readable(call, call.position(0))
    if task is None or task.chat is not None:
        raise errors.RestError("ERROR_CODE", "Action not supported in the new task card.<br>")
    zone = call.world.profile.user_zone
    rows = [one for one in call.world.task_comments.values() if one.task == task.id]
    columns = {
        "ID": Column("integer", lambda one: one.id),
        "POST_DATE": Column("datetime", lambda one: one.at),
    }
    columns["AUTHOR_ID"] = Column("integer", lambda one: one.author)
    rows = query.chosen(rows, mapping(call.position(2)), columns, zone, lambda name: None)
    rows = query.in_order(rows, mapping(call.position(1)), columns, "ID", lambda name: None)
    return [_comment(call.world, one.id) for one in rows]


def _comment(world: World, number: int) -> Record:
    one = world.task_comments[number]
    author = world.users.get(one.author)
    return {
        "ID": str(one.id), "POST_MESSAGE": one.text, "POST_MESSAGE_HTML": one.text,
        "AUTHOR_ID": str(one.author),
        "AUTHOR_NAME": author.full_name if author else "", "AUTHOR_EMAIL": author.email if author else "",
        "POST_DATE": written(one.at, world.profile.user_zone), "ATTACHED_OBJECTS": {},
    }  # fmt: skip


@rest("task.stages.get", "task")
def stages(call: Call) -> Any:
    group = call.world.groups.get(integer(call.params.get("entityId")))
    if group is None:
        raise errors.RestError("NOT_FOUND", "Группа не найдена")
    kanban = enumerate(group.stages.items())
    return {
        str(number): {
            "ID": str(number), "TITLE": title, "SORT": str(100 * (place + 1)), "COLOR": "00C4FB",
            "SYSTEM_TYPE": None if place else "NEW", "ENTITY_ID": str(group.id), "ENTITY_TYPE": "G",
            "ADDITIONAL_FILTER": [], "TO_UPDATE": [], "TO_UPDATE_ACCESS": None,
        }
        for place, (number, title) in kanban
    }  # fmt: skip


@rest("task.stages.movetask", "task")
def move_task(call: Call) -> Any:
    task = _readable(call, call.params.get("id"))
    stage = integer(call.params.get("stageId"))
    if task is None or stage not in getattr(call.world.groups.get(task.fields["GROUP_ID"]), "stages", {}):
        raise errors.RestError("ERROR_ARGUMENT", "Стадия не найдена")
    tasklife.update(call.world, task, {"STAGE_ID": stage}, call.user)
    return True
