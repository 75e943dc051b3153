"""Acknowledgements are whole messages, automatic texts are contained, thanks are nothing else."""

from __future__ import annotations

import pytest

from app.triage import is_acknowledgement, is_automatic, is_thanks

ACKNOWLEDGEMENTS = ("принято", "приняли в работу", "спасибо за обращение")
AUTOMATIC = ("ваше обращение зарегистрировано",)


@pytest.mark.parametrize("text", ["Принято!", "  ПРИНЯЛИ в работу… ", "<p>Спасибо за обращение</p>"])
def test_the_whole_message_is_an_acknowledgement(text: str) -> None:
    assert is_acknowledgement(text, ACKNOWLEDGEMENTS)


@pytest.mark.parametrize("text", ["Принято, перезагрузите контроллер", "Не принято", ""])
def test_more_than_the_phrase_is_a_reply(text: str) -> None:
    assert not is_acknowledgement(text, ACKNOWLEDGEMENTS)


def test_an_automatic_text_is_contained() -> None:
    assert is_automatic("Здравствуйте! Ваше обращение зарегистрировано, номер 5.", AUTOMATIC)


@pytest.mark.parametrize("text", ["Ваше обращение зарегистрированото", "Обращение ваше", ""])
def test_parts_of_words_and_other_texts_are_not_automatic(text: str) -> None:
    assert not is_automatic(text, AUTOMATIC)


def test_no_phrases_no_match() -> None:
    assert not is_acknowledgement("", ("", "!"))
    assert not is_automatic("текст", ("", "?"))


@pytest.mark.parametrize(
    "text", ["Спасибо!", "спс, всё заработало", "Благодарю за быстрый ответ", "Ок", "👍", "Понял, спасибо"]
)
def test_bare_thanks(text: str) -> None:
    assert is_thanks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Спасибо, но не работает",
        "Спасибо, а как удалить?",
        "Хорошо?",
        "Да",
        "",
        "Не помогло",
        "Спасибо за шлагбаум на голове",
    ],
)
def test_more_than_thanks(text: str) -> None:
    assert not is_thanks(text)


def test_thanks_of_the_rules_count_too() -> None:
    assert is_thanks("Дай Бог здоровья!", ("дай бог здоровья",))
