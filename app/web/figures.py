"""The KPIs of any period, person and class, counted once for API and pages, as the digest counts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from app.desk import Desk
from app.metrics.kpi import Kpi, kpis
from app.metrics.periods import DAY, Period, PeriodKind, bounds_of, reach
from app.metrics.targets import targets_of
from app.metrics.view import Scope
from app.model import Outcome, TicketClass
from app.store import outcomes
from app.web.problems import Problem

LONGEST = timedelta(days=732)
FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)

Figures = Mapping[str, Kpi]


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures are asked for; both dates are included."""

    first: date
    last: date
    agent: int | None = None
    value: TicketClass | None = None

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
        return f"{path}?{urlencode(asked)}"


def question_of(
    desk: Desk, first: date | None, last: date | None, agent: int | None, value: TicketClass | None
) -> Question:
    """Without dates: this month up to today. 422 for a period that runs backwards or is too long."""
    today = desk.now().astimezone(desk.rules.desk.zone).date()
    last = last or (max(first, today) if first else today)
    first = first or last.replace(day=1)
    if not FIRST <= first <= last <= LAST:
        raise Problem(422, "Период задан неверно: «from» не позже «to», годы с 2000 по 2100.")
    if last - first > LONGEST:
        raise Problem(422, "Период слишком длинный: не больше двух лет.")
    return Question(first, last, agent, value)


class Book:
    """The outcomes around some periods, read once, from which many figures are counted."""

    def __init__(self, desk: Desk, found: list[Outcome]) -> None:
        self.desk = desk
        self.found = found

    def figures(self, asked: Question) -> Figures:
        desk, rules = self.desk, self.desk.rules
        start_at, end_at = bounds_of(asked.first, asked.last, rules.calendar.zone)
        on_duty = {it.agent for it in self.found if it.agent and start_at <= it.received_at < end_at}
        return kpis(
            self.found,
            start_at,
            end_at,
            calendar=rules.calendar,
            targets=targets_of({value: terms.target for value, terms in rules.classes.items()}),
            agents_on_duty=max(1, len(on_duty)),
            scope=Scope(asked.agent, asked.value, _since(desk)),
            now=desk.now(),
        )

    def agents(self, asked: Question) -> list[int]:
        """Everybody whose tickets moved in the period, or are open at its end."""
        start_at, end_at = bounds_of(asked.first, asked.last, self.desk.rules.calendar.zone)
        own = (it for it in self.found if it.counted and it.received_at < end_at)
        alive = (it for it in own if it.closed_at is None or it.closed_at >= start_at)
        return sorted({it.agent for it in alive if it.agent is not None})


async def read_for(desk: Desk, *asked: Question) -> Book:
    """What the formulas need to look at for all these questions."""
    reaches = [reach(Period(PeriodKind.DAY, it.first, it.last), desk.rules.calendar) for it in asked]
    async with desk.db.read() as conn:
        found = await outcomes.between(conn, min(r[0] for r in reaches), max(r[1] for r in reaches))
    return Book(desk, found)


def _since(desk: Desk) -> date | None:
    since = desk.rules.desk.since
    return since.astimezone(desk.rules.desk.zone).date() if since else None
