"""How long a call for help waits when ten thousand deals were changed at once.

The portal's clock goes on by its own work, one request after another: the moments are the latest that they
could be. Both workers of the service are at work; the emergency comes while the long pass reads.
"""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from app.demo.office import Case, Ticket
from app.model import Event, ItemRef, Kind, Lane
from app.serving import go_on, hurry
from app.store import inbox
from benchmarks.ground import Town, town

MASS = 10_000
FIRE = "Пожарная машина стоит у закрытых ворот, въехать не может, горит дом"
LOOKS = 50


async def mass_edit(place: Town, count: int = MASS) -> list[ItemRef]:
    """Deals of the department's funnel, whose events of a change stand in the inbox."""
    add, office = place.portal.add_deal, place.office
    deals = [add("Обращение", category=office.category, by=office.intake) for _ in range(count)]
    refs = [ItemRef(Kind.DEAL, deal) for deal in deals]
    async with place.desk.db.begin() as conn:
        await inbox.put(conn, [(ref, Lane.LIVE, "ONCRMDEALUPDATE") for ref in refs], place.clock.now())
    return refs


async def fire(place: Town) -> Case:
    """A call for help, and in the inbox what its events put there."""
    ticket: Ticket = {"id": "T1", "channel": "email", "title": "Пожар", "description": FIRE}
    case = place.office.receive(ticket, place.office.agents[0])
    event = Event("ONCRMDEALADD", ItemRef(Kind.DEAL, case.id))
    assert event.subject
    async with place.desk.db.begin() as conn:
        await inbox.put(conn, [(event.subject, event.lane, event.name)], place.clock.now())
    return case


@dataclass
class Wait:
    """From the moment when the events of the emergency stand in the inbox."""

    came_at: datetime
    requests: int = 0  # of both workers
    stamped: tuple[int, timedelta] | None = None  # after so many requests, and how long
    told: tuple[int, timedelta] | None = None  # the head's notice
    begun: int = 0  # requests of the long pass before

    def look(self, place: Town, case: Case) -> None:
        """What the portal shows after one more answer."""
        now = (self.requests, place.clock.now() - self.came_at)
        if self.stamped is None and place.portal.sla(2, case.id).get("SLA_CLASS") == "emergency":
            self.stamped = now
        if self.told is None and place.portal.notices(place.office.head):
            self.told = now


async def beside_the_mass(place: Town) -> Wait:
    """Both workers at work; ends when card and alert are there, or after many looks."""
    begun = asyncio.Event()
    place.road.seen = lambda _: begun.set()
    bulk = asyncio.create_task(_until_nothing_is_left(place))
    await begun.wait()
    case = await fire(place)
    wait = Wait(place.clock.now())

    def count(_: httpx.Request) -> None:
        wait.requests += 1
        wait.look(place, case)

    place.road.seen, place.road.answered = (lambda _: None), count
    for _ in range(LOOKS):
        if wait.stamped is None or wait.told is None:
            await hurry(place.desk)
            await asyncio.sleep(0)
    assert not bulk.done(), "the long pass goes on"
    bulk.cancel()
    await asyncio.gather(bulk, return_exceptions=True)
    return wait


async def _until_nothing_is_left(place: Town) -> None:
    while await go_on(place.desk):
        pass


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with town(Path(folder)) as place:
            await mass_edit(place)
            wait = await beside_the_mass(place)
            print(f"{MASS} изменённых сделок разом, через первый их запрос приходит экстренное обращение")
            for name, found in (("поля в карточке", wait.stamped), ("тревога руководителю", wait.told)):
                assert found
                requests, took = found
                print(
                    f"  {name}: через {requests} запросов всех очередей, {took.total_seconds():.1f} с портала"
                )
            print(f"  отказов портала: {place.portal.refused.total()}")


if __name__ == "__main__":
    asyncio.run(main())
