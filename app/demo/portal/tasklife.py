"""Tasks as they live: creation, changes, statuses, talk; with their history and events (rest.md 5)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from . import errors, items, talk, values
from .php import listed
from .registry import integer, whole, yes
from .times import read_instant
from .world import Record, Task, TaskChange, TaskComment, UserField, World

WAITING, STARTED, CONTROL, DONE, DEFERRED = 2, 3, 4, 5, 6
STATUSES = (WAITING, STARTED, CONTROL, DONE, DEFERRED)
_NUMBERS = (
    "CREATED_BY",
    "RESPONSIBLE_ID",
    "GROUP_ID",
    "STAGE_ID",
    "PRIORITY",
    "PARENT_ID",
    "STATUS",
    "TIME_ESTIMATE",
)
_TEXTS = ("TITLE", "DESCRIPTION", "MARK", "XML_ID")
_INSTANTS = ("DEADLINE", "START_DATE_PLAN", "END_DATE_PLAN")
_PEOPLE = ("AUDITORS", "ACCOMPLICES")
_LISTS = ("UF_CRM_TASK", "UF_TASK_WEBDAV_FILES", "TAGS")
_FLAGS = ("ALLOW_CHANGE_DEADLINE", "TASK_CONTROL", "ALLOW_TIME_TRACKING", "FAVORITE")
_TRACKED = frozenset(
    "TITLE DESCRIPTION STATUS DEADLINE RESPONSIBLE_ID CREATED_BY STAGE_ID PRIORITY AUDITORS ACCOMPLICES "
    "GROUP_ID UF_CRM_TASK".split()
)
_BLANK: Record = {
    "TITLE": "", "DESCRIPTION": "", "MARK": None, "XML_ID": None, "CREATED_BY": 1, "RESPONSIBLE_ID": 1,
    "GROUP_ID": 0,
    "STAGE_ID": 0, "PRIORITY": 1, "PARENT_ID": 0, "STATUS": WAITING, "TIME_ESTIMATE": 0, "DEADLINE": None,
    "START_DATE_PLAN": None, "END_DATE_PLAN": None,
}  # fmt: skip


def user_fields(world: World) -> dict[str, UserField]:
    return items.user_fields(world, "TASKS_TASK")


def read(world: World, fields: Mapping[str, Any]) -> Record:
    """The fields of a call as kept; unknown names are ignored silently."""
    own = user_fields(world)
    kept: Record = {}
    for name, raw in fields.items():
        value = _read_own(world, own[name], raw) if name in own else _read_system(world, name, raw)
        if value is values.SKIP:
            world.unknown_fields.append(f"task.{name}")
        else:
            kept[name] = value
    return kept


def _read_system(world: World, name: str, raw: Any) -> Any:
    if name in _NUMBERS:
        return integer(raw)
    if name in _TEXTS:
        return str(raw or "") or (None if name in ("MARK", "XML_ID") else "")
    if name in _INSTANTS:
        return _minute(raw, world)
    if name in _PEOPLE:
        return sorted({integer(one) for one in listed(raw)} & world.users.keys())
    if name in _LISTS:
        return [str(one) for one in listed(raw)]
    return ("Y" if yes(raw) else "N") if name in _FLAGS else values.SKIP


def _minute(raw: Any, world: World) -> datetime | None:
    """An instant with the seconds dropped, as the product writes it (rest.md 4.6)."""
    if values.empty(raw):
        return None
    at = raw if isinstance(raw, datetime) else read_instant(raw, world.profile.portal_zone)
    if at is None:
        raise errors.core("Неверный формат даты<br>")
    return at.replace(second=0, microsecond=0)


def _read_own(world: World, field: UserField, raw: Any) -> Any:
    zone = world.profile.portal_zone
    if field.multiple:
        return values.read_many(field.type, raw, zone)
    value = values.read(field.type, raw, zone)
    return value.replace(second=0) if isinstance(value, datetime) else value


def create(world: World, fields: Mapping[str, Any], by: int, card: str = "") -> Task:
    """A new task. `card`: chat or comments, where it differs from the portal's usual one."""
    kept = {**_BLANK, **{name: [] for name in (*_PEOPLE, *_LISTS)}, **dict.fromkeys(_FLAGS, "N")}
    kept |= {"CREATED_BY": by, "RESPONSIBLE_ID": by} | read(world, fields)
    _check(world, kept)
    at = world.instant()
    task = Task(world.next_id("task"), kept, None, at, at, at, at, changed_by=by)
    world.tasks[task.id] = task
    if (card or world.profile.task_card) == "chat":
        entity = ("TASKS_TASK", str(task.id))
        task.chat = talk.add_chat(world, kept["TITLE"], task.members, kept["CREATED_BY"], entity=entity).id
        talk.system_line(world, world.chats[task.chat], "Задача создана")
    log(world, task, "NEW", None, None, by)
    _announce(world, task.id, "ADD", before="undefined", after={"ID": task.id}, accessible_before="N", by=by)
    return task


