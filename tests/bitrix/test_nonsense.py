"""An answer that makes no sense is no refusal: it is asked again."""

from __future__ import annotations

from typing import Any

import pytest

from app.bitrix.listing import Listing
from app.bitrix.openlines import history
from app.bitrix.results import MessageWork, Unwritten, Written, unread
from app.bitrix.talk import Talk
from app.bitrix.tasks import says_no_task
from app.bitrix.voice import said
from app.bitrix.wire import Answer
from app.model import ItemRef, Kind, Message, MessageKind

WORD = MessageWork(Message("k", MessageKind.NOTICE, "7", "Срок близко"))
DEAL = ItemRef(Kind.DEAL, 41)


@pytest.mark.parametrize("result", [None, {}, [], "", 0, {"id": None}])
def test_a_message_without_a_number_may_have_been_said(result: Any) -> None:
    answer = said(WORD, Answer(result))
    assert isinstance(answer, Unwritten)
    assert (answer.final, answer.unknown_fate) == (False, True)


def test_false_is_a_refusal() -> None:
    answer = said(WORD, Answer(False))
    assert isinstance(answer, Unwritten)
    assert (answer.final, answer.unknown_fate) == (True, False)


@pytest.mark.parametrize("result", [17, "17", {"id": 17}])
def test_a_number_is_the_message(result: Any) -> None:
    assert said(WORD, Answer(result)) == Written(portal_id=17)


def test_a_list_that_goes_round_is_read_again() -> None:
    listing = Listing("crm.activity.list", {"select": ["ID"], "filter": {}, "order": {"ID": "ASC"}})
    listing.next_group()
    full = [{"ID": str(number)} for number in range(1, 51)]
    listing.take([Answer(full, total=70, next=50)])
    listing.next_group()
    listing.take([Answer(full, total=70, next=50)])
    assert listing.error is not None
    assert not unread(DEAL, listing.error).final


@pytest.mark.parametrize(
    "result", [{"items": -1}, {"items": "<html>"}, {"items": [None]}, {"items": {"0": 1}}, -1, "abc"]
)
def test_what_is_no_list_is_not_taken_for_an_empty_one(result: Any) -> None:
    listing = Listing(
        "crm.item.list", {"entityTypeId": 2, "filter": {}}, path=("items",), key="id", above=">id"
    )
    listing.next_group()
    listing.take([Answer(result)])
    assert listing.error is not None
    assert not unread(DEAL, listing.error).final


@pytest.mark.parametrize(
    "result", [{"items": []}, {"items": {}}, {"items": None}, {}, [], None, {"items": {"7": {"id": 7}}}]
)
def test_lists_as_php_writes_them_are_read(result: Any) -> None:
    listing = Listing(
        "crm.item.list", {"entityTypeId": 2, "filter": {}}, path=("items",), key="id", above=">id"
    )
    listing.next_group()
    listing.take([Answer(result)])
    assert listing.error is None


@pytest.mark.parametrize(
    "result", [{"messages": -1}, {"messages": [None]}, {"messages": [], "users": "x"}, -1]
)
def test_a_chat_that_makes_no_sense_is_not_silent(result: Any) -> None:
    talk = Talk("chat5")
    talk.next_group()
    talk.take([Answer(result)])
    assert talk.error is not None


@pytest.mark.parametrize(
    ("result", "is_known"), [({"message": -1}, False), ({"message": {}, "users": []}, True)]
)
def test_a_session_that_makes_no_sense_is_not_silent(result: Any, is_known: bool) -> None:
    session = history(7)
    session.take([Answer(result)])
    assert (session.answer is not None, session.error is None) == (is_known, is_known)


@pytest.mark.parametrize("result", [[], None, False, {"task": []}, {"task": None}])
def test_php_says_in_many_ways_that_there_is_no_task(result: Any) -> None:
    assert says_no_task(result)


@pytest.mark.parametrize("result", [-1, "abc", {"task": -1}, {"task": "<html>"}, {"task": {"id": 5}}])
def test_not_everything_says_that_there_is_no_task(result: Any) -> None:
    assert not says_no_task(result)
