"""The self-check: each thing is broken on the emulated portal, and its line says what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.bitrix.config import NativeFields, PortalConfig
from app.bitrix.portal import Line, Portal

if TYPE_CHECKING:
    from .conftest import Make, World

pytestmark = pytest.mark.anyio


def levels(lines: list[Line], text: str) -> set[str]:
    return {line.level for line in lines if text in line.text}


def nothing(world: World) -> None:
    """The portal stays as it is."""


def configured(**changes: Any) -> Callable[[World], PortalConfig]:
    return lambda world: replace(world.config, **changes)


def with_source(number: int, **changes: Any) -> Callable[[World], PortalConfig]:
    """One of the three sources (deals, items, tasks) with other rules."""

    def changed(world: World) -> PortalConfig:
        sources = list(world.config.sources)
        told = {name: value(world) if callable(value) else value for name, value in changes.items()}
        sources[number] = replace(sources[number], **told)
        return replace(world.config, sources=tuple(sources))

    return changed


def with_webhook(user: int = 9, *scopes: str) -> Callable[[World], PortalConfig]:
    def changed(world: World) -> PortalConfig:
        path = world.emulated.add_webhook(world.agent if user == 5 else user, scopes=scopes or None)
        return replace(world.config, webhook=f"http://portal.test{path}")

    return changed


def drop_option(world: World) -> None:
    [listed] = [one for one in world.emulated.world.userfields if one.name == "UF_CRM_SLA_CLASS"]
    listed.options = [option for option in listed.options if option.xml_id != "emergency"]


def of_another_type(name: str, kind: str) -> Callable[[World], None]:
    def changed(world: World) -> None:
        [found] = [one for one in world.emulated.world.userfields if one.name == name]
        found.type = kind

    return changed


def forget_field(world: World) -> None:
    fields = world.emulated.world.userfields
    fields[:] = [one for one in fields if not one.name.endswith("SLA_STATE")]


def closed_talk(world: World) -> None:
    world.task(auditors=())


def closed_line(world: World) -> None:
    deal = world.deal()
    world.emulated.add_open_line((2, deal.id), by=world.agent)
    world.emulated.faults.fail("imopenlines.session.history.get", "access", times=9)


def dismiss(world: World) -> None:
    assert world.emulated.add_user("Олег", "Бывший") == 11
    world.emulated.set_user(11, active=False)


def others_chat(world: World) -> None:
    assert world.emulated.add_chat("Тревоги", [1, world.agent]) == "chat11"


def no_history(world: World) -> None:
    world.deal()
    world.emulated.world.stage_history.clear()


@dataclass(frozen=True)
class Broken:
    """How a portal or the rules are wrong, and the line that tells of it."""

    level: str
    text: str
    remedy: str
    spoil: Callable[[World], None] = nothing
    config: Callable[[World], PortalConfig] = field(default=configured())


BROKEN = {
    "a colleague's webhook": Broken(
        "FAIL", "принадлежит сотруднику № 9", "отдельного пользователя", config=configured(colleagues=(9,))
    ),
    "no administrator": Broken("WARN", "не администратор", "только администратор", config=with_webhook(5)),
    "no scopes": Broken(
        "FAIL", "не даны права: im, imbot, imopenlines, task, userfieldconfig", "отметьте их",
        config=with_webhook(9, "crm", "user"),
    ),
    "no bots": Broken(
        "WARN", "не даны права: imbot", "отметьте их",
        config=with_webhook(9, "crm", "user", "im", "imopenlines", "task", "userfieldconfig"),
    ),
    "a method that may not be called": Broken(
        "FAIL", "метод tasks.task.get недоступен", "отметьте право task",
        config=with_webhook(9, "crm", "user", "im"),
    ),
    "a wished method that may not be called": Broken(
        "WARN", "метод imbot.v2.Bot.register недоступен", "право imbot",
        config=with_webhook(9, "crm", "user", "im", "task"),
    ),
    "no field": Broken("FAIL", "сделки: нет полей: Состояние SLA", "b24sla provision", forget_field),
    "no field of tasks": Broken("FAIL", "задачи: нет полей: Состояние SLA", "b24sla provision", forget_field),
    "a field of another type": Broken(
        "FAIL", "«Срок решения» (string вместо datetime)", "[fields]",
        of_another_type("UF_CRM_SLA_SOLVE_DUE", "string"),
    ),
    "a task's field of another type": Broken(
        "FAIL", "«Класс подтверждён» (string вместо boolean)", "[fields]",
        of_another_type("UF_SLA_CLASS_SURE", "string"),
    ),
    "no option": Broken(
        "FAIL", "в списке «Класс обращения» нет значений: Экстренное", "b24sla provision", drop_option
    ),
    "a field that the rules read": Broken(
        "WARN", "сделки: правила читают поля, которых нет: UF_CRM_OBJECT", "[source.read]",
        config=with_source(0, read=NativeFields(object="UF_CRM_OBJECT")),
    ),
    "a task's field that the rules read": Broken(
        "WARN", "задачи: правила читают поля, которых нет: UF_OBJECT", "[source.read]",
        config=with_source(2, read=NativeFields(object="UF_OBJECT")),
    ),
    "a stage that the rules do not know": Broken(
        "WARN", "правила не знают стадий", "[source.stages]",
        config=with_source(0, stages=lambda world: {f"C{world.funnel}:NEW"}),
    ),
    "a stage that the portal does not know": Broken(
        "WARN", "на портале нет стадий из правил: C1:OLD", "[source.stages]",
        config=with_source(0, stages=("C1:OLD",)),
    ),
    "no such funnel": Broken(
        "FAIL", "воронки 77 у сделок нет", "category", config=with_source(0, category=77, stages=("NEW",))
    ),
    "no such funnel of a smart process": Broken(
        "FAIL", "воронки 77 у смарт-процесса", "category",
        config=with_source(1, category=77, stages=("NEW",)),
    ),
    "a column that the portal does not know": Broken(
        "WARN", "на портале нет стадий из правил: stage:999", "[source.stages]",
        config=with_source(2, stages=("2", "stage:999")),
    ),
    "no history": Broken("WARN", "сделки: у № 1 нет истории стадий", "включены стадии", no_history),
    "no chat": Broken(
        "FAIL", "чат chat999 недоступен", "[chats]", config=configured(chats={"alerts": "chat999"})
    ),
    "no head": Broken(
        "WARN", "руководитель не указан ([people] head): о просрочках никто не узнает", "впишите номер",
        config=configured(people={"head": ()}, chats={"alerts": ""}),
    ),
    "no head but a chat": Broken(
        "WARN", "о просрочках узнают только в чате", "впишите номер",
        config=configured(people={"head": ()}, chats={"alerts": "chat11"}),
    ),
    "no chat of alerts": Broken(
        "WARN", "чат уведомлений не указан ([chats] alerts)", "chat12",
        config=configured(chats={"alerts": ""}),
    ),
    "no chat of the digest": Broken(
        "WARN", "чат сводки не указан ([chats] digest)", "chat12", config=configured(chats={"digest": ""})
    ),
    "a head whom nobody knows": Broken(
        "FAIL", "сотрудника № 9999 на портале нет ([people] head)", "исправьте правила",
        config=configured(people={"head": (9999,), "director": (9999,)}),
    ),
    "a duty that is dismissed": Broken(
        "FAIL", "сотрудник № 11 уволен ([people] duty)", "кто работает вместо него", dismiss,
        config=configured(people={"head": (9,), "duty": (9, 11)}),
    ),
    "a chat with a person whom nobody knows": Broken(
        "FAIL", "сотрудника № 9998 на портале нет ([chats] digest)", "исправьте правила",
        config=configured(chats={"digest": "9998"}),
    ),
    "a chat that the webhook's owner is not in": Broken(
        "FAIL", "чат chat11 недоступен", "добавьте владельца вебхука", others_chat,
        config=configured(chats={"alerts": "chat11"}),
    ),
    "tasks whose chat is closed": Broken("WARN", "закрытых чатов задач 1 из 1", "[tasks] join", closed_talk),
    "tasks of any project whose chat is closed": Broken(
        "WARN", "все проекты (5): закрытых чатов", "[tasks] join", closed_talk, with_source(2, group=None)
    ),
    "open lines that are closed": Broken("WARN", "открытых линий не читаются", "владельцу", closed_line),
}  # fmt: skip


ONE = pytest.mark.portals("cloud-std", reason="what is broken is the same on every kind")


@ONE
@pytest.mark.parametrize("name", BROKEN)
async def test_what_is_broken_is_told_with_its_remedy(world: World, name: str) -> None:
    broken = BROKEN[name]
    broken.spoil(world)
    lines = await checked(world, broken.config(world))
    [line] = [line for line in lines if broken.text in line.text]
    assert line.level == broken.level
    assert broken.remedy in line.remedy


@pytest.mark.portals("self-hosted", reason="the old card")
async def test_forum_of_a_task_that_is_closed_is_told(world: World) -> None:
    world.task()
    world.emulated.faults.fail("task.commentitem.getlist", "access", times=9)
    assert levels(await checked(world, world.config), "закрытых чатов задач 1 из 1") == {"WARN"}


async def checked(world: World, config: PortalConfig) -> list[Line]:
    portal = Portal(config, world.clock, httpx.ASGITransport(app=world.emulated.app))
    try:
        return await portal.check()
    finally:
        await portal.close()


async def test_prepared_portal_with_work_on_it_passes(world: World) -> None:
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    deal = world.deal()
    world.item()
    world.task()
    world.emulated.add_open_line((2, deal.id), by=world.agent)
    stage = next(iter(world.emulated.project_stages(world.project)))
    config = with_source(2, stages=("2", f"stage:{stage}"))(world)
    people = {"head": (9,), "leads": (world.agent, 9), "director": ()}
    lines = await checked(world, replace(config, chats={"alerts": chat, "digest": chat}, people=people))
    assert [line for line in lines if line.level != "OK"] == []


async def test_empty_portal_has_nothing_to_complain_of_but_its_fields(make: Make) -> None:
    told = {line.text.split(": ", 1)[-1][:9] for line in await make().portal.check() if line.level != "OK"}
    assert told == {"нет полей"}


@pytest.mark.parametrize(
    ("late", "told"),
    [
        (timedelta(hours=52, minutes=26), "часы портала впереди на 52 ч 26 мин"),
        (timedelta(minutes=-5, seconds=-1), "часы портала отстают на 5 мин"),
    ],
)
async def test_clock_that_is_wrong_is_told(world: World, late: timedelta, told: str) -> None:
    portal = Portal(world.config, Late(world, late), httpx.ASGITransport(app=world.emulated.app))
    lines = await portal.check()
    await portal.close()
    assert [line.text for line in lines if line.level == "WARN" and "часы" in line.text] == [told]


class Late:
    """Our clock, behind the portal's."""

    def __init__(self, world: World, late: timedelta) -> None:
        self._clock, self._late = world.clock, late

    def now(self) -> Any:
        return self._clock.now() - self._late

    async def sleep(self, length: timedelta) -> None:
        await self._clock.sleep(length)


