"""A ticket's life as the portal's own history tells it, and which steps of the ladder that history bears out.

Nothing here asks the service: stages, letters, a task's log and talk are the emulated portal's, terms and
ladder are those of the handbook (domain.md 5.2, 6), and open time is counted by hand. Only which class the
classifier gave is taken from the card.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from app.demo.office import KANBAN, TASK_STATUS, Case
from app.demo.portal import EmulatedPortal
from app.demo.story import MOSCOW
from tests.chaos.month import Month

OPENS, CLOSES = 9, 18
OVER = frozenset({"resolved", "closed_confirmed", "closed_unconfirmed", "duplicate", "not_ticket"})
FIRST_HOLIDAY = datetime(2026, 12, 31, tzinfo=MOSCOW)
"""The hours here know of no holidays: a script ends before."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one class: terms, when a breach is said again, at which shares a warning is due."""

    reply: timedelta
    solve: timedelta
    again: timedelta
    warn_reply: tuple[float, ...]
    warn_solve: tuple[float, ...]


def _hours(number: float) -> timedelta:
    return timedelta(hours=number)


TERMS = {
    "emergency": Terms(_hours(0.25), _hours(4), _hours(1), (0.67,), (0.5, 0.75, 0.9)),
    "standard": Terms(_hours(4), _hours(24), _hours(9), (0.75, 0.9), (0.75, 0.9)),
    "consultation": Terms(_hours(8), _hours(48), _hours(9), (0.9,), (0.9,)),
}
DIRECTOR = _hours(4)


# --- open time ---------------------------------------------------------------------------


@cache
def _open_days() -> tuple[tuple[datetime, datetime], ...]:
    first = datetime(2026, 11, 23, tzinfo=MOSCOW)
    days = (first + timedelta(days=number) for number in range((FIRST_HOLIDAY - first).days))
    return tuple((day + _hours(OPENS), day + _hours(CLOSES)) for day in days if day.weekday() < 5)


def is_open(at: datetime) -> bool:
    return any(begin <= at < end for begin, end in _open_days())


def open_time(begin_at: datetime, end_at: datetime) -> timedelta:
    nothing = timedelta(0)
    spans = ((max(begin, begin_at), min(end, end_at)) for begin, end in _open_days())
    return sum((max(nothing, end - begin) for begin, end in spans), nothing)


def after(begin_at: datetime, work: timedelta) -> datetime | None:
    """When so much open time has passed since; None: not before the holidays."""
    for begin, end in _open_days():
        begin = max(begin, begin_at)
        if end > begin:
            if end - begin >= work:
                return begin + work
            work -= end - begin
    return None


# --- a life ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to one card, in order of time."""

    ref: str
    agent: int
    states: tuple[tuple[datetime, str], ...]
    ours: tuple[datetime, ...]
    theirs: tuple[datetime, ...]
    classes: tuple[tuple[datetime, str], ...]

    @property
    def born_at(self) -> datetime:
        return self.states[0][0]

    def state_at(self, at: datetime) -> str:
        return _last(self.states, at)

    def class_at(self, at: datetime) -> str:
        return _last(self.classes, at)

    def is_over(self, at: datetime) -> bool:
        return self.state_at(at) in OVER or self.class_at(at) not in TERMS

    def stands_still(self, at: datetime) -> bool:
        """The solution's clock: waiting for a client who had the last word from us, put off, or done."""
        state = self.state_at(at)
        if state == "waiting_client":
            return _latest(self.ours, at) > _latest(self.theirs, at)
        return state == "postponed" or state in OVER

    def events(self) -> list[datetime]:
        """Instants at which any of it changed."""
        changes = (at for at, _ in (*self.states, *self.classes))
        return sorted({*changes, *self.ours, *self.theirs})

    # -- clocks --

    def replied_at(self) -> datetime | None:
        done = (at for at, state in self.states if state in OVER)
        return min((*self.ours, *done), default=None)

    def reply_reaches(self, share: float, value: str) -> datetime | None:
        return after(self.born_at, TERMS[value].reply * share)

    def solve_reaches(self, share: float, value: str) -> datetime | None:
        """When the running stretches add up to this share of the term."""
        left = TERMS[value].solve * share
        events = self.events()
        for begin, end in zip(events, [*events[1:], FIRST_HOLIDAY], strict=True):
            if self.stands_still(begin):
                continue
            reached = after(begin, left)
            if reached is not None and reached <= end:
                return reached
            left -= open_time(begin, end)
        return None

    def missed(self, clock: str, at: datetime) -> datetime | None:
        """The deadline that had been missed by then, under the class that was in force at it."""
        reaches = self.reply_reaches if clock == "reply" else self.solve_reaches
        ends = [end for end, _ in self.classes[1:]] + [FIRST_HOLIDAY]
        for (begin, value), end in zip(self.classes, ends, strict=True):
            due = reaches(1, value) if value in TERMS else None
            if due is not None and due <= min(at, end) and (due >= begin or begin <= at):
                return due
        return None


def _last(rows: tuple[tuple[datetime, str], ...], at: datetime) -> str:
    place = bisect_right([when for when, _ in rows], at)
    return rows[max(place - 1, 0)][1]


def _latest(moments: tuple[datetime, ...], at: datetime) -> datetime:
    never = datetime(2000, 1, 1, tzinfo=MOSCOW)
    return max((moment for moment in moments if moment <= at), default=never)


