"""Verdicts of many tickets at once: `sla/course.py` in columns, equal to it to the microsecond.

Held to the fold of single tickets by property tests; what columns cannot tell is not given here
(`Tracks.plain`). A clock is followed through its steps: each judges what was due before it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.model import ClockName, TicketClass
from app.simulation.columns import AGREED, CLASSES, NONE, Column, Lists, Mask, Tracks
from app.simulation.terms import TermsTable
from app.sla.many import add_many, between_many

EMERGENCY = CLASSES.index(TicketClass.EMERGENCY)
NOT_TICKET = CLASSES.index(TicketClass.NOT_TICKET)
UNJUDGED, MET, BREACHED = 0, 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Of one clock of each track."""

    verdict: Column  # UNJUDGED, MET, BREACHED
    due: Column  # the deadline that was missed, else the last that stood; NONE without SLA
    over: Column  # open time from it to what met the clock, or to now; below zero: what was to spare


def verdicts_of(clock: ClockName, tracks: Tracks, table: TermsTable, now: int) -> Verdicts:
    """The tracks must be plain; `now` in microseconds."""
    course = _Course(clock, tracks, table, now)
    for place in range(tracks.steps.longest):
        course.take(place)
    return course.ended()


def last_class(tracks: Tracks) -> Column:
    """The class that each track ends with, whichever clock it touched: KPIs count by it."""
    value, steps = tracks.value.copy(), tracks.steps
    for place in range(steps.longest):
        who = np.flatnonzero(steps.count > place)
        what = steps.row(who, place)[:, 1]
        value[who[what != AGREED]] = what[what != AGREED]
    return value


