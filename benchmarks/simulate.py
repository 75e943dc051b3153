"""What-if over a hundred thousand tickets: the command as people run it, on a database file of its own.

Prints how long each form of the answer took, by the clock and in processor time, start of Python and
import included; ends with 1 where the answer on the screen needed more than five seconds of processor time.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from app.clock import RealClock
from app.desk import open_desk
from app.model import ClassChange, Extension, Fact, FactKind, ItemRef, Kind, Span, TicketClass, Track
from app.pinning import Pin, pinned
from app.rules import Rules
from app.settings import Settings
from app.store import facts, rules_log, tracks
from app.store.dialects import chunks
from app.store.engine import Database
from app.store.schema import tracks as table

TICKETS, YEARS = 100_000, 3
FOLDED = 0.004  # the share whose facts must be folded
BOUND = 5.0  # seconds on two cores
HOUR = timedelta(hours=1)
CLASSES = (TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION)
STRICTER = """
[class.standard]
respond = "2h"
resolve = "16h"
[class.emergency]
calendar = "always"
[[policy]]
when = {{ company = [3, 5] }}
set = {{ resolve = "8h" }}
"""


def track(number: int, chance: random.Random, rules: Rules, now: datetime) -> Track:
    """A life as they are: a third wait for the client, a sixth change their class, some are extended."""
    began_at = now - timedelta(seconds=chance.uniform(0, YEARS * 365 * 86400))
    solved_at = began_at + timedelta(hours=chance.lognormvariate(3, 1))
    is_open = chance.random() < 0.03
    return Track(
        ref=ItemRef(Kind.DEAL, number),
        cycle=1,
        value=chance.choices(CLASSES, (8, 65, 27))[0],
        started_at=began_at,
        replied_at=None if is_open else began_at + timedelta(hours=chance.expovariate(0.5)),
        solved_at=None if is_open else solved_at,
        steps=tuple(_steps(began_at, chance)),
        pauses=tuple(_pauses(began_at, solved_at, chance)),
        asked={"company": str(chance.randrange(400)), "contact": str(chance.randrange(5000))},
        terms=rules.version,
        desk=rules.version,
        plain=chance.random() >= FOLDED,
    )


def _steps(began_at: datetime, chance: random.Random) -> list[ClassChange | Extension]:
    found: list[ClassChange | Extension] = []
    if chance.random() < 0.16:
        at = began_at + timedelta(minutes=chance.expovariate(1 / 90))
        value = chance.choice(CLASSES)
        found.append(ClassChange(at, value, by_person=True, correction=chance.random() < 0.6))
    if chance.random() < 0.03:
        at = began_at + timedelta(hours=chance.expovariate(1 / 12))
        found.append(Extension(at, at + timedelta(days=3), 7))
    return sorted(found, key=lambda step: step.at)


def _pauses(began_at: datetime, solved_at: datetime, chance: random.Random) -> list[Span]:
    count = chance.choices((0, 1, 2, 3), (66, 22, 9, 3))[0]
    edges = sorted(began_at + (solved_at - began_at) * chance.random() for _ in range(2 * count))
    return [Span(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def life(of: Track, rules: Rules) -> list[Fact]:
    """The facts of a ticket that numbers do not tell: for a while it was taken for none."""
    at, later = of.started_at, of.started_at + 3 * HOUR
    fields = {"title": "Не приходит код", "text": "Житель не получает код для входа", "assignee": "5"}
    told = [
        _fact(of, FactKind.FIELD, f"{code}#1", at, code=code, value=value) for code, value in fields.items()
    ]
    names = ("NEW", "SPAM", "PREPARATION", "SOLVED")
    stages = [(str(place), at + place * HOUR, f"C3:{name}") for place, name in enumerate(names, 1)]
    told += [_fact(of, FactKind.STAGE, key, moment, stage=stage, category=3) for key, moment, stage in stages]
    told += [
        _fact(of, FactKind.CREATED, "1", at),
        _fact(of, FactKind.UTTERANCE, f"activity:{of.ref.id}", later, side="ours", text="Смотрим, напишем"),
        _fact(of, FactKind.CLASSIFIED, "start", at, **VERDICT),
        pinned(of.ref, (), Pin(at, rules.version, rules.version)),
    ]
    return told


VERDICT = {
    "class": "standard", "area": "app_login", "confidence": 0.9, "why": "S: «не приходит»", "sure": True,
    "other_topics": "", "escalate_to": "", "version": "1",
}  # fmt: skip


def _fact(of: Track, kind: FactKind, key: str, at: datetime, **value: object) -> Fact:
    return Fact(of.ref, kind, key, at, at, 7, value)


async def fill(settings: Settings) -> None:
    now, chance = datetime.now(UTC), random.Random(4)
    async with open_desk(settings, clock=RealClock(), role="web") as desk:
        made = [track(number, chance, desk.rules, now) for number in range(1, TICKETS + 1)]
        async with desk.db.begin() as conn:
            await rules_log.pin(conn, desk.rules.version, desk.rules.text, now)
            for some in chunks(made, 2000):
                await conn.execute(sa.insert(table), [tracks.row_of(each) for each in some])
            for some in chunks([each for each in made if not each.plain], 200):
                await facts.add(conn, [fact for each in some for fact in life(each, desk.rules)])
    await _settled(settings)


async def _settled(settings: Settings) -> None:
    """Nobody's writing is still on its way to the file."""
    db = Database.open(settings.database_url.get_secret_value())
    async with db.begin() as conn:
        await conn.execute(sa.text("ANALYZE"))
    await db.close()


def run(folder: Path, environ: dict[str, str], *more: str) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    words = [sys.executable, "-m", "app", "simulate", "--rules", str(folder / "other.toml"), "--days", "0"]
    began, worked = perf_counter(), _processor()
    done = subprocess.run(  # noqa: S603 - our own command
        [*words, *more], env={**os.environ, **environ}, capture_output=True, check=True, text=True
    )
    if not more:
        print(done.stdout)
    return perf_counter() - began, _processor() - worked


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = '[desk]\nsince = "2020-01-01"\n[people]\nhead = 7\n' + SOURCE
        (folder / "rules.toml").write_text(own, "utf-8")
        (folder / "other.toml").write_text(own + STRICTER.format(), "utf-8")
        environ = {
            "B24SLA_DATABASE_URL": f"sqlite+aiosqlite:///{folder / 'desk.db'}",
            "B24SLA_RULES": str(folder / "rules.toml"),
        }
        asyncio.run(fill(Settings.read(environ)))
        took = {
            "на экран": run(folder, environ),
            "JSON": run(folder, environ, "--json"),
            "таблица": run(folder, environ, "--out", str(folder / "out.xlsx")),
            "картинка": run(folder, environ, "--picture", str(folder / "out.png")),
        }
        for what, (clock, processor) in took.items():
            print(f"{what:<10} {clock:6.2f} s by the clock, {processor:6.2f} s of the processor")
    print(f"bound: {BOUND} s for {TICKETS} tickets, on the screen")
    return int(took["на экран"][1] > BOUND)


SOURCE = """
[[source]]
kind = "deal"
category = 3
[source.stages]
"C3:NEW" = "new"
"C3:PREPARATION" = "in_progress"
"C3:WAIT" = "waiting_client"
"C3:SOLVED" = "resolved"
"C3:WON" = "closed_confirmed"
"C3:SPAM" = "not_ticket"
"""

if __name__ == "__main__":
    sys.exit(main())
