"""Phrases over words: the small language of the lexicon files and its matcher.

A phrase is a row of items: `word` (exact), `stem*` (any ending), `a|b*` (either), `{group}` (any word of
the group), `#` (a number; `##` of two digits or more), `..` (up to three words between, none of them a
negation). Phrases stand on lines or are parted by `;`. Case, ё, й, soft and hard signs do not matter.
A phrase right after «не» is not counted, unless it begins with a negation itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import lru_cache

GAP = 3  # words that may stand in the place of `..`
NEGATIONS = frozenset({"не", "ни", "нет"})
HARD = str.maketrans({"ъ": None, "ь": None, "-": None, "'": None, "’": None, "ʼ": None, "й": "и"})


class LexiconFault(ValueError):
    """A phrase of the lexicon cannot be read; the text says which."""


@dataclass(frozen=True, slots=True)
class Item:
    """One place of a phrase."""

    exact: frozenset[str]
    stems: tuple[str, ...]
    digits: int = 0  # a number of so many digits at least; 0: no number stands here
    after_gap: bool = False

    def fits(self, key: str) -> bool:
        """Does this word stand here?"""
        number = 0 < self.digits <= len(key) and key.isdigit()
        return number or key in self.exact or key.startswith(self.stems)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A row of items that tells its family's meaning."""

    family: str
    items: tuple[Item, ...]
    negated: bool  # begins with a negation of its own, so one before it changes nothing


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found: words [first, last] of its sentence."""

    family: str
    first: int
    last: int


def key_of(word: str) -> str:
    """The form in which words are compared: soft and hard signs and hyphens away, й as и."""
    return word.translate(HARD)


class Matcher:
    """All phrases of a lexicon, found by the first letters of their first item."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_word: dict[str, list[Phrase]] = defaultdict(list)
        self._by_letters: dict[str, list[Phrase]] = defaultdict(list)
        self._by_number: list[Phrase] = []
        self._known: set[str] = set()
        self._stems: set[str] = set()
        for phrase in phrases:
            self._file(phrase)
        self._starting_with = lru_cache(maxsize=20_000)(self._phrases_from)

    def _file(self, phrase: Phrase) -> None:
        first = phrase.items[0]
        for word in first.exact:
            self._by_word[word].append(phrase)
        for letters in {stem[:2] for stem in first.stems}:
            self._by_letters[letters].append(phrase)
        if first.digits:
            self._by_number.append(phrase)
        for item in phrase.items:
            self._known |= item.exact
            self._stems.update(item.stems)

    def knows(self, key: str) -> bool:
        """Does any phrase have a place for this word?"""
        return key in self._known or any(key[:size] in self._stems for size in range(3, len(key) + 1))

    def hits(self, keys: Sequence[str], breaks: AbstractSet[int] = frozenset()) -> list[Hit]:
        """Every phrase found in one sentence, the shortest reading of each.

        `breaks`: words that stand after a comma; two neighbours of a phrase are not parted by one.
        """
        found: list[Hit] = []
        for start, key in enumerate(keys):
            denied = start > 0 and keys[start - 1] in NEGATIONS
            for phrase in self._starting_with(key):
                if denied and not phrase.negated:
                    continue
                end = _end(phrase.items, keys, breaks, start)
                if end is not None:
                    found.append(Hit(phrase.family, start, end))
        return found

    def _phrases_from(self, key: str) -> tuple[Phrase, ...]:
        alike = self._by_letters.get(key[:2], ())
        near = [phrase for phrase in alike if key.startswith(phrase.items[0].stems)]
        numbers = [phrase for phrase in self._by_number if phrase.items[0].fits(key)]
        return (*self._by_word.get(key, ()), *near, *numbers)


def _end(items: tuple[Item, ...], keys: Sequence[str], breaks: AbstractSet[int], start: int) -> int | None:
    """The last word of the phrase that begins at `start`; None if it is not there."""
    at = start
    for item in items[1:]:
        place = _place(item, keys, at + 1)
        if place is None or (not item.after_gap and place in breaks):
            return None
        at = place
    return at


def _place(item: Item, keys: Sequence[str], at: int) -> int | None:
    reach = GAP if item.after_gap else 0
    exact, stems = item.exact, item.stems
    for index in range(at, min(at + reach + 1, len(keys))):
        key = keys[index]
        if key in exact or key.startswith(stems) or (item.digits and item.fits(key)):
            return index
        if key in NEGATIONS:
            return None
    return None


def phrases_of(family: str, text: str, groups: Mapping[str, str]) -> list[Phrase]:
    """Read the phrases of one family."""
    written = (part.strip() for line in text.splitlines() for part in line.split(";"))
    return [_phrase(family, part, groups) for part in written if part]


def _phrase(family: str, text: str, groups: Mapping[str, str]) -> Phrase:
    items: list[Item] = []
    gap = False
    for place in text.split():
        if place == "..":
            gap = True
            continue
        items.append(_item(place, gap, groups))
        gap = False
    if not items or gap:
        raise LexiconFault(f"{family}: phrase {text!r} must begin and end with a word")
    return Phrase(family, tuple(items), not NEGATIONS.isdisjoint(items[0].exact))


def _item(place: str, gap: bool, groups: Mapping[str, str]) -> Item:
    choices: list[str] = []
    for choice in place.split("|"):
        choices += groups[choice.strip("{}")].split() if choice.startswith("{") else [choice]
    words = [_spelled(choice) for choice in choices if choice.strip("#*") == choice]
    stems = [_spelled(choice[:-1]) for choice in choices if choice.endswith("*")]
    if any(len(stem) < 2 for stem in stems) or not all(words):
        raise LexiconFault(f"{place!r}: stems have two letters at least, words one")
    return Item(frozenset(words), tuple(stems), max(choice.count("#") for choice in choices), gap)


def _spelled(word: str) -> str:
    return key_of(word.lower().replace("ё", "е"))
