"""The self-check of what people say: chats of the rules, talks of tasks, open lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.errors import PortalError, Refused, RetryLater
from app.bitrix.openlines import HISTORY, session_of
from app.bitrix.remedies import remedy_of, unchecked
from app.bitrix.results import Line
from app.bitrix.speech import ACTIVITY_FIELDS, OPEN_LINE
from app.bitrix.tasks import chat_of
from app.bitrix.wire import Command, Told, number

LOOKED_AT = 10  # the newest tasks of a project
SESSIONS_LOOKED_AT = 3


async def chats(client: Client, config: PortalConfig) -> Iterable[Line]:
    """The dialogs that the rules name; a person's is there as soon as the person is (checking_people.py)."""
    named = (dialog for dialog in config.chats.values() if dialog and not dialog.isdecimal())
    dialogs = list(dict.fromkeys(named))
    told = await client.run_each([_peek(dialog) for dialog in dialogs]) if dialogs else []
    return [_chat_line(dialog, one) for dialog, one in zip(dialogs, told, strict=True)]


def _peek(dialog: str) -> Command:
    return Command("im.dialog.messages.get", {"DIALOG_ID": dialog, "LIMIT": 1})


def _chat_line(dialog: str, told: Told) -> Line:
    if isinstance(told, Refused):
        remedy = "добавьте владельца вебхука в чат и проверьте его номер в [chats]"
        return Line("FAIL", f"чат {dialog} недоступен: {told}", remedy)
    if isinstance(told, PortalError):
        return unchecked(f"чат {dialog}", told)
    return Line("OK", f"чат {dialog} доступен")


async def task_talks(client: Client, source: SourceConfig) -> Iterable[Line]:
    """Whether we may read the talk of a project's newest tasks, in the chat or in the old card's forum."""
    only = {"GROUP_ID": source.group} if source.group is not None else {}
    params = {"filter": only, "select": ["ID", "CHAT_ID", "GROUP_ID"], "order": {"ID": "desc"}}
    rows = (await client.call(Command("tasks.task.list", params))).rows("tasks")[:LOOKED_AT]
    talks = [_talk_of(number(row.get("id")), chat_of(row)) for row in rows]
    told = await client.run_each(talks) if talks else []
    where = f"проект {source.group}" if source.group is not None else "все проекты"
    groups = [number(row.get("groupId")) for row in rows]
    return [_talks_line(where if source.group is not None else _with_projects(where, groups, told), told)]


def _with_projects(where: str, groups: Sequence[int], told: Sequence[Told]) -> str:
    """Which of all projects are shut."""
    shut = {group for group, one in zip(groups, told, strict=True) if isinstance(one, Refused)}
    names = [str(group) if group else "без проекта" for group in sorted(shut)]
    return f"{where} ({', '.join(names)})" if names else where


def _talk_of(task: int, chat: int) -> Command:
    return _peek(f"chat{chat}") if chat else Command("task.commentitem.getlist", {"TASKID": task})


def _talks_line(where: str, told: Sequence[Told]) -> Line:
    if not told:
        return Line("OK", f"{where}: задач пока нет, переписка не проверена")
    silent = next((one for one in told if isinstance(one, RetryLater)), None)
    if silent is not None:
        return unchecked(f"{where}: переписка задач", silent)
    shut = sum(isinstance(one, PortalError) for one in told)
    if shut:
        remedy = (
            "добавьте владельца вебхука наблюдателем задач или поставьте в правилах [tasks] join = true: "
            "без переписки ответы не видны"
        )
        return Line("WARN", f"{where}: закрытых чатов задач {shut} из {len(told)}", remedy)
    return Line("OK", f"{where}: переписка задач читается")


async def open_lines(client: Client, config: PortalConfig) -> Iterable[Line]:
    """Whether the newest sessions of messengers can be read."""
    params = {
        "filter": {"PROVIDER_ID": OPEN_LINE},
        "select": list(ACTIVITY_FIELDS),
        "order": {"ID": "DESC"},
        "start": -1,
    }
    rows = (await client.call(Command("crm.activity.list", params))).rows()
    ours = [row for row in rows if number(row.get("OWNER_TYPE_ID")) in config.crm_types]
    sessions = sorted({session_of(row) for row in ours} - {0}, reverse=True)[:SESSIONS_LOOKED_AT]
    if not sessions:
        return [Line("OK", "разговоров в открытых линиях пока нет")]
    told = await client.run_each([Command(HISTORY, {"SESSION_ID": number}) for number in sessions])
    shut = next((one for one in told if isinstance(one, PortalError)), None)
    if shut is None:
        return [Line("OK", "разговоры открытых линий читаются")]
    if isinstance(shut, RetryLater):
        return [unchecked("открытые линии", shut)]
    lost = "ответы в мессенджерах не видны, судить можно только по стадиям"
    return [Line("WARN", f"разговоры открытых линий не читаются: {shut}", f"{remedy_of(shut)}; {lost}")]
