"""How the service speaks: notices, timeline comments, chat messages, files (rest.md 7).

In chats it speaks as a bot, a clean author for alerts and digests; where bots are refused it
speaks as the webhook's user. Chat: a message is edited by whoever wrote it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.client import Client
from app.bitrix.directory import Directory
from app.bitrix.errors import Misconfigured, PortalError, Refused, RetryLater
from app.bitrix.listing import Row
from app.bitrix.rest3 import TaskVoice
from app.bitrix.results import MessageWork, Unwritten, Written, unnumbered, unwritten
from app.bitrix.times import instant
from app.bitrix.wire import Answer, Command, Told, as_map, number, unlisted
from app.model import ItemRef, Kind, Lane, Message, MessageKind

log = logging.getLogger(__name__)

BOT_CODE = "b24sla"
CLIENT_ID = "b24sla"  # a notice's TAG counts only with a CLIENT_ID (rest.md 7)
TOKEN_LENGTH = 40
PAGE = 50  # messages of a dialog in one answer
PAGES = 20  # of a lively chat, looked through for one message
SLACK = timedelta(minutes=5)  # the portal's clock may go differently
CHATS = frozenset({MessageKind.CHAT_CARD, MessageKind.SUMMARY, MessageKind.DIGEST})


def bot_token(seed: str) -> str:
    """The bot's password, derived from a secret of ours: the same after every restart."""
    return hmac.new(seed.encode(), b"b24sla bot", hashlib.sha256).hexdigest()[:TOKEN_LENGTH]


def is_chat(message: Message) -> bool:
    """Whether it goes to a chat rather than to a person or a card."""
    return message.kind in CHATS and not message.to.isdigit()


def card_or_person_command(work: MessageWork) -> Command:
    """A comment in a card's timeline, or a personal notice."""
    message = work.message
    if message.kind is MessageKind.TIMELINE:
        return _comment(work)
    params = {
        "USER_ID": int(message.to),
        "MESSAGE": message.text,
        "TAG": f"B24SLA|{message.tag or message.key}",
        "SUB_TAG": f"B24SLA|{message.ref or message.kind}",
        "CLIENT_ID": CLIENT_ID,
    }
    return Command("im.notify.personal.add", params)


def _comment(work: MessageWork) -> Command:
    ref = work.message.ref or ItemRef.parse(work.message.to)
    if work.portal_id:
        fields = {"COMMENT": work.message.text}
        return Command("crm.timeline.comment.update", {"id": work.portal_id, "fields": fields})
    fields = {"ENTITY_ID": str(ref.id), "ENTITY_TYPE": timeline_type(ref), "COMMENT": work.message.text}
    return Command("crm.timeline.comment.add", {"fields": fields})


def timeline_type(ref: ItemRef) -> str:
    """`deal` or `dynamic_177`. Tasks have no timeline."""
    if ref.kind is Kind.TASK:
        raise ValueError(f"{ref}: a task has no timeline")
    return "deal" if ref.kind is Kind.DEAL else f"dynamic_{ref.entity_type}"


def said(work: MessageWork, told: Told) -> Written | Unwritten:
    """What became of a message."""
    if isinstance(told, PortalError):
        return unwritten(told)
    result = told.result
    found = number(as_map(result).get("id")) if isinstance(result, dict) else number(result)
    if work.portal_id and result not in (False, None):
        return Written(portal_id=work.portal_id)
    if not found or result is False:
        return unnumbered(result)
    return Written(portal_id=found)


