from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.metrics.periods import bounds_of
from app.metrics.review import Review, Topic, advice, came_in_a_peak, gaps, late_reason, review_of, topics
from app.model import Area, ClockName, Outcome, State, TicketClass
from tests.metrics.outcomes import BREACHED, MOSCOW, at, closed, figures, office, outcome, solved

TUESDAY = bounds_of(date(2026, 11, 24), date(2026, 11, 24), MOSCOW)
PASSES = {"area": Area.PASSES}


def reviewed(*outcomes: Outcome) -> Review:
    return review_of(outcomes, *TUESDAY, frozenset())


def repeating(*outcomes: Outcome) -> tuple[Topic, ...]:
    return topics(outcomes, *TUESDAY, office())


def test_three_tickets_of_one_area_repeat() -> None:
    tickets = [outcome(n, object=f"ЖК {n % 2}", **PASSES) for n in (1, 2, 3)]

    assert repeating(*tickets) == (Topic(Area.PASSES, 3, 2, 1),)
    assert repeating(*tickets[:2]) == ()


def test_other_is_no_topic() -> None:
    assert repeating(*[outcome(n, area=Area.OTHER) for n in range(5)]) == ()


def test_the_most_frequent_topic_comes_first() -> None:
    few = [outcome(n, area=Area.OBJECTS) for n in range(3)]
    many = [outcome(n, **PASSES) for n in range(10, 14)]

    assert [topic.area for topic in repeating(*few, *many)] == [Area.PASSES, Area.OBJECTS]


@pytest.mark.parametrize(
    ("changes", "clock", "reason"),
    [
        ({}, ClockName.REPLY, "нет ответа"),
        ({}, ClockName.SOLUTION, "другое"),
        ({"escalation_reason": "bug"}, ClockName.SOLUTION, "разработка"),
        ({"escalation_reason": "contractor"}, ClockName.SOLUTION, "подрядчик"),
        ({"engineer_visit": True}, ClockName.SOLUTION, "инженер"),
        ({"state": State.ENGINEER}, ClockName.SOLUTION, "инженер"),
        ({"waited_client": True}, ClockName.SOLUTION, "клиент"),
        ({"breach_reason": "ждали договор"}, ClockName.REPLY, "ждали договор"),
        ({"breach_reason": "звонил +7 912 345-67-89"}, ClockName.REPLY, "звонил +7•••"),
    ],
)
def test_why_a_deadline_passed(changes: dict[str, Any], clock: ClockName, reason: str) -> None:
    assert late_reason(outcome(**changes), clock, frozenset()) == reason


def test_a_day_far_above_the_norm_is_a_peak() -> None:
    busy = [outcome(n) for n in range(13)]

    assert late_reason(busy[0], ClockName.SOLUTION, came_in_a_peak(busy, office(), 10)) == "пик"
    assert came_in_a_peak(busy[:12], office(), 10) == frozenset()


def test_late_reasons_count_both_clocks() -> None:
    moment = at("24.11 15:00")
    both = outcome(
        reply_outcome=BREACHED, reply_outcome_at=moment, solve_outcome=BREACHED, solve_outcome_at=moment
    )

    assert reviewed(both).late_reasons == (("другое", 1), ("нет ответа", 1))


def test_escalations_by_reason() -> None:
    moment = at("24.11 12:00")
    handed = [outcome(n, escalated_at=moment, escalation_reason="bug") for n in (1, 2)]

    assert reviewed(*handed, outcome(3, escalated_at=moment)).escalation_reasons == (
        ("Баг", 2),
        ("без причины", 1),
    )


def test_objects_from_three_tickets_on() -> None:
    tickets = [outcome(n, object="ЖК «Сосны»") for n in range(3)]

    assert reviewed(*tickets, outcome(9, object="КП «Дубрава»")).objects == (("ЖК «Сосны»", 3),)


def test_a_gap_is_an_area_without_any_written_solution() -> None:
    bare = [closed(n, **PASSES) for n in range(3)]

    assert gaps(bare) == (("Пропуска", 3),)
    assert gaps([*bare, closed(9, documented=True, **PASSES)]) == ()


def test_corrected_classes_name_both() -> None:
    moved = closed(class_auto=TicketClass.CONSULTATION)

    assert reviewed(moved).corrected == (("Консультация → Стандартное", 1),)


def test_what_came_back_was_recounted() -> None:
    assert reviewed(solved(reopened_at=(at("26.11 10:00"),))).recounted == 1


def test_waived_tickets_are_shown_beside() -> None:
    assert reviewed(solved(1, waived=True), solved(2)).waived == 1


def test_advice_speaks_of_what_is_missed() -> None:
    late = closed(solve_outcome=BREACHED, escalation_reason="bug", escalated_at=at("24.11 11:00"))
    sentences = advice(figures([late]), reviewed(late))

    assert sentences == (
        "Сократить просрочки решения: 1\u00a0обращение за месяц. Чаще всего: разработка (1).",
        "Реже передавать дальше: без эскалации 0\u00a0%. Главная причина: баг (1).",
        "Записывать решения: без записи закрыто 1\u00a0обращение.",
    )


@pytest.mark.parametrize(
    ("reasons", "why"),
    [
        ((("разработка", 9), ("другое", 4)), " Чаще всего: разработка (9)."),
        ((("другое", 17), ("нет ответа", 4), ("ждали контроллер", 1)), " Причина чаще всего не указана."),
        ((("нет ответа", 30), ("разработка", 9)), " Чаще всего: разработка (9)."),
        ((("инженер", 2), ("разработка", 2)), ""),
        ((("нет ответа", 30),), ""),
    ],
)
def test_advice_names_a_reason_only_when_it_leads(reasons: tuple[tuple[str, int], ...], why: str) -> None:
    late = closed(solve_outcome=BREACHED, documented=True)
    sentences = advice(figures([late]), Review(late_reasons=reasons))

    assert sentences == (f"Сократить просрочки решения: 1\u00a0обращение за месяц.{why}",)


def test_escalations_without_a_reason_have_no_main_one() -> None:
    handed = [closed(n, documented=True, escalated_at=at("24.11 11:00")) for n in (1, 2)]
    bug = closed(3, documented=True, escalated_at=at("24.11 11:00"), escalation_reason="bug")
    sentences = advice(figures([*handed, bug]), reviewed(*handed, bug))

    assert sentences == ("Реже передавать дальше: без эскалации 0\u00a0%. Причина чаще всего не указана.",)


def test_nothing_missed_needs_no_advice() -> None:
    assert advice(figures([closed(documented=True)]), Review()) == ()
