"""im.*: chats, messages, notices and files as the webhook's user (rest.md 7)."""

import binascii
from base64 import b64decode
from typing import Any

from . import errors, talk
from .php import listed
from .registry import Call, integer, mapping, rest, whole, yes
from .times import written
from .world import Chat, Message, Notice, Record, User, World


def _dialog(call: Call) -> Chat:
    """The dialog of a call; refused to who is not in it."""
    raw = call.classic("DIALOG_ID")
    if raw in (None, ""):
        raise errors.RestError("DIALOG_ID_EMPTY", "Dialog ID can't be empty")
    chat = talk.find_dialog(call.world, raw, call.user)
    if chat is None or call.user not in chat.members:
        raise errors.RestError("ACCESS_ERROR", "You do not have access to the specified dialog", 403)
    return chat


@rest("im.message.add", "im")
def add_message(call: Call) -> Any:
    text = str(call.classic("MESSAGE") or "")
    attach = talk.attached(call.classic("ATTACH"))
    keys = talk.keyboard(call.classic("KEYBOARD"))
    if not text.strip() and not attach:
        raise errors.RestError("MESSAGE_EMPTY", "Message can't be empty")
    chat = _dialog(call)
    system = yes(call.classic("SYSTEM"))
    return talk.say(call.world, chat, call.user, text, attach=attach, keyboard=keys, system=system).id


def _own_message(call: Call) -> Message:
    number = integer(call.classic("MESSAGE_ID"))
    if number <= 0:
        raise errors.RestError("MESSAGE_ID_ERROR", "Message ID can't be empty")
    message = call.world.messages.get(number)
    if message is None or message.author != call.user or message.deleted:
        text = "Time has expired for modification or you don't have access"
        raise errors.RestError("CANT_EDIT_MESSAGE", text, 403)
    return message


@rest("im.message.update", "im")
def update_message(call: Call) -> Any:
    """An empty MESSAGE deletes the message; a missing one leaves the text."""
    message = _own_message(call)
    text = call.classic("MESSAGE")
    if text is not None and not str(text).strip():
        talk.delete(call.world, message)
        return True
    attach, keys = talk.attached(call.classic("ATTACH")), talk.keyboard(call.classic("KEYBOARD"))
    talk.edit(call.world, message, None if text is None else str(text), attach, keys)
    return True


@rest("im.message.delete", "im")
def delete_message(call: Call) -> Any:
    talk.delete(call.world, _own_message(call))
    return True


@rest("im.dialog.messages.get", "im")
def messages(call: Call) -> Any:
    """Newest first; FIRST_ID: newer than that, LAST_ID: older. System lines come too: author 0, no uuid."""
    chat = _dialog(call)
    for name in ("FIRST_ID", "LAST_ID"):
        if call.classic(name) not in (None, "") and not whole(call.classic(name)):
            raise errors.RestError(f"{name}_STRING", f"{name.split('_')[0].capitalize()} ID can't be string")
    rows = _window(call, [one for one in talk.messages_of(call.world, chat) if not one.deleted])
    return {
        "chat_id": chat.id,
        "messages": [_message_row(call.world, one) for one in rows],
        "users": [user_row(call.world, number) for number in sorted({one.author for one in rows} - {0})],
        "files": [_file(call.world, one.file) for one in rows if one.file],
    }


def _window(call: Call, rows: list[Message]) -> list[Message]:
    limit = min(max(integer(call.classic("LIMIT")) or 20, 1), 50)
    first, last = integer(call.classic("FIRST_ID")), integer(call.classic("LAST_ID"))
    if call.classic("FIRST_ID") not in (None, ""):
        return [one for one in rows if one.id > first][:limit][::-1]
    return [one for one in rows if not last or one.id < last][::-1][:limit]


