"""Outcomes seen through one period and, if asked, one person or one class.

A verdict counts once, on the local date of its moment (domain.md 7); what happens in a
view is what its half-open stretch of time holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from app.metrics import moments
from app.metrics.moments import Key
from app.metrics.periods import DAY, last_working_days, midnight, working_days
from app.metrics.targets import Targets
from app.model import Outcome, OutcomeWord, TicketClass
from app.sla.calendar import Calendar

INSTANT = timedelta(microseconds=1)

Verdict = Callable[[Outcome], tuple[OutcomeWord, datetime] | None]


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and what the figures are about, and what the cards cannot tell."""

    agent: int | None = None
    value: TicketClass | None = None
    since: date | None = None  # the desk's first day with the service
    kb_updates: int | None = None  # counted elsewhere; else the links of the solved cards

    def concerns(self, outcome: Outcome) -> bool:
        """Whether some figure may belong to the person; each formula then asks its own owner."""
        owners = (outcome.agent, outcome.reply_agent, outcome.solve_agent)
        return (self.agent is None or self.agent in owners) and self.value in {None, outcome.value}


EVERYBODY = Scope()


@dataclass(frozen=True, slots=True)
class View:
    """`every` holds counted outcomes that concern the scope, by reference; the period narrows them."""

    every: tuple[Outcome, ...]
    start_at: datetime
    end_at: datetime
    calendar: Calendar
    targets: Targets
    agents_on_duty: int
    bulk: frozenset[Key]  # closed by a script
    repeated: frozenset[Key]  # came back as a new ticket within a week
    scope: Scope
    now: datetime

    def of(self, scope: Scope) -> View:
        """The same stretch of time, seen for one person or class."""
        return replace(self, scope=scope, every=tuple(filter(scope.concerns, self.every)))

    @property
    def agents(self) -> int:
        """People whose time the view holds."""
        return self.agents_on_duty if self.scope.agent is None else 1

    @property
    def cut_at(self) -> datetime:
        """Up to here things are known."""
        return min(self.end_at, self.now)

    @property
    def last_day(self) -> date:
        """The local date of the cut-off."""
        return (self.cut_at - INSTANT).astimezone(self.calendar.zone).date()

    @property
    def counted_from(self) -> datetime:
        """Where norms begin: nobody kept them before the service did."""
        since = self.scope.since
        return max(self.start_at, midnight(since, self.calendar.zone)) if since else self.start_at

    def holds(self, at: datetime | None) -> bool:
        """Whether a moment lies in the period."""
        return at is not None and self.start_at <= at < self.end_at

    def received(self) -> list[Outcome]:
        """Came in the period; a late return once more, as a new cycle."""
        return [outcome for outcome in self._assigned() if self.holds(outcome.received_at)]

    def replied(self) -> list[Outcome]:
        """First answered in the period; a closing without an answer is none."""
        return [outcome for outcome in self._should_reply() if self.holds(outcome.first_reply_at)]

    def solved(self) -> list[Outcome]:
        """Last solved in the period."""
        return [outcome for outcome in self._solvers() if self.holds(moments.solved_at(outcome))]

    def first_solved(self) -> list[Outcome]:
        """The cohort of the returns: first solved in the period, whatever came later."""
        return [outcome for outcome in self._solvers() if self.holds(outcome.first_solved_at)]

    def closed(self) -> list[Outcome]:
        """Closed in the period and not come back."""
        return [outcome for outcome in self._solvers() if self.holds(moments.closed_at(outcome))]

    def escalated(self) -> list[Outcome]:
        """First handed on in the period."""
        return [outcome for outcome in self._assigned() if self.holds(outcome.escalated_at)]

    def open(self) -> list[Outcome]:
        """Open at the cut-off."""
        return [outcome for outcome in self._assigned() if moments.open_at(outcome, self.cut_at)]

    def reply_verdicts(self) -> list[Outcome]:
        """The reply's outcome fell in the period; it belongs to who should have replied."""
        return self._judged(self._should_reply(), moments.reply_verdict)

    def solve_verdicts(self) -> list[Outcome]:
        """The solution's outcome fell in the period; it belongs to the assignee of that moment."""
        return self._judged(self._solvers(), moments.solve_verdict)

    def overall_verdicts(self) -> list[Outcome]:
        """The later of both outcomes fell in the period."""
        return self._judged(self._solvers(), moments.overall_verdict)

    def solved_lately(self, days: int) -> tuple[list[Outcome], int]:
        """Solved in the last working days up to the cut-off, and how many days these are.

        A day that is not over is none yet: at 09:05 it would weigh as much as the whole one before it.
        """
        found = last_working_days(self.last_day, days + 1, self.calendar)
        running = [day for day in found if not self._is_over(day)]
        since = self.scope.since
        known = [day for day in found if day not in running and (since is None or day >= since)][:days]
        if not known:
            return [], 0
        zone = self.calendar.zone
        start_at, end_at = midnight(known[-1], zone), midnight(running[-1], zone) if running else self.cut_at
        solved = ((outcome, moments.solved_at(outcome)) for outcome in self._solvers())
        return [outcome for outcome, at in solved if at and start_at <= at < end_at], len(known)

    def _is_over(self, day: date) -> bool:
        """Whether its last open minute lies before the cut-off."""
        end_at = midnight(day + DAY, self.calendar.zone)
        return end_at <= self.cut_at or not self.calendar.between(self.cut_at, end_at)

    def agent_days(self) -> int:
        """Working days of the period up to now, times people at work; a day begun asks for its norm."""
        if self.cut_at <= self.counted_from:
            return 0
        first_day = self.counted_from.astimezone(self.calendar.zone).date()
        return self.agents * working_days(first_day, self.last_day, self.calendar)

    def shift_minutes(self) -> float:
        """Open minutes of the period up to now, times people at work."""
        if self.cut_at <= self.counted_from:
            return 0.0
        return self.agents * self.calendar.between(self.counted_from, self.cut_at) / timedelta(minutes=1)

    def _judged(self, outcomes: Iterable[Outcome], verdict: Verdict) -> list[Outcome]:
        judged = ((outcome, verdict(outcome)) for outcome in outcomes)
        return [outcome for outcome, word in judged if word and self.holds(word[1])]

    def _assigned(self) -> list[Outcome]:
        return self._of(lambda outcome: outcome.agent)

    def _should_reply(self) -> list[Outcome]:
        return self._of(lambda outcome: outcome.reply_agent)

    def _solvers(self) -> list[Outcome]:
        """A bulk closing is nobody's merit or fault: out of a person's figures."""
        mine = self._of(lambda outcome: outcome.solve_agent)
        if self.scope.agent is None:
            return mine
        return [outcome for outcome in mine if moments.key_of(outcome) not in self.bulk]

    def _of(self, owner: Callable[[Outcome], int | None]) -> list[Outcome]:
        agent = self.scope.agent
        if agent is None:
            return list(self.every)
        return [outcome for outcome in self.every if (owner(outcome) or outcome.agent) == agent]
