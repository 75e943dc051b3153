"""The service meets a portal on which 50,000 deals have come and gone, all before its `since`.

Prints how many requests the first sweep makes and how many cards and messages it writes: nothing may be
written. `--deals 3000` for a shorter one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.demo.office import Ticket
from app.jobs.reconcile import reconcile
from benchmarks.ground import Town, town

DEALS = 50_000
BEGIN_AT = datetime(2026, 6, 1, 7, tzinfo=UTC)
SPAN = timedelta(days=170)  # the rules' `since` is 24.11
START_AT = datetime(2026, 11, 24, 7, tzinfo=UTC)
FIRE: Ticket = {"id": "T1", "channel": "email", "title": "Пожар", "description": "Горит дом"}


def lived_through(place: Town, deals: int) -> None:
    """Emergencies all of them, a third of which nobody ever closed."""
    for number in range(deals):
        case = place.office.receive(FIRE, place.office.agents[number % 5])
        if number % 3:
            place.office.move(case, "closed_confirmed")
        place.clock.leap(SPAN / deals)
        place.portal.drop_pending()
    place.clock.leap(START_AT - place.clock.now())


async def met(folder: Path, deals: int) -> int:
    async with town(folder, begin_at=BEGIN_AT) as place:
        lived_through(place, deals)
        before = place.portal.requests
        found = await reconcile(place.desk)
        await place.settle()
        written, said = sum(place.portal.writes.values()), len(place.portal.messages(place.office.chat))
        print(f"{deals:,} old deals: {place.portal.requests - before} requests, {found} named by the sweep, "
              f"{written} cards written, {said} messages")  # fmt: skip
    return written + said


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--deals", type=int, default=DEALS)
    deals = asked.parse_args().deals
    with tempfile.TemporaryDirectory() as folder:
        return int(asyncio.run(met(Path(folder), deals)) > 0)


if __name__ == "__main__":
    sys.exit(main())