# --- a portal that fails -----------------------------------------------------------------


async def test_webhook_that_was_not_accepted_is_no_silence(world: World) -> None:
    world.emulated.webhooks.clear()
    [line] = await world.portal.check()
    assert (line.level, line.text.partition(":")[0]) == ("FAIL", "портал не пускает")
    assert "B24SLA_PORTAL_WEBHOOK" in line.remedy


@pytest.mark.parametrize(("kind", "remedy"), [("credentials", "B24SLA_PORTAL_WEBHOOK"), ("http502", "сеть")])
async def test_portal_that_does_not_answer_is_one_line(make: Make, kind: str, remedy: str) -> None:
    world = make()
    world.emulated.faults.fail(None, kind)
    [line] = await world.portal.check()
    assert line.level == "FAIL"
    assert remedy in line.remedy


SECTIONS = {
    "scope": "права",
    "method.get": "методы",
    "crm.item.fields": "сделки: поля",
    "task.item.userfield.getlist": "поля задач",
    "crm.status.list": "стадии сделок, воронка 1",
    "crm.stagehistory.list": "сделки: история стадий",
    "tasks.task.list": "переписка задач",
    "task.stages.get": "канбан задач",
    "crm.activity.list": "открытые линии",
    "im.dialog.messages.get": "чат chat11",
    "user.get": "сотрудники",
}


@ONE
@pytest.mark.parametrize("method", SECTIONS)
async def test_section_that_fails_leaves_the_others_their_lines(world: World, method: str) -> None:
    deal = world.deal()
    chat = world.emulated.add_chat("Тревоги", [1, 9])
    assert (chat, deal.id) == ("chat11", 1)
    stages = with_source(2, stages=("2", "stage:21"))(world)
    sources = (replace(stages.sources[0], stages=("C1:NEW",)), *stages.sources[1:])
    config = replace(stages, sources=sources, chats={"alerts": chat}, people={"head": (9,)})
    whole = await checked(world, config)
    world.emulated.faults.fail(method, "http502")
    lines = await checked(world, config)
    [failed] = [line for line in lines if "не проверено" in line.text]
    assert failed.text.startswith(SECTIONS[method])
    assert "повторите" in failed.remedy
    assert len(lines) > len(whole) - 4
