"""The report for the head of support as one frozen value: text, picture and sheet only show it.

Two questions are kept apart: what stands now (from the open tickets) and what happened in
the period (from outcomes). Each says itself whether its data could be read, so that
nothing unread is ever shown as zero (domain.md 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from app.metrics import moments
from app.metrics.board import Burning, Expiring, burning, expiring, longest_pauses
from app.metrics.bonus import BonusRules, coefficient, quality
from app.metrics.details import Aging, Satisfaction, aging, felt_length, satisfaction
from app.metrics.kpi import Kpi, figures_of, view_of
from app.metrics.periods import DAY, Period, PeriodKind, period_before, working_days
from app.metrics.review import Review, Topic, came_in_a_peak, late_reason, review_of, topics
from app.metrics.targets import Targets
from app.metrics.view import Scope
from app.model import ClockName, ItemRef, Outcome, Ticket, TicketClass
from app.sla.calendar import Calendar

STALE = timedelta(minutes=15)
"""Older data is shown with a warning (contract.md 1)."""

CLASSES = (TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION)
HEAVIER = 1.25
LONG_QUEUE = 5


@dataclass(frozen=True, slots=True)
class Office:
    """The desk as its reports see it."""

    calendar: Calendar
    names: Mapping[int, str]
    agents_on_duty: int
    targets: Targets = field(default_factory=Targets)
    since: date | None = None  # its first day with the service
    kb_updates: int | None = None  # counted elsewhere than on the cards


@dataclass(frozen=True, slots=True)
class Freshness:
    """What is known of the data: when all of it was read, what was not, what went wrong."""

    read_at: datetime | None
    unread: int = 0  # tickets that wait to be read
    trouble: str = ""  # one line for people: «портал не отвечает с 08:10»

    def knows_now(self) -> bool:
        """Whether anything may be said about this moment."""
        return self.read_at is not None and not self.trouble

    def knows(self, end_at: datetime, now: datetime) -> bool:
        """Whether the reading reaches the end of a period, or nearly now while it runs."""
        return self.read_at is not None and self.read_at >= min(end_at, now - STALE)

    def stale(self, now: datetime) -> bool:
        """Whether a warning is due."""
        return self.read_at is not None and now - self.read_at > STALE


@dataclass(frozen=True, slots=True)
class Late:
    """A ticket whose deadline passed in the period, with both clocks in one line."""

    ref: ItemRef
    title: str
    agent: int | None
    value: TicketClass
    reply_over: timedelta | None
    solve_over: timedelta | None
    still_open: bool  # the missed event has not happened yet
    reason: str


@dataclass(frozen=True, slots=True)
class AgentLine:
    """One person's day; `agent` None: nobody's tickets."""

    agent: int | None
    received: int
    solved: int
    open: int
    sla: Kpi
    overloaded: bool = False
    bonus: float | None = None  # the coefficient proposed for a month (domain.md 7.3)


@dataclass(frozen=True, slots=True)
class OffHours:
    """What came while the desk was closed."""

    received: int
    emergencies: int
    slowest_reply: timedelta | None  # calendar time, as the client felt it
    unanswered: int


@dataclass(frozen=True, slots=True)
class Column:
    """The figures of one period."""

    period: Period
    figures: Mapping[str, Kpi]


@dataclass(frozen=True, slots=True)
class Digest:
    """Everything a report shows."""

    period: Period
    office: Office
    fresh: Freshness
    made_at: datetime
    burning: tuple[Burning, ...]
    expiring: Expiring
    figures: Mapping[str, Kpi]
    by_class: Mapping[TicketClass, Mapping[str, Kpi]]
    earlier: tuple[Column, ...]  # newest first; none in a day's report
    by_day: tuple[tuple[date, Kpi], ...]  # «Соблюдение SLA (общий)», week and month
    late: tuple[Late, ...]
    agents: tuple[AgentLine, ...]
    topics: tuple[Topic, ...]
    off_hours: OffHours
    aging: Aging
    marks: Satisfaction
    returned: int  # tickets that came back in the period
    uncounted: int  # open, but older than the service: out of every figure
    pauses: tuple[tuple[ItemRef, timedelta], ...]  # the longest of the open ones, open time
    felt: timedelta | None  # median from arrival to solution by the calendar, pauses and nights included
    review: Review

    @property
    def known(self) -> bool:
        """Whether the period's figures may be shown."""
        return not self.too_early and self.fresh.knows(self.bounds[1], self.made_at)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The period in absolute time."""
        return self.period.bounds(self.office.calendar.zone)

    @property
    def work_days(self) -> int:
        """Working days of the period since the desk's first day with the service."""
        first = max(self.period.first, self.office.since or self.period.first)
        return working_days(first, self.period.last, self.office.calendar)

    @property
    def too_early(self) -> bool:
        """Whether the period was over before the service began to count."""
        return self.office.since is not None and self.period.last < self.office.since

    def norm(self, per_day: tuple[int, int]) -> tuple[int, int] | None:
        """A person's daily norm for the people and days of this period; None: nobody had to work in it."""
        times = self.office.agents_on_duty * self.work_days
        return (per_day[0] * times, per_day[1] * times) if times else None


