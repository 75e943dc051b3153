"""Every method of the portal that the service can call, by what it is needed for.

`check` asks the portal for those that a desk needs; a test holds the list against the calls of the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from app.bitrix.config import PortalConfig
from app.model import DEAL_TYPE


class Need(Enum):
    """What is lost without a method."""

    WORK = "FAIL"  # the service itself
    EASE = "WARN"  # something that it does better, or only now and then


ABOUT_ITSELF = ("batch", "profile", "scope", "method.get", "server.time")
"""Without a scope; every portal has them."""
TALK = ("user.get", "im.notify.personal.add", "im.message.add", "im.message.update", "im.v2.File.upload",
        "im.dialog.messages.get")  # fmt: skip
BOT = ("imbot.v2.Bot.register", "imbot.v2.Bot.list", "imbot.v2.Chat.Message.send",
       "imbot.v2.Chat.Message.update", "imbot.v2.File.upload", "im.chat.user.add")  # fmt: skip
"""Without them alerts come in the name of the webhook's owner."""
CRM = ("crm.item.list", "crm.item.update", "crm.item.fields", "crm.stagehistory.list", "crm.activity.list",
       "crm.timeline.comment.add", "crm.timeline.comment.update", "crm.timeline.comment.list",
       "crm.status.list", "crm.category.list")  # fmt: skip
DEALS = ("crm.deal.userfield.list",)
ITEMS = ("userfieldconfig.list", "userfieldconfig.get")
LINES = ("imopenlines.session.history.get",)
TASKS = ("tasks.task.get", "tasks.task.list", "tasks.task.update", "tasks.task.history.list",
         "task.item.userfield.getlist", "task.stages.get")  # fmt: skip
TALK_OF_TASKS = ("task.commentitem.getlist", "task.commentitem.add", "tasks.task.startwatch")
"""Of the old card; and the way into a chat that is closed."""
QUEUE = ("im.v2.Event.subscribe", "im.v2.Event.get", "im.dialog.get")
"""What is said in chats, sooner than the sweep hears of it."""
PREPARING = ("crm.type.list", "crm.deal.userfield.add", "crm.deal.userfield.update", "userfieldconfig.add",
             "userfieldconfig.update", "task.item.userfield.add", "crm.item.details.configuration.get",
             "crm.item.details.configuration.set")  # fmt: skip
"""Only `provision` calls them, in the name of an administrator."""
APPLICATION = ("app.info", "feature.get", "event.bind", "event.unbind", "event.get", "event.offline.get",
               "event.offline.list", "event.offline.clear")  # fmt: skip
"""Refused to a webhook."""
VERSION_3 = ("rest.scope.list", "tasks.task.chat.message.send")
"""Under /rest/api/, where the portal has it."""

ALL = frozenset({*ABOUT_ITSELF, *TALK, *BOT, *CRM, *DEALS, *ITEMS, *LINES, *TASKS, *TALK_OF_TASKS, *QUEUE,
                 *PREPARING, *APPLICATION, *VERSION_3})  # fmt: skip
"""Whatever may go over the road."""

_SCOPES = {"tasks": "task", "user": "user_basic"}


def needed(config: PortalConfig) -> Mapping[str, Need]:
    """What a desk with these sources calls every day, besides what the portal says about itself."""
    found = dict.fromkeys(TALK, Need.WORK) | dict.fromkeys((*BOT, *QUEUE), Need.EASE)
    if config.crm_types:
        found |= dict.fromkeys(CRM, Need.WORK) | dict.fromkeys(LINES, Need.EASE)
    if DEAL_TYPE in config.crm_types:
        found |= dict.fromkeys(DEALS, Need.EASE)  # options are known by their labels, too
    if {*config.crm_types} - {DEAL_TYPE}:
        found |= dict.fromkeys(ITEMS, Need.EASE)
    if config.reads_tasks:
        found |= dict.fromkeys(TASKS, Need.WORK) | dict.fromkeys(TALK_OF_TASKS, Need.EASE)
    return found


def scope_of(method: str) -> str:
    """The right that a method belongs to (rest.md 10): `crm.item.list` → crm."""
    family = method.partition(".")[0]
    return _SCOPES.get(family, family)
