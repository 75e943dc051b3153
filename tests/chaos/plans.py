"""One run of the long form, in a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.demo.story import MOSCOW
from tests.chaos.judging import Aftermath, aftermath
from tests.chaos.run import Town, played
from tests.chaos.weather import Weather

BEGIN_AT = datetime(2026, 11, 24, tzinfo=MOSCOW)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: where, in which weather, with how many processes."""

    name: str
    url: str
    days: int
    seed: int
    weather: Weather
    replicas: int = 1
    only: str = ""  # what repeats it alone


def run(plan: Plan, folder: Path) -> Aftermath:
    place = folder / plan.name.replace(" ", "-")
    place.mkdir()
    began = time.monotonic()

    def tell(town: Town) -> None:
        passed = time.monotonic() - began
        print(
            f"  {plan.name}: {town.clock.now():%d.%m}, {len(town.killed)} kills, {passed:.0f} s", flush=True
        )

    return asyncio.run(_both(plan, place, tell))


async def _both(plan: Plan, place: Path, tell: Callable[[Town], None]) -> Aftermath:
    span = timedelta(days=plan.days)
    town = await played(place, plan.url, BEGIN_AT, span, plan.seed, plan.weather, plan.replicas, tell)
    return await aftermath(town)
