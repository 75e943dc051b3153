"""Business time beside its peers, in one run: the same hours, the same Russian holidays, the same tickets.

Neither peer can open a moved working Saturday or close a short eve earlier, so they are compared on
a stretch that has holidays but none of these, and only after all have given the same answers there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from time import process_time

import businesstimedelta
import pandas as pd
import pytz

from app.rules import load_rules
from app.sla.calendar import Calendar
from app.sla.many import add_many, between_many, instants_of, lengths_of, moments_of
from app.sla.workdays import russian_workdays

OPENS, CLOSES, FIVE_DAYS = time(9), time(18), [0, 1, 2, 3, 4]
# 09:07 in Moscow: pandas moves a deadline that stands on a closing, and counts whole hours only.
WITH_HOLIDAYS = datetime(2026, 2, 2, 6, 7, tzinfo=UTC)  # 23.02 and 09.03
WITHOUT_HOLIDAYS = datetime(2026, 8, 3, 6, 7, tzinfo=UTC)
TERM, THREE_WEEKS = timedelta(hours=8), timedelta(days=21)
DISTANCES = {"сутки": 1, "три недели": 21, "год": 365, "десять лет": 3652}
STARTS, ROUNDS = 60, 9
TICKETS = 100_000
OURS, PEER = "b24sla", "businesstimedelta"
Answers = dict[str, Callable[[], Sequence[object]]]


class Disagreement(Exception):
    """The peers would not be timed at the same work."""


@dataclass(frozen=True)
class Peers:
    """All three set up as their manuals say."""

    ours: Calendar
    rules: businesstimedelta.Rules
    term: businesstimedelta.BusinessTimeDelta
    hours: pd.offsets.CustomBusinessHour
    eight_hours: pd.offsets.CustomBusinessHour


def peers_of(calendar: Calendar, holidays: set[date]) -> Peers:
    zone = pytz.timezone("Europe/Moscow")
    week = businesstimedelta.WorkDayRule(start_time=OPENS, end_time=CLOSES, working_days=FIVE_DAYS, tz=zone)
    off = [businesstimedelta.HolidayRule(holidays, tz=zone)] if holidays else []
    rules = businesstimedelta.Rules([week, *off])
    return Peers(
        calendar,
        rules,
        businesstimedelta.BusinessTimeDelta(rules, timedelta=TERM),
        pd.offsets.CustomBusinessHour(holidays=sorted(holidays), start=OPENS, end=CLOSES),
        pd.offsets.CustomBusinessHour(n=8, holidays=sorted(holidays), start=OPENS, end=CLOSES),
    )


def starts_from(calendar: Calendar, first: datetime) -> list[datetime]:
    """Working moments of a month whose three weeks later is one as well."""
    every = (first + timedelta(hours=n) for n in range(24 * 30))
    fits = [at for at in every if calendar.is_open(at) and calendar.is_open(at + THREE_WEEKS)]
    return fits[:: len(fits) // STARTS][:STARTS]


# --- the same question to each -----------------------------------------------------------


def added(peers: Peers, starts: Sequence[datetime]) -> Answers:
    """8 h from each start."""
    stamps = [pd.Timestamp(at).tz_convert("Europe/Moscow") for at in starts]
    return {
        OURS: lambda: [peers.ours.add(at, TERM) for at in starts],
        PEER: lambda: [at + peers.term for at in starts],
        "pandas": lambda: [at + peers.eight_hours for at in stamps],
    }


def measured(peers: Peers, starts: Sequence[datetime]) -> Answers:
    """Business time of three weeks; pandas has no such question, its hours are counted one by one."""
    spans = [(at, at + THREE_WEEKS) for at in starts]
    stamps = [tuple(pd.Timestamp(at).tz_convert("Europe/Moscow") for at in span) for span in spans]

    def hours(start: pd.Timestamp, end: pd.Timestamp) -> timedelta:
        return timedelta(hours=len(pd.date_range(start, end, freq=peers.hours)) - 1)

    return {
        OURS: lambda: [peers.ours.between(*span) for span in spans],
        PEER: lambda: [peers.rules.difference(*span).timedelta for span in spans],
        "pandas": lambda: [hours(*span) for span in stamps],
    }


def at_distances(calendar: Calendar, starts: Sequence[datetime]) -> Answers:
    """Only ours: the peers walk day by day and know neither moved days nor short eves."""

    def asked(days: int) -> Callable[[], Sequence[object]]:
        spans = [(at, at + timedelta(days=days)) for at in starts]
        return lambda: [calendar.between(*span) for span in spans]

    return {name: asked(days) for name, days in DISTANCES.items()}


# --- timing ------------------------------------------------------------------------------


def medians(asked: Answers, repeats: dict[str, int], rounds: int = ROUNDS) -> dict[str, float]:
    """Microseconds of processor an answer: the median of rounds in which everybody has a turn."""
    taken: dict[str, list[float]] = {who: [] for who in asked}
    for _ in range(rounds):
        for who, ask in asked.items():
            times = repeats.get(who, 1)
            begun = process_time()
            for _ in range(times):
                ask()
            taken[who].append((process_time() - begun) / times / STARTS * 1e6)
    return {who: median(each) for who, each in taken.items()}


def compared(name: str, asked: Answers, goal: float | None) -> bool:
    """Print one question's table; False if the goal was missed."""
    answers = {who: list(ask()) for who, ask in asked.items()}
    wrong = [who for who, found in answers.items() if found != answers[OURS]]
    if wrong:
        raise Disagreement(f"{name}: {', '.join(wrong)} отвечает иначе, сравнивать нечего")
    found = medians(asked, {OURS: 50})
    print(f"{name}: ответы у всех одинаковы ({STARTS} разных моментов)")
    for who, each in found.items():
        longer = "" if who == OURS else f"   в {each / found[OURS]:.0f} раз дольше"
        print(f"  {who:18} {each:10.2f} мкс{longer}")
    ratio = found[PEER] / found[OURS]
    if goal:
        print(f"  цель: не меньше {goal:.0f}; {'достигнута' if ratio >= goal else 'НЕ достигнута'}")
    return goal is None or ratio >= goal


