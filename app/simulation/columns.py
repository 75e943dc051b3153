"""A hundred thousand tracks as columns of numbers (store/tracks.py writes the rows).

Instants are int64 microseconds since 1970, -1 for none; a class is its place in TicketClass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from app.model import TicketClass

Column = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Row = Sequence[Any]

CLASSES = tuple(TicketClass)
NONE = -1
AGREED = -1
"""In the place of a class: a step that agrees a date."""


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """For each track a list of rows of numbers, one after another in `numbers`."""

    numbers: Column  # rows × width
    first: Column  # where each track's rows begin
    count: Column  # and how many they are

    @property
    def longest(self) -> int:
        """Rows of the track that has most."""
        return int(self.count.max(initial=0))

    def row(self, tracks: Column, place: int) -> Column:
        """The row at `place` of these tracks, all of which have one."""
        found: Column = self.numbers[self.first[tracks] + place]
        return found

    def of(self, tracks: Column) -> Lists:
        """Only these tracks' lists."""
        return Lists(self.numbers, self.first[tracks], self.count[tracks])


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """For each track one of few words, by its place among them."""

    words: tuple[Any, ...]
    place: Column

    def of(self, tracks: Column) -> Words:
        """Only these tracks'."""
        return Words(self.words, self.place[tracks])


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """Columns of equal length, one place a cycle."""

    refs: npt.NDArray[np.str_]
    cycle: Column
    value: Column
    started: Column
    replied: Column
    solved: Column
    steps: Lists  # at, class or AGREED, correction or date
    pauses: Lists  # start, end
    asked: Words  # what policies look at, as JSON; "" for nothing
    pins: Words  # the versions of terms and desk
    plain: Mask

    def __len__(self) -> int:
        return len(self.started)

    def of(self, tracks: Column) -> Tracks:
        """Only these."""
        return Tracks(
            self.refs[tracks],
            self.cycle[tracks],
            self.value[tracks],
            self.started[tracks],
            self.replied[tracks],
            self.solved[tracks],
            self.steps.of(tracks),
            self.pauses.of(tracks),
            self.asked.of(tracks),
            self.pins.of(tracks),
            self.plain[tracks],
        )


def tracks_from(rows: Sequence[Row]) -> Tracks:
    """The rows of `store.tracks.since` as columns."""
    refs, cycle, value, started, replied, solved, steps, pauses, asked, terms, desk, plain = (
        zip(*rows, strict=True) if rows else ((),) * 12
    )
    places = {each.value: place for place, each in enumerate(CLASSES)}
    return Tracks(
        refs=np.array(refs, dtype=np.str_),
        cycle=_column(cycle),
        value=_column([places[each] for each in value]),
        started=_column(started),
        replied=_column(replied),
        solved=_column(solved),
        steps=_lists(steps, 3),
        pauses=_lists(pauses, 2),
        asked=_words(asked),
        pins=_words(zip(terms, desk, strict=True)),
        plain=np.array(plain, dtype=np.bool_),
    )


def _column(numbers: Iterable[int]) -> Column:
    return np.array(tuple(numbers), dtype=np.int64)


def _words(each: Iterable[Any]) -> Words:
    places: dict[Any, int] = {}
    place = _column([places.setdefault(word, len(places)) for word in each])
    return Words(tuple(places), place)


def _lists(texts: Sequence[str], width: int) -> Lists:
    """`1,2,3,4` of each track: with a width of 2 two rows."""
    count = _column([(text.count(",") + 1) // width if text else 0 for text in texts])
    told = ",".join(filter(None, texts))
    numbers = np.fromstring(told, dtype=np.int64, sep=",") if told else np.empty(0, dtype=np.int64)
    return Lists(numbers.reshape(-1, width), np.cumsum(count) - count, count)
