"""Activities of many items, asked by rows and columns of a grid."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from app.bitrix.bindings import ONE_BY_ONE, SIDE, lines_of, owners_among

SIZES = st.integers(1, 3 * SIDE * SIDE)


@given(SIZES, st.data())
def test_owners_are_found_or_doubted_and_never_missed(size: int, data: st.DataObject) -> None:
    lines = lines_of(range(size))
    bound = data.draw(st.sets(st.integers(0, size - 1), min_size=1, max_size=4))
    certain, doubtful = owners_among(line for line in lines if bound & {*line.ids})
    assert certain <= bound <= certain | doubtful


@given(SIZES, st.data())
def test_activity_of_one_item_is_never_in_doubt(size: int, data: st.DataObject) -> None:
    owner = data.draw(st.integers(0, size - 1))
    lines = lines_of(range(size))
    assert owners_among(line for line in lines if owner in line.ids) == (frozenset({owner}), frozenset())


@given(st.integers(1, ONE_BY_ONE), st.data())
def test_few_items_are_asked_one_by_one(size: int, data: st.DataObject) -> None:
    bound = data.draw(st.sets(st.integers(0, size - 1)))
    lines = lines_of(range(size))
    assert [line.ids for line in lines] == [(item,) for item in range(size)]
    assert owners_among(line for line in lines if bound & {*line.ids}) == (frozenset(bound), frozenset())


@given(SIZES)
def test_many_items_take_few_lines(size: int) -> None:
    blocks = math.ceil(size / SIDE**2)
    assert len(lines_of(range(size))) <= max(ONE_BY_ONE, 2 * blocks * min(SIDE, math.isqrt(size) + 1))


def test_activity_that_came_between_two_answers_is_doubted() -> None:
    lines = lines_of(range(100))
    certain, doubtful = owners_among([lines[0]])
    assert certain == frozenset()
    assert doubtful == {*lines[0].ids}


def test_nothing_is_asked_for_nobody() -> None:
    assert lines_of([]) == []