class _Course:
    """One clock of all tracks on its way through their steps. Columns change in place."""

    def __init__(self, clock: ClockName, tracks: Tracks, table: TermsTable, now: int) -> None:
        self.clock, self.tracks, self.table = clock, tracks, table
        met = tracks.replied if clock is ClockName.REPLY else tracks.solved
        self.met: Mask = met != NONE
        self.end = np.where(self.met, met, np.maximum(tracks.started, now))
        self.value = tracks.value.copy()
        self.anchor = tracks.started.copy()
        self.agreed = np.full(len(tracks), NONE)
        self.breached = np.full(len(tracks), NONE)
        every = np.arange(len(tracks))
        self.term, self.calendar = self._goal(every, self.value)

    def _goal(self, who: Column, value: Column) -> tuple[Column, Column]:
        """Term and calendar that a class sets; NONE for no SLA."""
        row = self.table.row[who]
        term = self.table.length[self.clock][row, value]
        return term, np.where(term == NONE, NONE, self.table.calendar[row, value])

    # --- steps ---------------------------------------------------------------------------

    def take(self, place: int) -> None:
        """The step at this place of every track that has one before its end."""
        steps = self.tracks.steps
        who = np.flatnonzero(steps.count > place)
        who = who[steps.row(who, place)[:, 0] <= self.end[who]]
        at, what, more = steps.row(who, place).T
        is_agreed = what == AGREED
        if self.clock is ClockName.REPLY:  # only the solution's date is agreed
            who, at, what, more = (column[~is_agreed] for column in (who, at, what, more))
            is_agreed = is_agreed[~is_agreed]
        self._judge(who, at)
        self._agree(who[is_agreed], at[is_agreed], more[is_agreed])
        changes = ~is_agreed & (what != self.value[who])
        self._reclassify(who[changes], at[changes], what[changes], more[changes])

    def _judge(self, who: Column, at: Column) -> None:
        """Note the first deadline missed by `at`."""
        asked = (self.breached[who] == NONE) & (self.term[who] != NONE)
        who, at = who[asked], at[asked]
        due = self._due(who, self.anchor[who], self.term[who], self.agreed[who], at)
        late = at > due
        self.breached[who[late]] = due[late]

    def _agree(self, who: Column, at: Column, date: Column) -> None:
        """A date agreed after the deadline moves nothing."""
        asked = self.term[who] != NONE
        who, at, date = who[asked], at[asked], date[asked]
        due = self._due(who, self.anchor[who], self.term[who], self.agreed[who], at)
        in_time = due >= at
        self.agreed[who[in_time]] = date[in_time]

    def _reclassify(self, who: Column, at: Column, value: Column, correction: Column) -> None:
        term, calendar = self._goal(who, value)
        raised = (value == EMERGENCY) & (self.value[who] != EMERGENCY) & (correction == 0) & (term != NONE)
        kept = np.zeros(len(who), dtype=np.bool_)
        kept[raised] = self._keeps_old(who[raised], at[raised], term[raised], calendar[raised])
        self.value[who] = value
        anew, plain = who[raised & ~kept], who[~raised]
        self.agreed[anew] = NONE
        self.agreed[plain[term[~raised] == NONE]] = NONE
        changed = ~kept
        self.term[who[changed]], self.calendar[who[changed]] = term[changed], calendar[changed]
        self.anchor[plain] = self.tracks.started[plain]
        self.anchor[anew] = at[raised & ~kept]

    def _keeps_old(self, who: Column, at: Column, term: Column, calendar: Column) -> Mask:
        """Raised to an emergency: whether the old deadline is the earlier one."""
        had: Mask = self.term[who] != NONE
        mine = who[had]
        old = self._due(mine, self.anchor[mine], self.term[mine], self.agreed[mine], at[had])
        before = self.calendar[mine].copy()
        self.calendar[mine] = calendar[had]
        new = self._due(mine, at[had], term[had], np.full(len(mine), NONE), at[had])
        self.calendar[mine] = before
        had[had] = old <= new
        return had

    # --- deadlines -----------------------------------------------------------------------

    def _due(self, who: Column, anchor: Column, term: Column, agreed: Column, limit: Column) -> Column:
        """As it stands at `limit`: a pause that runs then counts so far."""
        due = np.empty(len(who), dtype=np.int64)
        for place in np.unique(self.calendar[who]).tolist():
            mine = self.calendar[who] == place
            due[mine] = self._used_up(place, who[mine], anchor[mine], term[mine], limit[mine])
        return np.where(agreed != NONE, agreed, due)

    def _used_up(self, place: int, who: Column, anchor: Column, left: Column, limit: Column) -> Column:
        """`sla.targets.used_up_at`, pause by pause for those that have so many."""
        calendar = self.table.calendars[place]
        at, left = anchor.copy(), left.copy()
        pauses = self._pauses(who)
        goes_on: Mask = pauses.count > 0
        for number in range(pauses.longest):
            now = np.flatnonzero(goes_on & (pauses.count > number))
            start, end = pauses.row(now, number).T
            end = np.where((end == NONE) | (end > limit[now]), limit[now], end)
            counts = (start < limit[now]) & (end > at[now])
            now, start, end = now[counts], start[counts], end[counts]
            worked = between_many(calendar, at[now], start)
            enough = worked >= left[now]
            goes_on[now[enough]] = False
            now, end, worked = now[~enough], end[~enough], worked[~enough]
            left[now] -= worked
            at[now] = end
        return add_many(calendar, at, left)

    def _pauses(self, who: Column) -> Lists:
        """The reply's clock never pauses."""
        pauses = self.tracks.pauses
        if self.clock is ClockName.SOLUTION:
            return pauses.of(who)
        nothing = np.zeros(len(who), dtype=np.int64)
        return Lists(pauses.numbers, nothing, nothing)

    # --- the end -------------------------------------------------------------------------

    def ended(self) -> Verdicts:
        """Judge what is due by the end, and say how it ended."""
        every = np.arange(len(self.end))
        self._judge(every, self.end)
        has_goal = self.term != NONE
        met = self.met & has_goal & (self.breached == NONE)
        ended_without = ~self.met & (self.value == NOT_TICKET)
        verdict = np.where(self.breached != NONE, BREACHED, np.where(met, MET, UNJUDGED))
        due = np.full(len(every), NONE)
        mine = every[has_goal]
        due[mine] = self._due(mine, self.anchor[mine], self.term[mine], self.agreed[mine], self.end[mine])
        due = np.where(self.breached != NONE, self.breached, due)
        verdict = np.where(ended_without, UNJUDGED, verdict)
        return Verdicts(verdict, due, self._over(due))

    def _over(self, due: Column) -> Column:
        over = np.zeros(len(due), dtype=np.int64)
        for place, calendar in enumerate(self.table.calendars):
            mine = np.flatnonzero((self.calendar == place) & (due != NONE))
            late = between_many(calendar, due[mine], self.end[mine])
            over[mine] = late - between_many(calendar, self.end[mine], due[mine])
        return over
