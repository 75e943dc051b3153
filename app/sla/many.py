"""The calendar's arithmetic for many instants at once, equal to the scalar form to the microsecond.

Instants are int64 microseconds since the epoch, lengths int64 microseconds: what a column of
`datetime64[us]` or `timedelta64[us]` is when viewed as int64. Imported where it is used: numpy is heavy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.sla.calendar import Calendar
from app.sla.running import EPOCH, RunningSums, since_epoch

MICROSECOND = timedelta(microseconds=1)
DAY = 86_400_000_000  # in microseconds
Column = npt.NDArray[np.int64]


def instants_of(moments: Iterable[datetime]) -> Column:
    """Aware instants as a column."""
    return lengths_of(since_epoch(at) for at in moments)


def lengths_of(lengths: Iterable[timedelta]) -> Column:
    """Lengths as a column."""
    return np.fromiter((each // MICROSECOND for each in lengths), np.int64)


def moments_of(instants: Column) -> list[datetime]:
    """A column as instants, aware UTC."""
    return [EPOCH + timedelta(microseconds=each) for each in instants.tolist()]


def add_many(calendar: Calendar, starts: Column, works: Column) -> Column:
    """`Calendar.add` of each work to its start; either may be one value for all."""
    starts, works = np.broadcast_arrays(starts, works)
    if not starts.size:
        return starts.copy()
    columns = _over(calendar, starts)
    worked = columns.worked(starts)
    farthest = int((worked + works).argmax())
    if int(worked.flat[farthest]) + max(int(works.flat[farthest]), 1) > columns.total:
        # The scalar form makes the years that are lacking for all, or says that there are none.
        [start] = moments_of(starts.flat[[farthest]])
        calendar.add(start, timedelta(microseconds=int(works.flat[farthest])))
        columns = _over(calendar, starts)
        worked = columns.worked(starts)
    return np.where(works > 0, columns.earliest(worked + works), columns.latest(worked))


def between_many(calendar: Calendar, starts: Column, ends: Column) -> Column:
    """`Calendar.between` from each start to its end; either may be one value for all."""
    starts, ends = np.broadcast_arrays(starts, ends)
    if not starts.size:
        return starts.copy()
    columns = _over(calendar, np.concatenate([starts.ravel(), ends.ravel()]))
    return (columns.worked(ends) - columns.worked(starts)).clip(min=0)


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """`RunningSums` as columns."""

    starts: Column
    ends: Column
    before: Column
    leads: Column

    @property
    def total(self) -> int:
        """All open time of these years."""
        return int(self.before[-1])

    def worked(self, at: Column) -> Column:
        """Open time up to each instant."""
        index = self.ends.searchsorted(at, "right")
        return self.leads[index] + np.maximum(at, self.starts[index])

    def earliest(self, worked: Column) -> Column:
        """The first instants at which so much is reached."""
        return worked - self.leads[self.before.searchsorted(worked, "left") - 1]

    def latest(self, worked: Column) -> Column:
        """The last instants at which no more is reached."""
        return worked - self.leads[self.before.searchsorted(worked, "right") - 1]


def _over(calendar: Calendar, instants: Column) -> Columns:
    return _columns(calendar.years.covering(int(instants.min()) // DAY, int(instants.max()) // DAY))


@lru_cache(maxsize=16)
def _columns(sums: RunningSums) -> Columns:
    return Columns(*map(lengths_of, (sums.starts, sums.ends, sums.before, sums.leads)))
