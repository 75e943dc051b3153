"""One clock followed through the changes of its goal: which deadline stood, which was missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.model import ClassChange, ClockName, Entry, EntryKind, Extension, TicketClass
from app.sla.pauses import Pauses
from app.sla.rounds import Round
from app.sla.targets import Goal, TermsByClass, TermsChange, agreed_kept, goal_of, is_raise, raised

RECLASSIFIED = "reclassified"
"""Cause of a breach that a change of class made, not the time that went by."""
MOVED = "from:"  # an extension in time: the old deadline follows
RULES = "rules:"  # rules applied to an open ticket on purpose: their version and who did it follow
DECREE = "decree:"  # the same by the service itself, when a provisional year was decreed
LATE = "late:"  # an extension after the deadline: the date wished for follows
KEPT, AGREED, LIFTED = "kept", "agreed", "lifted"
"""Behind the cause of a change that counted no deadline anew: the earlier old one or an agreed date stays,
or there is none now."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where a clock stands after the changes so far."""

    value: TicketClass
    goal: Goal | None
    breached_at: datetime | None = None
    entries: tuple[Entry, ...] = ()

    @property
    def is_ticket(self) -> bool:
        """Whether the class has clocks at all."""
        return self.value is not TicketClass.NOT_TICKET

    @property
    def agreed_due(self) -> datetime | None:
        """The date of the extension that holds: given in time and not overtaken by a raise since."""
        return self.goal.agreed.due_at if self.goal and self.goal.agreed else None

    def noted(self, *entries: Entry) -> Course:
        """The same with more entries."""
        return replace(self, entries=(*self.entries, *entries))


def course_of(
    clock: ClockName,
    of: Round,
    changes: Sequence[ClassChange],
    extensions: Sequence[Extension],
    pauses: Pauses,
    terms: TermsByClass,
    limit: datetime,
    reruled: Sequence[TermsChange] = (),
) -> Course:
    """Follow a clock to `limit`: its end, or now. A breach is found from the deadlines, not from looks.

    Rules applied on the way count from the start, as if the ticket had begun under them; only a
    breach recorded before stays.
    """
    first, later = classes_of(of, changes)
    course = Course(first, goal_of(clock, first, terms, of.started_at, of.started_at))
    agreed = [each for each in extensions if clock is ClockName.SOLUTION and of.holds(each.at)]
    for step in _in_order([*later, *agreed, *reruled], limit):
        course = _judged(course, pauses, step.at)
        if isinstance(step, TermsChange):
            terms = step.terms
            anew = course_of(clock, of, changes, extensions, pauses, terms, step.at)
            course = _reruled(course, step, anew.goal)
        elif isinstance(step, Extension):
            course = _extended(course, step, pauses)
        elif step.value is not course.value:
            course = _reclassified(
                course, step, goal_of(clock, step.value, terms, of.started_at, step.at), pauses
            )
    return _judged(course, pauses, limit)


def classes_of(of: Round, changes: Sequence[ClassChange]) -> tuple[TicketClass, list[ClassChange]]:
    """The class of a round's start and its changes in it.

    That of the start was said before it or, in the first round, as soon as the ticket was seen.
    """
    ordered = sorted(changes, key=lambda change: change.at)
    before = [change for change in ordered if change.at <= of.started_at] or ordered[:1]
    if not before:
        return TicketClass.NOT_TICKET, []
    rest = ordered[len(before) :]
    return before[-1].value, [change for change in rest if of.holds(change.at)]


Step = ClassChange | Extension | TermsChange


def _in_order(steps: Iterable[Step], limit: datetime) -> list[Step]:
    return sorted((step for step in steps if step.at <= limit), key=lambda step: step.at)


def _judged(course: Course, pauses: Pauses, at: datetime) -> Course:
    """Note a deadline that has passed by `at`; only the first one missed is the clock's breach."""
    if course.goal is None or course.breached_at is not None:
        return course
    due_at = course.goal.due_by(pauses, at)
    if at <= due_at:
        return course
    cause = RECLASSIFIED if due_at < course.goal.set_at else ""
    return replace(course, breached_at=due_at).noted(Entry(due_at, EntryKind.BREACHED, cause))


def _extended(course: Course, extension: Extension, pauses: Pauses) -> Course:
    if course.goal is None:
        return course
    due_at = course.goal.due_by(pauses, extension.at)
    if due_at < extension.at:
        return course.noted(Entry(extension.at, EntryKind.EXTENDED, f"{LATE}{_stamp(extension.due_at)}"))
    goal = replace(course.goal, agreed=extension)
    return replace(course, goal=goal).noted(
        Entry(extension.at, EntryKind.EXTENDED, f"{MOVED}{_stamp(due_at)}"),
    )


def _reclassified(course: Course, change: ClassChange, fresh: Goal | None, pauses: Pauses) -> Course:
    old = course.goal
    goal = agreed_kept(old, fresh)
    if fresh and is_raise(course.value, change):
        anew = replace(fresh, anchor_at=change.at)
        goal = raised(old, anew, pauses) if old else anew
    cause = ":".join(("class", change.value, *_instead(old, goal)))
    return _retargeted(replace(course, value=change.value, goal=goal), change.at, cause)


def _instead(old: Goal | None, goal: Goal | None) -> tuple[str, ...]:
    """What became of the deadline, unless it was counted anew."""
    if goal is None:
        return (LIFTED,)
    if goal.agreed:
        return (AGREED,)
    return (KEPT,) if old and goal.terms is old.terms else ()


def _reruled(course: Course, change: TermsChange, anew: Goal | None) -> Course:
    fresh = replace(anew, set_at=change.at) if anew else None
    goal = agreed_kept(course.goal, fresh)
    decreed = ":".join((f"{DECREE}{change.version}", *((AGREED,) if goal and goal.agreed else ())))
    cause = f"{RULES}{change.version}:{change.by}" if change.by else decreed
    return _retargeted(replace(course, goal=goal), change.at, cause)


def _retargeted(course: Course, at: datetime, cause: str) -> Course:
    told = [Entry(at, EntryKind.RETARGETED, cause)]
    if course.breached_at is not None and not _superseded(course):
        told.append(Entry(at, EntryKind.SUPERSEDED, cause))
    return course.noted(*told)


def _superseded(course: Course) -> bool:
    return any(entry.kind is EntryKind.SUPERSEDED for entry in course.entries)


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
