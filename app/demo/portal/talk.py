"""Chats and what is said in them, apart from the methods: shared by people, tasks, im.* and bots."""

import json
from typing import Any

from . import errors, talkqueue
from .fields import NAMES
from .world import Chat, Message, Record, Session, StoredFile, World

LONGEST_TEXT = 20_000
LONGEST_ATTACH = 60_000
LARGEST_FILE = 100 * 1024 * 1024
NOBODY = 0
"""The author of system lines."""


def add_chat(
    world: World,
    title: str,
    users: set[int],
    owner: int,
    *,
    entity: tuple[str, str] = ("", ""),
    private: bool = False,
) -> Chat:
    chat = Chat(world.next_id("chat"), title, set(users), owner, world.instant(), private, *entity)
    world.chats[chat.id] = chat
    return chat


def find_dialog(world: World, dialog: Any, user: int) -> Chat | None:
    """`chat12`, or the private chat with a user by his number; opened when they first talk."""
    text = str(dialog or "")
    if text.startswith("chat"):
        return world.chats.get(int(text[4:])) if text[4:].isdigit() else None
    if not text.isdigit() or int(text) not in world.users:
        return None
    pair = {user, int(text)}
    private = next((one for one in world.chats.values() if one.private and one.members == pair), None)
    return private or add_chat(world, "", pair, user, private=True)


def say(world: World, chat: Chat, author: int, text: str, **more: Any) -> Message:
    """A new message; text above 20 000 characters is cut (rest.md 1.5)."""
    made = Message(world.next_id("message"), chat.id, author, cut(text), world.instant(), **more)
    world.messages[made.id] = made
    talkqueue.note(world, talkqueue.ADDED, chat, made)
    return made


def cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + " (...)"


def system_line(world: World, chat: Chat, text: str) -> Message:
    return say(world, chat, NOBODY, text, system=True)


def edit(world: World, message: Message, text: str | None, attach: Any, keyboard: Any) -> None:
    """Change a message. None leaves a part as it is; `N` takes an attachment or a keyboard away."""
    message.text = message.text if text is None else cut(text)
    message.attach = message.attach if attach is None else _kept(attach)
    message.keyboard = message.keyboard if keyboard is None else _kept(keyboard)
    message.edited += 1
    talkqueue.note(world, talkqueue.CHANGED, world.chats[message.chat], message)


def delete(world: World, message: Message) -> None:
    message.deleted, message.text = True, ""
    talkqueue.note(world, talkqueue.DELETED, world.chats[message.chat], message)


def _kept(part: Any) -> Any:
    return None if part in ("N", "", [], {}) else part


def attached(raw: Any) -> Any:
    """A checked ATTACH: blocks as a structure or as its JSON. Raises RestError when bad or too large."""
    blocks = _structure(raw, "ATTACH_ERROR", "Incorrect attach params")
    if blocks and len(json.dumps(blocks, ensure_ascii=False)) >= LONGEST_ATTACH:
        raise errors.RestError("ATTACH_OVERSIZE", "You have exceeded the maximum allowable size of attach")
    return blocks


def keyboard(raw: Any) -> Any:
    """A checked KEYBOARD; its links are http(s) or paths."""
    buttons = _structure(raw, "KEYBOARD_ERROR", "Incorrect keyboard params")
    if buttons and len(json.dumps(buttons, ensure_ascii=False)) >= LONGEST_ATTACH:
        raise errors.RestError(
            "KEYBOARD_OVERSIZE", "You have exceeded the maximum allowable size of keyboard"
        )
    return buttons


def _structure(raw: Any, code: str, text: str) -> Any:
    if raw in (None, "", "N"):
        return raw
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            raise errors.RestError(code, text) from None
    if not isinstance(raw, (list, dict)):
        raise errors.RestError(code, text)
    return raw


def state_of(session: Session) -> str:
    """What a line's chat keeps of its session: the CRM's item, the session's number."""
    kind, number = session.owner
    item = f"{NAMES.get(kind, f'DYNAMIC_{kind}')}|{number}"
    return f"{'N' if session.closed else 'Y'}|{item}|N|N|{session.id}|0|0|0|0"


def data_of(world: World, chat: Chat) -> str:
    """`entity_data_1` of a chat: for one of a line its session."""
    session = next((one for one in world.sessions.values() if one.chat == chat.id), None)
    return state_of(session) if session else ""


def store(
    world: World, chat: Chat, author: int, name: str, content: bytes, text: str
) -> tuple[StoredFile, Message]:
    """A file in a chat with the message that carries it."""
    file = StoredFile(world.next_id("file"), name, content, chat.id, author, world.instant())
    world.files[file.id] = file
    message = say(world, chat, author, text, file=file.id)
    file.message = message.id
    return file, message


def messages_of(world: World, chat: Chat) -> list[Message]:
    return [one for one in world.messages.values() if one.chat == chat.id]


def file_row(world: World, file: StoredFile, at: str | None) -> Record:
    """A file as im.v2.File.upload and im.dialog.messages.get answer it."""
    base = (
        f"https://{world.events.host}/bitrix/services/main/ajax.php?action=disk.api.file.download&SITE_ID=s1"
    )
    link = f"{base}&humanRE=1&fileId={file.id}&exact=N&fileName={file.name}"
    return {
        "id": file.id, "chatId": file.chat, "date": at, "type": "file", "name": file.name,
        "extension": file.name.rpartition(".")[2], "size": len(file.content), "image": False,
        "status": "done",
        "progress": 100, "authorId": file.author, "authorName": world.users[file.author].full_name,
        "urlPreview": "", "urlShow": link, "urlDownload": link,
        "viewerAttrs": {
            "viewer": "", "viewerType": "code", "src": link, "objectId": str(file.id),
            "viewerGroupBy": str(file.chat), "imChatId": file.chat, "title": file.name,
            "unifiedLink": f"https://{world.events.host}/file/{file.id}", "actions": '[{"type":"download"}]',
        },
        "mediaUrl": {"preview": {"250": ""}}, "isTranscribable": False, "isVideoNote": False,
        "isVoiceNote": False,
    }  # fmt: skip
