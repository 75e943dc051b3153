"""A ticket for programs, and its reasons for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from app.model import ItemRef, Side
from app.ticket_view import card_url, put_words, rfc3339, said_of, ticket_json, versions, why_words
from tests.lives import Desk, at, move, reading, said


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        ("deal:41", "/crm/deal/details/41/"),
        ("item:177:5", "/crm/type/177/details/5/"),
        ("task:17", "/company/personal/user/0/tasks/task/view/17/"),
    ],
)
@pytest.mark.parametrize("base", ["https://portal.test", "https://portal.test/"])
def test_the_card_of_every_kind_has_its_address(ref: str, path: str, base: str) -> None:
    assert card_url(base, ItemRef.parse(ref)) == f"https://portal.test{path}"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("work", "рабочее время"),
        ("night", "ночь"),
        ("holiday:День народного единства", "праздник: День народного единства"),
        ("day_off:перенос", "нерабочий день: перенос"),
        ("pause:waiting_client", "пауза: ждём клиента"),
        ("pause:waiting_client:silent", "пауза: ждём клиента, без переписки"),
        ("pause:done", "было решено"),
    ],
)
def test_reasons_read_as_words(code: str, words: str) -> None:
    assert why_words(code) == words


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("deal:41/1/announce/5", "№5: сообщили о новом обращении"),
        ("deal:41/1/solve_warn_75/5", "№5: решение: срок истекает, прошло 75 %"),
        ("deal:41/1/solve_breach/chat12", "чат уведомлений: нарушен срок решения"),
        ("deal:41/1/solve_director/9", "№9: решение просрочено, сообщили директору"),
        ("deal:41/1/comment/class/standard/0", "комментарий в карточке: класс и сроки"),
        ("deal:41/1/asked_20261125T1200/7", "№7: просят перенести срок решения"),
    ],
)
def test_messages_read_as_words(key: str, words: str) -> None:
    assert str(said_of(key, lambda person: f"№{person}")) == words


def test_the_chats_own_card_is_no_message() -> None:
    assert said_of("deal:41/1/card", str) is None


def test_instants_are_utc_without_fractions() -> None:
    moscow = datetime(2026, 11, 24, 9, 15, 30, 999999, timezone(timedelta(hours=3)))
    assert rfc3339(moscow) == "2026-11-24T06:15:30Z"
    assert rfc3339(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00Z"
    assert rfc3339(None) is None


def test_a_closing_without_an_answer_is_no_reply() -> None:
    ticket = Desk().reads(reading("24.11 12:00", moves=[move(2, "24.11 11:00", "SOLVED")])).ticket
    item = ticket_json(ticket, (), portal_url="https://portal.test", names={})
    assert (item["first_reply_at"], item["reply_met_by"], item["reply_outcome"]) == (None, "closing", "met")


def test_what_is_unknown_is_null() -> None:
    ticket = Desk().reads(reading("24.11 12:00", spoken=[said(1, "24.11 11:00", Side.OURS)])).ticket
    item = ticket_json(ticket, (), portal_url="https://portal.test", names={})
    assert [item[key] for key in ("agent", "object", "repeat_of", "solved_at", "solve_outcome")] == [None] * 5


@pytest.mark.parametrize(
    ("state", "sent_at", "told"),
    [
        ("sent", at("24.11 10:56"), "24.11 10:56"),
        ("waiting", None, "ждёт отправки"),
        ("covered", None, "в сообщении чата"),
    ],
)
def test_a_message_tells_when_it_was_said_or_why_not(state: str, sent_at: datetime | None, told: str) -> None:
    assert put_words(state, sent_at, timezone(timedelta(hours=3))) == told


def test_the_pinned_versions_are_named() -> None:
    ticket = Desk().reads(reading("24.11 12:00")).ticket
    known = f"правила {ticket.rules_version}, календарь {ticket.calendar_version}, классификатор "
    assert versions(ticket) == known + ticket.classifier_version
