"""The self-check against the portal, a line for each thing that must be right (contract.md 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from app.bitrix.card_fields import FIELDS, TASK_DEADLINE
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, ShutOut
from app.bitrix.fields import task_name
from app.bitrix.results import Line
from app.bitrix.stamping import PROVISION
from app.bitrix.tasks import chat_of
from app.bitrix.wire import Answer, Command, Told, as_list, as_map, number
from app.model import DEAL_TYPE, Kind, Lane

LATE_CLOCK = timedelta(seconds=60)
CHATS_LOOKED_AT = 10
CRM_METHODS = (
    "crm.item.list", "crm.item.update", "crm.item.fields", "crm.stagehistory.list", "crm.activity.list",
    "crm.timeline.comment.add",
)  # fmt: skip
TASK_METHODS = (
    "tasks.task.get", "tasks.task.list", "tasks.task.update", "tasks.task.history.list",
    "im.dialog.messages.get",
)  # fmt: skip
TALK_METHODS = (
    "user.get",
    "im.notify.personal.add",
    "im.message.add",
    "im.message.update",
    "im.v2.File.upload",
)
WISHED_SCOPES = frozenset({"imbot", "imopenlines"})
WISHED_METHODS = ("imbot.v2.Bot.register", "imbot.v2.Chat.Message.send")
"""Without them alerts come in the name of the webhook's owner."""


class Checker:
    """Asks the portal about itself and says what to do."""

    def __init__(self, client: Client, config: PortalConfig, directory: Directory) -> None:
        self._client, self._config, self._directory = client, config, directory

    async def run(self) -> list[Line]:
        """All lines; a portal that cannot be asked at all gives one FAIL."""
        try:
            profile = await self._client.call(Command("profile"))
        except PortalError as error:
            return [_unreachable(error)]
        lines = [Line("OK", "портал отвечает, вебхук действует"), *self._owner(as_map(profile.result))]
        lines += await self._scopes()
        lines += await self._methods()
        for crm_type in self._config.crm_types:
            lines += await self._crm_fields(crm_type)
        if self._config.reads_tasks:
            lines += await self._task_fields()
            lines += await self._task_chats()
        lines += await self._stages()
        lines += await self._chats()
        return [*lines, self._clock()]

    def _owner(self, profile: Mapping[str, Any]) -> Iterable[Line]:
        owner = number(profile.get("ID"))
        if owner in set(self._config.colleagues):
            remedy = "заведите отдельного пользователя: его слова никому не считаются ответом"
            yield Line("FAIL", f"вебхук принадлежит сотруднику № {owner} из правил", remedy)
        else:
            yield Line("OK", f"вебхук принадлежит пользователю № {owner}")
        if profile.get("ADMIN") is not True:
            remedy = "не все обращения будут видны; поля создаёт только администратор"
            yield Line("WARN", "владелец вебхука не администратор", remedy)

    async def _scopes(self) -> Iterable[Line]:
        wanted = {"crm", "im", "imbot"} | ({"task"} if self._config.reads_tasks else set())
        [told] = await self._client.run_each([Command("scope")])
        granted = {str(scope) for scope in as_list(told.result)} if isinstance(told, Answer) else set()
        if not granted & {"user", "user_basic", "user_brief"}:
            wanted.add("user_basic")
        wanted |= {"imopenlines"} if self._config.crm_types else set()
        missing = sorted(wanted - granted)
        if not missing:
            return [Line("OK", "права вебхука достаточны")]
        text, remedy = f"вебхуку не даны права: {', '.join(missing)}", "отметьте их в настройке вебхука"
        return [Line("WARN" if {*missing} <= WISHED_SCOPES else "FAIL", text, remedy)]

    async def _methods(self) -> Iterable[Line]:
        needed = [*TALK_METHODS, *(CRM_METHODS if self._config.crm_types else ())]
        needed += TASK_METHODS if self._config.reads_tasks else ()
        names = [*needed, *WISHED_METHODS]
        told = await self._client.run_each([Command("method.get", {"name": name}) for name in names])
        absent = [name for name, one in zip(names, told, strict=True) if not _available(one)]
        lines = [Line("FAIL", f"метод {name} недоступен", "проверьте права вебхука и тариф")
                 for name in absent if name in needed]  # fmt: skip
        if {*absent} & {*WISHED_METHODS}:
            remedy = "дайте вебхуку право imbot: иначе он пишет в чаты от имени владельца"
            lines.append(Line("WARN", "боты недоступны", remedy))
        return lines or [Line("OK", f"методы на месте: {len(names)}")]

    async def _crm_fields(self, crm_type: int) -> Iterable[Line]:
        where = "сделки" if crm_type == DEAL_TYPE else f"смарт-процесс {crm_type}"
        try:
            entity = await self._directory.entity(crm_type, Lane.LIVE)
        except PortalError as error:
            return [Line("FAIL", f"{where}: {error}", "проверьте номер типа и права владельца вебхука")]
        missing = [card_field.ru for card_field in FIELDS if card_field.code not in entity.names]
        return [_fields_line(where, missing)]

    async def _task_fields(self) -> Iterable[Line]:
        [told] = await self._client.run_each([Command("task.item.userfield.getlist")])
        if isinstance(told, PortalError):
            return [Line("WARN", f"поля задач не видны: {told}", "нужен администратор")]
        names = {str(row.get("FIELD_NAME")) for row in told.rows()}
        ours = [card_field for card_field in FIELDS if card_field.code != TASK_DEADLINE]
        missing = [f.ru for f in ours if task_name(f.code, self._config.fields) not in names]
        return [_fields_line("задачи", missing)]

    async def _task_chats(self) -> Iterable[Line]:
        """Whether we may read the talk of the latest tasks of each project."""
        sources = [source for source in self._config.sources if source.kind is Kind.TASK]
        lines: list[Line] = []
        for source in sources:
            lines += await self._project(source)
        return lines

    async def _project(self, source: SourceConfig) -> Iterable[Line]:
        only = {"GROUP_ID": source.group} if source.group is not None else {}
        params = {"filter": only, "select": ["ID", "CHAT_ID"], "order": {"ID": "desc"}}
        [told] = await self._client.run_each([Command("tasks.task.list", params)])
        if isinstance(told, PortalError):
            return [Line("FAIL", f"задачи не читаются: {told}", "проверьте право task")]
        chats = [chat for row in told.rows("tasks") if (chat := chat_of(row))][:CHATS_LOOKED_AT]
        tried = await self._client.run_each([_peek(f"chat{chat}") for chat in chats]) if chats else []
        shut = sum(isinstance(one, PortalError) for one in tried)
        where = f"проект {source.group}" if source.group is not None else "все проекты"
        if shut:
            remedy = "добавьте владельца вебхука наблюдателем задач: без переписки ответы не видны"
            return [Line("WARN", f"{where}: закрытых чатов задач {shut} из {len(chats)}", remedy)]
        return [Line("OK", f"{where}: чаты задач читаются")]

    async def _stages(self) -> Iterable[Line]:
        """Stages that the portal has and the rules do not name, and the other way round."""
        lines: list[Line] = []
        for source in self._config.sources:
            if source.kind is not Kind.TASK and source.stages and source.category is not None:
                lines += await self._funnel(source)
        return lines

    async def _funnel(self, source: SourceConfig) -> Iterable[Line]:
        directory = _stage_directory(source)
        [told] = await self._client.run_each(
            [Command("crm.status.list", {"filter": {"ENTITY_ID": directory}})]
        )
        if isinstance(told, PortalError):
            return [Line("FAIL", f"стадии {directory} не читаются: {told}", "проверьте право crm")]
        there = {str(row.get("STATUS_ID")): str(row.get("NAME")) for row in told.rows()}
        if not there:
            return [Line("FAIL", f"воронки {directory} нет", "проверьте category в [[source]]")]
        unnamed = [f"{stage} «{there[stage]}»" for stage in there if stage not in source.stages]
        absent = sorted(stage for stage in source.stages if stage not in there)
        lines = []
        if unnamed:
            remedy = "допишите их в [source.stages]"
            lines.append(Line("WARN", f"правила не знают стадий: {', '.join(unnamed)}", remedy))
        if absent:
            remedy = "исправьте [source.stages]"
            lines.append(Line("WARN", f"на портале нет стадий из правил: {', '.join(absent)}", remedy))
        return lines or [Line("OK", f"стадии {directory} известны правилам")]

    async def _chats(self) -> Iterable[Line]:
        dialogs = list(dict.fromkeys(dialog for dialog in self._config.chats if dialog))
        told = await self._client.run_each([_peek(dialog) for dialog in dialogs]) if dialogs else []
        return [_chat_line(dialog, one) for dialog, one in zip(dialogs, told, strict=True)]

    def _clock(self) -> Line:
        offset = self._client.traffic.offset
        seconds = round(offset.total_seconds())
        if abs(offset) > LATE_CLOCK:
            return Line(
                "WARN", f"часы портала и наши расходятся на {seconds} с", "включите синхронизацию времени"
            )
        return Line("OK", f"часы портала и наши расходятся на {seconds} с")


