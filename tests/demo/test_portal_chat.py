"""Chats, notices, files and bots of the emulated portal (emulator-notes.md H)."""

from base64 import b64encode
from typing import Any

import pytest

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


def chat_of_nine(desk: Helpdesk) -> str:
    return desk.portal.add_chat("Поддержка", [1, 9])


async def said(desk: Helpdesk, text: str, **more: Any) -> dict[str, Any]:
    dialog = chat_of_nine(desk)
    await desk.call("im.message.add", DIALOG_ID=dialog, MESSAGE=text, **more)
    last: dict[str, Any] = desk.portal.messages(dialog)[-1]
    return last


async def test_message_is_a_number_and_from_the_webhooks_owner(desk: Helpdesk) -> None:
    dialog = chat_of_nine(desk)
    number = await desk.call("im.message.add", DIALOG_ID=dialog, MESSAGE="Привет")
    (message,) = desk.portal.messages(dialog)
    assert (number, message["author"]) == (message["id"], 9)


async def test_long_text_is_cut(desk: Helpdesk) -> None:
    assert (await said(desk, "я" * 20_001))["text"] == "я" * 20_000 + " (...)"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"MESSAGE": ""}, "MESSAGE_EMPTY"),
    ({"MESSAGE": "x", "ATTACH": "{broken"}, "ATTACH_ERROR"),
    ({"MESSAGE": "x", "ATTACH": [{"MESSAGE": "я" * 60_000}]}, "ATTACH_OVERSIZE"),
    ({"MESSAGE": "x", "KEYBOARD": 5}, "KEYBOARD_ERROR"),
]


@pytest.mark.parametrize(("params", "code"), REFUSED)
async def test_refused_message(params: dict[str, Any], code: str, desk: Helpdesk) -> None:
    assert await desk.refused("im.message.add", DIALOG_ID=chat_of_nine(desk), **params) == (400, code)


async def test_text_is_kept_with_its_codes(desk: Helpdesk) -> None:
    assert (await said(desk, "[b]Касса[/b] [USER=1]"))["text"] == "[b]Касса[/b] [USER=1]"


async def test_attachment_alone_is_a_message(desk: Helpdesk) -> None:
    assert (await said(desk, "", ATTACH=[{"MESSAGE": "Сводка"}]))["attach"] == [{"MESSAGE": "Сводка"}]


async def test_chat_of_others_is_closed(desk: Helpdesk) -> None:
    dialog = desk.portal.add_chat("Чужой", [1])
    for method in ("im.message.add", "im.dialog.messages.get", "im.dialog.get"):
        assert await desk.refused(method, DIALOG_ID=dialog, MESSAGE="x") == (403, "ACCESS_ERROR")


async def test_private_dialog_by_the_users_number(desk: Helpdesk) -> None:
    await desk.call("im.message.add", DIALOG_ID="1", MESSAGE="Лично")
    dialog = desk.portal.private_dialog(1, 9)
    assert dialog is not None
    assert [one["text"] for one in desk.portal.messages(dialog)] == ["Лично"]


async def test_own_message_is_edited_and_deleted(desk: Helpdesk) -> None:
    number = (await said(desk, "Первый"))["id"]
    await desk.call("im.message.update", MESSAGE_ID=number, MESSAGE="Второй")
    assert (desk.portal.messages("chat11")[0]["text"], desk.portal.messages("chat11")[0]["edited"]) == (
        "Второй",
        1,
    )
    await desk.call("im.message.delete", MESSAGE_ID=number)
    assert (await desk.call("im.dialog.messages.get", DIALOG_ID="chat11"))["messages"] == []
    assert await desk.refused("im.message.update", MESSAGE_ID=number, MESSAGE="x") == (
        403,
        "CANT_EDIT_MESSAGE",
    )


async def test_others_messages_cannot_be_edited(desk: Helpdesk) -> None:
    number = desk.portal.say(chat_of_nine(desk), "Чужое", 1)
    assert await desk.refused("im.message.update", MESSAGE_ID=number, MESSAGE="x") == (
        403,
        "CANT_EDIT_MESSAGE",
    )


async def test_updating_to_nothing_deletes(desk: Helpdesk) -> None:
    number = (await said(desk, "Первый"))["id"]
    await desk.call("im.message.update", MESSAGE_ID=number, MESSAGE="")
    assert desk.portal.messages("chat11")[0]["deleted"]


WINDOWS: list[tuple[dict[str, int], list[str]]] = [
    ({}, ["25", "24", "23"]),
    ({"LAST_ID": 1003}, ["2", "1"]),
    ({"FIRST_ID": 1003}, ["6", "5", "4"]),
    ({"FIRST_ID": 0}, ["3", "2", "1"]),
]


@pytest.mark.parametrize(("window", "texts"), WINDOWS)
async def test_windows_of_a_dialog(window: dict[str, int], texts: list[str], desk: Helpdesk) -> None:
    dialog = chat_of_nine(desk)
    for number in range(1, 26):
        desk.portal.say(dialog, str(number), 1)
    answer = await desk.call("im.dialog.messages.get", DIALOG_ID=dialog, LIMIT=3, **window)
    assert [one["text"] for one in answer["messages"]] == texts


