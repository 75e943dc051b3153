"""The classifier as a whole: traps of domain.md 3.2, shape of the verdict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.model import Area, TicketClass
from app.triage import VERSION, classify

E, S, C, N = TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION, TicketClass.NOT_TICKET


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Подскажите, как открыть шлагбаум с телефона?", C),
        ("Не могу войти в приложение", S),
        ("Не могу войти в подъезд", E),
        ("Ворота открыты настежь и не закрываются", E),
        ("Как открыть ворота?", C),
        ("СРОЧНО! Скидка 30% на камеры, успейте до пятницы, акция", N),
        ("Никто не застрял, но домофон плохо слышно", S),
        ("Bcex жильцoв нe пycкaeт, кaлиткa нe oткpывaeтcя", E),
        ("ne mogu vyehat, vorota ne otkryvayutsya", E),
        ("Вчера не пускало во двор, сейчас всё открывается. Разберитесь", S),
        ("Что делать, если шлагбаум не откроется?", C),
        ("Шлагбаум не открывается, охрана открывает вручную", S),
        ("здравствуйте это диспетчер у нас ни у кого не открывается калитка все жители стоят", E),
        ("СКОЛЬКО МОЖНО!!! НЕ ПРИХОДИТ КОД!!!", S),
    ],
)
def test_traps(text: str, value: TicketClass) -> None:
    assert classify([text], "email").value is value


def test_the_reason_quotes_the_writer_in_one_line() -> None:
    assert classify(["Мы не можем\nвыехать со двора"], "telegram").why == "E2: «не можем выехать»"


def test_a_text_without_signs_is_standard_and_unsure() -> None:
    verdict = classify([], "email")
    assert (verdict.value, verdict.sure, verdict.area) == (S, False, Area.OTHER)


def test_low_confidence_takes_the_higher_class() -> None:
    verdict = classify(["Шлагбаум не поднимается"], "telegram")
    assert verdict.value is E
    assert not verdict.sure


def test_the_title_is_read_too() -> None:
    assert classify(["Дверь не закрывается, заходят посторонние", "см. тему"], "email").value is E


def test_other_topics_are_quoted() -> None:
    verdict = classify(["Не приходит смс с кодом. И ещё, как добавить пропуск на такси?"], "email")
    assert verdict.value is S
    assert "пропуск на такси" in verdict.other_topics


def test_a_letter_cannot_lower_a_class_by_its_quotes() -> None:
    letter = "Не можем выехать!\n\n12.11.2026 09:10, Поддержка пишет:\n> Всё уже работает"
    assert classify([letter], "email").value is E


def test_a_call_is_never_advertising() -> None:
    text = "Предлагаем скидки и выгодные кредиты"
    assert classify([text], "email").value is N
    assert classify([text], "call").value is not N


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("Вижу чужие пропуска и телефоны соседей", "dev"),
        ("Считыватель на калитке сломался, хожу через соседний вход", "engineer"),
        ("Не пришёл акт, напишу в прокуратуру, примите претензию", "head"),
        ("Как оформить пропуск?", ""),
    ],
)
def test_whom_a_ticket_may_need(text: str, whom: str) -> None:
    assert classify([text], "email").escalate_to == whom


@given(st.lists(st.text(max_size=200), max_size=3), st.sampled_from(["email", "call", ""]))
def test_any_text_gets_a_verdict(texts: list[str], channel: str) -> None:
    verdict = classify(texts, channel)
    assert 0 <= verdict.confidence <= 1
    assert verdict.version == VERSION
    assert "\n" not in verdict.why
    assert len(verdict.why) < 80


@given(st.text(alphabet="абв не!?. ", max_size=60))
def test_the_same_text_gets_the_same_verdict(text: str) -> None:
    assert classify([text], "email") == classify((text,), "email")
