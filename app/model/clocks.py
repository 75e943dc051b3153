"""What the clocks say: ledgers, cycles, explained spans."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.model.story import Span
from app.model.vocabulary import ClockName, OutcomeWord


class EntryKind(StrEnum):
    """A line of a ledger."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    MET = "met"
    BREACHED = "breached"
    SUPERSEDED = "superseded"
    WAIVED = "waived"
    EXTENDED = "extended"
    RETARGETED = "retargeted"  # class change
    ENDED = "ended"  # without a verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to a clock, and why."""

    at: datetime
    kind: EntryKind
    cause: str = (
        ""  # a code: new_cycle, waiting_client, postponed, done, class:<value>, message, call, closing …
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """One clock of one cycle."""

    clock: ClockName
    cycle: int
    started_at: datetime
    anchor_at: datetime  # the term is counted from here (differs after a raise to emergency)
    term: timedelta
    calendar: str  # name in the rules
    due_at: datetime | None  # None: no SLA for this ticket
    warn_at: tuple[tuple[float, datetime], ...] = ()  # share of the term → instant
    pauses: tuple[Span, ...] = ()
    entries: tuple[Entry, ...] = ()
    met_at: datetime | None = None
    met_by: str = ""  # message, call, closing; internal: answer, handed_on, hand_back; solution: ""
    outcome: OutcomeWord | None = None
    outcome_at: datetime | None = None  # met: the event; breached: the deadline that was missed
    running: bool = False
    paused: bool = False
    spent: timedelta = timedelta(0)  # open time used, pauses off, until met_at or now
    provisional: bool = False
    extended: bool = False  # an extension holds: `due_at` is nobody's sum
    agreed_due: datetime | None = None  # its date; time spent solved since then is added to it
    waived: bool = False
    level: int = 0  # internal: whose answer is awaited (SLA_ESC_LEVEL 1..3)
    reason: str = ""  # internal: code of SLA_ESC_REASON at the hand-over


@dataclass(frozen=True, slots=True)
class Cycle:
    """One round from a start to a closing; a return after seven days begins the next."""

    number: int
    started_at: datetime
    reply: Ledger
    solution: Ledger
    solved_at: datetime | None = None  # the last solution
    first_solved_at: datetime | None = None
    closed_at: datetime | None = None
    confirmed_at: datetime | None = None
    reopened_at: tuple[datetime, ...] = ()
    escalated_at: datetime | None = None  # first functional escalation
    waited_client: bool = False
    pause_total: timedelta = timedelta(0)  # open time
    next_replies: tuple[Ledger, ...] = ()  # one for each time the client waited again, oldest first
    progress: tuple[Ledger, ...] = ()  # one for each of our messages while open, where the class has it
    internal: tuple[Ledger, ...] = ()  # one for each hand-over to a level

    @property
    def ledgers(self) -> tuple[Ledger, ...]:
        """Every clock of the cycle: reply, next replies, progress, solution, internal."""
        return (self.reply, *self.next_replies, *self.progress, self.solution, *self.internal)


@dataclass(frozen=True, slots=True)
class ExplainedSpan:
    """A stretch of a clock's time: counted or not, and why (for people and the API)."""

    clock: ClockName
    start: datetime
    end: datetime
    counted: bool
    minutes: int
    why: str
    """A code: work, night, weekend, holiday:<name>, day_off:<name>, closed, or pause:<cause>."""
