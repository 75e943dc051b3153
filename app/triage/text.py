"""A message as sentences of words, each word with its key and its place in the text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from app.triage.folding import WORD, plain_words
from app.triage.patterns import key_of

SENTENCE_END = re.compile(r"[.!?…]+(?=\s|$|[А-ЯЁA-Z«\"(])|\n\s*\n|\n(?=\s*[^\sa-zа-яё])|;|[)(]{2,}")
BREAK = re.compile(r"[,:—–]|\s-\s")
DOTTED = re.compile(
    r"\b(?:тел|ул|кв|стр|корп|г|д|п|им|т\.\s?к|т\.\s?д|т\.\s?е|руб|мин|ч|см|эт|др|пр)\.$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: `keys` for the matcher, `places` in `text` for quoting."""

    text: str
    keys: tuple[str, ...]
    places: tuple[tuple[int, int], ...]
    breaks: frozenset[int]  # words after a comma, colon or dash
    asks: bool  # ends with a question mark

    def quote(self, first: int, last: int) -> str:
        """The words as the writer wrote them."""
        return self.text[self.places[first][0] : self.places[last][1]]


def sentences_of(text: str, mended: Callable[[str], str]) -> list[Sentence]:
    """Split into sentences; `mended` puts a mistyped key right."""
    plain = _spelled_out(text)
    made = (_sentence(text[start:end], plain, mended) for start, end in _bounds(text))
    return [sentence for sentence in made if sentence.keys]


def _bounds(text: str) -> list[tuple[int, int]]:
    bounds, start = [], 0
    for mark in SENTENCE_END.finditer(text):
        if mark[0] == "." and DOTTED.search(text, max(start, mark.end() - 6), mark.end()):
            continue
        bounds.append((start, mark.end()))
        start = mark.end()
    return [*bounds, (start, len(text))]


def _spelled_out(text: str) -> dict[str, str]:
    """Word as written → folded word; whether the text is transliterated is seen over the whole of it."""
    words = WORD.findall(text)
    return dict(zip(words, plain_words(words), strict=True))


def _sentence(text: str, plain: dict[str, str], mended: Callable[[str], str]) -> Sentence:
    found = list(WORD.finditer(text))
    keys = tuple(mended(key_of(plain[word[0]])) for word in found)
    places = tuple(word.span() for word in found)
    gaps = ((i, text[places[i - 1][1] : places[i][0]]) for i in range(1, len(places)))
    breaks = frozenset(i for i, gap in gaps if gap != " " and BREAK.search(gap))
    return Sentence(text, keys, places, breaks, "?" in text)


def mender(right_words: tuple[str, ...], known: Callable[[str], bool]) -> Callable[[str], str]:
    """A function that replaces an unknown long word by the right word one slip away («шлакбаум»)."""
    right = tuple(key_of(word) for word in right_words)

    @lru_cache(maxsize=20_000)
    def mended(key: str) -> str:
        if len(key) < 6 or not key.isalpha() or known(key):
            return key
        return _nearest(key, right) or key

    return mended


def _nearest(key: str, right: tuple[str, ...]) -> str | None:
    from rapidfuzz.distance import DamerauLevenshtein  # imported late: most texts need no mending

    for word in right:
        slips = 1 if len(word) < 9 else 2
        if DamerauLevenshtein.distance(key[: len(word) + 1], word, score_cutoff=slips) <= slips:
            return word
    return None
