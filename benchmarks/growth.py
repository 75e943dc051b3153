"""What three years leave behind: the service on 10,000 and 100,000 tickets, a tenth of them open.

A week of a department is played through the service; its rows, shifted week by week into the past, are copied
in bulk into a database of each size. Then the service itself works on each of them beside the portal of that
week, in a process of its own: ticks of the watcher with nothing due, events from their post to the written
card (what the emulated portal takes is subtracted), sweeps that find nothing, pages.

Ends with 1 where a tick takes more than 5 ms on the largest, or more than twice its time on the smallest.
Sizes and databases: --sizes 10000 1000000 --on postgresql. --curve FILE draws what the table says.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
from pydantic import SecretStr

from app.bitrix.portal import Portal
from app.demo.office import Case
from app.desk import open_desk
from app.jobs.reconcile import reconcile
from app.jobs.refresh import refresh_people
from app.jobs.watch import watch
from app.store.engine import Database
from app.store.migrate import migrate
from app.web.application import create_app
from benchmarks.copying import Seed, bytes_of, copied, fill
from benchmarks.ground import TOKEN, Road, Town, town
from benchmarks.pounding import PATH, event_body

SIZES = (10_000, 100_000)  # a million is a matter of twenty minutes
CASES, OPEN = 15, 4
TICKS, EVENTS, SWEEPS = 500, 25, 5
BOUND, GROWTH = 5.0, 2.0  # milliseconds of a tick; times of the smallest
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PAGES = ("/", "/kpi", "/metrics")
BASE = "http://127.0.0.1:8080"
FORK = multiprocessing.get_context("fork")
LETTERS = (
    "Житель не получает код для входа в приложение, пробовал три раза",
    "Шлагбаум не открывается по пропуску, заявка на гостя создана вчера",
    "Как добавить второй автомобиль в постоянный пропуск?",
    "Не приходит уведомление о заявке на въезд, телефон тот же",
)


@dataclass(slots=True)
class Measured:
    """Of one size: milliseconds by what was done, memory in MB, disk in bytes a ticket."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict[str, list[float]](list))
    memory: float = 0.0
    peak: float = 0.0
    disk: float = 0.0

    def median(self, what: str) -> float:
        return median(self.took[what])

    def percentile(self, what: str, share: float) -> float:
        found = sorted(self.took[what])
        return found[min(len(found) - 1, int(len(found) * share))]


# --- the week -----------------------------------------------------------------------------


async def week(place: Town) -> list[Case]:
    """Tickets as they come and go; a few are still open at its end."""
    cases = [
        place.office.receive(
            {"id": f"T{n}", "channel": "email", "title": "Обращение", "description": LETTERS[n % 4]},
            place.office.agents[n % 5],
        )
        for n in range(CASES)
    ]
    steps: tuple[Callable[[Case], object], ...] = (
        lambda case: place.office.reply(case, "Проверили настройки, уже разбираемся"),
        lambda case: place.office.move(case, "in_progress"),
        lambda case: place.office.client_says(case, "Проверил, всё так же"),
        lambda case: place.office.reply(case, "Поправили, обновите приложение"),
        lambda case: place.office.move(case, "resolved"),
        lambda case: place.office.move(case, "closed_confirmed"),
    )
    await _read(place, cases)
    for number, step in enumerate(steps):
        for case in cases[: -OPEN if number > 2 else None]:
            step(case)
        await _read(place, cases)
    return cases


async def _read(place: Town, cases: list[Case]) -> None:
    """An hour later every card has been looked at."""
    place.clock.leap(HOUR)
    place.portal.drop_pending()
    await place.named([case.id for case in cases])
    await place.settle()


# --- the service on a big database ------------------------------------------------------------


class Timed(Road):
    """Counts what the portal takes, which is not ours."""

    seconds = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        began = perf_counter()
        try:
            return await super().handle_async_request(request)
        finally:
            self.seconds += perf_counter() - began


