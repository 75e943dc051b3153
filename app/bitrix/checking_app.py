"""`check` of the local application: is it installed, what does the plan allow, what does it hear."""

from __future__ import annotations

from collections.abc import Iterable

from app.bitrix.application import EXTENDED, KEYED, features, identity
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.results import Line
from app.bitrix.subscriptions import needed, present
from app.bitrix.wire import Command, as_list, as_map


async def lines(client: Client, config: PortalConfig) -> Iterable[Line]:
    """Raises PortalError."""
    who = await identity(client)
    told = f"приложение {who.code}, тариф портала {who.license or 'не назван'}"
    if not who.installed:
        return [Line("FAIL", f"{told}: установка не закончена", "откройте приложение на портале ещё раз")]
    return [Line("OK", f"{told}: установлено"), *await _plan(client), *await _heard(client, config)]


async def _plan(client: Client) -> list[Line]:
    plan = await features(client)
    if plan.extended and plan.keyed:
        return [Line("OK", "очередь изменений: с подтверждением и без собственных изменений службы")]
    lacks = [name for name, there in ((EXTENDED, plan.extended), (KEYED, plan.keyed)) if not there]
    text = f"тариф не даёт {', '.join(lacks)}"
    return [Line("OK", f"очередь изменений: {text}; потерянное находит сверка")]


async def _heard(client: Client, config: PortalConfig) -> list[Line]:
    rows = as_list((await client.call(Command("event.get"))).result)
    have = present(as_map(row) for row in rows)
    posted, queued = ({one.event for one in have if one.offline is offline} for offline in (False, True))
    return [_posted(posted, config), _queued(queued, config)]


def _posted(heard: set[str], config: PortalConfig) -> Line:
    missing = [event for event in needed(config) if event not in heard]
    if not missing:
        return Line("OK", "приложение подписано на все события")
    remedy = "задайте B24SLA_PUBLIC_URL и запустите службу; без адреса её выручают очередь и сверка"
    return Line("WARN", f"приложение не подписано на события: {', '.join(missing)}", remedy)


def _queued(heard: set[str], config: PortalConfig) -> Line:
    missing = [event for event in needed(config) if event not in heard]
    if not missing:
        return Line("OK", "очередь изменений ведётся")
    remedy = "запустите службу: она подпишется сама, если её пользователь администратор"
    return Line("WARN", f"в очередь не попадут: {', '.join(missing)}", remedy)
