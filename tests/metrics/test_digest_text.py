from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from app.metrics.digest import Digest, Freshness
from app.metrics.digest_text import _named_topic, digest_text
from app.metrics.periods import Period, PeriodKind, period_of
from app.metrics.picture import _counts
from app.metrics.wording import agent_name, visible
from app.model import Area, State, TicketClass
from app.words import NBSP
from tests.metrics.example import example, ticket
from tests.metrics.outcomes import BREACHED, IVANOVA, at, closed, outcome, replied, solved

WEEK = Period(PeriodKind.WEEK, date(2026, 11, 16), date(2026, 11, 22))
MONTH = Period(PeriodKind.MONTH, date(2026, 11, 1), date(2026, 11, 30))
WEEKEND = Period(PeriodKind.DAY, date(2026, 11, 20), date(2026, 11, 22))
EXAMPLE = Path(__file__).parents[1] / "data" / "digest_day.txt"


def told(*outcomes: Any, tickets: Any = (), late: bool = False, **asked: Any) -> str:
    digest = example(outcomes, tickets, **asked)
    return digest_text(digest, "Поддержка", late=late).replace(NBSP, " ")


def test_the_example_reads_as_agreed() -> None:
    assert digest_text(example(), "Поддержка").replace(NBSP, " ") == EXAMPLE.read_text("utf-8").rstrip("\n")


def test_lines_fit_a_phone() -> None:
    lines = digest_text(example(), "Поддержка", lambda ref: f"https://portal.example/crm/{ref.id}/").split(
        "\n"
    )

    assert max(map(visible, lines)) <= 50
    assert sum(visible(line) <= 38 for line in lines) >= 0.85 * len(lines)


def test_tickets_link_their_cards() -> None:
    text = digest_text(example(), "Поддержка", lambda ref: f"https://portal.example/{ref.id}")

    assert "[url=https://portal.example/4127]№4127[/url] КПП-2" in text


def test_a_digest_sent_late_says_so() -> None:
    assert "Отправлено позже срока, в 09:05" in told(late=True)


def test_monday_tells_which_days_it_covers() -> None:
    text = told(period=WEEKEND, now="23.11 09:05", fresh=Freshness(at("23.11 09:04")))

    assert text.startswith("📋 Поддержка: понедельник 23.11\n")
    assert "пятница 20.11 – воскресенье 22.11\n(2 сотрудника, норма 28–30)" in text


def test_days_off_alone_ask_for_no_norm() -> None:
    """The desk's first day with the service was a Saturday."""
    digest = first_weekend()
    text = digest_text(digest, "Поддержка").replace(NBSP, " ")
    assert "\n(2 сотрудника)\n" in text
    assert "База знаний: 0 обновлений\n" in f"{text}\n"
    sheet = MagicMock()
    _counts(digest).draw(sheet, 0)
    assert [each for each in sheet.text.call_args_list if "норма" in each.args[2]] == []


def first_weekend() -> Digest:
    digest = example([], [], period=WEEKEND, now="23.11 09:05", fresh=Freshness(at("23.11 09:04")))
    return replace(digest, office=replace(digest.office, since=date(2026, 11, 21)))


def test_a_quiet_morning() -> None:
    text = told(agents=1)

    assert "🟢 Ничего не горит" in text
    assert "Просрочек нет" in text
    assert "истекает" not in text
    assert "(1 сотрудник, норма 14–15)" in text


def test_nothing_to_divide_is_no_data() -> None:
    text = told()

    assert "Ответ в срок: нет данных" in text
    assert "Обычно отвечали: нет данных" in text
    assert "Подтвердили клиенты: нет данных" in text
    assert "%" not in text


def test_small_numbers_are_fractions() -> None:
    tickets = [replied(n, when="23.11 12:00", received_at=at("23.11 11:00")) for n in (1, 2, 3)]
    missed = outcome(4, reply_outcome=BREACHED, reply_outcome_at=at("23.11 12:00"))

    assert "Ответ в срок 3 из 4 ▼ норма 95" in told(*tickets, missed)


def test_a_goal_kept_points_up() -> None:
    tickets = [solved(n, when="23.11 12:00", received_at=at("23.11 11:00")) for n in range(5)]

    assert "Решение в срок 100 % (5 из 5) ▲ 95" in told(*tickets)


