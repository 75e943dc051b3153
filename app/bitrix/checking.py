"""The self-check against the portal, a line for each thing that must be right (contract.md 1).

Each section stands for itself: what one could not learn is told, and the others still tell theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from app import words
from app.bitrix import checking_app, checking_cards, checking_pace, checking_people, checking_talk
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig, SourceConfig
from app.bitrix.directory import Directory
from app.bitrix.errors import PortalError, ShutOut
from app.bitrix.methods import Need, needed, scope_of
from app.bitrix.remedies import unchecked
from app.bitrix.results import Line
from app.bitrix.wire import Answer, Command, Told, as_list, as_map, number
from app.model import Kind

LATE_CLOCK = timedelta(seconds=60)
WISHED_SCOPES = frozenset({"imbot", "imopenlines", "userfieldconfig"})
"""Without them the service works, but worse."""
PERSON_SCOPES = frozenset({"user", "user_basic", "user_brief"})

Section = tuple[str, Awaitable[Iterable[Line]]]
"""What is looked at, for the case that it cannot be, and the look."""


class Checker:
    """Asks the portal about itself and says what to do."""

    def __init__(self, client: Client, config: PortalConfig, directory: Directory) -> None:
        self._client, self._config, self._directory = client, config, directory
        self._is_application = config.application is not None

    async def run(self) -> list[Line]:
        """All lines; a portal that cannot be asked at all gives one FAIL."""
        try:
            profile = await self._client.call(Command("profile"))
        except PortalError as error:
            return [_unreachable(error)]
        what = "приложение" if self._is_application else "вебхук"
        lines = [Line("OK", f"портал отвечает, {what} действует"), *self._owner(as_map(profile.result))]
        for what, look in self._sections():
            try:
                lines += await look
            except PortalError as error:
                lines.append(unchecked(what, error))
        now = self._client.now()
        return [*lines, *checking_pace.lines(self._client.budget.pacing(now)), self._clock()]

    def _sections(self) -> Iterator[Section]:
        client, config = self._client, self._config
        if self._is_application:
            yield "приложение", checking_app.lines(client, config)
        yield "права", self._scopes()
        yield "методы", self._methods()
        for crm_type in config.crm_types:
            where = checking_cards.place_of(crm_type)
            yield f"{where}: поля", checking_cards.crm_fields(self._directory, config, crm_type)
        if config.reads_tasks:
            yield "поля задач", checking_cards.task_fields(client, config)
        for source in config.sources:
            yield from self._source(source)
        if config.crm_types:
            yield "открытые линии", checking_talk.open_lines(client, config)
        yield "чаты", checking_talk.chats(client, config)
        yield "сотрудники", checking_people.people(client, config)

    def _source(self, source: SourceConfig) -> Iterator[Section]:
        if source.kind is Kind.TASK:
            yield "переписка задач", checking_talk.task_talks(self._client, source)
            yield "канбан задач", checking_cards.kanban(self._client, source)
            return
        if source.stages and source.category is not None:
            yield checking_cards.stages_of(source), checking_cards.stages(self._client, source)
        yield (
            f"{checking_cards.place_of(source.crm_type)}: история стадий",
            checking_cards.history(self._client, source),
        )

    def _owner(self, profile: Mapping[str, Any]) -> Iterable[Line]:
        owner = number(profile.get("ID"))
        ours = "служба работает от имени" if self._is_application else "вебхук принадлежит"
        if owner in set(self._config.colleagues):
            remedy = "заведите отдельного пользователя: его слова никому не считаются ответом"
            whose = "сотрудника" if self._is_application else "сотруднику"
            yield Line("FAIL", f"{ours} {whose} № {owner} из правил", remedy)
        else:
            whose = "пользователя" if self._is_application else "пользователю"
            yield Line("OK", f"{ours} {whose} № {owner}")
        if profile.get("ADMIN") is not True:
            remedy = "не все обращения будут видны; поля создаёт только администратор"
            who = "пользователь службы" if self._is_application else "владелец вебхука"
            yield Line("WARN", f"{who} не администратор", remedy)

    async def _scopes(self) -> Iterable[Line]:
        answer = await self._client.call(Command("scope"))
        granted = {str(scope) for scope in as_list(answer.result)}
        missing = {scope_of(method) for method in needed(self._config)} - granted
        if granted & PERSON_SCOPES:
            missing -= PERSON_SCOPES
        if not missing:
            return [Line("OK", f"права {'приложения' if self._is_application else 'вебхука'} достаточны")]
        whom = "приложению" if self._is_application else "вебхуку"
        text = f"{whom} не даны права: {', '.join(sorted(missing))}"
        level: Any = "WARN" if missing <= WISHED_SCOPES else "FAIL"
        where = "в карточке приложения" if self._is_application else "в настройке вебхука"
        return [Line(level, text, f"отметьте их {where}")]

    async def _methods(self) -> Iterable[Line]:
        wanted = needed(self._config)
        told = await self._client.run_each([Command("method.get", {"name": name}) for name in wanted])
        if silent := next((one for one in told if isinstance(one, PortalError)), None):
            raise silent
        found = {name: _availability(one) for name, one in zip(wanted, told, strict=True)}
        lines = [
            _method_line(name, wanted[name], exists=exists)
            for name, (exists, available) in found.items()
            if not available
        ]
        return lines or [Line("OK", f"методы на месте: {len(wanted)}")]

    def _clock(self) -> Line:
        offset = self._client.traffic.offset
        if abs(offset) > LATE_CLOCK:
            how = "впереди" if offset > timedelta(0) else "отстают"
            remedy = "включите синхронизацию времени там, где часы неверны"
            return Line("WARN", f"часы портала {how} на {words.duration(offset)}", remedy)
        return Line("OK", f"часы портала и наши расходятся на {abs(round(offset.total_seconds()))} с")


def _unreachable(error: PortalError) -> Line:
    if isinstance(error, ShutOut):
        return Line("FAIL", f"портал не пускает: {error}", error.remedy)
    return Line("FAIL", f"портал не отвечает: {error}", "проверьте сеть и адрес")


def _availability(told: Told) -> tuple[bool, bool]:
    """Whether the portal has the method, and whether we may call it."""
    there = as_map(told.result) if isinstance(told, Answer) else {}
    return there.get("isExisting") is True, there.get("isAvailable") is True


def _method_line(name: str, need: Need, *, exists: bool) -> Line:
    right = f"отметьте право {scope_of(name)} в настройке вебхука"
    remedy = right if exists else "обновите модуль портала: такого метода на нём нет"
    loss = "" if need is Need.WORK else "; без него служба работает, но хуже"
    return Line(need.value, f"метод {name} недоступен", remedy + loss)
