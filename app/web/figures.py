"""The KPIs of any period, person and class, counted once for API and pages, as the digest counts them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

from app.clock import OUT_OF_YEARS, YEARS
from app.desk import Desk
from app.knowing import Cut
from app.metrics.kpi import Kpi, figures_of, view_of
from app.metrics.periods import DAY, Period, PeriodKind, bounds_of, reach
from app.metrics.targets import targets_of
from app.metrics.view import Scope, View
from app.model import Outcome, TicketClass
from app.recalling import Stretch, remembered_then, rules_in_force
from app.rules import Rules
from app.store import outcomes
from app.web.problems import Problem

LONGEST = timedelta(days=732)

Figures = Mapping[str, Kpi]


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures are asked for; both dates are included."""

    first: date
    last: date
    agent: int | None = None
    value: TicketClass | None = None
    known_at: datetime | None = None  # as it was known then; None: now

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def before(self) -> Question:
        """The stretch of the same length that ends where this one begins."""
        return replace(self, first=self.first - self.days * DAY, last=self.first - DAY)

    def address(self, path: str, **more: str) -> str:
        """A link that asks the same of another page."""
        asked = {"from": self.first.isoformat(), "to": self.last.isoformat(), **more}
        if self.agent is not None:
            asked["agent"] = str(self.agent)
        if self.value is not None:
            asked["class"] = self.value.value
        if self.known_at is not None:
            asked["known_at"] = f"{self.known_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return f"{path}?{urlencode(asked)}"


def question_of(
    desk: Desk,
    first: date | None,
    last: date | None,
    agent: int | None,
    value: TicketClass | None,
    known_at: datetime | None = None,
) -> Question:
    """Without dates: this month up to today. 422 for a period that runs backwards or is too long.

    `known_at` without a zone is the desk's wall time; 422 for one that has not come.
    """
    zone, now = desk.rules.desk.zone, desk.now()
    if known_at is not None:
        if known_at.year not in YEARS:  # before any zone: the ends of time have none
            raise Problem(422, f"Момент «known_at» задан неверно: {OUT_OF_YEARS}.")
        known_at = (known_at if known_at.tzinfo else known_at.replace(tzinfo=zone)).astimezone(UTC)
        if known_at > now:
            raise Problem(422, "Момент «known_at» должен быть в прошлом.")
    today = (known_at or now).astimezone(zone).date()
    last = last or (max(first, today) if first else today)
    first = first or last.replace(day=1)
    if first > last or first.year not in YEARS or last.year not in YEARS:
        raise Problem(
            422,
            "Период задан неверно: первый день («С», from) должен быть не позже последнего («По», to), "
            f"{OUT_OF_YEARS}.",
        )
    if last - first > LONGEST:
        raise Problem(422, "Период слишком длинный: не больше двух лет.")
    return Question(first, last, agent, value, known_at)


class Book:
    """The outcomes around some periods, read once, from which many figures are counted."""

    def __init__(self, found: Sequence[Outcome], rules: Rules, now: datetime) -> None:
        self.found, self.rules, self.now = found, rules, now
        self._seen: dict[tuple[datetime, datetime], View] = {}

    def figures(self, asked: Question, codes: Iterable[str] | None = None) -> Figures:
        """All of them, or the named ones. Of days before the service none: a zero would look like a fact."""
        scope = Scope(asked.agent, asked.value, self.since)
        found = figures_of(self._view(asked).of(scope), codes)
        if self.counts(asked):
            return found
        return {code: Kpi(code, None, target=kpi.target) for code, kpi in found.items()}

    def _view(self, asked: Question) -> View:
        period = bounds_of(asked.first, asked.last, self.rules.calendar.zone)
        if period not in self._seen:
            self._seen[period] = self._seen_through(period)
        return self._seen[period]

    def _seen_through(self, period: tuple[datetime, datetime]) -> View:
        rules, (start_at, end_at) = self.rules, period
        on_duty = {it.agent for it in self.found if it.agent and start_at <= it.received_at < end_at}
        return view_of(
            self.found,
            period,
            calendar=rules.calendar,
            targets=targets_of({value: terms.target for value, terms in rules.classes.items()}),
            agents_on_duty=max(1, len(on_duty)),
            now=self.now,
        )

    @property
    def since(self) -> date | None:
        """The desk's first day with the service."""
        since = self.rules.desk.since
        return since.astimezone(self.rules.desk.zone).date() if since else None

    def counts(self, asked: Question) -> bool:
        """Whether the service counted on some day of the period."""
        return self.since is None or asked.last >= self.since

    def people(self) -> frozenset[int]:
        """All who had a ticket in what was read."""
        owners = ((it.agent, it.reply_agent, it.solve_agent) for it in self.found if it.counted)
        return frozenset(owner for three in owners for owner in three if owner is not None)

    def agents(self, asked: Question) -> list[int]:
        """Everybody whose tickets moved in the period, or are open at its end."""
        start_at, end_at = bounds_of(asked.first, asked.last, self.rules.calendar.zone)
        own = (it for it in self.found if it.counted and it.received_at < end_at)
        alive = (it for it in own if it.closed_at is None or it.closed_at >= start_at)
        return sorted({it.agent for it in alive if it.agent is not None})


async def read_for(desk: Desk, *asked: Question) -> Book:
    """What the formulas need to look at for all these questions."""
    at = asked[0].known_at
    async with desk.db.read() as conn:
        rules = await rules_in_force(conn, desk, at) if at else desk.rules
        reaches = [reach(Period(PeriodKind.DAY, it.first, it.last), rules.calendar) for it in asked]
        stretch = Stretch(min(r[0] for r in reaches), max(r[1] for r in reaches))
        if at is None:
            found = await outcomes.between(conn, stretch.start_at, stretch.end_at)
            return Book(found, rules, desk.now())
        remembered = await remembered_then(conn, desk, stretch, Cut(at, at))
    return Book((await remembered.known()).outcomes, rules, at)


async def figures_for(desk: Desk, asked: Question) -> Figures:
    """Beside the loop: of a hundred thousand tickets it takes seconds."""
    book = await read_for(desk, asked)
    return await asyncio.to_thread(book.figures, asked)
