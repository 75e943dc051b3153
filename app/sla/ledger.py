"""The clocks of a ticket: its story under its terms, as known at a moment (sla.md 2).

Every verdict comes from the story's instants: when anybody looked changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.model import (
    ClockName,
    Cycle,
    Entry,
    EntryKind,
    Ledger,
    OutcomeWord,
    Side,
    Span,
    Story,
    TicketClass,
)
from app.sla.calendar import Calendar
from app.sla.course import Course, course_of
from app.sla.internal import internal_ledgers
from app.sla.pauses import (
    HELD_FOR_OTHERS,
    WAITING,
    WAITING_SILENT,
    Pauses,
    closed_by,
    ended_by,
    open_time,
    pause_at,
    pauses_within,
    solution_pauses,
    void_pauses,
)
from app.sla.rounds import Round, rounds_of
from app.sla.targets import NOTHING, Goal, TermsByClass, TermsChange
from app.sla.terms import Ola
from app.sla.turns import Turn, telling_turns, waiting_turns

CALL_BEFORE_CARD = timedelta(hours=1)
"""A call makes its card while or after it is talked: it may be older than the ticket it answers."""

_ORDER = {kind: index for index, kind in enumerate(EntryKind)}


@dataclass(frozen=True, slots=True)
class Met:
    """What stopped a clock, and how: message, call, closing; the solution: done."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Run:
    """One clock of one round with all that is known of it at `now`."""

    clock: ClockName
    of: Round
    met: Met | None
    void_at: datetime | None  # ended without a verdict
    pauses: Pauses
    now: datetime
    cut_at: datetime | None = None  # ended by the solution, unmet: only a breach before it is a verdict

    @property
    def end(self) -> datetime | None:
        """Where the clock ended, with a verdict or without."""
        return _end(self.met, self.cut_at or self.void_at)

    @property
    def limit(self) -> datetime:
        """Where the clock ended, or now."""
        return self.end or self.now


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one round: those of its start, and those applied to it later."""

    first: TermsByClass
    later: Sequence[TermsChange] = ()

    def at(self, moment: datetime) -> TermsByClass:
        """Those in force then."""
        applied = [change.terms for change in self.later if change.at <= moment]
        return applied[-1] if applied else self.first

    def since(self, moment: datetime) -> Terms:
        """The terms of a clock that starts at `moment`, within the round."""
        return Terms(self.at(moment), [change for change in self.later if change.at > moment])


def cycles_of(
    story: Story,
    terms: TermsByClass,
    now: datetime,
    reruled: Sequence[TermsChange] = (),
    ola: Ola | None = None,
) -> tuple[Cycle, ...]:
    """The cycles of a ticket with all their ledgers. What happened after `now` is not known yet.

    `reruled`: other rules applied while it was open, in order of time. `ola`: the inner lines'
    terms; None: their clock is not kept.
    """
    now = max(now, story.started_at)
    found = []
    for of in rounds_of(story, now):
        own = _terms_of(of, terms, reruled)
        found.append(_with_other_clocks(_cycle(story, of, own, now), story, of, own, ola, now))
    return tuple(found)


def _terms_of(of: Round, terms: TermsByClass, reruled: Sequence[TermsChange]) -> Terms:
    """A later round begins under what was applied before it."""
    before = [change for change in reruled if of.number > 1 and change.at <= of.started_at]
    first = before[-1].terms if before else terms
    return Terms(first, [change for change in reruled if change not in before and of.holds(change.at)])


def _with_other_clocks(
    cycle: Cycle, story: Story, of: Round, terms: Terms, ola: Ola | None, now: datetime
) -> Cycle:
    """The clocks beside reply and solution: shown, in no KPI (domain.md 7)."""
    waiting: Iterable[Turn] = ()
    telling: Iterable[Turn] = ()
    if not story.silent_channel:  # what cannot be read must not accuse anybody
        answered_at = cycle.reply.met_at
        waiting = waiting_turns(story, of, answered_at, now) if answered_at else ()
        telling = telling_turns(story, of, now)
    return replace(
        cycle,
        next_replies=_turn_ledgers(ClockName.NEXT_REPLY, story, of, waiting, terms, now),
        progress=_turn_ledgers(ClockName.PROGRESS, story, of, telling, terms, now),
        internal=internal_ledgers(story, of, ola, now) if ola else (),
    )


def _cycle(story: Story, of: Round, terms: Terms, now: datetime) -> Cycle:
    replying, solving = _replying(story, of, now), _solving(story, of, now)
    solution = _ledger(story, solving, terms)
    held = tuple(pause for pause in solving.pauses if pause.cause in HELD_FOR_OTHERS)
    calendar = _calendar_named(solution.calendar, terms.at(solving.limit))
    return Cycle(
        number=of.number,
        started_at=of.started_at,
        reply=_ledger(story, replying, terms),
        solution=solution,
        solved_at=of.solved_at,
        first_solved_at=of.first_solved_at,
        closed_at=of.closed_at,
        confirmed_at=of.confirmed_at,
        reopened_at=of.reopened_at,
        escalated_at=of.escalated_at,
        waited_client=any(pause.cause in {WAITING, WAITING_SILENT} for pause in held),
        pause_total=open_time(ended_by(held, solving.limit), calendar, now) if calendar else NOTHING,
    )


# --- the two clocks ----------------------------------------------------------------------


def _replying(story: Story, of: Round, now: datetime) -> Run:
    met = _first_contact(story, of, now)
    void_at = of.void_at
    if met and void_at and void_at < met.at:
        met = None
    end = _end(met, void_at)
    return Run(ClockName.REPLY, of, met, void_at, void_pauses(of, end), now)


def _solving(story: Story, of: Round, now: datetime) -> Run:
    solved_at, void_at = of.solved_at, of.void_at
    met = Met(solved_at, "done") if solved_at and not (void_at and void_at < solved_at) else None
    pauses = solution_pauses(story, of, _end(met, void_at), now)
    return Run(ClockName.SOLUTION, of, met, void_at, pauses, now)


def _end(met: Met | None, void_at: datetime | None) -> datetime | None:
    return met.at if met else void_at


def _first_contact(story: Story, of: Round, now: datetime) -> Met | None:
    """Our first word to the client, or the first solution if none came before it."""
    words = [
        Met(max(said.at, of.started_at), "call" if said.call else "message")
        for said in story.spoken
        if said.side is Side.OURS and said.at <= now and of.holds(said.at)
        if said.at >= of.started_at - (CALL_BEFORE_CARD if said.call else NOTHING)
    ]
    closings = [Met(of.first_solved_at, "closing")] if of.first_solved_at else []
    return min([*words, *closings], key=lambda met: met.at, default=None)


# --- the clocks of who speaks next -------------------------------------------------------


def _turn_ledgers(
    clock: ClockName, story: Story, of: Round, turns: Iterable[Turn], terms: Terms, now: datetime
) -> tuple[Ledger, ...]:
    """A ledger for each turn; none where the class never had such a term."""
    pauses = solution_pauses(story, of, None, now) if clock is ClockName.PROGRESS else void_pauses(of, None)
    runs = [_turn_run(clock, of, turn, pauses, now) for turn in turns]
    ledgers = [_ledger(story, run, terms.since(run.of.started_at)) for run in runs if _is_heard(run)]
    return tuple(ledger for ledger in ledgers if ledger.calendar or _is_retargeted(ledger))


def _turn_run(clock: ClockName, of: Round, turn: Turn, pauses: Pauses, now: datetime) -> Run:
    met = Met(turn.ended_at, turn.met_by) if turn.ended_at and turn.met_by else None
    cut_at = None if met else turn.ended_at
    end = _end(met, cut_at or of.void_at)
    own = pauses_within(closed_by(pauses, end) if end else pauses, turn.start)
    return Run(clock, replace(of, started_at=turn.start), met, of.void_at, own, now, cut_at)


def _is_heard(run: Run) -> bool:
    """What is said to an item that is no ticket any more begins nothing."""
    return run.void_at is None or run.of.started_at < run.void_at


def _is_retargeted(ledger: Ledger) -> bool:
    return any(entry.kind is EntryKind.RETARGETED for entry in ledger.entries)


# --- from a run to its ledger ------------------------------------------------------------


def _ledger(story: Story, run: Run, terms: Terms) -> Ledger:
    course = course_of(
        run.clock, run.of, story.classes, story.extensions, run.pauses, terms.first, run.limit, terms.later
    )
    goal = course.goal
    due_at, warn_at = _deadlines(goal, run)
    goes_on = run.end is None and course.is_ticket
    paused = goes_on and pause_at(run.pauses, run.now) is not None
    outcome, outcome_at = _verdict(course, run)
    calendar = goal.calendar if goal else _calendar_named("", terms.at(run.limit))
    return Ledger(
        clock=run.clock,
        cycle=run.of.number,
        started_at=run.of.started_at,
        anchor_at=goal.anchor_at if goal else run.of.started_at,
        term=goal.term if goal else NOTHING,
        calendar=goal.terms.calendar_name if goal else "",
        due_at=due_at,
        warn_at=warn_at,
        pauses=tuple(Span(pause.start, pause.end) for pause in run.pauses),
        entries=_entries(story, run, course),
        met_at=run.met.at if run.met else None,
        met_by=run.met.by if run.met and run.clock is not ClockName.SOLUTION else "",
        outcome=outcome,
        outcome_at=outcome_at,
        running=goes_on and not paused,
        paused=paused,
        spent=_spent(run, calendar) if calendar else NOTHING,
        provisional=bool(goal and due_at and goal.calendar.is_provisional(due_at)),
        extended=course.agreed_due is not None,
        agreed_due=course.agreed_due,
        waived=any(reason for _, reason in _waivers(story, run)[-1:]),
    )


def _deadlines(goal: Goal | None, run: Run) -> tuple[datetime | None, tuple[tuple[float, datetime], ...]]:
    """Due moment and warnings; a pause that still runs moves them once, when it ends."""
    if goal is None or run.of.void_at:
        return None, ()
    over = ended_by(run.pauses, run.limit)
    return goal.due_at(over), goal.warn_at(over)


def _verdict(course: Course, run: Run) -> tuple[OutcomeWord | None, datetime | None]:
    if not course.is_ticket or (run.met is None and run.void_at is not None):
        return None, None
    if course.breached_at is not None:
        return OutcomeWord.BREACHED, course.breached_at
    if run.met and course.goal:
        return OutcomeWord.MET, run.met.at
    return None, None


def _spent(run: Run, calendar: Calendar) -> timedelta:
    off = open_time(closed_by(run.pauses, run.limit), calendar, run.limit)
    return calendar.between(run.of.started_at, run.limit) - off


def _calendar_named(name: str, terms: TermsByClass) -> Calendar | None:
    """The calendar of these terms; without terms any class's, so that time spent can be told."""
    known = [each for value in TicketClass if (each := terms.get(value))]
    wanted = [each for each in known if each.calendar_name == name] or known
    return wanted[0].calendar if wanted else None


