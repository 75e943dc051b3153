"""A busy day of a department to which no event can be posted: how late its cards are, and what it costs.

The same day is played twice on portals that keep their limits: with events, and by polling alone. About 150
tickets of fifteen agents' colleagues: mail, messengers, web forms; letters, open lines, talk in tasks.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import tempfile
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx

from app.demo.lives import Life, Lives
from app.demo.office import Case, Office, Ticket
from app.demo.story import DAY, SupportDay, example_tickets
from app.jobs.reconcile import next_poll_at, poll, reconcile
from app.jobs.watch import watch
from app.model import Outcome
from app.store import inbox, outbox, outcomes, stamps, tickets
from benchmarks.ground import TOKEN, Town, town

TICKETS, SESSIONS = 105, 45  # a third of the department's flow comes by messenger
BEGIN_AT, END_AT = DAY + timedelta(hours=6), DAY + timedelta(hours=19)
SWEEP_PACE = timedelta(minutes=5)  # of the service that hears events
LOOK = timedelta(seconds=2)  # how often the service looks whether a poll is due
WINDOW, MINUTE = timedelta(minutes=10), timedelta(minutes=1)
DRAIN = 2.0  # requests a second that the portal allows
EXACT = ("SLA_CLASS", "SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT",
         "SLA_CONFIRMED_AT", "SLA_OVERDUE", "SLA_PAUSE_TOTAL", "SLA_ESC_LEVEL")  # fmt: skip

Span = tuple[datetime, datetime]
WORKDAY: Span = (BEGIN_AT, END_AT)
Card = tuple[int | str, int]


@dataclass(slots=True)
class NotedOffice(Office):
    """Remembers when something happened to which card."""

    acts: dict[Card, list[datetime]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, office: Office) -> NotedOffice:
        return cls(**{each.name: getattr(office, each.name) for each in fields(Office)})

    def note(self, case: Case) -> None:
        self.acts[case.place, case.id].append(self.portal.world.now())

    def receive(self, ticket: Ticket, agent: int) -> Case:
        case = Office.receive(self, ticket, agent)
        self.note(case)
        return case

    def client_says(self, case: Case, text: str, subject: str = "") -> None:
        Office.client_says(self, case, text, subject)
        self.note(case)

    def reply(self, case: Case, text: str, *, by_phone: bool = False) -> None:
        Office.reply(self, case, text, by_phone=by_phone)
        self.note(case)

    def move(self, case: Case, state: str) -> None:
        Office.move(self, case, state)
        self.note(case)

    def write(self, case: Case, **values: object) -> None:
        Office.write(self, case, **values)
        self.note(case)


class Dialogs(Lives):
    """Clients who write in a messenger: a deal with an open line's session each."""

    def __init__(self, office: NotedOffice, count: int, seed: int, span: Span) -> None:
        super().__init__()
        self.cases: list[Case] = []
        chance = random.Random(seed)
        minutes = int((span[1] - span[0]).total_seconds() / 60)
        for number in range(count):
            at = span[0] + timedelta(minutes=chance.randint(1, max(1, minutes - 30)))
            self.add(number, self._life(office, number, at, random.Random(number)))

    def _life(self, office: NotedOffice, number: int, at: datetime, chance: random.Random) -> Life:
        portal, agent = office.portal, office.agents[number % len(office.agents)]
        yield at
        deal = portal.add_deal(
            "Обращение из чата", category=office.category, by=office.intake, assigned=agent
        )
        case = Case(2, deal, agent)
        self.cases.append(case)
        line = portal.open_line_of(portal.add_open_line((2, deal), by=agent))

        def say(text: str, by: str) -> None:
            portal.open_line_says(line, text, by)
            office.note(case)

        say("Здравствуйте, не открывается калитка по лицу", "client")
        yield (at := at + timedelta(minutes=chance.randint(2, 40)))
        say("Добрый день! Проверяем, напишем через несколько минут", "agent")
        yield (at := at + timedelta(minutes=chance.randint(1, 20)))
        office.move(case, "in_progress")
        yield (at := at + timedelta(minutes=chance.randint(2, 30)))
        say("Пришлите, пожалуйста, снимок экрана", "agent")
        office.move(case, "waiting_client")
        yield (at := at + timedelta(minutes=chance.randint(5, 60)))
        say("Прислал, посмотрите", "client")
        yield (at := at + timedelta(minutes=chance.randint(5, 60)))
        office.move(case, "resolved")