class Voice:
    """Speaks in chats, remembering where the bot may."""

    def __init__(self, client: Client, directory: Directory, tasks: TaskVoice, seed: str) -> None:
        self._client, self._directory, self._tasks = client, directory, tasks
        self._token = bot_token(seed)
        self._entered: set[str] = set()  # dialogs that the bot was brought into
        self._mute: set[str] = set()  # dialogs where only the webhook's user is heard
        self.no_bot = ""  # why there is no bot

    async def enter(self, dialog: str, lane: Lane) -> None:
        """See to it that somebody of ours can speak here. Raises RetryLater."""
        if dialog in self._entered or self.no_bot or not dialog.startswith("chat"):
            return  # into a group's chat (sgN) a bot cannot be brought by number
        if not self._directory.bot_id:
            await self._register(lane)
        if self._directory.bot_id:
            await self._bring_in(dialog, lane)
            self._entered.add(dialog)

    def command(self, work: MessageWork) -> Command:
        """Say or edit in a chat, as the bot where it may speak."""
        dialog, text = work.message.to, work.message.text
        if self._by_bot(dialog):
            bot = {"botId": self._directory.bot_id, "botToken": self._token}
            body = {"fields": {"message": text}}
            if work.portal_id:
                return Command("imbot.v2.Chat.Message.update", {**bot, "messageId": work.portal_id, **body})
            return Command("imbot.v2.Chat.Message.send", {**bot, "dialogId": dialog, **body})
        if work.portal_id:
            return Command("im.message.update", {"MESSAGE_ID": work.portal_id, "MESSAGE": text})
        return Command("im.message.add", {"DIALOG_ID": dialog, "MESSAGE": text})

    def must_repeat(self, work: MessageWork, told: Told) -> bool:
        """True when the bot was refused and the webhook's user should try instead."""
        refused = isinstance(told, Refused | Misconfigured)
        if not refused or not self._by_bot(work.message.to):
            return False
        self._mute.add(work.message.to)
        return True

    def _by_bot(self, dialog: str) -> bool:
        return dialog in self._entered and dialog not in self._mute

    async def _register(self, lane: Lane) -> None:
        """Find our bot, or register it. Registering anew under the same code is refused by some portals."""
        fields = {
            "code": BOT_CODE,
            "botToken": self._token,
            "properties": {"name": "SLA"},
            "type": "bot",
            "eventMode": "fetch",
        }
        asked = [
            Command("imbot.v2.Bot.register", {"fields": fields}),
            Command("imbot.v2.Bot.list", {"botToken": self._token}),
        ]
        registered, listed = await self._client.run_each(asked, lane)
        if isinstance(registered, RetryLater):
            raise registered
        self._directory.bot_id = _bot_id(registered) or _listed_bot(listed)
        if not self._directory.bot_id:
            self.no_bot = (
                str(registered) if isinstance(registered, PortalError) else "портал не дал боту номер"
            )

    async def _bring_in(self, dialog: str, lane: Lane) -> None:
        """Bring the bot into a chat. Refused when it is there already: sending will show."""
        params = {"CHAT_ID": int(dialog.removeprefix("chat")), "USERS": [self._directory.bot_id]}
        [told] = await self._client.run_each([Command("im.chat.user.add", params)], lane)
        if isinstance(told, RetryLater):
            raise told

    async def find(self, to: str, marker: str, lane: Lane, since: datetime | None = None) -> int | None:
        """Our last message with this marker: in a chat, or in a card's timeline. Raises PortalError.

        It is not older than `since`, so a lively chat is looked through down to there, or for a thousand
        messages; without it, the last page. Personal notices need no search: a repeat replaces the former by
        its TAG.
        """
        if to.isdigit():
            return None
        if ":" in to:
            return await self._find_comment(ItemRef.parse(to), marker, lane)
        params: dict[str, Any] = {"DIALOG_ID": to, "LIMIT": PAGE}
        for _ in range(PAGES):
            answer = await self._client.call(Command("im.dialog.messages.get", params), lane)
            rows = _listed(answer, "messages")
            found = _found(rows, marker, "text")
            if found is not None or len(rows) < PAGE or not _reaches(rows, since):
                return found
            params["LAST_ID"] = min(number(row.get("id")) for row in rows)
        log.warning("not found among %d messages, more were said since: it may be said twice", PAGES * PAGE)
        return None

    async def _find_comment(self, ref: ItemRef, marker: str, lane: Lane) -> int | None:
        if ref.kind is Kind.TASK:
            return await self._tasks.find(ref, marker, lane)
        return _found(_listed(await self._client.call(_comments_of(ref), lane)), marker, "COMMENT")

    async def upload(self, dialog: str, name: str, content: bytes, text: str, lane: Lane) -> int:
        """Send a file with a message, as the bot where it may speak; the message's id. Raises PortalError."""
        await self.enter(dialog, lane)
        file = {"name": name, "content": base64.b64encode(content).decode(), "message": text}
        params: dict[str, Any] = {"dialogId": dialog, "fields": file}
        if self._by_bot(dialog):
            bot = {"botId": self._directory.bot_id, "botToken": self._token}
            try:
                return _message_id(
                    await self._client.call(Command("imbot.v2.File.upload", bot | params), lane)
                )
            except (Refused, Misconfigured):
                self._mute.add(dialog)
        return _message_id(await self._client.call(Command("im.v2.File.upload", params), lane))


def _message_id(answer: Answer) -> int:
    return number(as_map(answer.result).get("messageId"))


def _bot_id(told: Told) -> int:
    return number(as_map(as_map(told.result).get("bot")).get("id")) if isinstance(told, Answer) else 0


def _listed_bot(told: Told) -> int:
    bots = told.rows("bots") if isinstance(told, Answer) else []
    return next((number(bot.get("id")) for bot in bots if bot.get("code") == BOT_CODE), 0)


def _comments_of(ref: ItemRef) -> Command:
    params: dict[str, Any] = {
        "filter": {"ENTITY_ID": ref.id, "ENTITY_TYPE": timeline_type(ref)},
        "select": ["ID", "COMMENT"],
        "order": {"ID": "DESC"},
    }
    return Command("crm.timeline.comment.list", params)


def _reaches(rows: Sequence[Row], since: datetime | None) -> bool:
    """Whether what was said since then goes on beyond these messages."""
    dates = [at for row in rows if (at := instant(row.get("date")))]
    return since is not None and bool(dates) and min(dates) > since - SLACK


def _listed(answer: Answer, *path: str) -> Sequence[Mapping[str, Any]]:
    """Raises PortalError for what is no list: «not there» would have it said twice."""
    if error := unlisted(answer, *path):
        raise error
    return answer.rows(*path)


def _found(rows: Sequence[Mapping[str, Any]], marker: str, name: str) -> int | None:
    ids = [number(row.get("ID") or row.get("id")) for row in rows if marker in str(row.get(name) or "")]
    return max(ids, default=None)
