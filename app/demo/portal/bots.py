"""imbot.v2.*: a bot of our own as the author of alerts; by webhook each call needs its token (rest.md 7)."""

from typing import Any

from . import chat as chats
from . import errors, talk, talkqueue
from .php import listed
from .registry import Call, integer, mapping, rest, yes
from .times import written
from .world import Bot, Chat, Message, Record, User

LONGEST_TOKEN = 40
MOST_BOTS = 100
_TYPES = ("bot", "network", "openline", "supervisor", "personal")


def _token(raw: Any) -> str:
    token = str(raw or "")
    if not token:
        raise errors.RestError("BOT_TOKEN_NOT_SPECIFIED", "Bot token is not specified")
    if len(token) > LONGEST_TOKEN:
        raise errors.RestError("BOT_TOKEN_INVALID_LENGTH", "Bot token is too long")
    return token


def _bot(call: Call) -> Bot:
    """The bot of a call by botId and its token. Another token: the bot is another application's."""
    token = _token(call.params.get("botToken"))
    if call.params.get("botId") in (None, ""):
        raise errors.RestError("BOT_ID_REQUIRED", "Bot ID is required")
    bot = call.world.bots.get(integer(call.params["botId"]))
    if bot is None:
        raise errors.RestError("BOT_NOT_FOUND", "Bot not found")
    if bot.token != token:
        raise errors.RestError("BOT_OWNERSHIP_ERROR", "Bot is registered by another application", 403)
    return bot


@rest("imbot.v2.Bot.register", "imbot")
def register(call: Call) -> Any:
    """A new bot; the same code with the same token answers the bot that is there."""
    fields = mapping(call.params.get("fields"))
    token, code = _token(fields.get("botToken")), str(fields.get("code") or "")
    if not code:
        raise errors.RestError("BOT_CODE_REQUIRED", "Bot code is required")
    properties = mapping(fields.get("properties"))
    if not properties.get("name"):
        raise errors.RestError("BOT_PROPERTIES_REQUIRED", "Bot properties are required")
    known = next((one for one in call.world.bots.values() if one.code == code), None)
    if known and known.token != token:
        raise errors.RestError("BOT_CODE_ALREADY_TAKEN", "Bot code is already taken")
    return _shown(call, known or _add(call, code, token, fields, properties))


def _add(call: Call, code: str, token: str, fields: Record, properties: Record) -> Bot:
    kind, mode = str(fields.get("type") or "bot"), str(fields.get("eventMode") or "fetch")
    if kind not in _TYPES:
        raise errors.RestError("BOT_INVALID_TYPE", "Invalid bot type")
    if mode not in ("fetch", "webhook"):
        raise errors.RestError("BOT_INVALID_EVENT_MODE", "Invalid event mode")
    if mode == "webhook" and not fields.get("webhookUrl"):
        raise errors.RestError("BOT_WEBHOOK_URL_REQUIRED", "Webhook URL is required")
    if sum(one.token == token for one in call.world.bots.values()) >= MOST_BOTS:
        raise errors.RestError("BOT_LIMIT_EXCEEDED", "Bot limit exceeded")
    number = max([*call.world.users, 400]) + 1
    name, last = str(properties["name"]), str(properties.get("lastName") or "")
    position = str(properties.get("workPosition") or "")
    call.world.users[number] = User(number, name, last, position=position, bot=True)
    call.world.bots[number] = Bot(number, code, token, kind, mode, properties)
    if mode == "fetch":
        call.world.talk_queues[number] = []
    return call.world.bots[number]


def _row(bot: Bot) -> Record:
    return {
        "id": bot.id, "code": bot.code, "type": bot.type, "isHidden": False, "isSupportOpenline": False,
        "isReactionsEnabled": True, "backgroundId": None, "language": "ru", "moduleId": "rest",
        "eventMode": bot.event_mode, "countMessage": 0, "countCommand": 0, "countChat": 0, "countUser": 0,
    }  # fmt: skip


def _user_row(call: Call, bot: Bot) -> Record:
    user = call.world.users[bot.id]
    return {
        "id": user.id, "active": True, "name": user.full_name, "firstName": user.name,
        "lastName": user.last_name,
        "workPosition": user.position, "color": "#df532d", "avatar": "", "gender": "M", "birthday": "",
        "extranet": False, "bot": True, "connector": False, "externalAuthId": "bot", "status": "online",
        "idle": False, "lastActivityDate": written(call.world.instant(), call.world.profile.portal_zone),
        "absent": False, "departments": [1], "phones": False, "type": "bot",
    }  # fmt: skip


def _shown(call: Call, bot: Bot) -> Record:
    return {"bot": _row(bot), "users": [_user_row(call, bot)]}


@rest("imbot.v2.Bot.list", "imbot")
def list_(call: Call) -> Any:
    token = _token(call.params.get("botToken"))
    mine = [one for one in call.world.bots.values() if one.token == token]
    return {
        "bots": [_row(one) for one in mine],
        "users": [_user_row(call, one) for one in mine],
        "hasNextPage": False,
    }


