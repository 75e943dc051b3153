"""What must hold of everything that was said to people, in any weather (sla.md 4).

Each step at most once; nothing that the portal's history does not bear out at that moment; every standing
breach within one sweep and a minute, counted from when it could first be said.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.alerts import marker
from tests.chaos.course import STEPS, Course, speaks, stands
from tests.chaos.gate import CHAT, Heard

SWEEP = timedelta(minutes=15)
A_MINUTE = timedelta(minutes=1)
IN_TIME = SWEEP + A_MINUTE
JUST_READ = timedelta(minutes=2)
"""So long a reading is news enough to speak by (app/jobs/deliver.py)."""
WRONG_CLOCK = timedelta(seconds=95)  # how far a process's clock may go before the portal's
MARKER = re.compile(r"#sla-[0-9a-f]{10}")
CYCLES = (1, 2, 3)
CARD = "card"
BREACH_LINES = (("reply_breach", "Нарушен срок ответа"), ("solve_breach", "Нарушен срок решения"))

Spans = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Speech:
    """All that was said in one run, and what is needed to judge it."""

    heard: tuple[Heard, ...]
    courses: Mapping[int, Course]
    people: tuple[int, ...]
    head: int
    duty: int
    chat: str
    begin_at: datetime
    end_at: datetime
    shut: Spans = ()  # when nobody could be told anything
    skewed: Spans = ()  # when some clock went wrong
    killed: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One step, said to somebody."""

    life: int
    step: str  # of course.STEPS, or CARD: the ticket's one message in the chat
    heard: Heard
    mark: str = ""  # its own in the text; "" for what a card says beside


def broken(speech: Speech) -> list[str]:
    """The laws that do not hold, in words."""
    known = _known_marks(speech)
    said = [one for heard in speech.heard for one in _steps_of(heard, known)]
    found = [f"said twice: {_told(one)}" for one in _repeated(speech, said)]
    found += [f"said in vain: {_told(one)}" for one in said if not _is_borne_out(speech, one)]
    found += _unsaid(speech, said)
    found += [f"a digest twice: {title!r}" for title in _doubled_digests(speech)]
    return found


def belated(speech: Speech) -> list[str]:
    """Steps that could have been said more than a sweep before they were, where only events are lost."""
    known = _known_marks(speech)
    first: dict[tuple[int, str, str], Said] = {}
    for heard in speech.heard:
        for one in _steps_of(heard, known):
            first.setdefault((one.life, one.step, heard.to), one)
    return [f"said late: {_told(one)}" for one in first.values() if _is_late(speech, one)]


def alerts_of(speech: Speech) -> list[Said]:
    """Every step that was said, edits of a card left out."""
    known = _known_marks(speech)
    return [one for heard in speech.heard if not heard.edited for one in _steps_of(heard, known)]


def digests_of(speech: Speech) -> list[str]:
    """First lines of what was said in the chat about no ticket."""
    own = (one for one in speech.heard if one.to == CHAT and not one.edited and not MARKER.search(one.text))
    return [one.text.partition("\n")[0] for one in own]


def _told(one: Said) -> str:
    what = f"life {one.life} {one.step}" if one.life >= 0 else repr(one.heard.text)
    return f"{what} to {one.heard.to} at {one.heard.at:%d.%m %H:%M:%S}"


# --- which step a message says -----------------------------------------------------------


def _known_marks(speech: Speech) -> dict[str, tuple[int, str]]:
    marks: dict[str, tuple[int, str]] = {}
    receivers = (*map(str, speech.people), speech.chat)
    for life, course in speech.courses.items():
        for cycle in CYCLES:
            marks[marker(f"{course.ref}/{cycle}/card")] = life, CARD
            for step in STEPS:
                marks |= {marker(f"{course.ref}/{cycle}/{step}/{to}"): (life, step) for to in receivers}
    return marks


def _steps_of(heard: Heard, known: Mapping[str, tuple[int, str]]) -> Iterator[Said]:
    """By their marks; of a card by its lines: it says each as long as it stands."""
    for mark in MARKER.findall(heard.text):
        life, step = known.get(mark, (-1, "unknown"))
        if step == CARD:
            yield from (Said(life, name, heard) for name, line in BREACH_LINES if line in heard.text)
        if step != CARD or not heard.edited:
            yield Said(life, step, heard, mark)


# --- at most once ------------------------------------------------------------------------


def _repeated(speech: Speech, said: Iterable[Said]) -> Iterator[Said]:
    """A message of the chat may never stand there twice. A notice may be repeated when the service could not
    know that it had come through: then the repeat takes the place of the former.
    """
    former: dict[tuple[str, str], Heard] = {}
    for one in (each for each in said if each.mark):
        before = former.get((one.mark, one.heard.to))
        if before is not None and not _takes_its_place(speech, before, one.heard):
            yield one
        former[one.mark, one.heard.to] = one.heard


