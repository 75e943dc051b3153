from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from openpyxl import load_workbook

from app.metrics.digest import Freshness
from app.metrics.sheet import sheet_of
from app.model import Outcome
from tests.metrics.example import example, example_outcomes
from tests.metrics.outcomes import BREACHED, at, outcome, solved


def book_of(outcomes: Iterable[Outcome], **asked: Any) -> Any:
    every = list(outcomes)
    made = sheet_of(
        example(every, [], **asked), every, "Поддержка", lambda ref: f"https://portal.example/{ref.id}/"
    )
    return load_workbook(io.BytesIO(made))


def rows(sheet: Any) -> list[dict[str, Any]]:
    heads, *others = sheet.iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in others]


def monday(number: int = 41, **changes: Any) -> Outcome:
    return outcome(number, **{"received_at": at("23.11 10:00"), **changes})


def test_three_sheets() -> None:
    assert book_of(example_outcomes()).sheetnames == ["Показатели", "Обращения", "Просрочки"]


def test_figures_with_parts_and_goal() -> None:
    sheet = book_of(example_outcomes())["Показатели"]
    found = {row[0]: row for row in sheet.iter_rows(min_row=5, values_only=True)}
    reply = found["Соблюдение SLA по первому ответу"]

    assert sheet["A1"].value == "Поддержка: понедельник 23.11"
    assert (reply[1], reply[5], reply[6], reply[8]) == (0.9375, 15, 16, "▼ хуже нормы")
    assert found["Поступило"][1:5] == (16, 1, 11, 4)


def test_unread_figures_are_no_zeros() -> None:
    sheet = book_of([], fresh=Freshness(at("23.11 18:00")))["Показатели"]

    assert {row[1] for row in sheet.iter_rows(min_row=5, values_only=True)} == {"нет данных"}


def test_a_title_never_becomes_a_formula_or_link() -> None:
    titles = ["=cmd|'/c calc'!A1", "+1+1", "@SUM(A1)", "https://evil.example/"]
    sheet = book_of([monday(n, title=title) for n, title in enumerate(titles)])["Обращения"]
    cells = [cell for (cell,) in sheet.iter_rows(min_row=2, min_col=2, max_col=2)]

    assert [cell.value for cell in cells] == titles
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.hyperlink for cell in cells} == {None}


def test_personal_data_is_masked() -> None:
    (row,) = rows(book_of([monday(title="Звонит +7 912 345-67-89", object="кв. 5, a@b.ru")])["Обращения"])

    assert "912" not in row["Тема"]
    assert "a@b.ru" not in row["Объект"]


def test_times_are_local_without_seconds() -> None:
    (row,) = rows(book_of([monday(received_at=at("23.11 10:00").replace(second=59))])["Обращения"])

    assert row["Поступило"].isoformat() == "2026-11-23T10:00:00"


def test_numbers_open_the_card() -> None:
    sheet = book_of([monday(41)])["Обращения"]

    assert (sheet["A2"].value, sheet["A2"].hyperlink.target) == ("41", "https://portal.example/41/")


def test_tickets_are_those_of_the_period_or_still_open() -> None:
    before = solved(1, received_at=at("19.11 10:00"), when="20.11 10:00")
    waiting = outcome(2, received_at=at("19.11 10:00"))
    uncounted = monday(4, counted=False)

    found = rows(book_of([before, waiting, monday(3), uncounted])["Обращения"])

    assert [row["№"] for row in found] == ["2", "3"]


def test_each_missed_deadline_has_its_row() -> None:
    late = monday(
        reply_outcome=BREACHED,
        reply_outcome_at=at("23.11 14:00"),
        first_reply_at=at("23.11 14:12"),
        solve_outcome=BREACHED,
        solve_outcome_at=at("23.11 17:00"),
    )
    found = rows(book_of([late])["Просрочки"])

    assert [(row["Срок"], row["Опоздание"]) for row in found] == [
        ("первый ответ", timedelta(minutes=12)),
        ("решение", timedelta(hours=1, minutes=5)),
    ]


def test_lengths_are_numbers_that_can_be_summed() -> None:
    done = [solved(n, received_at=at("20.11 10:00"), when="23.11 16:00", minutes=600 * n) for n in (1, 2)]
    book = book_of(done)
    lengths = [cell for row in book["Обращения"].iter_rows(min_row=2) for cell in row if cell.is_date]

    assert [row["Время решения"] for row in rows(book["Обращения"])] == [
        timedelta(hours=10),
        timedelta(hours=20),
    ]
    assert '[h]" ч "mm" мин"' in {cell.number_format for cell in lengths}
    found = {row[0]: row[1] for row in book["Показатели"].iter_rows(min_row=5, values_only=True)}
    assert found["Медиана решения"] == timedelta(hours=15)


def test_whole_numbers_have_no_comma_behind_them() -> None:
    sheet = book_of(example_outcomes())["Показатели"]
    formats = {row[0].value: [cell.number_format for cell in row] for row in sheet.iter_rows(min_row=5)}

    assert set(formats["Поступило"][1:6]) == {"0"}
    assert formats["Очередь, дней работы"][1] == "0.0"
    assert formats["Соблюдение SLA по первому ответу"][5:7] == ["0", "0"]


def test_the_same_digest_is_the_same_file() -> None:
    digest, every = example(), example_outcomes()

    assert sheet_of(digest, every, "Поддержка") == sheet_of(digest, every, "Поддержка")