def copies(count: int) -> list[Ticket]:
    """The invented examples, over and over: each copy has a number of its own and a life of its own."""
    examples = example_tickets()
    return [
        ticket if turn == 0 else {**ticket, "id": f"{ticket['id']}{turn}"}
        for turn in range(count // len(examples) + 1)
        for ticket in examples
    ][:count]


@dataclass(slots=True)
class Played:
    """What a day left behind."""

    cards: dict[Card, dict[str, Any]]
    outcomes: list[Outcome]
    acts: dict[Card, list[datetime]]
    writes: dict[Card, list[datetime]]
    requests: list[datetime]
    refused: int


class Watcher:
    """Sees every request: when it was, and which cards it wrote."""

    def __init__(self, place: Town) -> None:
        self._clock = place.clock
        self.requests: list[datetime] = []
        self.writes: dict[Card, list[datetime]] = defaultdict(list)
        place.road.seen = lambda _: self.requests.append(self._clock.now())
        place.road.answered = self._answered

    def _answered(self, request: httpx.Request) -> None:
        body = json.loads(request.content or b"{}")
        for command in dict(body.get("cmd") or {}).values():
            method, _, query = command.partition("?")
            sent = parse_qs(query)
            if method == "crm.item.update":
                self.writes[int(sent["entityTypeId"][0]), int(sent["id"][0])].append(self._clock.now())
            elif method == "tasks.task.update":
                self.writes["task", int(sent["taskId"][0])].append(self._clock.now())


async def played(
    *, events: bool, flow: Sequence[Ticket], sessions: int, span: Span = WORKDAY, seed: int = 7
) -> Played:
    """What happens in the span, and the minutes after it in which everything settles."""
    with tempfile.TemporaryDirectory() as folder:
        async with town(Path(folder), events=events, begin_at=span[0].astimezone(UTC)) as place:
            office = NotedOffice.of(place.office)
            days = (SupportDay(office, flow), Dialogs(office, sessions, seed, span))
            if events:
                place.portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
            await reconcile(place.desk)
            watcher = Watcher(place)
            await _play(place, days, span[1], events=events)
            cases = [*days[0].cases.values(), *days[1].cases]
            async with place.desk.db.read() as conn:
                found = await outcomes.between(conn, span[0], span[1] + timedelta(hours=1))
            return Played(
                {(c.place, c.id): _card(place, c) for c in cases},
                sorted(found, key=lambda one: str(one.ref)),
                office.acts,
                watcher.writes,
                watcher.requests,
                place.portal.refused.total(),
            )


async def _play(place: Town, days: tuple[SupportDay, Dialogs], end_at: datetime, *, events: bool) -> None:
    swept_at = place.clock.now()
    while place.clock.now() < end_at:
        now = await _next(place, days, swept_at + SWEEP_PACE if events else next_poll_at(place.desk))
        place.clock.leap(max(min(now, end_at) - place.clock.now(), timedelta(0)))
        _let_happen(days, min(place.clock.now(), end_at))
        await place.portal.deliver(place.web)
        await watch(place.desk)
        if not events:
            await poll(place.desk)
        elif place.clock.now() - swept_at >= SWEEP_PACE:
            swept_at = place.clock.now()
            await reconcile(place.desk)
        await place.settle()
    _let_happen(days, end_at)  # what the last work of the portal overtook
    for _ in range(3):  # what happened last is found, written, and its echo heard
        place.clock.leap(timedelta(minutes=1))
        await reconcile(place.desk)
        await place.settle()


def _let_happen(days: Iterable[SupportDay | Dialogs], now: datetime) -> None:
    for day in days:
        day.play(now)


async def _next(place: Town, days: Iterable[SupportDay | Dialogs], sweep_at: datetime) -> datetime:
    """The next act, event or moment of the service, whichever comes first; looks are every other second."""
    async with place.desk.db.read() as conn:
        ours = [
            await tickets.next_at(conn),
            await inbox.next_due(conn),
            await outbox.next_due(conn),
            await stamps.next_due(conn),
        ]
    now = place.clock.now()
    theirs = [day.next_at for day in days]
    coming = [at for at in (*theirs, *ours, place.portal.next_event_at, sweep_at) if at is not None]
    return min((at for at in coming if at > now), default=now + LOOK) if min(coming) > now else now + LOOK


def _card(place: Town, case: Case) -> dict[str, Any]:
    held = place.portal.sla(case.place, case.id)
    return {code: held.get(code) for code in EXACT}


# --- figures -----------------------------------------------------------------------------


def latencies(heard: Played, polled: Played) -> list[timedelta]:
    """From each change that made the service write, to the moment when its card was written.

    Which changes these are the day with events tells: a write within a minute. Not those of which it learnt
    only then what polling had written before: an operator's word in a messenger brings no event.
    """
    found = []
    for card, moments in polled.acts.items():
        known = heard.acts.get(card, [])
        theirs, ours = heard.writes.get(card, []), polled.writes.get(card, [])
        for place, at in enumerate(moments[: len(known)]):
            before = place and _first(ours, moments[place - 1], at)
            late_news = before and not _first(theirs, known[place - 1], known[place])
            written_at = _first(ours, at, None)
            if written_at and not late_news and _first(theirs, known[place], known[place] + MINUTE):
                found.append(written_at - at)
    return sorted(found)


def _first(moments: Sequence[datetime], after: datetime, until: datetime | None) -> datetime | None:
    place = bisect_left(moments, after)
    found = moments[place] if place < len(moments) else None
    return found if found and (until is None or found <= until) else None


def most_in_a_window(requests: Sequence[datetime]) -> int:
    return max((bisect_right(requests, at + WINDOW) - n for n, at in enumerate(requests)), default=0)


def share_of_day(day: Played, length: timedelta) -> float:
    """Of the requests that the portal allows in that time."""
    return len(day.requests) / (DRAIN * length.total_seconds())


def share_of_window(day: Played) -> float:
    return most_in_a_window(day.requests) / (DRAIN * WINDOW.total_seconds())


def differences(heard: Played, polled: Played) -> list[str]:
    """Where the two days did not end alike. Moments differ by seconds: people act when the portal is free."""
    found = [
        f"{card}: {code} {value} != {polled.cards.get(card, {}).get(code)}"
        for card, held in heard.cards.items()
        for code, value in held.items()
        if not alike(value, polled.cards.get(card, {}).get(code))
    ]
    theirs = {(one.ref, one.cycle): one for one in polled.outcomes}
    for one in heard.outcomes:
        other = theirs.get((one.ref, one.cycle))
        found += [
            f"{one.ref}: {each.name}"
            for each in fields(Outcome)
            if other is None or not alike(getattr(one, each.name), getattr(other, each.name))
        ]
    return found


def alike(one: object, other: object) -> bool:
    if isinstance(one, datetime) and isinstance(other, datetime):
        return abs(one - other) <= MINUTE
    if isinstance(one, timedelta) and isinstance(other, timedelta):
        return abs(one - other) <= MINUTE
    if isinstance(one, str) and isinstance(other, str) and LENGTH.fullmatch(one) and LENGTH.fullmatch(other):
        return abs(_minutes(one) - _minutes(other)) <= 1
    return one == other


LENGTH = re.compile(r"(?:(\d+) ч ?)?(?:(\d+) мин)?")


def _minutes(text: str) -> int:
    """«1 ч 5 мин»."""
    found = LENGTH.fullmatch(text)
    hours, minutes = found.groups() if found else (None, None)
    return 60 * int(hours or 0) + int(minutes or 0)


def tell(heard: Played, polled: Played) -> None:
    length = END_AT - BEGIN_AT
    late = latencies(heard, polled)
    p50, p95 = (late[int(len(late) * part)].total_seconds() for part in (0.5, 0.95))
    print(f"{len(polled.cards)} обращений, {len(late)} изменений, после которых карточка записывается")
    print(
        f"  от изменения до поля: половина за {p50:.0f} с, 95 % за {p95:.0f} с, все за {late[-1].seconds} с"
    )
    for name, day in (("с событиями", heard), ("без событий, опрос", polled)):
        print(
            f"  {name}: {len(day.requests)} запросов за {length.total_seconds() / 3600:.0f} ч "
            f"({share_of_day(day, length):.1%} разрешённых), в самые занятые десять минут "
            f"{most_in_a_window(day.requests)} ({share_of_window(day):.1%}); отказов {day.refused}"
        )
    unlike = differences(heard, polled)
    print(f"  различий в карточках и показателях: {len(unlike)}", *unlike[:10], sep="\n    ")


async def main() -> None:
    print("рабочий день отдела, которому портал не присылает событий")
    flow = copies(TICKETS)
    heard, polled = [await played(events=events, flow=flow, sessions=SESSIONS) for events in (True, False)]
    tell(heard, polled)


if __name__ == "__main__":
    asyncio.run(main())
