"""Any digest of the past can be asked as it was known then, and equals what was sent, to the byte.

`B24SLA_QUARTERS=20` plays more quarters, each with a seed of its own; a failure prints its seed.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import cast

import pytest

from app.clock import SetClock
from app.desk import Desk
from app.jobs import report as reporting
from app.jobs.report import NeverSent, Report, hash_of, make_report, note_report, report_as_known, send_report
from app.jobs.rerule import rerule
from app.metrics.digest_tree import digest_tree
from app.metrics.periods import PeriodKind
from app.model import Person, Ticket
from app.recalling import Stretch, remembered_now, remembered_then
from app.reporting import first_working_day
from app.rules import Rules
from app.store import reports, rules_log, swept
from app.store.engine import Database
from app.store.reports import Swept
from app.store.rules_log import Applied
from tests.jobs.quarter import (
    DAYS,
    START,
    Chat,
    Life,
    Shorthand,
    desk_of,
    late_share,
    life_of,
    read_one,
    rules_of,
)
from tests.store.builders import HOUR, NOW

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="the portal is a few lines here")]

LATE = 0.3  # of the facts are learned an hour or more after they happened
SEEDS = range(2026, 2026 + int(os.environ.get("B24SLA_QUARTERS", "1")))
HASTY = '\n[class.standard]\nresolve = "2h"\n[class.consultation]\nresolve = "3h"\n'
STRICTER = '\n[class.standard]\nrespond = "1h"\nresolve = "9h"\n'
OTHER_DESK = "\n[class.consultation]\ntarget = 0.5\n"


@dataclass(frozen=True, slots=True)
class Sent:
    """What people got, and when it was made."""

    kind: PeriodKind
    on: date
    at: datetime
    text: str
    tree: str
    picture: bytes


Hour = tuple[datetime, PeriodKind]
Say = Callable[[Report], Awaitable[None]]
Read = Callable[[Life], Awaitable[None]]


@pytest.fixture
async def on_sqlite(sqlite_template: Path, tmp_path: Path) -> AsyncIterator[Database]:
    db = Database.open(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'quarter.db')}")
    yield db
    await db.close()


@pytest.fixture
def quick_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest's value in the place of its picture and table: what they are drawn from, and faster."""
    monkeypatch.setattr(reporting, "picture_of", lambda digest, name: repr((digest, name)).encode())
    monkeypatch.setattr(reporting, "sheet_of", lambda digest, found, *_: repr((digest, found)).encode())


def tree_of(report: Report) -> str:
    return json.dumps(digest_tree(report.digest), ensure_ascii=False, sort_keys=True)


def hours_of_digests(rules: Rules, chance: random.Random, count: int) -> list[Hour]:
    """The scheduler's hours, filled up by hand to `count`."""
    calendar = rules.calendar
    days = [START.date() + timedelta(days=n) for n in range(2, DAYS)]
    found = [(on(day, time(9, 5)), PeriodKind.DAY) for day in days if calendar.is_working_day(day)]
    found += [(on(day, time(9, 30)), PeriodKind.WEEK) for day in days if day.weekday() == 0]
    found += [
        (on(day, time(10)), PeriodKind.MONTH) for day in days if day == first_working_day(day, calendar)
    ]
    by_hand = [START + timedelta(days=2, seconds=chance.randint(0, (DAYS - 3) * 86400)) for _ in range(count)]
    found += [(at.astimezone(UTC), chance.choice(list(PeriodKind))) for at in by_hand]
    return sorted(found[:count])


def on(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, START.tzinfo).astimezone(UTC)


async def played(
    desk: Desk, say: Say, read: Read, lives: list[Life], hours: list[Hour], stricter: Rules
) -> list[Sent]:
    """The quarter as it went by: cards are read when there is news, digests sent at their hours."""
    clock = cast("SetClock", desk.clock)
    readings = [(at, life) for life in lives for at in life.moments()]
    steps: list[tuple[datetime, Life | PeriodKind]] = sorted([*readings, *hours], key=lambda step: step[0])
    sent: list[Sent] = []
    for at, step in steps:
        clock.set(max(at, clock.now() + timedelta(milliseconds=1)))
        if at > START + timedelta(days=DAYS / 2) and desk.rules is not stricter:
            desk.rules = stricter
            await applied_to_open(desk)
        if isinstance(step, Life):
            await read(step)
        else:
            sent.append(await told(desk, say, step))
    return sent


async def applied_to_open(desk: Desk) -> None:
    async with desk.db.begin() as conn:
        await rules_log.pin(conn, desk.rules.version, desk.rules.text, desk.now())
        await rules_log.ask(conn, Applied(desk.rules.version, desk.now(), "Соколов И.", to_open=True))
    await rerule(desk)


async def told(desk: Desk, say: Say, kind: PeriodKind) -> Sent:
    desk.people[5] = Person(5, f"Иванова {desk.now():%d.%m}")  # people change their names
    async with desk.db.begin() as conn:
        await swept.put(conn, desk.now() - timedelta(minutes=2))
    report = await make_report(desk, kind)
    await say(report)
    return Sent(kind, report.digest.period.first, desk.now(), report.text, tree_of(report), report.picture)


def forgetful(desk: Desk, chat: Chat, folder: Path) -> None:
    """Another time: other rules, names and address, a clock years later."""
    desk.rules = rules_of(folder, "later", OTHER_DESK)
    desk.people = {}
    desk.pinned.clear()
    chat.address = "https://renamed.test"
    cast("SetClock", desk.clock).advance(timedelta(days=400))