def digest_of(
    outcomes: Iterable[Outcome],
    open_tickets: Iterable[Ticket],
    period: Period,
    *,
    office: Office,
    fresh: Freshness,
    months: int = 0,
    now: datetime,
) -> Digest:
    """The report of one period; `outcomes` must hold what `periods.reach` names.

    Week and month stand beside the period before; `months` asks for a longer trend
    (periods of the same kind), for which `outcomes` must reach as far back.
    """
    every = tuple(outcome for outcome in outcomes if outcome.counted)
    waiting = tuple(ticket for ticket in open_tickets if ticket.open)
    sums = _Sums(every, period, office, now)
    start_at, end_at = sums.start_at, sums.end_at
    calendar = office.calendar
    is_day = period.kind is PeriodKind.DAY
    return Digest(
        period=period,
        office=office,
        fresh=fresh,
        made_at=now,
        burning=burning(waiting, calendar, now),
        expiring=expiring(waiting, calendar, now),
        figures=sums.figures(period, Scope()),
        by_class={value: sums.figures(period, Scope(value=value)) for value in CLASSES},
        earlier=() if is_day else sums.earlier(max(1, months)),
        by_day=() if is_day else sums.by_day(),
        late=sums.late(),
        agents=sums.agents(),
        topics=topics(every, start_at - DAY if is_day else start_at, end_at, calendar),
        off_hours=sums.off_hours(),
        aging=aging(every, sums.cut_at, calendar),
        marks=satisfaction([it for it in every if sums.holds(moments.solved_at(it))]),
        returned=sum(any(sums.holds(at) for at in it.reopened_at) for it in every),
        uncounted=sum(not ticket.counted for ticket in waiting),
        pauses=longest_pauses(waiting),
        felt=felt_length([it for it in every if sums.holds(moments.solved_at(it))]),
        review=Review() if is_day else review_of(every, start_at, end_at, sums.peak()),
    )


