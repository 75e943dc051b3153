"""A text read through the lexicon: which families were found where, and what each is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from app.triage.lexicon import lexicon
from app.triage.patterns import Hit
from app.triage.text import Sentence, sentences_of

MASKS = {
    "login_fail": ("blocked",),
    "nobody_answers": ("crowd",),
    "not_found": ("fails", "blocked", "wrong"),
    "wish": ("action", "fails"),
    "whether": ("action",),
    "explain": ("action",),
    "vague": ("how", "may"),
    "guard_cannot": ("not_found",),
    "things_all": ("crowd",),
    "not_one": ("part_only",),
    "fine": ("fails", "trapped"),
}
"""A family on the left takes away the hits of those on the right that share words with it."""


@dataclass(frozen=True)
class Clause:
    """A sentence with its hits, masks applied."""

    sentence: Sentence
    hits: tuple[Hit, ...]

    def of(self, *families: str) -> list[Hit]:
        """Hits of these families."""
        return [hit for family in families for hit in self._by_family.get(family, ())]

    def has(self, *families: str) -> bool:
        """Is there any hit of these families?"""
        return not self._by_family.keys().isdisjoint(families)

    def quote(self, *hits: Hit) -> str:
        """The writer's words from the first hit to the last."""
        return self.sentence.quote(min(hit.first for hit in hits), max(hit.last for hit in hits))

    def real(self, *families: str) -> list[Hit]:
        """Hits that tell what is, not what might be («что делать, если …»)."""
        found = self.of(*families)
        edge = self.doubt_from if found else None
        return found if edge is None else [hit for hit in found if hit.first < edge]

    @cached_property
    def _by_family(self) -> dict[str, list[Hit]]:
        found: dict[str, list[Hit]] = {}
        for hit in self.hits:
            found.setdefault(hit.family, []).append(hit)
        return found

    @property
    def _asks_how(self) -> bool:
        """«Где посмотреть …?», but not «Как нам попасть домой?» of somebody who cannot."""
        return _early(self.of("howto"), 2) and not self.has("blocked", "fails")

    @cached_property
    def doubt_from(self) -> int | None:
        """Words from here on only suppose; None when all is said for a fact."""
        if self.has("on_the_spot"):
            return None
        if self.sentence.asks and (_early(self.of("may", "whether"), 3) or self._asks_how):
            return 0
        marks = self.of("hypothetical")
        if not marks:
            return None
        asked = self.sentence.asks and self.has("how", "may", "whether", "explain")
        whole = asked or _early(marks, 2)
        return 0 if whole else min(hit.first for hit in marks)


@dataclass(frozen=True)
class Reading:
    """All clauses of a text, the title first."""

    clauses: tuple[Clause, ...]

    def of(self, *families: str) -> list[tuple[Clause, Hit]]:
        """Every hit of these families with its clause."""
        if self.families.isdisjoint(families):
            return []
        return [(clause, hit) for clause in self.clauses for hit in clause.of(*families)]

    def real(self, *families: str) -> list[tuple[Clause, Hit]]:
        """Hits said for a fact, with their clauses."""
        if self.families.isdisjoint(families):
            return []
        return [(clause, hit) for clause in self.clauses for hit in clause.real(*families)]

    def has(self, *families: str) -> bool:
        """Is there any hit of these families in the text?"""
        return not self.families.isdisjoint(families)

    @cached_property
    def families(self) -> frozenset[str]:
        """All families that have a hit; most questions are answered by it at once."""
        return frozenset(hit.family for clause in self.clauses for hit in clause.hits)

    @cached_property
    def way_round(self) -> bool:
        """Somebody opens by hand, another entrance works."""
        return bool(self.real("workaround")) and not self.has("no_way_round")

    @cached_property
    def is_over(self) -> bool:
        """It was so and is no more: «сейчас всё открывается», unless it came again."""
        last = max((i for i, clause in enumerate(self.clauses) if clause.real("over")), default=None)
        return last is not None and not any(clause.has("again") for clause in self.clauses[last:])

    @cached_property
    def is_past(self) -> bool:
        """Told of a time gone by, with nothing that lasts until now."""
        return self.has("past_time") and not self.has("going_on", "on_the_spot", "again")


def read(texts: Sequence[str]) -> Reading:
    """Read cleaned texts (see spoken_text)."""
    words = lexicon()
    sentences = [one for text in texts for one in sentences_of(text, words.mended)]
    found = ((one, words.matcher.hits(one.keys, one.breaks)) for one in sentences)
    return Reading(tuple(Clause(one, _unmasked(hits)) for one, hits in found))


def _early(hits: Iterable[Hit], words: int) -> bool:
    """Does one of them begin within the first so many words?"""
    return any(hit.first < words for hit in hits)


def _unmasked(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    found = tuple(hits)
    masks = [hit for hit in found if hit.family in MASKS]
    return tuple(hit for hit in found if not any(_masks(mask, hit) for mask in masks)) if masks else found


def _masks(mask: Hit, hit: Hit) -> bool:
    return hit.family in MASKS[mask.family] and mask.first <= hit.last and hit.first <= mask.last
