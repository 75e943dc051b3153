"""The self-check of who hears an alarm: the people of the rules, and the chats that they leave empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.directory import PERSON_FIELDS, person_of
from app.bitrix.errors import PortalError
from app.bitrix.results import Line
from app.bitrix.wire import Command, Told

NUMBER = "номер стоит в адресе страницы сотрудника на портале"
EMPTY_CHATS = {
    "alerts": "чат уведомлений не указан ([chats] alerts): просрочки объявляются только лично",
    "digest": "чат сводки не указан ([chats] digest): сводка никуда не отправляется",
}


def unheard(config: PortalConfig) -> Iterator[Line]:
    """What the rules leave empty, so that an alarm reaches fewer than it should, or nobody."""
    has_chat = bool(config.chats.get("alerts"))
    if not config.people.get("head", (0,)):
        who = "узнают только в чате" if has_chat else "никто не узнает"
        yield Line(
            "WARN", f"руководитель не указан ([people] head): о просрочках {who}", f"впишите номер: {NUMBER}"
        )
    for name, text in EMPTY_CHATS.items():
        if config.chats.get(name) == "":
            yield Line("WARN", text, "впишите номер чата, например chat12, и добавьте туда владельца вебхука")


async def people(client: Client, config: PortalConfig) -> Iterable[Line]:
    """Is everybody whom the rules name there and still employed? One command a person, in one request."""
    named = _named(config)
    asked = [_who(one) for one in named]
    told = await client.run_each(asked) if asked else []
    if silent := next((one for one in told if isinstance(one, PortalError)), None):
        raise silent
    lines = [
        line for one, answer in zip(named, told, strict=True) for line in _faults(one, named[one], answer)
    ]
    if not lines and named:
        lines = [Line("OK", f"сотрудники из правил на портале: {len(named)}")]
    return [*unheard(config), *lines]


def _named(config: PortalConfig) -> Mapping[int, str]:
    """Each person's number with the first place of the rules that names it."""
    places = [(f"[people] {name}", ids) for name, ids in config.people.items()]
    places += [(f"[chats] {name}", (int(to),)) for name, to in config.chats.items() if to.isdecimal()]
    named: dict[int, str] = {}
    for place, ids in places:
        for one in ids:
            named.setdefault(one, place)
    return named


def _who(user_id: int) -> Command:
    return Command("user.get", {"FILTER": {"ID": user_id}, "select": list(PERSON_FIELDS)})


def _faults(user_id: int, place: str, told: Told) -> Iterator[Line]:
    found = [] if isinstance(told, PortalError) else [person_of(row) for row in told.rows()]
    person = next((one for one in found if one.id == user_id), None)
    if person is None:
        yield Line("FAIL", f"сотрудника № {user_id} на портале нет ({place})", f"исправьте правила: {NUMBER}")
    elif not person.active:
        remedy = "впишите в правила того, кто работает вместо него"
        yield Line("FAIL", f"сотрудник № {user_id} уволен ({place})", remedy)