def _check(world: World, fields: Record) -> None:
    if not fields["TITLE"]:
        raise errors.core("Не указано название задачи<br>")
    if fields["RESPONSIBLE_ID"] not in world.users:
        raise errors.core("Пользователь указанный в поле &quot;Исполнитель&quot; не найден<br>")
    if fields["STATUS"] not in STATUSES:
        raise errors.core("Некорректный статус<br>")


def update(world: World, task: Task, fields: Mapping[str, Any], by: int) -> bool:
    """Change a task; nothing different, nothing written and nothing said."""
    wanted = read(world, fields)
    changes = {name: value for name, value in wanted.items() if _differs(task.fields.get(name), value)}
    if not changes:
        return False
    _check(world, task.fields | changes)
    before = dict(task.fields)
    task.fields.update(changes)
    task.changed_at = task.activity_at = world.instant()
    task.changed_by, task.versions = by, task.versions + 1
    if "STATUS" in changes:
        _follow_status(world, task, before["STATUS"], by)
    for name in changes:
        if name in _TRACKED:
            log(world, task, *_line(world, task, name, before), by)
    _tell_chat(world, task, before, changes)
    _announce(world, task.id, "UPDATE", before={"ID": task.id}, after={"ID": task.id}, by=by)
    return True


def _differs(old: Any, new: Any) -> bool:
    return old != new and not (values.empty(old) and values.empty(new))


def _follow_status(world: World, task: Task, before: int, by: int) -> None:
    at = world.instant()
    task.status_at, task.status_by = at, by
    if task.fields["STATUS"] == DONE:
        task.closed_at, task.closed_by = at, by
    elif before == DONE:
        task.closed_at, task.closed_by = None, None
        log(world, task, "RENEW", None, None, by)
    if task.fields["STATUS"] == STARTED and task.started_at is None:
        task.started_at = at


def _line(world: World, task: Task, name: str, before: Record) -> tuple[str, str | None, str | None]:
    """A change as history tells it; of the kanban by number, or by title as its own component writes it."""
    old, new = before.get(name), task.fields[name]
    if name == "STAGE_ID" and world.profile.kanban_history == "STAGE":
        titles = getattr(world.groups.get(task.fields["GROUP_ID"]), "stages", {})
        return "STAGE", titles.get(old, ""), titles.get(new, "")
    return name, _told(old), _told(new)


def _told(value: Any) -> str | None:
    """A value as history keeps it: instants as unix seconds, lists with commas."""
    if isinstance(value, datetime):
        return str(int(value.timestamp()))
    return ",".join(map(str, value)) if isinstance(value, list) else None if value is None else str(value)


def _tell_chat(world: World, task: Task, before: Record, changes: Record) -> None:
    """The new card says changes of people, status and deadline in system lines; members follow the task."""
    if task.chat is None:
        return
    chat = world.chats[task.chat]
    chat.members = (chat.members - _members(before)) | task.members
    for name, line in (("STATUS", "изменил статус задачи"), ("DEADLINE", "изменил крайний срок"),
                       ("RESPONSIBLE_ID", "сменил исполнителя")):  # fmt: skip
        if name in changes:
            talk.system_line(world, chat, f"[USER={task.changed_by}]Сотрудник[/USER] {line}")