@dataclass(slots=True)
class Service:
    """A desk on one of the databases, and the ticket that its events are about."""

    town: Town
    road: Timed
    client: httpx.AsyncClient
    case: Case
    found: Measured = field(default_factory=Measured)

    async def timed(self, what: str, act: Callable[[], Awaitable[object]]) -> None:
        """By the clock, without the portal's own work."""
        began, portal = perf_counter(), self.road.seconds
        await act()
        self.found.took[what].append((perf_counter() - began - (self.road.seconds - portal)) * 1000)

    async def tick(self) -> None:
        await self.timed("tick", lambda: watch(self.town.desk))

    async def event(self) -> None:
        """From the post to the card and the database, until nothing waits."""
        self.town.office.client_says(self.case, "Есть новости? Жители спрашивают")
        self.town.portal.drop_pending()
        await self.timed("event", self._taken_and_done)

    async def _taken_and_done(self) -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        told = await self.client.post(PATH, content=event_body(self.case.id, TOKEN), headers=headers)
        assert told.status_code == 200
        await self.town.settle()

    async def sweep(self) -> None:
        await self.timed("sweep", lambda: reconcile(self.town.desk))

    async def pages(self) -> None:
        for path in PAGES:
            await self.timed(path, lambda path=path: self._shown(path))  # type: ignore[misc]

    async def _shown(self, path: str) -> None:
        told = await self.client.get(path, headers={"accept": "text/html"})
        assert told.status_code == 200, told.text


@asynccontextmanager
async def opened(place: Town, case: Case, address: str) -> AsyncIterator[Service]:
    settings = place.desk.settings.model_copy(update={"database_url": SecretStr(address)})
    road = Timed(place.portal, place.clock)
    async with open_desk(
        settings, clock=place.clock, portal_of=lambda config, now: Portal(config, now, road)
    ) as desk:
        await refresh_people(desk)
        web = httpx.ASGITransport(app=create_app(desk))
        there = Town(place.clock, place.portal, place.office, desk, web, road)
        async with httpx.AsyncClient(transport=web, base_url=BASE, timeout=600) as client:
            yield Service(there, road, client, case)


async def measured(place: Town, cases: list[Case], sizes: dict[int, str]) -> dict[int, Measured]:
    """In turn on every size, so that other work of the machine is in all of them alike."""
    async with AsyncExitStack() as stack:
        found = {
            size: await stack.enter_async_context(opened(place, case, address))
            for case, (size, address) in zip(cases[-OPEN:], sizes.items(), strict=False)
        }
        each = found.values()
        await in_turn(each, Service.tick, TICKS)
        await in_turn(each, Service.event, EVENTS)
        for service in each:
            await reconcile(service.town.desk)
            await service.town.settle()
        await in_turn(each, Service.sweep, SWEEPS)
        await in_turn(each, Service.pages, 1)
        for size, service in found.items():
            service.found.disk = await bytes_of(service.town.desk.db) / size
        return {size: service.found for size, service in found.items()}


async def in_turn(
    services: Collection[Service], act: Callable[[Service], Awaitable[None]], times: int
) -> None:
    for _ in range(times):
        for service in services:
            service.town.clock.leap(SECOND)
            await act(service)


async def remembered(place: Town, case: Case, address: str) -> tuple[float, float]:
    """Memory of a process after events and sweeps, and the most that it had with pages."""
    async with opened(place, case, address) as service:
        for _ in range(5):
            await service.event()
            await service.sweep()
            await service.tick()
        held = resident()
        await service.pages()
        return held, resident(peak=True)


def resident(*, peak: bool = False) -> float:
    """Memory of this process, in MB."""
    name = "VmHWM" if peak else "VmRSS"
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


# --- all of it --------------------------------------------------------------------------------


def in_a_process(work: Callable[[], Awaitable[Any]]) -> Any:
    """What it answers; so the memory of one measurement is not that of another."""
    ours, theirs = FORK.Pipe(duplex=False)

    def run() -> None:
        theirs.send(asyncio.run(work()))  # type: ignore[arg-type]

    process = FORK.Process(target=run)
    process.start()
    theirs.close()
    answer = ours.recv()
    process.join()
    return answer


def written(place: Town, seed: Seed, address: str, size: int) -> None:
    began = perf_counter()

    async def filled() -> None:
        await migrate(address)
        db = Database.open(address)
        await fill(db, seed, size, place.clock.now())
        if db.dialect == "postgresql":
            await tidied(address)
        await db.close()

    in_a_process(filled)
    print(f"  {size:,} tickets written in {perf_counter() - began:.0f} s", file=sys.stderr)