def distances(calendar: Calendar, starts: Sequence[datetime]) -> bool:
    """Print what far instants cost; False if a year costs more than one and a half days."""
    asked = at_distances(calendar, starts)
    for ask in asked.values():
        ask()  # the years on the way are built once, like any table
    found = medians(asked, dict.fromkeys(asked, 10), rounds=101)
    day = found["сутки"]
    print("рабочее время между моментами, наше:")
    for name, each in found.items():
        print(f"  {name:18} {each:10.2f} мкс   {each / day:.2f} цены суток")
    reached = found["год"] / day <= 1.5
    print(f"  цель: год не дороже 1,5 суток; {'достигнута' if reached else 'НЕ достигнута'}")
    return reached


def many(calendar: Calendar, starts: Sequence[datetime]) -> None:
    """Print what a column of tickets costs; every answer is compared with the scalar one."""
    tickets = [starts[n % STARTS] + timedelta(seconds=n) for n in range(TICKETS)]
    column, terms = instants_of(tickets), lengths_of([TERM])
    due = add_many(calendar, column, terms)
    if moments_of(due) != [calendar.add(at, TERM) for at in tickets]:
        raise Disagreement("столбцом получаются другие сроки")
    asked: Answers = {
        "сроки": lambda: [add_many(calendar, column, terms)],
        "рабочее время": lambda: [between_many(calendar, column, due)],
    }
    print(f"{TICKETS} обращений одним столбцом (ответы те же, что по одному):")
    for name, each in medians(asked, {}).items():
        print(f"  {name:18} {each * STARTS / 1000:10.2f} мс")


def main() -> int:
    calendar, workdays = load_rules(None).calendar, russian_workdays()
    print(f"Рабочее время: медианы {ROUNDS} раундов вперемежку, время процессора; пн-пт 09:00-18:00, Москва.")
    print("Рабочих суббот и коротких дней соседи не умеют: сравнение там, где их нет.")
    reached = []
    for name, first, off in (
        ("с праздниками", WITH_HOLIDAYS, set(workdays.off)),
        ("соседям без праздников (август)", WITHOUT_HOLIDAYS, set[date]()),
    ):
        starts, peers = starts_from(calendar, first), peers_of(calendar, off)
        reached += [
            compared(f"срок через 8 ч, {name}", added(peers, starts), 30),
            compared(f"время между моментами через три недели, {name}", measured(peers, starts), 500),
        ]
    starts = starts_from(calendar, WITH_HOLIDAYS)
    reached.append(distances(calendar, starts))
    many(calendar, starts)
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
