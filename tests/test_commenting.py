"""What each decision leaves in the card's timeline (domain.md 9)."""

from __future__ import annotations

from dataclasses import replace

from app.commenting import comment_marker
from app.model import Decision, ItemRef, Kind, MessageKind, Reading, Side
from tests.lives import HEAD, Desk, at, card, move, reading, rules, said


def comments(decision: Decision) -> list[str]:
    return [m.text for m in decision.messages if m.kind is MessageKind.TIMELINE]


def test_class_terms_and_reason_are_told_once() -> None:
    desk = Desk()
    [text] = comments(desk.reads(reading("24.11 10:01")))
    assert text.startswith("SLA: стандартное, ответ до 24.11 14:00, решение до 26.11 16:00; причина: ")
    assert comments(desk.reads(reading("24.11 10:05"))) == []


def test_one_line_tells_how_the_deadline_comes_about() -> None:
    [text] = comments(Desk().reads(reading("24.11 10:01")))
    assert text.partition("\n")[2] == (
        "Срок решения: 24 ч рабочего времени с 24.11 10:00: 24.11 8 ч + 25.11 9 ч + 26.11 7 ч"
    )


def test_with_a_public_address_a_comment_opens_the_explanation() -> None:
    desk = Desk()
    desk.public = True
    [text] = comments(desk.reads(reading("24.11 10:01")))
    assert text.endswith("\n[url=https://sla.test/tickets/deal:41]Почему?[/url]")
    assert comment_marker(text).endswith("; причина: S: «не получает код для входа в приложение»")


def test_doubt_asks_the_agent() -> None:
    [text] = comments(Desk().reads(reading("24.11 10:01", of=card(title="Обращение", text=()))))
    assert text.partition("\n")[0].endswith("; класс не подтверждён, проверьте")


def test_second_time_of_a_class_is_told_again() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    for minute, value in ((10, "emergency"), (20, "standard"), (30, "emergency")):
        changed = replace(desk.stamped(card(), SLA_CLASS=value), modified_at=at(f"24.11 11:{minute}"))
        [text] = comments(desk.reads(reading(f"24.11 11:{minute + 1}", of=changed)))
        assert text.partition("\n")[0].endswith("причина: Класс указан сотрудником")


def test_each_breach_is_told_once() -> None:
    desk = Desk()
    desk.reads(reading("24.11 10:01"))
    assert comments(desk.reads(reading("24.11 14:01"))) == ["SLA: нарушен срок первого ответа (24.11 14:00)"]
    assert comments(desk.reads(reading("24.11 14:30"))) == []
    assert comments(desk.reads(reading("26.11 16:01"))) == ["SLA: нарушен срок решения (26.11 16:00)"]


def test_extension_is_told() -> None:
    desk = Desk()
    replied = [said(2, "24.11 11:00", Side.OURS)]
    desk.reads(reading("24.11 11:01", spoken=replied))
    moved = replace(desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z"), modified_by=HEAD)
    moved = replace(moved, modified_at=at("24.11 12:00"))
    decision = desk.reads(reading("24.11 12:01", of=moved, spoken=replied))
    assert comments(decision) == ["SLA: решение до 30.11 12:00, срок продлён (был до 26.11 16:00)"]


def test_a_return_to_work_under_an_extension_is_no_new_extension() -> None:
    desk = Desk()
    replied = [said(2, "24.11 11:00", Side.OURS)]
    desk.reads(reading("24.11 11:01", spoken=replied))
    moved = replace(desk.stamped(card(), SLA_SOLVE_DUE="2026-11-30T09:00:00Z"), modified_by=HEAD)
    moved = replace(moved, modified_at=at("24.11 12:00"))
    desk.reads(reading("24.11 12:01", of=moved, spoken=replied))
    solved = [move(2, "25.11 10:00", "SOLVED")]
    desk.reads(reading("25.11 10:01", of=desk.stamped(card()), spoken=replied, moves=solved))
    back = [*solved, move(3, "25.11 15:00", "PREPARATION")]
    decision = desk.reads(reading("25.11 15:01", of=desk.stamped(card()), spoken=replied, moves=back))
    assert comments(decision) == [
        "SLA: решение до 30.11 17:00: назначено 30.11 12:00, плюс 5 ч, пока было решено"
    ]


def test_no_ticket_is_told_by_its_class_alone() -> None:
    spam = card(title="Продвижение сайтов", text=("Скидка 30 % на рекламу и рассылки, отписаться по ссылке",))
    [text] = comments(Desk().reads(reading("24.11 10:01", of=spam)))
    assert text.startswith("SLA: не обращение; причина: ")
    assert "до" not in text.partition(";")[0]


def of_task(*notes: str) -> Reading:
    task = replace(card(), ref=ItemRef(Kind.TASK, 7), stage="2", category=None, group=12)
    first = replace(move(1, "24.11 10:00", "x"), stage="2", category=None)
    return replace(reading("24.11 10:01", of=task), moves=(first,), notes=notes)


def test_decision_on_a_task_stands_in_its_talk() -> None:
    [text] = comments(Desk().reads(of_task()))
    assert text.startswith("SLA: стандартное")


def test_a_desk_may_want_no_comments() -> None:
    plain = rules()
    off = replace(plain, desk=replace(plain.desk, timeline=False))
    no_tasks = replace(plain, tasks=replace(plain.tasks, comments=False))
    assert comments(Desk(off).reads(reading("24.11 10:01"))) == []
    assert comments(Desk(no_tasks).reads(of_task())) == []
    assert comments(Desk(no_tasks).reads(reading("24.11 10:01")))


def test_where_a_client_reads_along_nothing_is_said() -> None:
    assert comments(Desk().reads(of_task("outsiders_read"))) == []


def test_ticket_first_seen_closed_is_not_commented() -> None:
    assert comments(Desk().reads(reading("24.11 16:01", moves=[move(2, "24.11 16:00", "WON")]))) == []