@rest("imbot.v2.Bot.get", "imbot")
def get(call: Call) -> Any:
    """By botId or by code."""
    if call.params.get("botId") or not call.params.get("code"):
        return _shown(call, _bot(call))
    token, code = _token(call.params.get("botToken")), str(call.params["code"])
    found = next((one for one in call.world.bots.values() if (one.code, one.token) == (code, token)), None)
    if found is None:
        raise errors.RestError("BOT_NOT_FOUND", "Bot not found")
    return _shown(call, found)


def _bot_chat(call: Call, bot: Bot) -> Chat:
    """The dialog, if the bot is in it."""
    found = talk.find_dialog(call.world, call.exact("dialogId"), bot.id)
    if found is None or bot.id not in found.members:
        raise errors.RestError("ACCESS_DENIED", "Access denied", 403)
    return found


@rest("imbot.v2.Chat.User.add", "imbot")
def add_users(call: Call) -> Any:
    found = _bot_chat(call, _bot(call))
    found.members |= {integer(one) for one in listed(call.exact("userIds"))} & call.world.users.keys()
    return {"result": True}


@rest("imbot.v2.Chat.get", "imbot")
def chat(call: Call) -> Any:
    bot = _bot(call)
    found = _bot_chat(call, bot)
    rows = talk.messages_of(call.world, found)
    last = max((one.id for one in rows), default=0)
    shown = {
        "id": found.id, "dialogId": found.dialog, "name": found.title, "description": found.description,
        "type": "chat", "messageType": "P" if found.private else "C", "owner": found.owner,
        "color": "#4ba984",
        "avatar": "", "extranet": False, "containsCollaber": False, "entityType": found.entity_type,
        "entityId": found.entity_id, "entityData1": "", "entityData2": "", "entityData3": "",
        "entityLink": {},
        "diskFolderId": 42, "role": "owner" if found.owner == bot.id else "member", "permissions": {},
        "muteList": [],
        "parentChatId": None, "parentMessageId": None, "isNew": False, "textFieldEnabled": "Y",
        "backgroundId": None,
        "dateCreate": written(found.created_at, call.world.profile.portal_zone), "lastMessageId": last,
        "lastMessageViews": "{}", "lastId": last, "managerList": [], "markedId": None,
        "messageCount": len(rows),
        "public": "", "unreadId": None, "userCounter": len(found.members),
    }  # fmt: skip
    return {"chat": shown}


@rest("imbot.v2.Chat.Message.send", "imbot")
def send(call: Call) -> Any:
    bot = _bot(call)
    fields = mapping(call.params.get("fields"))
    text, attach = str(fields.get("message") or ""), talk.attached(fields.get("attach"))
    if not text.strip() and not attach:
        raise errors.RestError("EMPTY_MESSAGE", "Message is empty")
    found = _bot_chat(call, bot)
    keys, system = talk.keyboard(fields.get("keyboard")), yes(fields.get("system"))
    made = talk.say(call.world, found, bot.id, text, attach=attach, keyboard=keys, system=system)
    return {"id": made.id, "uuidMap": {}}


def _message(call: Call, bot: Bot) -> Message:
    message = call.world.messages.get(integer(call.exact("messageId")))
    if message is None or message.deleted or bot.id not in call.world.chats[message.chat].members:
        raise errors.RestError("ACCESS_DENIED", "Access denied", 403)
    return message


@rest("imbot.v2.Chat.Message.update", "imbot")
def update(call: Call) -> Any:
    bot = _bot(call)
    message = _message(call, bot)
    if message.author != bot.id:
        raise errors.RestError("ACCESS_DENIED", "Access denied", 403)
    fields = mapping(call.exact("fields"))
    attach, keys = talk.attached(fields.get("attach")), talk.keyboard(fields.get("keyboard"))
    talk.edit(
        call.world, message, None if fields.get("message") is None else str(fields["message"]), attach, keys
    )
    return {"result": True}


@rest("imbot.v2.Chat.Message.get", "imbot")
def get_message(call: Call) -> Any:
    """Only for bots of the types supervisor and personal."""
    bot = _bot(call)
    if bot.type not in ("supervisor", "personal"):
        raise errors.RestError("BOT_TYPE_NOT_ALLOWED", "Bot type not allowed", 403)
    message = _message(call, bot)
    author = call.world.users.get(message.author)
    shown = {
        "id": message.id, "chatId": message.chat, "authorId": message.author,
        "date": written(message.at, call.world.profile.portal_zone), "text": message.text,
        "isSystem": message.system, "uuid": "", "forward": None, "params": message.params,
        "viewedByOthers": True,
    }  # fmt: skip
    name = author.full_name if author else ""
    kind = "bot" if author and author.bot else "employee"
    user = {"id": message.author, "active": True, "name": name, "bot": kind == "bot", "type": kind}
    return {"message": shown, "user": user}


@rest("imbot.v2.Event.get", "imbot")
def events(call: Call) -> Any:
    """The queue of a bot that fetches; on wish with what its owner's own subscription brought."""
    bot = _bot(call)
    return talkqueue.taken(call, [bot.id, *([call.user] if yes(call.params.get("withUserEvents")) else [])])


@rest("imbot.v2.File.upload", "imbot")
def upload(call: Call) -> Any:
    bot = _bot(call)
    return chats.store_upload(call, _bot_chat(call, bot), bot.id)