def _message_row(world: World, one: Message) -> Record:
    params: Record = dict(one.params)
    if one.file:
        params["FILE_ID"] = [one.file]
    if one.edited:
        params["IS_EDITED"] = "Y"
    for name, part in (("ATTACH", one.attach), ("KEYBOARD", one.keyboard)):
        params |= {name: part} if part else {}
    return {
        "id": one.id,
        "chat_id": one.chat,
        "author_id": 0 if one.system else one.author,
        "date": written(one.at, world.profile.portal_zone),
        "text": one.text,
        "unread": False,
        "uuid": None if one.system else f"{one.id:08x}-4235-49fc-994f-c9bccd499ac1",
        "replaces": [],
        "params": params,
        "disappearing_date": None,
    }


def _file(world: World, number: int) -> Record:
    file = world.files[number]
    return talk.file_row(world, file, written(file.at, world.profile.portal_zone))


def user_row(world: World, number: int) -> Record:
    user: User = world.users[number]
    return {
        "id": user.id, "active": user.active, "name": user.full_name, "first_name": user.name,
        "last_name": user.last_name, "work_position": user.position, "color": "#4ba984", "avatar": "",
        "avatar_hr": "", "gender": "M", "birthday": "", "extranet": user.extranet, "network": False,
        "bot": user.bot,
        "connector": user.connector,
        "external_auth_id": _came_from(user),
        "status": "online", "idle": False,
        "last_activity_date": written(world.instant(), world.profile.portal_zone), "mobile_last_date": False,
        "desktop_last_date": False, "absent": False, "departments": list(user.departments), "phones": False,
        "bot_data": None, "type": "bot" if user.bot else "user", "website": "", "email": user.email,
    }  # fmt: skip


def _came_from(user: User) -> str:
    flags = (("imconnector", user.connector), ("bot", user.bot), ("email", user.mail))
    return next((name for name, is_so in flags if is_so), "default")


@rest("im.dialog.get", "im")
def dialog(call: Call) -> Any:
    chat = _dialog(call)
    rows = talk.messages_of(call.world, chat)
    last = max((one.id for one in rows), default=0)
    return {
        "id": chat.id, "parent_chat_id": 0, "parent_message_id": 0, "name": chat.title,
        "description": chat.description, "owner": chat.owner, "extranet": False, "avatar": "",
        "color": "#f76187",
        "type": "chat", "counter": 0, "user_counter": len(chat.members), "message_count": len(rows),
        "unread_id": 0,
        "last_message_id": last, "last_id": last, "marked_id": 0, "disk_folder_id": 0,
        "entity_type": chat.entity_type, "entity_id": chat.entity_id,
        "entity_data_1": talk.data_of(call.world, chat), "entity_data_2": "",
        "entity_data_3": "", "mute_list": [], "date_create": written(chat.created_at,
        call.world.profile.portal_zone),
        "message_type": "P" if chat.private else "C", "public": "",
        "role": "owner" if chat.owner == call.user else "member", "text_field_enabled": True,
        "manager_list": [chat.owner], "dialog_id": chat.dialog,
    }  # fmt: skip


@rest("im.chat.add", "im")
def add_chat(call: Call) -> Any:
    users = {integer(one) for one in listed(call.classic("USERS"))} & call.world.users.keys()
    entity = (str(call.classic("ENTITY_TYPE") or ""), str(call.classic("ENTITY_ID") or ""))
    title = str(call.classic("TITLE") or "Новый чат")
    chat = talk.add_chat(call.world, title, users | {call.user}, call.user, entity=entity)
    chat.description = str(call.classic("DESCRIPTION") or "")
    if call.classic("MESSAGE"):
        talk.say(call.world, chat, call.user, str(call.classic("MESSAGE")))
    return chat.id


@rest("im.chat.get", "im")
def find_chat(call: Call) -> Any:
    """The chat of a CRM item or a task; null when there is none."""
    wanted = (str(call.classic("ENTITY_TYPE") or ""), str(call.classic("ENTITY_ID") or ""))
    for chat in call.world.chats.values():
        if (chat.entity_type, chat.entity_id) == wanted and call.user in chat.members:
            return {"ID": chat.id}
    return None


