"""im.v2.Event.*: what is said in a user's chats, kept for him from his subscription on (rest.md 7).

Nothing is recorded before `subscribe`; `get` with an offset forgets what lies before it. What an event holds
is a guess: the vendor's page leaves `data` open, so it is shaped as the bots' events are. A bot in the mode
`fetch` has such a queue from its registration on, with what is said to it.
"""

from collections.abc import Iterable
from typing import Any

from . import errors
from .registry import Call, rest, whole
from .times import written
from .world import Bot, Chat, Message, Record, World

MOST, USUAL = 1000, 100
ADDED, CHANGED, DELETED = "ONIMV2MESSAGEADD", "ONIMV2MESSAGEUPDATE", "ONIMV2MESSAGEDELETE"
BOT_ADDED = "ONIMBOTV2MESSAGEADD"


def note(world: World, kind: str, chat: Chat, message: Message) -> None:
    """Something was said, changed or deleted in a chat: into the queue of each member who has one."""
    for user in sorted(chat.members & world.talk_queues.keys()):
        bot = world.bots.get(user)
        if bot is None:
            _append(world, user, kind, chat, message)
        elif kind == ADDED and message.author != user and _is_for(bot, chat, message):
            _append(world, user, BOT_ADDED, chat, message)


def _append(world: World, user: int, kind: str, chat: Chat, message: Message) -> None:
    world.talk_queues[user].append(
        {
            "eventId": world.next_id("talkevent") + 2000,
            "type": kind,
            "date": written(world.instant(), world.profile.portal_zone),
            "data": {"message": _message(world, message), "chat": _chat(chat), "language": "ru"},
        }
    )


def _is_for(bot: Bot, chat: Chat, message: Message) -> bool:
    """A plain bot hears its own dialogs, and of a group's talk what names it; the others hear all."""
    all_ears = bot.type in ("supervisor", "personal")
    return all_ears or chat.private or f"[user={bot.id}]" in message.text.lower()


def _message(world: World, one: Message) -> Record:
    at = written(one.at, world.profile.portal_zone)
    author = 0 if one.system else one.author
    return {"id": one.id, "chatId": one.chat, "authorId": author, "date": at, "text": one.text}


def _chat(chat: Chat) -> Record:
    kind = "lines" if chat.entity_type == "LINES" else "private" if chat.private else "chat"
    known = {"id": chat.id, "dialogId": chat.dialog, "type": kind, "name": chat.title}
    return known | {"entityType": chat.entity_type, "entityId": chat.entity_id}


@rest("im.v2.Event.subscribe", "im")
def subscribe(call: Call) -> Any:
    call.world.talk_queues.setdefault(call.user, [])
    return True


@rest("im.v2.Event.unsubscribe", "im")
def unsubscribe(call: Call) -> Any:
    call.world.talk_queues.pop(call.user, None)
    return True


@rest("im.v2.Event.get", "im")
def get(call: Call) -> Any:
    return taken(call, [call.user])


def taken(call: Call, users: Iterable[int]) -> Record:
    """The next events of these users; what lies before `offset` is acknowledged and forgotten."""
    offset, limit = _number(call, "offset", 0), _number(call, "limit", USUAL)
    queues = [call.world.talk_queues.get(user, []) for user in users]
    for queue in queues:
        queue[:] = [one for one in queue if one["eventId"] >= offset]
    waiting = sorted((one for queue in queues for one in queue), key=lambda one: int(one["eventId"]))
    shown = waiting[: min(max(limit, 1), MOST)]
    following = shown[-1]["eventId"] + 1 if shown else offset
    return {"events": shown, "nextOffset": following, "hasMore": len(waiting) > len(shown)}


def _number(call: Call, name: str, usual: int) -> int:
    raw = call.params.get(name)
    if raw in (None, ""):
        return usual
    if not whole(raw):
        raise errors.bad_value(f"Invalid value of {name}")
    return int(raw)