class _Sums:
    """The period's outcomes, counted in the ways a digest needs."""

    def __init__(self, every: Sequence[Outcome], period: Period, office: Office, now: datetime) -> None:
        self.every, self.period, self.office, self.now = every, period, office, now
        self.calendar = office.calendar
        self.start_at, self.end_at = period.bounds(office.calendar.zone)
        self.cut_at = min(self.end_at, now)
        self.view = view_of(
            every,
            (self.start_at, self.end_at),
            calendar=office.calendar,
            targets=office.targets,
            agents_on_duty=office.agents_on_duty,
            now=now,
        )

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start_at <= at < self.end_at

    def figures(self, period: Period, scope: Scope, codes: Sequence[str] | None = None) -> Mapping[str, Kpi]:
        start_at, end_at = period.bounds(self.calendar.zone)
        whole = scope == Scope() and period == self.period
        kb_updates = self.office.kb_updates if whole else None
        scope = replace(scope, since=self.office.since, kb_updates=kb_updates)
        return figures_of(replace(self.view, start_at=start_at, end_at=end_at).of(scope), codes)

    def earlier(self, count: int) -> tuple[Column, ...]:
        """Periods before the desk's first day would show zeros that mean nothing: left out."""
        columns: list[Column] = []
        period = self.period
        for _ in range(count):
            period = period_before(period, self.calendar)
            if self.office.since is None or period.last >= self.office.since:
                columns.append(Column(period, self.figures(period, Scope())))
        return tuple(columns)

    def by_day(self) -> tuple[tuple[date, Kpi], ...]:
        length = (self.period.last - self.period.first).days + 1
        days = [self.period.first + step * DAY for step in range(length)]
        found = [(day, self.figures(Period(PeriodKind.DAY, day, day), Scope(), ["sla"])) for day in days]
        return tuple((day, figures["sla"]) for day, figures in found if figures["sla"].denominator)

    def peak(self) -> frozenset[moments.Key]:
        norm = self.office.agents_on_duty * self.office.targets.requests_per_day[1]
        return came_in_a_peak(self.every, self.calendar, norm)

    def late(self) -> tuple[Late, ...]:
        found = [(it, moments.breaches(it, self.start_at, self.end_at)) for it in self.every]
        peak = self.peak()
        lines = [self._late(outcome, clocks, peak) for outcome, clocks in found if clocks]
        return tuple(sorted(lines, key=lambda line: (line.value is not TicketClass.EMERGENCY, line.ref)))

    def _late(self, outcome: Outcome, clocks: Sequence[ClockName], peak: frozenset[moments.Key]) -> Late:
        reply = self._over(outcome.reply_outcome_at, outcome.first_reply_at)
        solve = self._over(outcome.solve_outcome_at, outcome.solved_at)
        replied = ClockName.REPLY not in clocks or _ended(outcome.first_reply_at, outcome)
        solved = ClockName.SOLUTION not in clocks or _ended(outcome.solved_at, outcome)
        return Late(
            ref=outcome.ref,
            title=outcome.title,
            agent=outcome.agent,
            value=outcome.value,
            reply_over=reply if ClockName.REPLY in clocks else None,
            solve_over=solve if ClockName.SOLUTION in clocks else None,
            still_open=not (replied and solved),
            reason=late_reason(outcome, clocks[-1], peak),
        )

    def _over(self, due_at: datetime | None, done_at: datetime | None) -> timedelta | None:
        """Open time past a deadline; what happened while the desk was closed is told in calendar time."""
        if due_at is None:
            return None
        end_at = done_at if done_at and done_at > due_at else self.now
        return self.calendar.between(due_at, end_at) or end_at - due_at

    def agents(self) -> tuple[AgentLine, ...]:
        seen = {outcome.agent for outcome in self.every} | {outcome.solve_agent for outcome in self.every}
        lines = [self._agent_line(agent) for agent in seen if agent is not None]
        lines = [line for line in lines if line.received or line.solved or line.open]
        lines.sort(key=lambda line: (-line.received, -line.open, line.agent or 0))
        return (*self._with_load(lines), *self._nobodys())

    def _agent_line(self, agent: int) -> AgentLine:
        figures = self.figures(self.period, Scope(agent=agent))
        counts = [int(figures[code].value or 0) for code in ("created", "solved", "backlog")]
        bonus = self._bonus(agent, figures) if self.period.kind is PeriodKind.MONTH else None
        return AgentLine(agent, counts[0], counts[1], counts[2], figures["sla"], bonus=bonus)

    def _bonus(self, agent: int, figures: Mapping[str, Kpi]) -> float | None:
        facts = {code: kpi.value for code, kpi in figures.items()}
        marks = int(figures["csat"].denominator or 0)
        facts["quality"] = quality(facts["reopens"], facts["repeats"], facts["csat"], marks)
        late = self.figures(self.period, Scope(agent=agent, value=TicketClass.EMERGENCY))
        return coefficient(
            facts, BonusRules(), emergency_late=bool(late["reply_sla"].misses or late["solve_sla"].misses)
        )

    def _with_load(self, lines: Sequence[AgentLine]) -> list[AgentLine]:
        norm = self.office.targets.requests_per_day[1]
        total = sum(line.open for line in lines)
        marked: list[AgentLine] = []
        for line in lines:
            others = (total - line.open) / (len(lines) - 1) if len(lines) > 1 else norm / HEAVIER
            heavy = line.open >= LONG_QUEUE and line.open > others * HEAVIER
            marked.append(replace(line, overloaded=heavy))
        return marked

    def _nobodys(self) -> tuple[AgentLine, ...]:
        mine = [outcome for outcome in self.every if outcome.agent is None]
        received = sum(self.holds(outcome.received_at) for outcome in mine)
        solved = sum(self.holds(moments.solved_at(outcome)) for outcome in mine)
        waiting = sum(moments.open_at(outcome, self.cut_at) for outcome in mine)
        if not received and not waiting:
            return ()
        return (AgentLine(None, received, solved, waiting, Kpi("sla", None)),)

    def off_hours(self) -> OffHours:
        came = [outcome for outcome in self.every if outcome.off_hours and self.holds(outcome.received_at)]
        urgent = [outcome for outcome in came if outcome.value is TicketClass.EMERGENCY]
        lengths = [it.first_reply_at - it.received_at for it in urgent if it.first_reply_at]
        return OffHours(len(came), len(urgent), max(lengths, default=None), len(urgent) - len(lengths))


def _ended(done_at: datetime | None, outcome: Outcome) -> bool:
    return done_at is not None or moments.closed_at(outcome) is not None