def _members(fields: Record) -> set[int]:
    return {fields["CREATED_BY"], fields["RESPONSIBLE_ID"], *fields["AUDITORS"], *fields["ACCOMPLICES"]}


def delete(world: World, task: Task) -> None:
    del world.tasks[task.id]
    _announce(world, task.id, "DELETE", before={"ID": task.id}, after="undefined", accessible_after="N")


def comment(world: World, task: Task, text: str, by: int) -> int:
    """A message in the task's chat (new card) or a forum comment (old one); its number."""
    task.activity_at = world.instant()
    if task.chat is not None:
        message = talk.say(world, world.chats[task.chat], by, text)
        _announce_comment(world, {"ID": 0, "TASK_ID": task.id, "MESSAGE_ID": message.id}, by)
        return message.id
    made = TaskComment(world.next_id("taskcomment") + 3000, task.id, by, text, world.instant())
    world.task_comments[made.id] = made
    log(world, task, "COMMENT", None, str(made.id), by)
    _announce_comment(world, {"ID": made.id, "TASK_ID": task.id}, by)
    return made.id


def edit_comment(world: World, one: TaskComment, text: str) -> None:
    """A comment of the old card changed; with the new card there is no such event (rest.md 5.3)."""
    one.text = text
    _announce_change(world, one, "UPDATE", "EDIT")


def delete_comment(world: World, one: TaskComment) -> None:
    del world.task_comments[one.id]
    _announce_change(world, one, "DELETE", "DEL")


def _announce_change(world: World, one: TaskComment, verb: str, action: str) -> None:
    before = {"ID": one.id, "TASK_ID": one.task}
    data = {"FIELDS_BEFORE": before, "FIELDS_AFTER": before | {"ACTION": action}}
    unknown = {"IS_ACCESSIBLE_BEFORE": "undefined", "IS_ACCESSIBLE_AFTER": "undefined"}
    world.events.raise_event(f"ONTASKCOMMENT{verb}", data | unknown)


def watch(world: World, task: Task, user: int) -> bool:
    """One more auditor; the others stay."""
    auditors = sorted({*task.fields["AUDITORS"], user})
    return update(world, task, {"AUDITORS": auditors}, user)


def _announce_comment(world: World, after: Record, by: int) -> None:
    before = world.profile.comment_before
    data = {"FIELDS_BEFORE": "undefined", "FIELDS_AFTER": after, "IS_ACCESSIBLE_BEFORE": before}
    world.events.raise_event("ONTASKCOMMENTADD", data | {"IS_ACCESSIBLE_AFTER": "undefined"}, by)


def _announce(
    world: World,
    number: int,
    verb: str,
    *,
    before: Any,
    after: Any,
    accessible_before: str = "undefined",
    accessible_after: str = "undefined",
    by: int | None = None,
) -> None:
    data = {"FIELDS_BEFORE": before, "FIELDS_AFTER": after}
    data |= {"IS_ACCESSIBLE_BEFORE": accessible_before, "IS_ACCESSIBLE_AFTER": accessible_after}
    world.events.raise_event(f"ONTASK{verb}", data, by)


def log(world: World, task: Task, field: str, old: str | None, new: str | None, by: int) -> None:
    world.task_history.append(
        TaskChange(world.next_id("taskchange"), task.id, world.instant(), field, old, new, by)
    )


def substatus(world: World, task: Task) -> int:
    """The status a filter on STATUS sees: -1 overdue, -3 almost overdue (within a day), else the real one."""
    status: int = task.fields["STATUS"]
    deadline = task.fields["DEADLINE"]
    if deadline is None or status in (DONE, CONTROL, DEFERRED):
        return status
    left = (deadline - world.instant()).total_seconds()
    return -1 if left < 0 else -3 if left < 86_400 else status


def number_of(raw: Any) -> int:
    if not whole(raw):
        raise errors.RestError("0", "wrong task id")
    return int(raw)