async def test_window_is_twenty_unless_asked_and_fifty_at_most(desk: Helpdesk) -> None:
    dialog = chat_of_nine(desk)
    for number in range(60):
        desk.portal.say(dialog, str(number), 1)
    sizes = [
        len((await desk.call("im.dialog.messages.get", DIALOG_ID=dialog, **limit))["messages"])
        for limit in ({}, {"LIMIT": 100})
    ]
    assert sizes == [20, 50]


async def test_chat_is_made_found_and_joined(desk: Helpdesk) -> None:
    number = await desk.call("im.chat.add", USERS=[1], TITLE="Сделка", ENTITY_TYPE="CRM", ENTITY_ID="DEAL|1")
    assert await desk.call("im.chat.get", ENTITY_TYPE="CRM", ENTITY_ID="DEAL|1") == {"ID": number}
    assert await desk.call("im.chat.get", ENTITY_TYPE="CRM", ENTITY_ID="DEAL|2") is None
    colleague = desk.portal.add_user("Пётр", "Иванов")
    assert await desk.call("im.chat.user.add", CHAT_ID=number, USERS=[colleague]) is True
    assert await desk.call("im.chat.user.list", CHAT_ID=number) == [1, 9, colleague]


async def test_repeated_tag_replaces_the_notice(desk: Helpdesk) -> None:
    for text in ("75 %", "90 %"):
        await desk.call("im.notify.personal.add", USER_ID=1, MESSAGE=text, TAG="SLA|1", CLIENT_ID="b24sla")
    assert [(one["text"], one["author"]) for one in desk.portal.notices(1)] == [("90 %", 9)]


async def test_tag_without_a_client_id_is_not_honoured(desk: Helpdesk) -> None:
    for text in ("75 %", "90 %"):
        await desk.call("im.notify.system.add", USER_ID=1, MESSAGE=text, TAG="SLA|1")
    assert [(one["text"], one["tag"], one["author"]) for one in desk.portal.notices(1)] == [
        ("75 %", "", 0), ("90 %", "", 0),
    ]  # fmt: skip


async def test_same_tag_of_another_application_stays(desk: Helpdesk) -> None:
    for client in ("b24sla", "other"):
        await desk.call("im.notify.personal.add", USER_ID=1, MESSAGE="x", TAG="SLA|1", CLIENT_ID=client)
    assert len(desk.portal.notices(1)) == 2


async def test_file_with_its_message(desk: Helpdesk) -> None:
    dialog = chat_of_nine(desk)
    fields = {"name": "kpi.png", "content": b64encode(b"PNG").decode(), "message": "Итоги"}
    answer = await desk.call("im.v2.File.upload", dialogId=dialog, fields=fields)
    (file,) = desk.portal.files(dialog)
    assert (file["name"], file["content"], file["text"]) == ("kpi.png", b"PNG", "Итоги")
    assert answer["messageId"] == desk.portal.messages(dialog)[0]["id"]


CONTENTS = [
    ("data:image/png;base64,UE5H", "FILE_INVALID_CONTENT"),
    ("not base64!", "FILE_INVALID_CONTENT"),
    ("", "FILE_EMPTY"),
]


@pytest.mark.parametrize(("content", "code"), CONTENTS)
async def test_refused_file(content: str, code: str, desk: Helpdesk) -> None:
    fields = {"name": "kpi.png", "content": content}
    assert await desk.refused("im.v2.File.upload", dialogId=chat_of_nine(desk), fields=fields) == (400, code)


