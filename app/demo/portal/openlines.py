"""Open lines: clients' messengers brought to the portal; sessions, their chats and history (rest.md 7)."""

from typing import Any

from . import errors, talk
from .chat import user_row
from .fields import NAMES
from .registry import Call, integer, rest
from .times import written
from .world import Message, Owner, Record, Session, User, World

LINE = 1
_CLOSED_TEXT = "Вы не можете открыть этот разговор, т.к. у вас недостаточно прав."
_TITLES = {"livechat": "Онлайн-чат", "telegram": "Telegram", "whatsapp": "WhatsApp"}
_BY_LINE = {"class": "bx-messenger-content-item-ol-output", "componentId": "bx-imopenlines-message"}


def start(world: World, owner: Owner, agent: int, connector: str, number: int | None = None) -> Session:
    """A new session: its client is a user of the connector, nobody of ours."""
    number = number or world.next_id("session")
    guest = max([*world.users, 599]) + 1
    world.users[guest] = User(guest, f"Гость №{number}", departments=(), connector=True)
    chat = talk.add_chat(world, f"Гость №{number} - Поддержка", {guest, agent}, agent,
                         entity=("LINES", f"{connector}|{LINE}|{number}|{guest}"))  # fmt: skip
    made = Session(number, chat.id, owner, guest, agent, connector)
    world.sessions[number] = made
    talk.say(world, chat, talk.NOBODY, "Начат новый диалог", system=True, params=dict(_BY_LINE))
    return made


def say(world: World, session: Session, author: int, text: str, *, automatic: bool = False) -> Message:
    """A message of the session; no outgoing webhook tells of it."""
    chat = world.chats[session.chat]
    chat.members.add(author or session.agent)
    params = dict(_BY_LINE) if automatic else {"connectorMid": [str(world.ids["message"] + 2)]}
    return talk.say(world, chat, author, text, system=not author, params=params)


def finish(world: World, session: Session) -> None:
    session.closed = True
    say(world, session, talk.NOBODY, "Диалог завершён", automatic=True)


@rest("imopenlines.session.history.get", "imopenlines")
def history(call: Call) -> Any:
    """By SESSION_ID for everybody, by CHAT_ID alone for the chat's members."""
    world, session = call.world, _session(call)
    rows = [one for one in talk.messages_of(world, world.chats[session.chat]) if not one.deleted]
    dialog = f"chat{session.chat}"
    people = sorted(world.chats[session.chat].members | {one.author for one in rows if not one.system})
    return {
        "chatId": session.chat, "canJoin": "Y", "canVoteHead": "Y", "sessionId": session.id,
        "sessionVoteHead": 0, "sessionCommentHead": None, "userId": dialog,
        "message": {str(one.id): _message(world, one) for one in reversed(rows)},
        "usersMessage": {dialog: [str(one.id) for one in reversed(rows)]},
        "users": {str(number): _person(world, number) for number in people},
        "openlines": {"canvoteashead": {str(LINE): True}},
        "userInGroup": {}, "woUserInGroup": [],
        "chat": {str(session.chat): _chat(world, session, len(rows))},
        "userBlockChat": {}, "userInChat": {str(session.chat): people}, "files": {},
    }  # fmt: skip


def _session(call: Call) -> Session:
    sessions = call.world.sessions
    found = sessions.get(integer(call.classic("SESSION_ID")))
    if found is None and not call.classic("SESSION_ID"):
        chat = integer(call.classic("CHAT_ID"))
        member = chat in call.world.chats and call.user in call.world.chats[chat].members
        ours = [one for one in sessions.values() if one.chat == chat and member]
        found = ours[-1] if ours else None
    if found is None:
        raise errors.RestError("ACCESS_DENIED", _CLOSED_TEXT)
    return found


def _message(world: World, one: Message) -> Record:
    return {
        "id": str(one.id), "chatid": str(one.chat), "senderid": str(0 if one.system else one.author),
        "recipientid": f"chat{one.chat}", "date": written(one.at, world.profile.portal_zone),
        "text": one.text, "textlegacy": one.text, "params": dict(one.params),
    }  # fmt: skip


_CAMEL = {"first_name": "firstName", "last_name": "lastName", "work_position": "workPosition",
          "external_auth_id": "externalAuthId", "last_activity_date": "lastActivityDate",
          "mobile_last_date": "mobileLastDate", "desktop_last_date": "desktopLastDate",
          "bot_data": "botData"}  # fmt: skip


def _person(world: World, number: int) -> Record:
    row = {_CAMEL.get(name, name): value for name, value in user_row(world, number).items()}
    return row | {"id": str(number)}


def _chat(world: World, session: Session, count: int) -> Record:
    chat = world.chats[session.chat]
    state = talk.state_of(session)
    return {
        "id": str(chat.id), "parentChatId": 0, "parentMessageId": 0, "name": chat.title,
        "owner": str(chat.owner), "extranet": False, "entityType": chat.entity_type,
        "entityId": chat.entity_id, "entityData1": state, "messageCount": count,
        "dateCreate": written(chat.created_at, world.profile.portal_zone), "type": "lines",
        "messageType": "L",
    }  # fmt: skip


@rest("imopenlines.crm.chat.get", "imopenlines")
def chats_of_item(call: Call) -> Any:
    """The client chats of a lead, deal, company or contact; by default only those still open."""
    number = integer(call.classic("CRM_ENTITY"))
    kind = str(call.classic("CRM_ENTITY_TYPE") or "").upper()
    for name, value in (("CRM_ENTITY_TYPE", kind), ("CRM_ENTITY", number)):
        if not value:
            raise errors.RestError("ERROR_ARGUMENT", f"Argument '{name}' is null or empty")
    only_open = str(call.classic("ACTIVE_ONLY") or "Y").upper() == "Y"
    owners = {(entity_type, number) for entity_type, name in NAMES.items() if name.upper() == kind}
    return [
        {"CHAT_ID": str(one.chat), "CONNECTOR_ID": one.connector, "CONNECTOR_TITLE": _title(one)}
        for one in call.world.sessions.values()
        if one.owner in owners and call.sees(*one.owner) and not (only_open and one.closed)
    ]


def _title(session: Session) -> str:
    return _TITLES.get(session.connector, session.connector)