# --- the ladder --------------------------------------------------------------------------


def stands(course: Course, step: str, at: datetime) -> bool:
    """Whether the portal's history bears out saying this step at this moment."""
    if at < course.born_at or course.is_over(at):
        return False
    value = course.class_at(at)
    answered = any(moment <= at for moment in course.ours)
    if step == "announce":
        return value == "emergency" and not answered and not course.stands_still(at)
    clock, _, rung = step.partition("_")
    if clock == "solve" and course.stands_still(at):
        return False
    if rung.startswith("warn"):
        return not (clock == "reply" and answered) and _is_warned(course, clock, rung, value, at)
    return _is_missed(course, clock, rung, value, at)


def _is_warned(course: Course, clock: str, rung: str, value: str, at: datetime) -> bool:
    terms, reaches = TERMS[value], getattr(course, f"{clock}_reaches")
    shares = [s for s in getattr(terms, f"warn_{clock}") if f"warn_{round(s * 100)}" == rung]
    due = reaches(1, value)
    reached = [reaches(share, value) for share in shares]
    return any(moment and moment <= at for moment in reached) and (due is None or at < due)


def _is_missed(course: Course, clock: str, rung: str, value: str, at: datetime) -> bool:
    missed_at = course.missed(clock, at)
    if missed_at is None:
        return False
    replied_at = course.replied_at() if clock == "reply" else None
    if replied_at is not None and replied_at <= at:  # met late: the verdict is said, no reminder of it
        return rung == "breach" and replied_at > missed_at
    due = getattr(course, f"{clock}_reaches")(1, value)
    if due is None or due > missed_at:
        return False  # another class has other terms
    wait = {"breach": timedelta(0), "breach_again": TERMS[value].again, "director": DIRECTOR}[rung]
    moment = after(missed_at, wait) if wait else missed_at
    return moment is not None and moment <= at and (rung != "director" or value == "emergency")


STEPS = (
    "announce",
    *(f"{clock}_{rung}" for clock in ("reply", "solve") for rung in ("breach", "breach_again", "director")),
    *(f"{clock}_warn_{share}" for clock in ("reply", "solve") for share in (50, 67, 75, 90)),
)


def speaks(course: Course, at: datetime) -> bool:
    """Off the desk's hours only emergencies do (domain.md 6)."""
    return course.class_at(at) == "emergency" or is_open(at)


# --- reading it off the portal -----------------------------------------------------------


def courses_of(
    portal: EmulatedPortal, month: Month, states: dict[str, str], classes: dict[int, str]
) -> dict[int, Course]:
    """`states`: how the funnels' stages are called; `classes`: what each card first held."""
    found: dict[int, Course] = {}
    for number, case in month.cases.items():
        rows = tuple(_task_states(portal, case.id) if case.place == "task" else _stages(portal, case, states))
        spoken = list(_task_talk(portal, case) if case.place == "task" else _letters(portal, case))
        first = classes.get(number, "standard")
        corrected = month.corrected.get(number)
        found[number] = Course(
            ref=f"task:{case.id}" if case.place == "task" else _crm_ref(case),
            agent=case.agent,
            states=rows,
            ours=tuple(at for at, ours in spoken if ours),
            theirs=tuple(at for at, ours in spoken if not ours),
            classes=((rows[0][0], first), *([(corrected, "consultation")] if corrected else [])),
        )
    return found


def _crm_ref(case: Case) -> str:
    return f"deal:{case.id}" if case.place == 2 else f"item:{case.place}:{case.id}"


def _stages(portal: EmulatedPortal, case: Case, states: dict[str, str]) -> Iterator[tuple[datetime, str]]:
    for at, _, stage in portal.stage_history(int(case.place), case.id):
        yield at, states[stage.rpartition(":")[2]]


def _letters(portal: EmulatedPortal, case: Case) -> Iterator[tuple[datetime, bool]]:
    for row in portal.world.activities.values():
        if (case.place, case.id) in row["bindings"]:
            yield row["CREATED"], row["DIRECTION"] == 2


def _task_states(portal: EmulatedPortal, number: int) -> Iterator[tuple[datetime, str]]:
    """A task has a status and a place in the kanban; whichever changed last tells, while it is not done."""
    statuses = {str(code): state for state, code in TASK_STATUS.items()}
    columns = {title: state for state, title in KANBAN.items()}
    titles = {str(stage): title for stage, title in _columns(portal).items()}
    done = False
    for row in portal.world.task_history:
        if row.task != number:
            continue
        if row.field == "NEW":
            yield row.at, "new"
        elif row.field == "STATUS":
            done = statuses[str(row.new)] in OVER
            yield row.at, statuses[str(row.new)]
        elif row.field in ("STAGE", "STAGE_ID") and not done:
            title = titles.get(str(row.new), str(row.new))
            if title in columns:
                yield row.at, columns[title]


def _columns(portal: EmulatedPortal) -> dict[int, str]:
    return {stage: title for group in portal.world.groups for stage, title in
            portal.project_stages(group).items()}  # fmt: skip


def _task_talk(portal: EmulatedPortal, case: Case) -> Iterator[tuple[datetime, bool]]:
    chat = portal.world.tasks[case.id].chat
    for one in portal.world.messages.values():
        if one.chat == chat and not one.system and one.author:
            yield one.at, one.author == case.agent
