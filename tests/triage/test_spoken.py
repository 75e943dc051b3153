"""What is left of a message when mark-up, older letters and signatures are gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.triage import spoken_text

OWN = "Не приходит код."


@pytest.mark.parametrize(
    "text",
    [
        "<div>Не приходит код.</div><br>",
        "[b]Не приходит[/b] код.",
        "[QUOTE]Шлагбаум стоит[/QUOTE]Не приходит код.",
        "Не приходит код.\n\n> Авария, весь двор стоит",
        "Не приходит код.\n12.11.2026 10:00, Поддержка пишет:\nАвария",
        "Не приходит код.\nOn Mon, 12 Nov 2026 Support wrote:\nгорит",
        "Не приходит код.\n-----Original Message-----\nFrom: a\nШлагбаум",
        "Не приходит код.\n\nС уважением,\nотдел аварийных служб",
        "Не приходит код. С уважением, диспетчер аварийной службы",
        "Не приходит код.\n-- \nАварийная служба, 112",
        "Не приходит код.\nДанное сообщение содержит конфиденциальные сведения о пожарах",
        "Не приходит код.\nОтправлено из Яндекс Почты",
    ],
)
def test_only_the_new_words_stay(text: str) -> None:
    assert spoken_text(text).strip() == OWN


def test_a_forwarded_letter_is_the_request_itself() -> None:
    text = "См. ниже\n-----Пересылаемое сообщение-----\nВорота не закрываются"
    assert "не закрываются" in spoken_text(text)


def test_a_postscript_survives_the_signature() -> None:
    text = "Нужен акт.\nС уважением, Анна\nP.S. Ворота не закрываются"
    assert "не закрываются" in spoken_text(text)


def test_a_letter_of_quotes_alone_is_kept() -> None:
    assert "стоит" in spoken_text("> шлагбаум стоит")


@given(st.text(max_size=300))
def test_nothing_is_invented_and_nothing_fails(text: str) -> None:
    assert len(spoken_text(text)) <= max(len(text), 1) * 2
