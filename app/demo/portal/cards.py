"""The cards as a person sees them, read only: links of the service lead here in the demo.

Title, stage, SLA fields by label, what was written and said. Nothing that a real portal's page has beside.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import Any

from . import activities, items, talk
from .fields import CONTACT, DEAL
from .world import Record, Task, UserField, World

_ADDRESSES = (
    (re.compile(r"/crm/deal/details/(?P<id>\d{1,9})/?"), "deal"),
    (re.compile(r"/crm/type/(?P<type>\d{1,9})/details/(?P<id>\d{1,9})/?"), "item"),
    (re.compile(r"/company/personal/user/\d{1,9}/tasks/task/view/(?P<id>\d{1,9})/?"), "task"),
)
_STATUS = {2: "Ждёт выполнения", 3: "Выполняется", 4: "Ждёт контроля", 5: "Завершена", 6: "Отложена"}
_BB = re.compile(r"\[/?[A-Za-z]+(=[^\]]*)?\]")
_ACTIVITY = {
    (activities.EMAIL, 1): "Письмо от клиента",
    (activities.EMAIL, 2): "Письмо клиенту",
    (activities.CALL, 1): "Входящий звонок",
    (activities.CALL, 2): "Исходящий звонок",
}
_PAGE = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body{{font:15px/1.45 system-ui,sans-serif;max-width:52rem;margin:0 auto;padding:1rem;color:#1b2733}}
h1{{font-size:1.4rem;margin:.2rem 0 1rem}} h2{{font-size:1.05rem;margin:1.5rem 0 .4rem}} p{{margin:.2rem 0}}
dl{{display:grid;grid-template-columns:fit-content(45%) minmax(0,1fr);gap:.3rem 1rem;margin:0}}
dt,.soft{{color:#5a6875}} dd{{margin:0;overflow-wrap:anywhere}}
li{{margin:.7rem 0;white-space:pre-line;overflow-wrap:anywhere}} ul{{list-style:none;padding:0;margin:0}}
</style></head><body><p class="soft">Учебный портал · {kind}</p><h1>{title}</h1>
<dl>{place}</dl><h2>Поля SLA</h2><dl>{fields}</dl><h2>Лента</h2><ul>{told}</ul></body></html>
"""

_Told = tuple[datetime, str, str]
"""When, whose or what, the text."""


def page(world: World, path: str) -> str | None:
    """The card at this address of the portal as HTML; None when there is none."""
    for pattern, kind in _ADDRESSES:
        if found := pattern.fullmatch(path):
            number = int(found["id"])
            if kind == "task":
                return _task_page(world, number)
            return _item_page(world, int(found["type"]) if kind == "item" else DEAL, number)
    return None


def _item_page(world: World, entity_type: int, number: int) -> str | None:
    item = items.find(world, entity_type, number)
    if item is None or not (entity_type == DEAL or entity_type in world.types):
        return None
    kind = "сделка" if entity_type == DEAL else world.types[entity_type].title
    return _written(
        world,
        f"{kind} №{number}",
        str(item["title"]),
        [
            ("Стадия", _stage(world, str(item.get("stageId")))),
            ("Ответственный", _person(world, item["assignedById"])),
            ("Клиент", _client(world, item)),
        ],
        (items.fields_of(world, entity_type), item),
        _item_told(world, (entity_type, number)),
    )


def _task_page(world: World, number: int) -> str | None:
    task = world.tasks.get(number)
    if task is None:
        return None
    group = world.groups.get(task.fields["GROUP_ID"])
    return _written(
        world,
        f"задача №{number}",
        str(task.fields["TITLE"]),
        [
            ("Статус", _STATUS.get(task.fields["STATUS"], str(task.fields["STATUS"]))),
            ("Стадия", group.stages.get(task.fields["STAGE_ID"], "") if group else ""),
            ("Исполнитель", _person(world, task.fields["RESPONSIBLE_ID"])),
            ("Крайний срок", _shown(world, None, task.fields["DEADLINE"])),
            ("Описание", str(task.fields["DESCRIPTION"])),
        ],
        (items.user_fields(world, "TASKS_TASK"), task.fields),
        _task_told(world, task),
    )


def _written(
    world: World,
    kind: str,
    title: str,
    place: list[tuple[str, str]],
    own: tuple[dict[str, UserField], Record],
    told: Iterable[_Told],
) -> str:
    return _PAGE.format(
        kind=escape(kind),
        title=escape(title),
        place=_pairs(place),
        fields=_pairs(_sla(world, *own)) or "<dd>Ещё не заполнены.</dd>",
        told="".join(_line(world, one) for one in sorted(told, key=lambda one: one[0])),
    )


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows if value)


def _line(world: World, told: _Told) -> str:
    at, who, text = told
    head = f"{_shown(world, None, at)} · {who}"
    return f'<li><span class="soft">{escape(head)}</span>\n{escape(text.strip())}</li>'


def _sla(world: World, known: dict[str, UserField], values: Record) -> Iterator[tuple[str, str]]:
    for name, field in known.items():
        value = values.get(name)
        if "SLA_" in name and value not in (None, "", []):
            labels = field.labels.get("EDIT_FORM_LABEL", {})
            yield labels.get("ru") or name, _shown(world, field, value)


def _shown(world: World, field: UserField | None, value: Any) -> str:
    """A value as the card shows it: the option's name, «Да», the person, the time of the portal."""
    if isinstance(value, datetime):
        return value.astimezone(world.profile.portal_zone).strftime("%d.%m.%Y %H:%M")
    kind = field.type if field else ""
    if kind == "boolean":
        return "Да" if value in (1, "1", "Y", True) else "Нет"
    if kind == "employee":
        return _person(world, int(value))
    options = {one.id: one.value for one in field.options} if field else {}
    return options.get(value, "" if value is None else str(value))


def _stage(world: World, code: str) -> str:
    return next((one.name for one in world.stages if one.status == code), code)


def _person(world: World, number: int) -> str:
    user = world.users.get(number)
    return user.full_name if user else f"пользователь {number}"


def _client(world: World, item: Record) -> str:
    contact = items.find(world, CONTACT, item["contactId"]) if item.get("contactId") else None
    return f"{contact.get('name') or ''} {contact.get('lastName') or ''}".strip() if contact else ""


def _item_told(world: World, owner: tuple[int, int]) -> Iterator[_Told]:
    for one in world.comments.values():
        if one.owner == owner:
            yield one.at, f"Комментарий, {_person(world, one.author)}", one.text
    for row in world.activities.values():
        if owner in row["bindings"]:
            name = _ACTIVITY.get((row["TYPE_ID"], row["DIRECTION"]), "Дело")
            subject = row["SUBJECT"] if row["TYPE_ID"] == activities.EMAIL else ""
            yield row["CREATED"], name, f"{subject}\n{row['DESCRIPTION']}"


def _task_told(world: World, task: Task) -> Iterator[_Told]:
    if task.chat is not None:
        for message in talk.messages_of(world, world.chats[task.chat]):
            who = "Система" if message.system else _person(world, message.author)
            yield message.at, who, _BB.sub("", message.text)
    for comment in world.task_comments.values():
        if comment.task == task.id:
            yield comment.at, _person(world, comment.author), comment.text
