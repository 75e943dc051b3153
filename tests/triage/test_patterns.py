"""The phrase language of the lexicon files."""

from __future__ import annotations

import pytest

from app.triage.patterns import LexiconFault, Matcher, key_of, phrases_of

GROUPS = {"entry": "ворот* калитк*"}


def found(phrase: str, text: str) -> bool:
    keys = [key_of(word) for word in text.split()]
    return bool(Matcher(phrases_of("family", phrase, GROUPS)).hits(keys))


@pytest.mark.parametrize(
    ("phrase", "text", "expected"),
    [
        ("ворот*", "у наших ворот стоим", True),
        ("ворота", "воротам", False),
        ("не .. открыва*", "не хочет совсем открываться", True),
        ("не .. открыва*", "не раз два три четыре открывается", False),
        ("не .. открыва*", "не вижу но не закрывается открываясь", True),
        ("застрял*", "никто не застрял", False),
        ("не застрял*", "никто не застрял", True),
        ("{entry} .. закрыт*", "калитка почему то закрыта", True),
        ("брать|взять карт*", "взять карту", True),
        ("## машин", "9 машин", False),
        ("## машин", "12 машин", True),
        ("подъезд*", "подезд", True),
    ],
)
def test_a_phrase_is_found(phrase: str, text: str, expected: bool) -> None:
    assert found(phrase, text) is expected


@pytest.mark.parametrize("phrase", ["..", "слово ..", "*", "а*"])
def test_a_phrase_that_cannot_be_read_is_named(phrase: str) -> None:
    with pytest.raises(LexiconFault):
        phrases_of("family", phrase, GROUPS)


def test_neighbours_are_not_parted_by_a_comma() -> None:
    matcher = Matcher(phrases_of("family", "само прошло", GROUPS))
    assert not matcher.hits(["само", "прошло"], frozenset({1}))
