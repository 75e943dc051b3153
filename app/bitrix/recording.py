"""`check --record`: what the portal answers to every method that the service reads with, by shape alone.

Two rounds: lists first, then single things by the numbers that the lists gave. Nothing is written, and
nothing but keys and types is kept (shapes.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.bitrix.checking_cards import directory_of
from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.errors import PortalError
from app.bitrix.openlines import HISTORY, session_of
from app.bitrix.shapes import Shape, shape_of
from app.bitrix.speech import is_open_line
from app.bitrix.tasks import chat_of, task_select
from app.bitrix.wire import Answer, Command, Told, as_map, number
from app.model import DEAL_TYPE, Kind

Answers = Mapping[str, Sequence[Answer]]
UNASKED = {
    "batch": "everything goes in it",
    "event.offline.get": "takes the changes away from the service",
    "im.v2.Event.get": "the queue is the service's to read",
}
"""Methods that read, and why they are not asked for a recording."""
FOR_APPLICATIONS = ("app.info", "event.get", "event.offline.list")


async def recorded(client: Client, config: PortalConfig, bot_token: str) -> dict[str, Shape | str]:
    """Method → the shape of all its answers, or `error CODE` when it only refused."""
    first = [*_about_the_portal(bot_token), *_of_an_application(config), *_lists(config)]
    told = _by_method(first, await client.run_each(first))
    second = list(_single_things(config, _answers(told)))
    told |= _by_method(second, await client.run_each(second) if second else [])
    told["rest.scope.list"] = [await _version_3(client)]
    return {method: _shape(some) for method, some in sorted(told.items())}


async def _version_3(client: Client) -> Told:
    try:
        return await client.call_3(Command("rest.scope.list"))
    except PortalError as error:
        return error


def _by_method(commands: Iterable[Command], told: Iterable[Told]) -> dict[str, list[Told]]:
    found: dict[str, list[Told]] = defaultdict(list)
    for command, one in zip(commands, told, strict=True):
        found[command.method].append(one)
    return found


def _answers(told: Mapping[str, Sequence[Told]]) -> Answers:
    return {method: [one for one in some if isinstance(one, Answer)] for method, some in told.items()}


def _shape(told: Sequence[Told]) -> Shape | str:
    answers = [one.result for one in told if isinstance(one, Answer)]
    refusals = [f"error {one.code}" for one in told if isinstance(one, PortalError)]
    return shape_of(*answers) if answers else refusals[0]


# --- what is asked -----------------------------------------------------------------------


def _about_the_portal(bot_token: str) -> Iterable[Command]:
    for method in ("profile", "scope", "server.time", "crm.type.list", "crm.deal.userfield.list",
                   "task.item.userfield.getlist"):  # fmt: skip
        yield Command(method)
    yield Command("feature.get", {"CODE": "rest_offline_extended"})
    yield Command("method.get", {"name": "crm.item.list"})
    yield Command("user.get", {"sort": "ID", "order": "ASC", "FILTER": {}})
    yield Command("imbot.v2.Bot.list", {"botToken": bot_token})


def _of_an_application(config: PortalConfig) -> Iterable[Command]:
    """What a webhook is refused."""
    if config.application is not None:
        for method in FOR_APPLICATIONS:
            yield Command(method)


def _lists(config: PortalConfig) -> Iterable[Command]:
    newest: dict[str, Any] = {"start": -1, "order": {"ID": "DESC"}}
    for crm_type in config.crm_types or (DEAL_TYPE,):
        whose = {"entityTypeId": crm_type}
        yield Command("crm.category.list", whose)
        yield Command("crm.item.fields", {**whose, "useOriginalUfNames": "Y"})
        items = {"start": -1, "order": {"id": "DESC"}, "select": ["*"], "useOriginalUfNames": "Y"}
        yield Command("crm.item.list", {**whose, **items})
        yield Command("crm.stagehistory.list", {**whose, **newest})
        yield Command("crm.item.details.configuration.get", {**whose, "scope": "C"})
    for source in config.sources:
        if source.kind is not Kind.TASK and source.category is not None:
            yield Command("crm.status.list", {"filter": {"ENTITY_ID": directory_of(source)}})
    yield Command("userfieldconfig.list", {"moduleId": "crm", "filter": {"entityId": "CRM_DEAL"}})
    yield Command("crm.activity.list", newest)
    yield Command("tasks.task.list", {"select": ["ID", "GROUP_ID", "CHAT_ID"], **newest})


def _single_things(config: PortalConfig, answers: Answers) -> Iterable[Command]:
    for row in _first(answers, "userfieldconfig.list", "fields"):
        yield Command("userfieldconfig.get", {"moduleId": "crm", "id": number(row.get("id"))})
    for crm_type, answer in zip(config.crm_types, answers["crm.item.list"], strict=False):
        kind = "deal" if crm_type == DEAL_TYPE else f"dynamic_{crm_type}"
        for row in answer.rows("items")[:1]:
            where = {"ENTITY_ID": number(row.get("id")), "ENTITY_TYPE": kind}
            yield Command("crm.timeline.comment.list", {"filter": where})
    activities = [row for answer in answers["crm.activity.list"] for row in answer.rows()]
    for session in {session_of(row) for row in activities if is_open_line(row)}:
        yield Command(HISTORY, {"SESSION_ID": session})
        break
    yield from _task(config, answers)
    for dialog in [chat for chat in config.chats.values() if chat][:1]:
        yield from _talk(dialog)


def _task(config: PortalConfig, answers: Answers) -> Iterable[Command]:
    for row in _first(answers, "tasks.task.list", "tasks"):
        task, group = number(row.get("id")), number(row.get("groupId"))
        yield Command("tasks.task.get", {"taskId": task, "select": task_select(config)})
        yield Command("tasks.task.history.list", {"taskId": task})
        yield Command("task.commentitem.getlist", {"TASKID": task})
        if group:
            yield Command("task.stages.get", {"entityId": group})
        if chat := chat_of(row):
            yield from _talk(f"chat{chat}")


def _talk(dialog: str) -> Iterable[Command]:
    yield Command("im.dialog.get", {"DIALOG_ID": dialog})
    yield Command("im.dialog.messages.get", {"DIALOG_ID": dialog, "LIMIT": 20})


def _first(answers: Answers, method: str, *path: str) -> list[Mapping[str, Any]]:
    """The newest row that a list brought, if any."""
    return [as_map(row) for answer in answers.get(method, ()) for row in answer.rows(*path)][:1]
