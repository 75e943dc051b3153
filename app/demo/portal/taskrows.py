"""How a task looks in answers: camelCase names, strings, the caller's zone (rest.md 5.1)."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from . import tasklife
from .php import listed
from .registry import Call, integer
from .tasklife import CONTROL, DONE, STARTED
from .times import written
from .world import Record, Task, UserField, World

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
        "closedBy": _text(task.closed_by), "closedDate": at(task.closed_at),
        "activityDate": at(task.activity_at),
        "dateStart": at(task.started_at), "deadline": at(fields["DEADLINE"]),
        "startDatePlan": at(fields["START_DATE_PLAN"]), "endDatePlan": at(fields["END_DATE_PLAN"]),
        "guid": f"{{c2794da9-c7fe-404d-a709-{task.id:012d}}}", "xmlId": fields["XML_ID"],
        "commentsCount": _comments(world, task), "serviceCommentsCount": None,
        "allowChangeDeadline": fields["ALLOW_CHANGE_DEADLINE"],
        "allowTimeTracking": fields["ALLOW_TIME_TRACKING"],
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
    "accept decline complete approve disapprove start pause delegate remove edit defer renew create "
    "changeDeadline checklistAddItems addFavorite deleteFavorite rate take edit.originator checklist.reorder "
    "elapsedtime.add dayplan.timer.toggle edit.plan checklist.add favorite.add favorite.delete"
).split()


def actions(call: Call, task: Task) -> Record:
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


def whole_answer(call: Call, task: Task) -> Record:
    """A task as add, update and the actions answer it."""
    attached = _attached(call.world, task)
    del attached["subStatus"]
    answer = shown(call.world, task) | attached | {"action": actions(call, task)}
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


def names_of(call: Call) -> set[str]:
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


def selected(world: World, task: Task, names: set[str]) -> Record:
    """The fields asked for with what belongs to them; without a wish all but the user fields."""
    everything = shown(world, task) | _attached(world, task)
    if not names or "*" in names:
        return everything | _user_values(world, task, names)
    wanted = {camel(_upper(name)) for name in names} | {"id", "group"}
    wanted |= {name for name, leader in _FOLLOW.items() if leader in wanted}
    picked = {name: value for name, value in everything.items() if name in wanted}
    return picked | _user_values(world, task, names)
