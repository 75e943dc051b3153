"""`make chaos`: the long form, on each database, with one replica and with two where they can share it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

from tests.chaos.course import FIRST_HOLIDAY
from tests.chaos.judging import Aftermath, differences, false_alarms, faults
from tests.chaos.plans import BEGIN_AT, Plan, run
from tests.chaos.weather import Weather, silence, storm

MOST_DAYS = (FIRST_HOLIDAY - BEGIN_AT).days - 2
MOST_SHOWN = 40
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # SIGKILL empties no memory


def main() -> int:
    asked = _arguments()
    print(f"seed {asked.seed}: {_again(asked, asked.databases, asked.replicas)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="b24sla-chaos-", dir=IN_MEMORY) as name:
        failed = _all_run(asked, Path(name))
    for plan in failed:
        print(f"FAILED: {plan.name}. Again: {plan.only}")
    return 1 if failed else 0


def _all_run(asked: argparse.Namespace, folder: Path) -> list[Plan]:
    """Those that failed."""
    with _addresses(asked, folder) as urls, ProcessPoolExecutor(asked.jobs, get_context("spawn")) as pool:
        plans = list(_plans(asked, urls))
        runs = {plan.name: pool.submit(run, plan, folder) for plan in plans}
        return [plan for plan in plans if _judged(plan, runs)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--days", type=int, default=30, choices=range(1, MOST_DAYS + 1), metavar="N")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", default="sqlite,postgresql", help="none: lost events only")
    parser.add_argument("--replicas", default="1,2")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once")
    return parser.parse_args()


def _again(asked: argparse.Namespace, databases: str, replicas: int | str) -> str:
    return (
        f"make chaos CHAOS_ARGS='--days {asked.days} --kills {asked.kills} --seed {asked.seed} "
        f"--databases {databases} --replicas {replicas}'"
    )


# --- what is run -------------------------------------------------------------------------

FAIR, SILENT = "fair weather", "events lost"


def _plans(asked: argparse.Namespace, urls: dict[str, Callable[[], str]]) -> Iterator[Plan]:
    """The one that all are compared with, then the longest: they run side by side."""
    alone = _again(asked, "none", 1)
    yield Plan(FAIR, urls["sqlite"](), asked.days, asked.seed, Weather(), only=alone)
    kinds = [kind for kind in asked.databases.split(",") if kind != "none"]
    pairs = [(kind, count) for kind in kinds for count in map(int, asked.replicas.split(","))]
    shared = [(kind, count) for kind, count in pairs if count == 1 or kind != "sqlite"]
    for kind, count in sorted(shared, key=lambda pair: -pair[1]):
        span = timedelta(days=asked.days)
        weather = storm(BEGIN_AT, span, asked.seed, asked.kills)
        again = _again(asked, kind, count)
        yield Plan(f"{kind} x{count}", urls[kind](), asked.days, asked.seed, weather, count, again)
    yield Plan(SILENT, urls["sqlite"](), asked.days, asked.seed, silence(asked.seed), only=alone)


# --- the verdict -------------------------------------------------------------------------


def _judged(plan: Plan, runs: dict[str, Future[Aftermath]]) -> bool:
    """True: something is not as it must be; it is printed."""
    error = runs[plan.name].exception() or runs[FAIR].exception()
    if error is not None:  # one run that breaks off must not hide what the others found
        print(f"{plan.name}: broke off: {error!r}", flush=True)
        return True
    found, made = _faults(plan, runs), runs[plan.name].result()
    print(f"{plan.name}: {made.told}; " + (f"{len(found)} FAULTS" if found else "all as it must be"))
    for text in [*found[:MOST_SHOWN], *(f"log: {line}" for line in made.log[:10])]:
        print(f"  {text}", flush=True)
    return bool(found)


def _faults(plan: Plan, runs: dict[str, Future[Aftermath]]) -> list[str]:
    made = runs[plan.name].result()
    if plan.name == FAIR:
        return faults(made)
    found = differences(runs[FAIR].result(), made)
    return [*found, *false_alarms(made)] if plan.name == SILENT else found


@contextmanager
def _addresses(asked: argparse.Namespace, folder: Path) -> Iterator[dict[str, Callable[[], str]]]:
    """What gives the address of a new empty database of each kind."""
    numbers = iter(range(1, 100))
    urls: dict[str, Callable[[], str]] = {"sqlite": lambda: f"sqlite:///{folder}/desk-{next(numbers)}.db"}
    if "postgresql" not in asked.databases:
        yield urls
        return
    from sqlalchemy.engine import make_url

    from tests.databases import _execute, _started

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _started(str(folder / "pg")) as server:
            address = str(server.get_uri())

            def new() -> str:
                name = f"chaos_{next(numbers)}"
                asyncio.run(_execute(address, f"CREATE DATABASE {name}"))
                return make_url(address).set(database=name).render_as_string(hide_password=False)

            urls["postgresql"] = new
            yield urls


if __name__ == "__main__":
    sys.exit(main())