async def differences(desk: Desk, sent: list[Sent]) -> list[str]:
    found = []
    for each in sent:
        again, noted = await report_as_known(desk, each.kind, each.on, each.at)
        same = (again.text, tree_of(again), again.picture) == (each.text, each.tree, each.picture)
        if not same or noted is None:
            found.append(f"{each.kind} {each.at}")
    return found


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_hundred_digests_of_a_quarter_are_reproduced_to_the_byte(
    on_sqlite: Database, tmp_path: Path, quick_picture: None, seed: int
) -> None:
    print(f"seed {seed}")
    chance, rules = random.Random(seed), rules_of(tmp_path)
    desk, chat = desk_of(on_sqlite, rules)
    lives = [life_of(number, chance) for number in range(1, 25)]
    hours = hours_of_digests(rules, chance, 100)

    async def noted(report: Report) -> None:
        async with desk.db.begin() as conn:
            await note_report(conn, report)

    stricter = rules_of(tmp_path, "stricter", STRICTER)
    sent = await played(desk, noted, Shorthand(desk).read, lives, hours, stricter)
    assert len(sent) == 100
    assert await touched(on_sqlite) > 0, "nobody was open when the rules were applied"
    assert await late_share(on_sqlite) >= LATE
    forgetful(desk, chat, tmp_path)
    assert await differences(desk, sent) == []


async def touched(db: Database) -> int:
    async with db.read() as conn:
        return sum(each.tickets or 0 for each in await rules_log.history(conn))


async def a_few(db: Database, folder: Path, seed: int = 7, count: int = 5) -> tuple[Desk, Chat, list[Sent]]:
    chance, rules = random.Random(seed), rules_of(folder)
    desk, chat = desk_of(db, rules)
    lives = [life_of(number, chance) for number in range(1, 7)]
    hours = hours_of_digests(rules, chance, 100)[5 :: 95 // count]

    async def say(report: Report) -> None:
        await send_report(desk, report, f"digest/{desk.now().isoformat()}")
        assert chat.texts[-1] == report.text

    async def read(life: Life) -> None:
        await read_one(desk, life)

    stricter = rules_of(folder, "stricter", STRICTER)
    return desk, chat, await played(desk, say, read, lives, hours, stricter)


async def test_both_databases_remember_alike(database: Database, tmp_path: Path, quick_picture: None) -> None:
    desk, chat, sent = await a_few(database, tmp_path)
    forgetful(desk, chat, tmp_path)
    assert await differences(desk, sent) == []


async def test_picture_and_table_too_are_the_same_bytes(on_sqlite: Database, tmp_path: Path) -> None:
    desk, chat, sent = await a_few(on_sqlite, tmp_path, count=1)
    forgetful(desk, chat, tmp_path)
    last = sent[-1]
    again, noted = await report_as_known(desk, last.kind, last.on, last.at)
    assert noted is not None
    assert (again.picture, again.sheet) == (chat.files[-2], chat.files[-1])
    assert noted.picture_hash == hash_of(again.picture)


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_stored_is_what_the_facts_say(
    on_sqlite: Database, tmp_path: Path, quick_picture: None, seed: int
) -> None:
    desk, _, _ = await a_few(on_sqlite, tmp_path, seed)
    desk.rules = rules_of(tmp_path, "hasty", HASTY)
    await applied_to_open(desk)  # known at once, though nobody has decided them again
    stretch = Stretch(START, START + timedelta(days=2 * DAYS))
    async with on_sqlite.read() as conn:
        stored = await remembered_now(conn, desk, stretch, desk.now())
        then = await remembered_then(conn, desk, stretch, stored.cut)
    now, known = await stored.known(), await then.known()
    assert len(now.outcomes) > 3
    assert now.outcomes == known.outcomes
    assert [told_of(each) for each in now.waiting] == [told_of(each) for each in known.waiting]


def told_of(ticket: Ticket) -> list[object]:
    """All that a report tells of an open ticket; time spent goes on and is in none."""
    cycle = ticket.now_cycle
    clocks = [replace(clock, spent=timedelta(0)) for clock in (cycle.reply, cycle.solution)]
    words = (ticket.ref, ticket.title, ticket.agent, ticket.state, ticket.value, ticket.counted)
    return [words, ticket.sla_state, clocks, cycle.pause_total, cycle.escalated_at, ticket.escalation_level]


async def test_a_digest_that_nobody_sent_is_asked_for_by_its_moment(
    on_sqlite: Database, tmp_path: Path, quick_picture: None
) -> None:
    desk, _, sent = await a_few(on_sqlite, tmp_path)
    day = START.date() + timedelta(days=3)
    with pytest.raises(NeverSent):
        await report_as_known(desk, PeriodKind.DAY, day, None)
    at = sent[0].at + timedelta(hours=5)
    async with on_sqlite.begin() as conn:
        await reports.note_sweep(conn, Swept(at - timedelta(minutes=4), at - timedelta(minutes=5)))
    then, noted = await report_as_known(desk, PeriodKind.DAY, day, at)
    assert (noted, then.made_of.fresh.read_at) == (None, at - timedelta(minutes=5))


async def test_a_sweep_that_failed_is_the_trouble_of_its_time(database: Database) -> None:
    async with database.begin() as conn:
        await reports.note_sweep(conn, Swept(NOW, NOW, 3))
        await reports.note_sweep(conn, Swept(NOW + HOUR, None, 5, "портал не отвечает"))
        assert await reports.last_sweep(conn, NOW - HOUR) is None
        assert await reports.last_sweep(conn, NOW) == Swept(NOW, NOW, 3)
        assert await reports.last_sweep(conn, NOW + 2 * HOUR) == Swept(
            NOW + HOUR, NOW, 5, "портал не отвечает"
        )