async def tidied(address: str) -> None:
    """What a server does by itself within minutes."""
    conn = await asyncpg.connect(address)
    await conn.execute("VACUUM ANALYZE")
    await conn.close()


def grown(place: Town, cases: list[Case], seed: Seed, sizes: dict[int, str]) -> dict[int, Measured]:
    for size, address in sizes.items():
        written(place, seed, address, size)

    async def all_sizes() -> dict[int, Measured]:
        return await measured(place, cases, sizes)

    found: dict[int, Measured] = in_a_process(all_sizes)
    for size, address in sizes.items():
        one = found[size]
        one.memory, one.peak = in_a_process(partial(remembered, place, cases[-1], address))
    return found


async def played(folder: Path) -> tuple[Town, list[Case], Seed]:
    async with town(folder, rewritten=lambda text: text.replace('"2026-11-24"', '"2020-01-01"')) as place:
        cases = await week(place)
        seed = await copied(place.desk.db, [f"deal:{case.id}" for case in cases])
    return place, cases, seed


ROWS: dict[str, Callable[[Measured], float]] = {
    "tick with nothing due, ms": lambda one: one.median("tick"),
    "  99th percentile, ms": lambda one: one.percentile("tick", 0.99),
    "an event to its card, ms": lambda one: one.median("event"),
    "  95th percentile, ms": lambda one: one.percentile("event", 0.95),
    "a sweep that finds nothing, ms": lambda one: one.median("sweep"),
    "board, ms": lambda one: one.median("/"),
    "figures of the month, ms": lambda one: one.median("/kpi"),
    "metrics, ms": lambda one: one.median("/metrics"),
    "memory after events and sweeps, MB": lambda one: one.memory,
    "  most, with the pages, MB": lambda one: one.peak,
    "disk a ticket, bytes": lambda one: one.disk,
}


def shown(name: str, found: dict[int, Measured]) -> None:
    print(f"\n{name:<34}" + "".join(f"{size:>14,}" for size in found))
    for label, value in ROWS.items():
        print(f"{label:<34}" + "".join(f"{value(one):>14,.1f}" for one in found.values()))


def kept(found: dict[int, Measured]) -> bool:
    first, last = (found[size].median("tick") for size in (min(found), max(found)))
    print(f"a tick: {last:.2f} ms (bound {BOUND}), {last / first:.2f} times the smallest's (bound {GROWTH})")
    return last <= BOUND and last <= first * GROWTH


def draw(found: dict[str, dict[int, Measured]], file: Path) -> None:
    """Milliseconds over tickets, both scales logarithmic: what is level does not grow."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.2), layout="constrained")
    for place, (name, sizes) in enumerate(found.items(), 1):
        axes = figure.add_subplot(1, len(found), place)
        for label, value in ROWS.items():
            if label.endswith(", ms") and "percentile" not in label:
                values = [value(one) for one in sizes.values()]
                axes.plot(list(sizes), values, marker="o", label=label.removesuffix(", ms"))
        axes.set(xscale="log", yscale="log", title=name, xlabel="tickets", ylabel="ms")
        axes.grid(visible=True, alpha=0.3)
    figure.axes[0].legend(fontsize=7)
    figure.savefig(file, dpi=110)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked.add_argument("--on", nargs="+", default=["sqlite"], choices=["sqlite", "postgresql"])
    asked.add_argument("--curve", type=Path)
    wanted = asked.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        place, cases, seed = asyncio.run(played(folder))
        found = {}
        for name in wanted.on:
            new = addresses(name, folder, stack)
            found[name] = grown(place, cases, seed, {size: new(size) for size in wanted.sizes})
            shown(name, found[name])
    if wanted.curve:
        draw(found, wanted.curve)
    results = [kept(one) for one in found.values()]
    return int(not all(results))


def addresses(name: str, folder: Path, stack: ExitStack) -> Callable[[int], str]:
    """A new database a size."""
    if name == "sqlite":
        return lambda size: f"sqlite:///{folder}/{size}.db"
    from tests.databases import _new_database, _started

    home = tempfile.mkdtemp(prefix="b24sla-pg-")
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    server = str(stack.enter_context(_started(home)).get_uri())
    return lambda _: _new_database(server, "template0")


if __name__ == "__main__":
    sys.exit(main())