def test_unread_data_is_no_zero() -> None:
    text = told(fresh=Freshness(at("23.11 18:40"), trouble="портал не отвечает с 18:41"))

    assert "🔴 Горит: нет данных" in text
    assert "ВЧЕРА (2 сотрудника, норма 28–30)\nнет данных" in text
    assert "⚠ Данные не прочитаны: портал не отвечает с 18:41" in text
    assert "Поступило" not in text


def test_yesterday_is_told_even_if_the_portal_went_away_this_morning() -> None:
    text = told(fresh=Freshness(at("24.11 08:00"), trouble="портал не отвечает с 08:01"))

    assert "🔴 Горит: нет данных" in text
    assert "Поступило 0" in text


def test_nothing_was_ever_read() -> None:
    assert "⚠ Данных ещё нет" in told(fresh=Freshness(None))


@pytest.mark.parametrize(
    ("fresh", "line"),
    [
        (Freshness(at("24.11 09:04")), "Данные на 09:04, прочитано всё."),
        (Freshness(at("24.11 08:49")), "⚠ Данные на 08:49, прочитано всё."),
        (Freshness(at("23.11 18:00")), "⚠ Данные на 23.11 18:00, прочитано всё."),
        (Freshness(at("24.11 09:04"), unread=3), "Данные на 09:04, не прочитано: 3 обращения."),
    ],
)
def test_the_last_line_tells_the_datas_age(fresh: Freshness, line: str) -> None:
    assert told(fresh=fresh).split("\n")[-1] == line


def test_strangers_text_is_masked_and_harmless() -> None:
    stranger = ticket(due="24.11 09:00", title="[b]Звоните[/b] +7 912 345-67-89 a@b.ru")
    text = told(tickets=[stranger])

    assert "912" not in text
    assert "@b.ru" not in text
    assert "[b]" not in text


def test_a_long_list_is_cut() -> None:
    text = told(tickets=[ticket(n, "24.11 09:00") for n in range(1, 9)])

    assert "🔴 ГОРИТ: 8" in text
    assert "  и ещё 3" in text


def test_a_persons_reason_is_told() -> None:
    late = outcome(solve_outcome=BREACHED, solve_outcome_at=at("23.11 17:00"), breach_reason="ждали договор")

    assert "(ещё открыто, ждали договор)" in told(late)


def test_a_long_reason_and_a_long_wait_have_lines_of_their_own() -> None:
    late = solved(
        received_at=at("23.11 09:00"),
        when="23.11 17:15",
        solve_outcome=BREACHED,
        solve_outcome_at=at("23.11 16:00"),
        breach_reason="Ждали замену контроллера со склада",
    )
    waits = ticket(
        41, "23.11 13:22", state=State.ESCALATED, escalation_level=1, escalated_at=at("23.11 10:00")
    )
    text = told(late, tickets=[waits])

    assert "решение +1 ч 15 мин\n    (Ждали замену контроллера со склада)\n" in text
    assert "  просрочено с 23.11 13:22,\n  ждёт вас 8 ч 5 мин\n" in text


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ({7: "Иванова А.", 8: "Петров И."}, "Иванова"),
        ({7: "Иванова А.", 8: "Иванова О."}, "Иванова А."),
        ({}, "сотрудник 7"),
    ],
)
def test_a_family_name_is_enough_unless_shared(names: dict[int, str], shown: str) -> None:
    assert agent_name(7, names) == shown


@pytest.mark.parametrize(
    ("area", "lines"),
    [
        ("Пропуска", ["Повторяется: «Пропуска» —"]),
        (
            "Контроллеры и оборудование (PASS24.control)",
            ["Повторяется:", "  «Контроллеры и оборудование» —"],
        ),
    ],
)
def test_a_long_topic_has_its_own_line(area: str, lines: list[str]) -> None:
    assert list(_named_topic(area)) == lines


def week_tickets() -> list[Any]:
    late: dict[str, Any] = {
        "solve_outcome": BREACHED,
        "solve_outcome_at": at("18.11 15:00"),
        "object": "ЖК «Сосны»",
    }
    tickets = [
        closed(n, received_at=at("17.11 10:00"), when="18.11 17:00", solved_at=at("18.11 16:00"), **late)
        for n in range(1, 4)
    ]
    return [*tickets, solved(9, received_at=at("10.11 10:00"), when="11.11 12:00")]


def test_a_week_is_compared_with_the_one_before() -> None:
    text = told(*week_tickets(), period=WEEK)

    assert text.startswith("📋 Поддержка: неделя 16.11 – 22.11\nПоступило 3 (было 1)")
    assert "Просрочки: другое 3" in text
    assert "Объекты: ЖК «Сосны» 3" in text
    assert "«Решено» — по последнему решению" in text


