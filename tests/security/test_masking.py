"""Phones, e-mail addresses and cards are hidden however people write them; what is none of these stays."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import words

GAPS = st.sampled_from(["", " ", "-", ".", "\u00a0", "\u2011", "–", " - "])
PREFIX = st.sampled_from(["+7", "8", "7", "+7 ", "8-", "8 "])
AROUND = st.sampled_from(["", "тел.", "тел", "звоните ", "(", "«", "\n"])
DIGITS = st.text("0123456789", min_size=10, max_size=10).filter(lambda text: len(set(text)) > 3)
SHAPES = st.sampled_from(
    [(3, 3, 2, 2), (3, 3, 4), (3, 7), (4, 2, 2, 2), (5, 1, 2, 2), (3, 1, 2, 2, 2), (10,)]
)


def grouped(digits: str, shape: tuple[int, ...], gap: str, *, bracket: bool) -> str:
    parts, rest = [], digits
    for length in shape:
        parts.append(rest[:length])
        rest = rest[length:]
    if bracket:
        parts[0] = f"({parts[0]})"
    return gap.join(parts)


def left_of(digits: str, text: str) -> int:
    """The longest run of the secret's digits that can still be read."""
    shown = re.sub(r"\D", "", text)
    lengths = range(1, len(digits) + 1)
    runs = {n: [digits[k : k + n] for k in range(len(digits) - n + 1)] for n in lengths}
    return max((n for n in lengths if any(run in shown for run in runs[n])), default=0)


@given(PREFIX, DIGITS, SHAPES, GAPS, st.booleans(), AROUND)
def test_a_phone_is_hidden_in_every_way_of_writing(
    prefix: str, digits: str, shape: tuple[int, ...], gap: str, bracket: bool, around: str
) -> None:
    written = f"{around}{prefix}{grouped(digits, shape, gap, bracket=bracket)}"
    assert left_of(digits, words.masked(f"{written}, перезвоните")) <= 1


@given(st.from_regex(r"[a-z0-9][a-z0-9._+-]{0,20}@[a-z0-9-]{1,20}(\.[a-z]{2,10}){1,2}", fullmatch=True))
def test_an_address_is_hidden(address: str) -> None:
    assert address not in words.masked(f"пишите на {address}, жду")
    assert "@•••" in words.masked(f"<{address}>")


def with_check_digit(digits: str) -> str:
    return next(number for last in "0123456789" if words._is_card(number := digits + last))


@given(st.text("0123456789", min_size=15, max_size=15), st.sampled_from(["", " ", "-"]))
def test_a_card_is_hidden(digits: str, gap: str) -> None:
    card = with_check_digit(f"4{digits[1:]}")
    shown = words.masked(f"карта {gap.join(re.findall('....', card))} списание")
    assert left_of(card, shown) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "КПП-2 не открывается с 8 до 12", "А777АА 177", "заявка 4127, кв. 118", "24.11.2026 14:00",
        "7.11.2026 12.30", "2026-11-24 09:15:00", "договор 12/2026-8", "заказ 4111 1111 1111 1112",
        "192.168.10.12:8080", "этажи 1-2-3", "8-00 до 9-00", "24-11-26", "ЖК «Тихий берег», корп. 7",
    ],
)  # fmt: skip
def test_what_is_nobodys_number_stays(text: str) -> None:
    assert words.masked(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "(495) 333-33-33", "900-000-33-33", "333-33-33", "9000003333",
        "+44 20 7946 3333", "+375 (29) 000-33-33",
        "guard33@почта.рф", "g.u+33@mail.example.ru",
    ],
)  # fmt: skip
def test_other_forms_are_hidden_too(text: str) -> None:
    assert "33" not in words.masked(f"связь: {text}.")


@given(st.text(max_size=200))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = words.masked(text)
    assert words.masked(once) == once


def test_a_long_text_is_masked_in_one_pass() -> None:
    """No form may look back and forth: every one is bounded."""
    assert words.masked("8" * 20000 + " (" * 20000 + "9" * 20000) is not None
