"""Figures, times and strangers' texts as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from app import words
from app.model import Area, SlaState, State, TicketClass

MOSCOW = timezone(timedelta(hours=3))


@pytest.mark.parametrize(
    ("length", "workday", "shown"),
    [
        (timedelta(minutes=135), None, "2 ч 15 мин"),
        (timedelta(hours=12), words.WORKDAY, "1 раб. дн. 3 ч"),
        (timedelta(hours=9), words.WORKDAY, "1 раб. дн."),
        (timedelta(seconds=59), None, "0 мин"),
        (timedelta(minutes=105, seconds=59), None, "1 ч 45 мин"),
    ],
)
def test_lengths_are_floored_to_minutes(length: timedelta, workday: timedelta | None, shown: str) -> None:
    assert words.duration(length, workday) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "1 обращение"), (2, "2 обращения"), (5, "5 обращений"), (11, "11 обращений"), (21, "21 обращение"),
     (112, "112 обращений")],
)  # fmt: skip
def test_counts_agree_with_their_noun(count: int, shown: str) -> None:
    assert words.tickets(count).replace(words.NBSP, " ") == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(0.964, "96,4 %"), (1.0, "100 %"), (0.0, "0 %"), (None, "нет данных")]
)
def test_shares_have_a_comma_and_no_data_is_no_zero(share: float | None, shown: str) -> None:
    assert words.percent(share).replace(words.NBSP, " ") == shown


def test_moments_are_local_and_todays_show_only_the_hour() -> None:
    at = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)
    assert words.moment(at, MOSCOW) == "25.11.2026 00:30"
    assert words.moment_short(at, MOSCOW, date(2026, 11, 25)) == "00:30"
    assert words.moment_short(at, MOSCOW, date(2026, 11, 24)) == "25.11 00:30"


@pytest.mark.parametrize(
    "text",
    ["+7 (900) 000-33-44", "8 900 000 33 44", "89000003344", "+375 29 000-33-44", "guard@example.ru",
     "тел.+79000003344,"],
)  # fmt: skip
def test_phones_and_mail_addresses_are_hidden(text: str) -> None:
    hidden = words.masked(f"пишите {text} срочно")
    assert "33" not in hidden
    assert "guard" not in hidden


@pytest.mark.parametrize(
    "text", ["КПП-2 не открывается", "А777АА 177", "заявка 4127, кв. 118", "24.11.2026 14:00"]
)
def test_what_is_no_phone_stays(text: str) -> None:
    assert words.masked(text) == text


def test_codes_of_a_stranger_do_not_come_alive() -> None:
    assert "[b]" not in words.plain("[b]Пожар[/b]")
    assert words.unlinked(words.plain("[b]Пожар[/b]")) == "[b]Пожар[/b]"  # a person reads what was typed


def test_long_titles_are_cut_at_a_word() -> None:
    assert words.short("Шлагбаум на въезде не открывается", 20) == "Шлагбаум на въезде…"


@pytest.mark.parametrize(
    ("labels", "codes"),
    [(words.CLASS, TicketClass), (words.AREA, Area), (words.STATE, State), (words.SLA_STATE, SlaState)],
)
def test_every_code_has_a_label(labels: words.Labels, codes: type) -> None:
    assert set(labels) == {code.value for code in codes}  # type: ignore[attr-defined]
