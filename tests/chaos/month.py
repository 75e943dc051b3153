"""A department's weeks, made by chance from a seed: it acts on the portal only, as clients and agents would.

What people write into fields without a history (a class, a level) is chosen so that the moment of writing
moves no term: a reading may find it one sweep later than another.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.demo.lives import Life, Lives
from app.demo.office import Case, Office
from app.demo.story import MOSCOW, example_tickets

MOST_FOR_HOURS = 6  # tickets of a run that is no whole day
SOME_MINUTES = (5, 12, 20, 35, 50, 75, 110, 160, 240, 700)
TALK = (
    "Проверяем журнал событий по объекту.",
    "Уточнили настройки, проверьте, пожалуйста.",
    "Готовим ответ.",
)


@dataclass(frozen=True, slots=True)
class Plot:
    """One ticket to be: its words, when it comes, and its own chance."""

    office: Office
    ticket: dict[str, object]
    arrives_at: datetime
    agent: int
    chance: random.Random
    number: int
    month: Month

    def pause(self, at: datetime) -> datetime:
        """Some time later, on the next working morning if it would be night."""
        later = at + timedelta(minutes=self.chance.choice(SOME_MINUTES), seconds=self.chance.randrange(60))
        local = later.astimezone(MOSCOW)
        if 9 <= local.hour < 18:
            return later
        morning = local.replace(hour=9, minute=self.chance.randrange(40), second=0)
        return morning if local.hour < 9 else morning + timedelta(days=1)


class Month(Lives):
    """All lives of the weeks."""

    def __init__(
        self, office: Office, begin_at: datetime, span: timedelta, seed: int, a_day: int = 7
    ) -> None:
        super().__init__()
        chance = random.Random(seed)
        self.cases: dict[int, Case] = {}
        self.corrected: dict[int, datetime] = {}  # life → when an agent made it a consultation
        for plot in _plots(self, office, begin_at, span, a_day, chance):
            self.add(plot.number, _life(plot))


def _plots(
    month: Month, office: Office, begin_at: datetime, span: timedelta, a_day: int, chance: random.Random
) -> Iterator[Plot]:
    words = example_tickets()
    for number in range(max(MOST_FOR_HOURS, round(a_day * (span / timedelta(days=1))))):
        at = begin_at + chance.random() * span
        if not 9 <= at.astimezone(MOSCOW).hour < 18 and chance.random() < 0.8:
            at = at.replace(hour=chance.randrange(9, 18)) if span > timedelta(days=1) else begin_at
        ticket = dict(chance.choice(words)) | {"id": f"M{number:03}"}
        agent, own = chance.choice(office.agents), random.Random(chance.random())
        yield Plot(office, ticket, at, agent, own, number, month)


def _life(plot: Plot) -> Life:
    yield plot.arrives_at
    case = plot.month.cases[plot.number] = plot.office.receive(plot.ticket, plot.agent)
    at = yield from _worked_on(plot, case, plot.arrives_at)
    if plot.chance.random() < 0.08:
        return  # forgotten: it stays open and late
    at = yield from _solved(plot, case, at)
    if plot.chance.random() < 0.2:
        plot.office.client_says(case, "Снова не работает, проблема осталась.")
        plot.office.move(case, "in_progress")
        at = yield from _worked_on(plot, case, at)
        at = yield from _solved(plot, case, at)
    if plot.chance.random() < 0.8:
        plot.office.client_says(case, "Спасибо, всё работает!")
        plot.office.move(case, "closed_confirmed")


def _worked_on(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    at = plot.pause(at)
    yield at
    plot.office.reply(case, plot.chance.choice(TALK))
    plot.office.move(case, "in_progress")
    for act in plot.chance.sample(_ACTS, plot.chance.randrange(3)):
        at = plot.pause(at)
        yield at
        at = yield from act(plot, case, at)
    return at


def _solved(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    at = plot.pause(at)
    yield at
    plot.office.move(case, "resolved")
    at = plot.pause(at)
    yield at
    return at


def _asks(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    plot.office.reply(case, "Подскажите, пожалуйста, модель устройства и версию.")
    plot.office.move(case, "waiting_client")
    at = plot.pause(at)
    yield at
    plot.office.client_says(case, "Версия 5.2, модель записали в письме.")
    at = plot.pause(at)
    yield at
    plot.office.move(case, "in_progress")
    return at


def _hands_over(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    plot.office.move(case, "escalated")
    at = plot.pause(at)
    yield at
    plot.office.move(case, "in_progress")
    return at


def _corrects(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    plot.office.write(case, SLA_CLASS="consultation")
    plot.month.corrected.setdefault(plot.number, at)
    at = plot.pause(at)
    yield at
    return at


def _puts_off(plot: Plot, case: Case, at: datetime) -> Generator[datetime, None, datetime]:
    plot.office.move(case, "postponed")
    at = plot.pause(at)
    yield at
    plot.office.move(case, "in_progress")
    return at


_ACTS = (_asks, _hands_over, _corrects, _puts_off)
