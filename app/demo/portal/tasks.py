"""tasks.task.* and task.*: answers in camelCase strings, in the caller's zone (rest.md 5)."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import errors, query, tasklife
from .php import listed
from .query import Column
from .registry import Call, Page, integer, mapping, rest, yes
from .tasklife import CONTROL, DEFERRED, DONE, STARTED, WAITING
from .times import written
from .world import Record, Task, TaskChange, UserField, World

_SYSTEM_UF = ("UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "UF_MAIL_MESSAGE")


def camel(name: str) -> str:
    """`UF_CRM_TASK` → `ufCrmTask`."""
    head, *rest_ = name.lower().split("_")
    return head + "".join(part.capitalize() for part in rest_)


def shown(world: World, task: Task) -> Record:
    """Every system field of a task, in the order of the samples."""
    at = _zoned(world)
    fields = task.fields
    return {
        "id": str(task.id), "parentId": str(fields["PARENT_ID"]) if fields["PARENT_ID"] else None,
        "title": fields["TITLE"], "description": fields["DESCRIPTION"], "mark": fields["MARK"],
        "priority": str(fields["PRIORITY"]), "multitask": "N", "notViewed": "N", "replicate": "N",
        "stageId": str(fields["STAGE_ID"]), "sprintId": None, "backlogId": None,
        "createdBy": str(fields["CREATED_BY"]), "createdDate": at(task.created_at),
        "responsibleId": str(fields["RESPONSIBLE_ID"]), "changedBy": str(task.changed_by),
        "changedDate": at(task.changed_at), "statusChangedBy": _text(task.status_by),
        "closedBy": _text(task.closed_by), "closedDate": at(task.closed_at), "activityDate": at(task.activity_at),
        "dateStart": at(task.started_at), "deadline": at(fields["DEADLINE"]),
        "startDatePlan": at(fields["START_DATE_PLAN"]), "endDatePlan": at(fields["END_DATE_PLAN"]),
        "guid": f"{{c2794da9-c7fe-404d-a709-{task.id:012d}}}", "xmlId": fields["XML_ID"],
        "commentsCount": _comments(world, task), "serviceCommentsCount": None,
        "allowChangeDeadline": fields["ALLOW_CHANGE_DEADLINE"], "allowTimeTracking": fields["ALLOW_TIME_TRACKING"],
        "taskControl": fields["TASK_CONTROL"], "addInReport": "N", "forkedByTemplateId": None,
        "timeEstimate": str(fields["TIME_ESTIMATE"]), "timeSpentInLogs": None, "matchWorkTime": "N",
        "forumTopicId": None, "forumId": None, "siteId": "s1", "subordinate": "Y", "exchangeModified": None,
        "exchangeId": None, "outlookVersion": str(task.versions), "viewedDate": None, "sorting": None,
        "durationFact": None, "isMuted": "N", "isPinned": "N", "isPinnedInGroup": "N", "flowId": None,
        "descriptionInBbcode": "Y", "status": str(fields["STATUS"]), "statusChangedDate": at(task.status_at),
        "durationPlan": None, "durationType": "days", "favorite": fields["FAVORITE"],
        "groupId": str(fields["GROUP_ID"]), "auditors": [str(one) for one in fields["AUDITORS"]],
        "accomplices": [str(one) for one in fields["ACCOMPLICES"]], "checklist": [],
    } | ({"chatId": task.chat} if task.chat is not None else {})  # fmt: skip


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _zoned(world: World) -> Callable[[datetime | None], str | None]:
    return lambda at: written(at, world.profile.user_zone)


def _comments(world: World, task: Task) -> str | None:
    count = sum(one.task == task.id for one in world.task_comments.values())
    return str(count) if count else None


def _attached(world: World, task: Task) -> Record:
    """What comes along with the fields it belongs to."""
    fields = task.fields
    return {
        "group": _group(world, fields["GROUP_ID"]),
        "creator": _person(world, fields["CREATED_BY"]),
        "responsible": _person(world, fields["RESPONSIBLE_ID"]),
        "accomplicesData": {str(one): _person(world, one) for one in fields["ACCOMPLICES"]},
        "auditorsData": {str(one): _person(world, one) for one in fields["AUDITORS"]},
        "newCommentsCount": 0,
        "subStatus": str(tasklife.substatus(world, task)),
    }


def _group(world: World, number: int) -> Record:
    group = world.groups.get(number)
    if group is None:
        return {}
    return {
        "id": str(group.id),
        "name": group.name,
        "opened": True,
        "membersCount": 1,
        "image": "",
        "additionalData": [],
    }


def _person(world: World, number: int) -> Record:
    user = world.users.get(number)
    return {
        "id": str(number),
        "name": user.full_name if user else "",
        "link": f"/company/personal/user/{number}/",
        "icon": "/bitrix/images/tasks/default_avatar.png",
        "workPosition": user.position if user else "",
    }


_ACTIONS = (
    "accept decline complete approve disapprove start pause delegate remove edit defer renew create changeDeadline "
    "checklistAddItems addFavorite deleteFavorite rate take edit.originator checklist.reorder elapsedtime.add "
    "dayplan.timer.toggle edit.plan checklist.add favorite.add favorite.delete"
).split()


def _action(call: Call, task: Task) -> Record:
    status = task.fields["STATUS"]
    off = {
        "accept",
        "decline",
        "take",
        "edit.originator",
        "deleteFavorite",
        "favorite.delete",
        "dayplan.timer.toggle",
    }
    off |= {"complete", "start", "defer"} if status == DONE else {"renew"}
    off |= set() if status == STARTED else {"pause"}
    off |= set() if status == CONTROL else {"approve", "disapprove"}
    member = call.admin or call.user in task.members
    return {name: member and name not in off for name in _ACTIONS}


def _check_list(call: Call) -> Record:
    fields: Record = dict.fromkeys(("id", "copiedId", "entityId"))
    fields |= {"userId": call.user, "createdBy": None, "parentId": None, "title": "", "sortIndex": None}
    fields |= {"displaySortIndex": "", "isComplete": False, "isImportant": False, "completedCount": 0}
    fields |= {"members": [], "attachments": [], "nodeId": None}
    return {"nodeId": 0, "fields": fields, "action": [], "descendants": []}


def _whole(call: Call, task: Task) -> Record:
    """A task as add, update and the actions answer it."""
    attached = _attached(call.world, task)
    del attached["subStatus"]
    answer = shown(call.world, task) | attached | {"action": _action(call, task)}
    return {"task": answer | {"checkListTree": _check_list(call), "checkListCanAdd": True}}


def _own(world: World, field: UserField, value: Any) -> Any:
    if value is None:
        return [] if field.multiple else None
    if isinstance(value, datetime):
        return written(value, world.profile.user_zone)
    return {"Y": "1", "N": "0"}[value] if field.type == "boolean" else value


def _user_values(world: World, task: Task, names: set[str]) -> Record:
    """User fields asked for by name; asking one of the three system ones brings all three."""
    answer: Record = {}
    if names & set(_SYSTEM_UF) or "*" in names:
        files = [integer(one.lstrip("n")) for one in task.fields["UF_TASK_WEBDAV_FILES"]]
        answer |= {"ufCrmTask": task.fields["UF_CRM_TASK"] or False, "ufTaskWebdavFiles": files or False}
        answer["ufMailMessage"] = None
    for name, field in tasklife.user_fields(world).items():
        if name in names or "*" in names or "UF_*" in names:
            answer[camel(name)] = _own(world, field, task.fields.get(name))
    return answer


def _names(call: Call) -> set[str]:
    return {str(name) for name in listed(call.params.get("select"))}


def _upper(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


_FOLLOW = {
    "creator": "createdBy",
    "responsible": "responsibleId",
    "accomplicesData": "accomplices",
    "auditorsData": "auditors",
    "subStatus": "status",
    "descriptionInBbcode": "description",
}


def _selected(world: World, task: Task, names: set[str]) -> Record:
    """The fields asked for with what belongs to them; without a wish all but the user fields."""
    everything = shown(world, task) | _attached(world, task)
    if not names or "*" in names:
        return everything | _user_values(world, task, names)
    wanted = {camel(_upper(name)) for name in names} | {"id", "group"}
    wanted |= {name for name, leader in _FOLLOW.items() if leader in wanted}
    picked = {name: value for name, value in everything.items() if name in wanted}
    return picked | _user_values(world, task, names)


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
    answer = _selected(call.world, task, _names(call))
    answer |= {"favorite": task.fields["FAVORITE"]} | ({"chatId": task.chat} if task.chat is not None else {})
    answer.pop("subStatus", None)
    return {"task": answer | {"action": _action(call, task)}}


@rest("tasks.task.list", "task")
def list_(call: Call) -> Any:
    columns, zone = _columns(call.world), call.world.profile.portal_zone
    rows = [one for one in call.world.tasks.values() if readable(call, one)]
    conditions = _checked(mapping(call.params.get("filter")))
    rows = query.chosen(
        rows, conditions, columns, zone, lambda name: call.world.unknown_fields.append(f"task {name}")
    )
    order = {str(name).upper(): way for name, way in mapping(call.params.get("order")).items()}
    rows = query.in_order(rows, order, columns, "ID", _no_order)
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
    names, wishes = _names(call), mapping(call.params.get("params"))
    answer = _selected(call.world, task, names)
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


_COUNTERS = (
    "expired",
    "newComments",
    "projectExpired",
    "projectNewComments",
    "mutedExpired",
    "mutedNewComments",
)


def _columns(world: World) -> dict[str, Column]:
    def kept(name: str) -> Callable[[Task], Any]:
        return lambda task: task.fields.get(name)

    columns = {name: Column("integer", kept(name)) for name in ("CREATED_BY", "RESPONSIBLE_ID", "GROUP_ID", "STAGE_ID",
                                                                 "PRIORITY", "PARENT_ID")}  # fmt: skip
    columns |= {name: Column("string", kept(name)) for name in ("TITLE", "DESCRIPTION", "MARK", "XML_ID", "UF_CRM_TASK",
                                                                "FAVORITE", "TAGS")}  # fmt: skip
    columns |= {
        name: Column("datetime", kept(name)) for name in ("DEADLINE", "START_DATE_PLAN", "END_DATE_PLAN")
    }
    columns |= _SPECIAL | {"STATUS": Column("integer", lambda task: tasklife.substatus(world, task))}
    for name, field in tasklife.user_fields(world).items():
        columns[name] = Column(field.type, kept(name), user_field=True)
    return columns


_SPECIAL = {
    "ID": Column("integer", lambda task: task.id),
    "REAL_STATUS": Column("integer", lambda task: task.fields["STATUS"]),
    "MEMBER": Column("integer", lambda task: sorted(task.members)),
    "AUDITOR": Column("integer", lambda task: task.fields["AUDITORS"]),
    "ACCOMPLICE": Column("integer", lambda task: task.fields["ACCOMPLICES"]),
    "TAG": Column("string", lambda task: task.fields["TAGS"]),
    "CREATED_DATE": Column("datetime", lambda task: task.created_at),
    "CHANGED_DATE": Column("datetime", lambda task: task.changed_at),
    "ACTIVITY_DATE": Column("datetime", lambda task: task.activity_at),
    "STATUS_CHANGED_DATE": Column("datetime", lambda task: task.status_at),
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
    return _whole(call, tasklife.create(call.world, _fields(call), call.user))


@rest("tasks.task.update", "task")
def update(call: Call) -> Any:
    fields = _fields(call)
    task = _changeable(call)
    changed = tasklife.update(call.world, task, fields, call.user)
    call.world.count_write("task", task.id, changed)
    return _whole(call, task)


@rest("tasks.task.delete", "task")
def delete(call: Call) -> Any:
    tasklife.delete(call.world, _changeable(call))
    return {"task": True}


def _action_method(status: int) -> Callable[[Call], Any]:
    def run(call: Call) -> Any:
        task = _changeable(call)
        changed = tasklife.update(call.world, task, {"STATUS": status}, call.user)
        call.world.count_write("task", task.id, changed)
        return _whole(call, task)

    return run


for _name, _status in (
    ("complete", DONE), ("start", STARTED), ("pause", WAITING), ("defer", DEFERRED), ("renew", WAITING),
    ("approve", DONE), ("disapprove", WAITING),
):  # fmt: skip
    rest(f"tasks.task.{_name}", "task")(_action_method(_status))


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
    kinds = {"integer": "integer", "string": "string", "datetime": "datetime"}
    described = {
        name: {"title": name, "type": kinds.get(column.kind, column.kind)}
        for name, column in _columns(call.world).items()
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
    """Positional: the task, then the fields. In the new card the number is of no use to its fellow methods."""
    task = _readable(call, call.position(0))
    fields = mapping(call.position(1))
    if task is None or not str(fields.get("POST_MESSAGE") or "").strip():
        raise errors.RestError("ERROR_CODE", "Недостаточно прав для добавления комментария.<br>")
    author = integer(fields.get("AUTHOR_ID")) if call.admin else 0
    return tasklife.comment(call.world, task, str(fields["POST_MESSAGE"]), author or call.user)


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
        "ID": str(one.id), "POST_MESSAGE": one.text, "POST_MESSAGE_HTML": one.text, "AUTHOR_ID": str(one.author),
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