# --- entries -----------------------------------------------------------------------------


def _entries(story: Story, run: Run, course: Course) -> tuple[Entry, ...]:
    """Everything that happened to the clock, in order of time."""
    found = [
        Entry(run.of.started_at, EntryKind.START, "new_cycle" if run.of.number > 1 else ""),
        *_pause_entries(run),
        *course.entries,
        *_met_entries(run),
        *(Entry(at, EntryKind.WAIVED, reason) for at, reason in _waivers(story, run)),
    ]
    if run.cut_at:
        found.append(Entry(run.cut_at, EntryKind.ENDED, "done"))
    elif run.void_at and not run.met:
        found.append(Entry(run.void_at, EntryKind.ENDED, run.of.stays[-1].state))
    return tuple(sorted(found, key=lambda entry: (entry.at, _ORDER[entry.kind])))


def _pause_entries(run: Run) -> Iterable[Entry]:
    for start, end, cause in run.pauses:
        yield Entry(start, EntryKind.PAUSE, cause)
        if end is not None and end <= run.now:
            yield Entry(end, EntryKind.RESUME, cause)


def _met_entries(run: Run) -> Iterable[Entry]:
    if run.clock is ClockName.SOLUTION:
        return [Entry(at, EntryKind.MET, "done") for at in run.of.solutions]
    return [Entry(run.met.at, EntryKind.MET, run.met.by)] if run.met else []


def _waivers(story: Story, run: Run) -> list[tuple[datetime, str]]:
    """Of the clocks that KPIs count; the last one stands, and one without a reason takes it back."""
    if run.clock not in {ClockName.REPLY, ClockName.SOLUTION}:
        return []
    return [(at, reason) for at, reason in story.waived if at <= run.now and run.of.holds(at)]
