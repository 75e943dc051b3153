"""Whose activity is it? Asking for many items' activities at once (sla.md 3). Pure.

`crm.activity.list` with BINDINGS finds activities that are bound to any of the items asked, but
its rows name only the first owner. Few items are asked one by one. Many are laid out as a grid and
asked by rows and by columns: an activity that came with one row and one column belongs to the item
where they cross. So n items cost about 2·√n commands instead of n.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import isqrt

ONE_BY_ONE = 12
SIDE = 15  # items in a line: with three activities each a line still fits a page


@dataclass(frozen=True, slots=True)
class Line:
    """Items asked together; `across` is False for the columns of a block."""

    block: int
    across: bool
    ids: tuple[int, ...]


def lines_of(ids: Sequence[int]) -> list[Line]:
    """The lines to ask for: every item alone, or each in a row and in a column."""
    if len(ids) <= ONE_BY_ONE:
        return [Line(block, True, (item,)) for block, item in enumerate(ids)]
    blocks = [ids[start : start + SIDE * SIDE] for start in range(0, len(ids), SIDE * SIDE)]
    return [line for number, block in enumerate(blocks) for line in _grid(number, block)]


def _grid(number: int, ids: Sequence[int]) -> Iterable[Line]:
    side = isqrt(len(ids) - 1) + 1
    for start in range(0, len(ids), side):
        yield Line(number, True, tuple(ids[start : start + side]))
    for start in range(min(side, len(ids))):
        yield Line(number, False, tuple(ids[start::side]))


def owners_among(lines: Iterable[Line]) -> tuple[frozenset[int], frozenset[int]]:
    """The certain and the doubtful owners of an activity that came with exactly these lines.

    With one row or one column every crossing is an owner; with several of both the crossings are
    only candidates, to be asked one by one.
    """
    certain: set[int] = set()
    doubtful: set[int] = set()
    found = list(lines)
    for block in {line.block for line in found}:
        rows = [line.ids for line in found if line.block == block and line.across]
        columns = [line.ids for line in found if line.block == block and not line.across]
        crossings = {item for row, column in product(rows, columns) for item in {*row} & {*column}}
        single = {item for row in rows for item in row if len(row) == 1}
        if single and not columns:
            certain |= single
        elif rows and columns and min(len(rows), len(columns)) == 1:
            certain |= crossings
        else:  # also a line without its counterpart: the activity came or went in between
            doubtful |= crossings or {item for line in (*rows, *columns) for item in line}
    return frozenset(certain), frozenset(doubtful - certain)
