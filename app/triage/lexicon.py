"""The word families of the classifier, read from the TOML files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from app.triage.patterns import Matcher, Phrase, phrases_of
from app.triage.text import mender

FAMILY_FILES = ("emergency.toml", "mitigation.toml", "requests.toml", "not_tickets.toml")
AREAS_FILE = "areas.toml"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What `classify` knows of words."""

    matcher: Matcher
    mended: Callable[[str], str]


@cache
def lexicon() -> Lexicon:
    """Read once. Raises LexiconFault when a phrase cannot be read."""
    tables = [_table(name) for name in FAMILY_FILES]
    groups = {name: text for table in tables for name, text in table.get("groups", {}).items()}
    phrases = [
        phrase
        for table in tables
        for family, text in table.get("families", {}).items()
        for phrase in phrases_of(family, text, groups)
    ]
    matcher = Matcher([*phrases, *_area_phrases(groups)])
    right = [word for table in tables for word in table.get("typos", {}).get("words", "").split()]
    return Lexicon(matcher, mender(tuple(right), matcher.knows))


def _area_phrases(groups: dict[str, str]) -> list[Phrase]:
    """Families `area:<code>:strong` and `area:<code>:weak`."""
    return [
        phrase
        for code, words in _table(AREAS_FILE).items()
        for weight, text in words.items()
        for phrase in phrases_of(f"area:{code}:{weight}", text, groups)
    ]


def _table(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__package__).joinpath(name).read_text(encoding="utf-8"))