def _takes_its_place(speech: Speech, before: Heard, again: Heard) -> bool:
    in_doubt = not before.answered or _is_near(speech, before.at)
    return in_doubt and before.to != CHAT and before.tag == again.tag != ""


def _is_near(speech: Speech, at: datetime) -> bool:
    """Whoever said it may have died before it could write that down, or had no room to."""
    dies = any(at - A_MINUTE <= moment <= at + A_MINUTE for moment in speech.killed)
    return dies or _within(speech.shut, at)


def _within(spans: Spans, at: datetime) -> bool:
    return any(begin_at - A_MINUTE <= at < end_at + A_MINUTE for begin_at, end_at in spans)


def _doubled_digests(speech: Speech) -> Iterator[str]:
    titles = digests_of(speech)
    yield from (title for place, title in enumerate(titles) if title in titles[:place])


# --- nothing in vain ---------------------------------------------------------------------


def _is_borne_out(speech: Speech, one: Said) -> bool:
    """At that moment, or when it was read just before; by a clock that may be wrong."""
    course = speech.courses.get(one.life)
    if course is None:
        return False
    if one.heard.edited:
        return True  # it says how things stood when they changed
    at = one.heard.at
    early = WRONG_CLOCK if _within(speech.skewed, at) else timedelta(seconds=1)
    moments = [at, at - JUST_READ, at + early, *(m for m in course.events() if at - JUST_READ <= m <= at)]
    return any(_stands(course, one.step, moment) for moment in moments)


def _stands(course: Course, step: str, at: datetime) -> bool:
    if step == CARD:
        return any(stands(course, each, at) for each in ("announce", "reply_breach", "solve_breach"))
    return stands(course, step, at)


# --- every standing breach in time -------------------------------------------------------


def _unsaid(speech: Speech, said: Iterable[Said]) -> Iterator[str]:
    told: dict[tuple[int, str, str], list[datetime]] = defaultdict(list)
    for one in said:
        told[one.life, one.step, one.heard.to].append(one.heard.at)
    for life, course in speech.courses.items():
        for step in ("reply_breach", "solve_breach"):
            due_at = _must_be_said_by(speech, course, step)
            if due_at is None:
                continue
            for to in (str(speech.head), CHAT):
                moments = told[life, step, to]
                if not moments or min(moments) > due_at:
                    when = f"said at {min(moments):%d.%m %H:%M:%S}" if moments else "never said"
                    yield f"life {life} {step} to {to} by {due_at:%d.%m %H:%M:%S}: {when}"


def _must_be_said_by(speech: Speech, course: Course, step: str) -> datetime | None:
    """The end of the first stretch of a sweep and a minute in which nothing kept it from being said."""
    for begin_at in _beginnings(speech, course, step.partition("_")[0]):
        end_at = begin_at + IN_TIME
        if end_at > speech.end_at:
            return None
        if all(_may_be_said(speech, course, step, at) for at in _minutes(course, begin_at, end_at)):
            return end_at
    return None


def _beginnings(speech: Speech, course: Course, clock: str) -> list[datetime]:
    """When something may have begun to stand, or to be sayable."""
    missed_at = course.missed(clock, speech.end_at)
    if missed_at is None:
        return []
    day = missed_at.replace(hour=6, minute=0, second=0, microsecond=0)  # 09:00 in Moscow, in UTC
    openings = [day + timedelta(days=number) for number in range((speech.end_at - day).days + 1)]
    moments = {missed_at, *course.events(), *openings, *(end for _, end in speech.shut), *speech.killed}
    return sorted(at for at in moments if at >= missed_at)


def _minutes(course: Course, begin_at: datetime, end_at: datetime) -> Iterator[datetime]:
    """Every minute of a stretch, and every instant in it at which something changed."""
    at = begin_at
    while at < end_at:
        yield at
        at += A_MINUTE
    events = course.events()
    yield from events[bisect_left(events, begin_at) : bisect_left(events, end_at)]


def _may_be_said(speech: Speech, course: Course, step: str, at: datetime) -> bool:
    kept = any(begin_at <= at < end_at for begin_at, end_at in speech.shut)
    return not kept and speaks(course, at) and stands(course, step, at)


def _is_late(speech: Speech, one: Said) -> bool:
    course, at = speech.courses[one.life], one.heard.at
    on_duty = one.step == "announce" and one.heard.to == str(speech.duty) != str(course.agent)
    if one.step == CARD or one.heard.edited or on_duty:  # who is on duty is told only once the desk closes
        return False
    begin_at = at - IN_TIME
    return all(_may_be_said(speech, course, one.step, moment) for moment in _minutes(course, begin_at, at))