async def test_file_above_the_largest_is_refused(desk: Helpdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.demo.portal.talk.LARGEST_FILE", 2)
    fields = {"name": "kpi.png", "content": b64encode(b"PNG").decode()}
    answer = await desk.refused("im.v2.File.upload", dialogId=chat_of_nine(desk), fields=fields)
    assert answer == (400, "FILE_TOO_LARGE")


async def test_file_to_nowhere_and_to_a_closed_chat(desk: Helpdesk) -> None:
    fields = {"name": "kpi.png", "content": b64encode(b"PNG").decode()}
    closed = desk.portal.add_chat("Чужой", [1])
    assert await desk.refused("im.v2.File.upload", dialogId="chat99", fields=fields) == (
        400,
        "CHAT_NOT_FOUND",
    )
    assert await desk.refused("im.v2.File.upload", dialogId=closed, fields=fields) == (403, "ACCESS_DENIED")


# bots

TOKEN = "bot-token"


async def register(desk: Helpdesk, **more: Any) -> Any:
    fields = {"code": "sla", "botToken": TOKEN, "properties": {"name": "Сроки"}} | more
    return await desk.call("imbot.v2.Bot.register", fields=fields)


async def test_registering_twice_answers_the_same_bot(desk: Helpdesk) -> None:
    first, second = await register(desk), await register(desk)
    assert first["bot"]["id"] == second["bot"]["id"]
    assert [one["code"] for one in (await desk.call("imbot.v2.Bot.list", botToken=TOKEN))["bots"]] == ["sla"]
    assert (await desk.call("imbot.v2.Bot.get", code="sla", botToken=TOKEN))["bot"] == first["bot"]


BAD_BOTS: list[tuple[dict[str, Any], str]] = [
    ({"botToken": ""}, "BOT_TOKEN_NOT_SPECIFIED"),
    ({"botToken": "x" * 41}, "BOT_TOKEN_INVALID_LENGTH"),
    ({"code": ""}, "BOT_CODE_REQUIRED"),
    ({"properties": {}}, "BOT_PROPERTIES_REQUIRED"),
    ({"type": "human"}, "BOT_INVALID_TYPE"),
    ({"eventMode": "poll"}, "BOT_INVALID_EVENT_MODE"),
    ({"eventMode": "webhook"}, "BOT_WEBHOOK_URL_REQUIRED"),
]


@pytest.mark.parametrize(("more", "code"), BAD_BOTS)
async def test_refused_bot(more: dict[str, Any], code: str, desk: Helpdesk) -> None:
    fields = {"code": "sla", "botToken": TOKEN, "properties": {"name": "Сроки"}} | more
    assert await desk.refused("imbot.v2.Bot.register", fields=fields) == (400, code)


async def test_code_of_another_application(desk: Helpdesk) -> None:
    await register(desk)
    fields = {"code": "sla", "botToken": "another", "properties": {"name": "Сроки"}}
    assert await desk.refused("imbot.v2.Bot.register", fields=fields) == (400, "BOT_CODE_ALREADY_TAKEN")


async def test_bot_is_not_among_people(desk: Helpdesk) -> None:
    await register(desk)
    assert {one["ID"] for one in await desk.call("user.get")} == {"1", "9"}


async def test_bot_speaks_where_it_is_a_member(desk: Helpdesk) -> None:
    bot = {"botId": (await register(desk))["bot"]["id"], "botToken": TOKEN}
    dialog = chat_of_nine(desk)
    say = {"dialogId": dialog, "fields": {"message": "Просрочено"}}
    assert await desk.refused("imbot.v2.Chat.Message.send", **bot, **say) == (403, "ACCESS_DENIED")
    await desk.call("im.chat.user.add", CHAT_ID=int(dialog[4:]), USERS=[bot["botId"]])
    number = (await desk.call("imbot.v2.Chat.Message.send", **bot, **say))["id"]
    changed = {"messageId": number, "fields": {"message": "Решено"}}
    assert await desk.call("imbot.v2.Chat.Message.update", **bot, **changed) == {"result": True}
    (message,) = desk.portal.messages(dialog)
    assert (message["author"], message["text"], message["edited"]) == (bot["botId"], "Решено", 1)


BOT_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"botToken": "wrong"}, "BOT_OWNERSHIP_ERROR"),
    ({"botToken": ""}, "BOT_TOKEN_NOT_SPECIFIED"),
    ({"botId": 404}, "BOT_NOT_FOUND"),
    ({"botId": ""}, "BOT_ID_REQUIRED"),
    ({"fields": {"message": " "}}, "EMPTY_MESSAGE"),
]


@pytest.mark.parametrize(("more", "code"), BOT_REFUSALS)
async def test_refused_bot_call(more: dict[str, Any], code: str, desk: Helpdesk) -> None:
    bot = (await register(desk))["bot"]["id"]
    params = {"botId": bot, "botToken": TOKEN, "dialogId": "1", "fields": {"message": "x"}} | more
    assert (await desk.refused("imbot.v2.Chat.Message.send", **params))[1] == code


async def test_plain_bot_may_not_read_messages(desk: Helpdesk) -> None:
    bot = {"botId": (await register(desk))["bot"]["id"], "botToken": TOKEN}
    dialog = desk.portal.add_chat("Поддержка", [9, bot["botId"]])
    number = desk.portal.say(dialog, "Привет", 9)
    answer = await desk.refused("imbot.v2.Chat.Message.get", **bot, messageId=number)
    assert answer == (403, "BOT_TYPE_NOT_ALLOWED")


async def test_supervisor_reads_adds_people_and_sends_files(desk: Helpdesk) -> None:
    bot = {"botId": (await register(desk, type="supervisor"))["bot"]["id"], "botToken": TOKEN}
    dialog = desk.portal.add_chat("Поддержка", [9, bot["botId"]])
    number = desk.portal.say(dialog, "Привет", 9)
    assert (await desk.call("imbot.v2.Chat.Message.get", **bot, messageId=number))["message"][
        "text"
    ] == "Привет"
    await desk.call("imbot.v2.Chat.User.add", **bot, dialogId=dialog, userIds=[1])
    assert (await desk.call("imbot.v2.Chat.get", **bot, dialogId=dialog))["chat"]["userCounter"] == 3
    fields = {"name": "kpi.png", "content": b64encode(b"PNG").decode()}
    await desk.call("imbot.v2.File.upload", **bot, dialogId=dialog, fields=fields)
    assert desk.portal.files(dialog)[0]["author"] == bot["botId"]
