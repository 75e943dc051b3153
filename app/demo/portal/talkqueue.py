"""im.v2.Event.*: what is said in a user's chats, kept for him from his subscription on (rest.md 7).

Nothing is recorded before `subscribe`; `get` with an offset forgets what lies before it. What an event holds
is a guess: the vendor's page leaves `data` open, so it is shaped as the bots' events are.
"""

from typing import Any

from . import errors
from .registry import Call, rest, whole
from .times import written
from .world import Chat, Message, Record, World

MOST, USUAL = 1000, 100
ADDED, CHANGED, DELETED = "ONIMV2MESSAGEADD", "ONIMV2MESSAGEUPDATE", "ONIMV2MESSAGEDELETE"


def note(world: World, kind: str, chat: Chat, message: Message) -> None:
    """Something was said, changed or deleted in a chat: into the queue of each member who has one."""
    for user in sorted(chat.members & world.talk_queues.keys()):
        world.talk_queues[user].append(
            {
                "eventId": world.next_id("talkevent") + 2000,
                "type": kind,
                "date": written(world.instant(), world.profile.portal_zone),
                "data": {"message": _message(world, message), "chat": _chat(chat), "language": "ru"},
            }
        )


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
    offset, limit = _number(call, "offset", 0), _number(call, "limit", USUAL)
    queue = call.world.talk_queues.get(call.user, [])
    queue[:] = [one for one in queue if one["eventId"] >= offset]
    shown = queue[: min(max(limit, 1), MOST)]
    following = shown[-1]["eventId"] + 1 if shown else offset
    return {"events": shown, "nextOffset": following, "hasMore": len(queue) > len(shown)}


def _number(call: Call, name: str, usual: int) -> int:
    raw = call.params.get(name)
    if raw in (None, ""):
        return usual
    if not whole(raw):
        raise errors.bad_value(f"Invalid value of {name}")
    return int(raw)