def test_a_week_says_what_was_recounted() -> None:
    back = solved(received_at=at("17.11 10:00"), when="18.11 10:00", reopened_at=(at("19.11 10:00"),))

    assert "Пересчитано: 1 (вернули в работу)" in told(back, period=WEEK)


def test_an_unread_week_is_no_zero() -> None:
    text = told(period=WEEK, fresh=Freshness(at("20.11 18:00")))

    assert "Показатели: нет данных" in text
    assert "Поступило" not in text


def test_a_quiet_month_has_no_two_empty_lines() -> None:
    quiet: dict[str, Any] = {"period": MONTH, "now": "01.12 10:00", "fresh": Freshness(at("01.12 09:59"))}

    assert "\n\n\n" not in told(**quiet)
    assert "\n\n\n" not in told(*week_tickets(), **quiet)


def test_long_lines_of_a_month_are_broken() -> None:
    area, client = Area.CONTROLLER_HW, "Ждали замену контроллера со склада подрядчика"
    old: dict[str, Any] = {"received_at": at("27.10 10:00"), "object": "Бизнес-центр «Высота на набережной»"}
    late: dict[str, Any] = {"solve_outcome": BREACHED, "solve_outcome_at": at("29.10 17:30")}
    before = [closed(n, area=area, when="29.10 17:00", solved_at=at("29.10 16:00"), **old) for n in range(7)]
    tickets = [
        closed(n, area=area, **{**old, **_NOVEMBER}, class_auto=TicketClass.CONSULTATION, agent=IVANOVA)
        for n in range(11, 18)
    ]
    tickets[0] = replace(tickets[0], **{**late, "solve_outcome_at": at("17.11 17:00")}, breach_reason=client)
    text = told(*before, *tickets, period=MONTH, now="01.12 10:00", fresh=Freshness(at("01.12 09:59")))

    assert [line for line in text.split("\n") if len(line) > 38] == []
    assert "Исправлен класс:\n  Консультация → Стандартное 7" in text
    assert "Темы: Контроллеры и оборудование 7" in text


_NOVEMBER: dict[str, Any] = {
    "received_at": at("17.11 10:00"),
    "when": "18.11 17:00",
    "solved_at": at("18.11 16:00"),
    "first_solved_at": at("18.11 16:00"),
}


def test_ages_of_the_queue_are_told_with_their_unit() -> None:
    assert "до 1 дня — 0" in told(period=WEEK)
    assert "дольше 5 дней — 0" in told(period=WEEK)


def test_an_overall_share_of_a_person_is_called_so() -> None:
    tickets = [replace(it, agent=IVANOVA, solve_agent=IVANOVA) for it in week_tickets()[:3]]
    month = told(*tickets, period=MONTH, now="01.12 10:00", fresh=Freshness(at("01.12 09:59")))

    assert "Иванова: решено 3, всё в срок 0 из 3" in month


@pytest.mark.parametrize("kind", PeriodKind)
def test_a_period_before_the_service_was_not_counted(kind: PeriodKind) -> None:
    usual = example([], [], period=period_of(kind, date(2026, 10, 6), example().office.calendar))
    text = digest_text(_since(usual, date(2026, 11, 20)), "Поддержка")

    assert "Служба тогда ещё не считала:\n  учёт идёт с 20.11.2026" in text
    assert "Поступило" not in text
    assert "Просрочек нет" not in text


def test_a_period_in_which_the_service_began_is_counted() -> None:
    week = _since(example(period=WEEK), date(2026, 11, 20))

    assert "Поступило 21" in digest_text(week, "Поддержка")


def _since(digest: Digest, day: date) -> Digest:
    return replace(digest, office=replace(digest.office, since=day))


def test_a_month_says_what_to_change() -> None:
    text = told(*week_tickets(), period=MONTH, now="01.12 10:00", fresh=Freshness(at("01.12 09:59")))

    assert text.startswith("📋 Поддержка: ноябрь 2026")
    assert "Что изменить:\n• Сократить просрочки решения:\n  3 обращения" in text


def test_marks_come_with_n_and_coverage() -> None:
    marked = [solved(n, received_at=at("17.11 10:00"), when="18.11 10:00", csat=4) for n in (1, 2)]
    silent = solved(3, received_at=at("17.11 10:00"), when="18.11 10:00")

    assert "Оценка клиентов 4 (2 оценки из 3)" in told(*marked, silent, period=WEEK)
