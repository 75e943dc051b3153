"""The alert ladder (sla.md 4): who is told what, once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.model import Card, Decision, MessageKind, OutcomeWord, Side, TicketClass
from tests.lives import AGENT, Desk, at, card, move, reading, rules, said

FIRE = ("Пожарная машина стоит у закрытых ворот, въехать не может, горит дом",)


def fire(created: str = "24.11 10:00", **changes: Any) -> Card:
    return card(created, title="Пожар", text=FIRE, **changes)


def told(decision: Decision, kind: MessageKind) -> list[str]:
    """`receiver: step` of the messages of one kind."""
    return sorted(f"{m.to}: {m.key.split('/')[2]}" for m in decision.messages if m.kind is kind)


def test_emergency_is_announced_to_agent_head_and_chat() -> None:
    decision = Desk().reads(reading("24.11 10:01", of=fire()))
    assert told(decision, MessageKind.NOTICE) == ["5: announce", "7: announce"]
    cards = [m for m in decision.messages if m.kind is MessageKind.CHAT_CARD]
    assert [m.covers for m in cards] == [("deal:41/1/announce/chat12",)]


def test_emergency_off_hours_is_announced_at_once_and_wakes_the_duty() -> None:
    decision = Desk().reads(reading("22.11 23:12", of=fire("22.11 23:10")))
    assert told(decision, MessageKind.NOTICE) == ["5: announce", "7: announce", "8: announce"]


def test_answered_emergency_is_not_announced() -> None:
    decision = Desk().reads(reading("24.11 10:10", of=fire(), spoken=[said(2, "24.11 10:05", Side.OURS)]))
    assert decision.messages[1:] == ()
    assert decision.messages[0].kind is MessageKind.TIMELINE


def test_warning_goes_to_the_agent_and_ninety_percent_to_the_head_too() -> None:
    desk = Desk()
    replied = [said(2, "24.11 11:00", Side.OURS)]
    desk.reads(reading("24.11 11:01", spoken=replied))
    early = desk.reads(reading("26.11 10:00", spoken=replied))  # 75 % of 24 h: 26.11 10:00
    late = desk.reads(reading("26.11 13:36", spoken=replied))
    assert told(early, MessageKind.NOTICE) == ["5: solve_warn_75"]
    assert told(late, MessageKind.NOTICE) == ["5: solve_warn_90", "7: solve_warn_90"]


def test_breach_is_told_to_the_head_and_the_chat_once() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    breached = desk.reads(reading("24.11 14:01"))
    again = desk.reads(reading("24.11 14:06"))
    assert told(breached, MessageKind.NOTICE) == ["7: reply_breach"]
    assert "7: reply_breach" not in told(again, MessageKind.NOTICE)


def test_lost_reply_event_is_no_accusation() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    decision = desk.reads(reading("24.11 14:01", spoken=[said(2, "24.11 13:30", Side.OURS)]))
    assert [m.kind for m in decision.messages] == []


def test_night_holds_other_classes_until_the_opening_and_then_one_line() -> None:
    desk = Desk()
    desk.reads(reading("24.11 14:30", of=card("24.11 14:00")))
    night = desk.reads(reading("24.11 18:05", of=card("24.11 14:00")))
    morning = desk.reads(reading("25.11 09:00", of=card("24.11 14:00")))
    assert [m for m in night.messages if m.kind is not MessageKind.TIMELINE] == []
    assert night.next_at == at("25.11 09:00")
    assert told(morning, MessageKind.SUMMARY) == ["7: reply_breach", "chat12: reply_breach"]


def test_first_seen_long_after_the_breach_is_left_to_the_digest() -> None:
    decision = Desk().reads(reading("27.11 17:00", of=card("20.11 09:00")))
    assert [m for m in decision.messages if m.kind in {MessageKind.NOTICE, MessageKind.SUMMARY}] == []


def test_closed_ticket_is_silent() -> None:
    decision = Desk().reads(reading("24.11 14:30", moves=[move(2, "24.11 14:20", "WON")]))
    assert decision.messages == ()
    assert decision.next_at is None


def test_nobody_assigned_is_told_to_the_head_after_two_hours() -> None:
    desk = Desk()
    lonely = card(assignee=None)
    first = desk.reads(reading("24.11 10:01", of=lonely))
    later = desk.reads(reading("24.11 12:00", of=lonely))
    assert first.next_at == at("24.11 12:00")
    assert told(later, MessageKind.NOTICE) == ["7: unassigned"]


def test_chat_card_is_rewritten_as_the_ticket_changes() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=fire()))
    spoken = [said(2, "24.11 10:05", Side.OURS)]
    decision = desk.reads(
        reading("24.11 11:00", of=fire(), spoken=spoken, moves=[move(2, "24.11 10:50", "SOLVED")])
    )
    cards = [m for m in decision.messages if m.kind is MessageKind.CHAT_CARD]
    assert [m.key for m in cards] == ["deal:41/1/card"]
    assert "✅" in cards[0].text


def test_titles_cannot_inject_codes_nor_show_phones() -> None:
    decision = Desk().reads(reading("24.11 10:01", of=card(title="[b]Пожар[/b] +7 900 000-33-44", text=FIRE)))
    text = next(m.text for m in decision.messages if m.kind is MessageKind.CHAT_CARD)
    assert "[b]" not in text
    assert "000" not in text.replace("\u200b", "").split("]№41")[1]


def test_standing_alerts_name_what_may_still_be_said() -> None:
    decision = Desk().reads(reading("24.11 14:01"))
    assert "deal:41/1/reply_breach/7" in decision.standing
    solved = Desk().reads(reading("24.11 14:01", moves=[move(2, "24.11 13:00", "SOLVED")]))
    assert not any("breach" in key for key in solved.standing)


def test_messages_link_our_page_where_there_is_one() -> None:
    desk = Desk()
    desk.public = True
    decision = desk.reads(reading("24.11 10:01", of=fire()))
    notice = next(m for m in decision.messages if m.kind is MessageKind.NOTICE)
    assert "[url=https://sla.test/tickets/deal:41]почему[/url]" in notice.text
    assert "почему" not in Desk().reads(reading("24.11 10:01", of=fire())).messages[1].text


def test_old_breach_left_to_the_digest_is_not_told_by_the_next_event_either() -> None:
    desk = Desk()
    desk.reads(reading("27.11 17:00", of=card("20.11 09:00")))
    again = desk.reads(reading("27.11 17:05", of=card("20.11 09:00", title="Другая тема")))
    assert [m for m in again.messages if m.kind is not MessageKind.TIMELINE] == []


def test_reminders_of_an_old_breach_are_left_to_the_digest_too() -> None:
    desk = Desk()
    decision = desk.reads(reading("25.11 09:30", of=card("23.11 10:00")))  # reply breached 23.11 14:00
    assert [m.key for m in decision.messages if m.kind is not MessageKind.TIMELINE] == []


def test_young_breach_first_seen_late_comes_as_one_summary() -> None:
    decision = Desk().reads(reading("24.11 16:00", of=card("24.11 10:00")))
    assert told(decision, MessageKind.SUMMARY) == ["7: reply_breach", "chat12: reply_breach"]


def test_chat_message_of_a_false_alarm_says_that_it_was_none() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=fire()))
    decision = desk.reads(reading("24.11 10:10", of=fire(), moves=[move(2, "24.11 10:09", "SPAM")]))
    [text] = [m.text for m in decision.messages if m.kind is MessageKind.CHAT_CARD]
    assert "Не обращение" in text


def test_return_after_a_week_is_announced_anew() -> None:
    desk = Desk()
    desk.reads(reading("10.11 10:01", of=fire("10.11 10:00")))
    closed = [move(2, "10.11 11:00", "WON")]
    desk.reads(reading("10.11 11:01", of=fire("10.11 10:00"), moves=closed))
    back = [*closed, move(3, "24.11 10:00", "PREPARATION")]
    decision = desk.reads(reading("24.11 10:01", of=fire("10.11 10:00"), moves=back))
    assert decision.ticket.cycle == 2
    assert told(decision, MessageKind.NOTICE) == ["5: announce", "7: announce"]
    assert [m.key for m in decision.messages if m.kind is MessageKind.CHAT_CARD] == ["deal:41/2/card"]
    assert [m.kind for m in decision.messages].count(MessageKind.TIMELINE) == 1


def test_breach_of_a_class_that_no_longer_stands_is_not_held_against_the_ticket() -> None:
    desk = Desk()
    spoken = [said(2, "24.11 10:05", Side.OURS)]
    desk.reads(reading("24.11 14:05", of=fire(), spoken=spoken))
    lowered = replace(desk.stamped(fire(), SLA_CLASS="standard"), modified_at=at("24.11 14:10"))
    desk.reads(reading("24.11 14:11", of=lowered, spoken=spoken))
    decision = desk.reads(reading("25.11 16:00", of=lowered, spoken=spoken))
    assert decision.stamp is not None
    assert decision.stamp.wanted["SLA_OVERDUE"] == ""
    assert [m for m in decision.messages if m.kind in {MessageKind.NOTICE, MessageKind.SUMMARY}] == []


def test_deadline_that_an_agent_wishes_for_is_shown_to_the_head_once() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    moved = desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z")
    moved = replace(moved, modified_at=at("24.11 12:00"), modified_by=AGENT)
    decision = desk.reads(reading("24.11 12:01", of=moved))
    assert told(decision, MessageKind.NOTICE) == ["7: asked_20261130T0900"]
    assert "на 30.11 12:00" in next(m.text for m in decision.messages if m.kind is MessageKind.NOTICE)
    assert told(desk.reads(reading("24.11 12:05", of=moved)), MessageKind.NOTICE) == []


def test_emergency_older_than_the_service_is_not_announced() -> None:
    decision = Desk().reads(reading("24.11 10:01", of=fire("31.10 10:00")))
    assert (decision.messages, decision.standing, decision.next_at) == ((), frozenset(), None)


def test_any_class_that_announces_speaks_at_any_hour() -> None:
    plain = rules()
    standard = replace(plain.classes[TicketClass.STANDARD], announce=True)
    loud = replace(plain, classes={**plain.classes, TicketClass.STANDARD: standard})
    decision = Desk(loud).reads(reading("22.11 23:12", of=card("22.11 23:10")))
    assert told(decision, MessageKind.NOTICE) == ["5: announce", "7: announce", "8: announce"]


def test_warnings_of_a_ticket_replace_each_other_and_stay_out_of_the_chat() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    first = desk.reads(reading("24.11 13:00"))
    second = desk.reads(reading("24.11 13:36"))
    breach = desk.reads(reading("24.11 14:01"))
    tags = [[m.tag for m in d.messages if m.kind is MessageKind.NOTICE] for d in (first, second, breach)]
    assert tags == [["b24sla|deal:41"], ["b24sla|deal:41"], ["b24sla|deal:41|1|reply_breach"]]
    assert [m.to for m in (*first.messages, *second.messages)] == ["5", "5"]


def test_breach_names_its_clock_and_its_moment() -> None:
    replied = [said(2, "24.11 11:00", Side.OURS)]
    desk = Desk()
    desk.reads(reading("24.11 11:01", spoken=replied))
    decision = desk.reads(reading("26.11 16:01", spoken=replied))
    [text] = [m.text for m in decision.messages if m.key == "deal:41/1/solve_breach/7"]
    assert text.startswith("🔴 Нарушен срок решения: просрочено с 26.11 16:00\n")


def test_breach_of_a_ticket_that_waits_for_the_client_is_not_told() -> None:
    replied = [said(2, "24.11 11:00", Side.OURS)]
    desk = Desk()
    desk.reads(reading("24.11 11:01", spoken=replied))
    asked = [*replied, said(3, "26.11 16:01", Side.OURS, "Какая модель телефона?")]
    waits = [move(2, "26.11 16:01", "WAIT")]
    decision = desk.reads(reading("26.11 16:05", spoken=asked, moves=waits))
    assert decision.ticket.now_cycle.solution.outcome is OutcomeWord.BREACHED
    assert not any(key.startswith("deal:41/1/solve_breach") for key in decision.standing)


def test_head_is_reminded_and_the_director_told_of_an_emergency_only() -> None:
    desk = Desk()
    replied = [said(2, "24.11 10:05", Side.OURS)]
    desk.reads(reading("24.11 10:06", of=fire(), spoken=replied))
    desk.reads(reading("24.11 14:01", of=fire(), spoken=replied))  # due 24.11 14:00
    again = desk.reads(reading("24.11 15:00", of=fire(), spoken=replied))
    last = desk.reads(reading("24.11 18:00", of=fire(), spoken=replied))
    assert told(again, MessageKind.NOTICE) == ["7: solve_breach_again"]
    assert again.next_at == at("24.11 18:00")
    assert told(last, MessageKind.NOTICE) == ["1: solve_director"]


def card_lines(decision: Decision) -> list[str]:
    """The message in the alerts chat without its headline."""
    return next(m.text for m in decision.messages if m.kind is MessageKind.CHAT_CARD).splitlines()[1:]


def test_chat_message_shows_who_answered_when_and_that_it_was_late() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=fire()))
    late, moves = [said(2, "24.11 10:45", Side.OURS)], [move(2, "24.11 11:00", "SOLVED")]
    working = desk.reads(reading("24.11 10:46", of=fire(), spoken=late))
    solved = desk.reads(reading("24.11 11:01", of=fire(), spoken=late, moves=moves))
    answered = "Первый ответ 24.11 10:45"
    assert card_lines(working) == ["🔴 Нарушен срок ответа: на 30 мин", answered]
    assert card_lines(solved) == ["Решено, ждёт подтверждения: 24.11 11:00, 🔴 с опозданием", answered]


def test_chat_message_of_an_answered_or_paused_emergency_is_calm() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01", of=fire()))
    asked, moves = [said(2, "24.11 10:05", Side.OURS, "Какой номер?")], [move(2, "24.11 10:10", "WAIT")]
    working = desk.reads(reading("24.11 10:06", of=fire(), spoken=asked))
    waits = desk.reads(reading("24.11 10:11", of=fire(), spoken=asked, moves=moves))
    assert card_lines(working)[0] == "🔵 Новое, решение до 14:00"
    assert card_lines(waits)[0] == "⏸ Ожидание ответа клиента"
