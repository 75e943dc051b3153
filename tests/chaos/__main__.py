"""`make chaos`: the long form, on each database, with one replica and with two where they can share it."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from app.demo.story import MOSCOW
from tests.chaos.judging import Aftermath, aftermath, differences
from tests.chaos.run import Town, played
from tests.chaos.weather import Weather, storm

BEGIN_AT = datetime(2026, 11, 24, tzinfo=MOSCOW)


def main() -> int:
    asked = _arguments()
    print(f"seed {asked.seed}, {asked.days} days, {asked.kills} kills")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="b24sla-chaos-") as name, _addresses(asked, Path(name)) as urls:
        folder = Path(name)
        fair = _run("fair weather", folder / "fair", urls["sqlite"](), asked, Weather(), 1)
        for kind in asked.databases.split(","):
            for replicas in map(int, asked.replicas.split(",")):
                if kind == "sqlite" and replicas > 1:
                    continue
                weather = storm(
                    BEGIN_AT, timedelta(days=asked.days), asked.seed, asked.kills, locks=kind == "sqlite"
                )
                label = f"{kind}, {replicas} replica(s)"
                foul = _run(label, folder / f"{kind}-{replicas}", urls[kind](), asked, weather, replicas)
                failed += _judged(fair, foul)
    return min(failed, 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--replicas", default="1,2")
    return parser.parse_args()


def _run(
    name: str, folder: Path, url: str, asked: argparse.Namespace, weather: Weather, replicas: int
) -> Aftermath:
    folder.mkdir()
    began = time.monotonic()
    town, found = asyncio.run(_both(folder, url, asked, weather, replicas))
    print(
        f"{name}: {len(town.month.cases)} tickets, {town.killed} kills, {town.portal.requests} requests, "
        f"events dropped {town.portal.events.dropped}, lost {town.portal.events.lost}, "
        f"faults in the log {len(found.log)}, {time.monotonic() - began:.0f} s"
    )
    return found


async def _both(
    folder: Path, url: str, asked: argparse.Namespace, weather: Weather, replicas: int
) -> tuple[Town, Aftermath]:
    town = await played(folder, url, BEGIN_AT, timedelta(days=asked.days), asked.seed, weather, replicas)
    return town, await aftermath(town)


def _judged(fair: Aftermath, foul: Aftermath) -> int:
    found = differences(fair, foul)
    for text in [*found[:40], *foul.log[:10]]:
        print(f"  {text}")
    print("  the same end" if not found else f"  {len(found)} differences")
    return len(found)


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