def _member_chat(call: Call) -> Chat:
    number = integer(call.classic("CHAT_ID"))
    if number <= 0:
        raise errors.RestError("CHAT_ID_EMPTY", "Chat ID can't be empty")
    chat = call.world.chats.get(number)
    if chat is None or call.user not in chat.members:
        raise errors.RestError("ACCESS_ERROR", "Action unavailable", 403)
    return chat


@rest("im.chat.user.add", "im")
def add_users(call: Call) -> Any:
    chat = _member_chat(call)
    chat.members |= {integer(one) for one in listed(call.classic("USERS"))} & call.world.users.keys()
    return True


@rest("im.chat.user.list", "im")
def users(call: Call) -> Any:
    return sorted(_member_chat(call).members)


def _notify(call: Call, author: int) -> Any:
    """A notice; a repeated TAG replaces the former. By webhook TAG counts only with CLIENT_ID (rest.md 7)."""
    user = integer(call.classic("USER_ID"))
    if user <= 0 or user not in call.world.users:
        raise errors.RestError("USER_ID_EMPTY", "User ID can't be empty")
    text = str(call.classic("MESSAGE") or "").strip()
    if not text:
        raise errors.RestError("MESSAGE_EMPTY", "Message can't be empty")
    talk.attached(call.classic("ATTACH"))
    client = str(call.classic("CLIENT_ID") or "")
    tag = str(call.classic("TAG") or "") if client else ""
    made = Notice(call.world.next_id("message"), user, author, text, call.world.instant(), tag, client)
    made.text_out = str(call.classic("MESSAGE_OUT") or "")
    _replace(call.world, made)
    return made.id


def _replace(world: World, made: Notice) -> None:
    if made.tag:
        same = [key for key, one in world.notices.items() if _same_tag(one, made)]
        for key in same:
            del world.notices[key]
    world.notices[made.id] = made


def _same_tag(one: Notice, other: Notice) -> bool:
    return (one.user, one.tag, one.client) == (other.user, other.tag, other.client)


@rest("im.notify.personal.add", "im")
def notify(call: Call) -> Any:
    return _notify(call, call.user)


@rest("im.notify.system.add", "im")
def notify_system(call: Call) -> Any:
    return _notify(call, talk.NOBODY)


@rest("im.v2.File.upload", "im")
def upload(call: Call) -> Any:
    chat = talk.find_dialog(call.world, call.exact("dialogId"), call.user)
    if chat is None:
        raise errors.RestError("CHAT_NOT_FOUND", "CHAT_NOT_FOUND")
    if call.user not in chat.members:
        raise errors.RestError("ACCESS_DENIED", "Access denied", 403)
    return store_upload(call, chat, call.user)


def store_upload(call: Call, chat: Chat, author: int) -> Record:
    """Keep the file of `fields` and answer as im.v2.File.upload and imbot.v2.File.upload do."""
    fields = mapping(call.exact("fields"))
    name, content = str(fields.get("name") or ""), decoded(fields.get("content"))
    if not name or not content:
        raise errors.RestError("FILE_EMPTY", "File name and content are required")
    file, message = talk.store(call.world, chat, author, name, content, str(fields.get("message") or ""))
    return {
        "file": _file(call.world, file.id),
        "messageId": message.id,
        "chatId": chat.id,
        "dialogId": chat.dialog,
    }


def decoded(raw: Any) -> bytes:
    """Base64 to bytes; a data-URI prefix and anything else that is not base64 is refused."""
    try:
        content = b64decode(str(raw or ""), validate=True)
    except (binascii.Error, ValueError):
        raise errors.RestError("FILE_INVALID_CONTENT", "Invalid base64 content") from None
    if len(content) > talk.LARGEST_FILE:
        raise errors.RestError("FILE_TOO_LARGE", "File is too large")
    return content
