"""Open lines of the emulated portal: sessions, their history, whose chats an item has."""

from __future__ import annotations

import pytest

from tests.demo.helpdesk import Helpdesk

pytestmark = pytest.mark.anyio


def session_of(desk: Helpdesk) -> tuple[int, int]:
    """A deal with a session."""
    deal = desk.portal.add_deal("Из мессенджера")
    return deal, desk.portal.open_line_of(desk.portal.add_open_line((2, deal)))


async def test_history_tells_who_wrote(desk: Helpdesk) -> None:
    _, session = session_of(desk)
    told = [desk.portal.open_line_says(session, "Слово", by) for by in ("client", "agent", "bot", 0)]
    answer = await desk.call("imopenlines.session.history.get", SESSION_ID=session)
    senders = [answer["message"][str(number)]["senderid"] for number in told]
    people = answer["users"]
    assert [people[who]["connector"] for who in senders[:3]] == [True, False, False]
    assert [people[who]["bot"] for who in senders[:3]] == [False, False, True]
    assert senders[3] == "0"


async def test_chat_alone_is_refused_to_those_outside(desk: Helpdesk) -> None:
    _, session = session_of(desk)
    chat = (await desk.call("imopenlines.session.history.get", SESSION_ID=session))["chatId"]
    refusal = await desk.refused("imopenlines.session.history.get", CHAT_ID=chat)
    assert refusal == (400, "ACCESS_DENIED")


async def test_item_names_its_open_chats(desk: Helpdesk) -> None:
    deal, session = session_of(desk)
    which = {"CRM_ENTITY_TYPE": "deal", "CRM_ENTITY": deal}
    assert [row["CONNECTOR_ID"] for row in await desk.call("imopenlines.crm.chat.get", **which)] == [
        "telegram"
    ]
    desk.portal.close_open_line(session)
    assert await desk.call("imopenlines.crm.chat.get", **which) == []
    assert len(await desk.call("imopenlines.crm.chat.get", **which, ACTIVE_ONLY="N")) == 1


async def test_closing_completes_the_activity(desk: Helpdesk) -> None:
    deal, session = session_of(desk)
    desk.portal.close_open_line(session)
    [row] = await desk.call("crm.activity.list", filter={"OWNER_TYPE_ID": 2, "OWNER_ID": deal})
    assert (row["COMPLETED"], row["ASSOCIATED_ENTITY_ID"]) == ("Y", str(session))


async def test_clients_of_lines_are_no_users(desk: Helpdesk) -> None:
    session_of(desk)
    assert "600" not in {row["ID"] for row in await desk.call("user.get")}