def _unreachable(error: PortalError) -> Line:
    if isinstance(error, ShutOut):
        return Line("FAIL", f"портал не пускает: {error}", error.remedy)
    return Line("FAIL", f"портал не отвечает: {error}", "проверьте сеть и адрес")


def _available(told: Told) -> bool:
    return isinstance(told, Answer) and as_map(told.result).get("isAvailable") is True


def _fields_line(where: str, missing: list[str]) -> Line:
    if not missing:
        return Line("OK", f"{where}: поля SLA на месте")
    return Line("FAIL", f"{where}: нет полей: {', '.join(missing)}", PROVISION)


def _stage_directory(source: SourceConfig) -> str:
    if source.kind is Kind.DEAL:
        return f"DEAL_STAGE_{source.category}" if source.category else "DEAL_STAGE"
    return f"DYNAMIC_{source.entity_type}_STAGE_{source.category}"


def _peek(dialog: str) -> Command:
    return Command("im.dialog.messages.get", {"DIALOG_ID": dialog, "LIMIT": 1})


def _chat_line(dialog: str, told: Told) -> Line:
    if isinstance(told, PortalError):
        remedy = "добавьте владельца вебхука в чат и проверьте его номер в [chats]"
        return Line("FAIL", f"чат {dialog} недоступен: {told}", remedy)
    return Line("OK", f"чат {dialog} доступен")
