"""Who works here: names for pages and messages, read from the portal once an hour."""

from __future__ import annotations

from datetime import timedelta

from app.desk import Desk
from app.store import people

PACE = timedelta(hours=1)


async def refresh_when_due(desk: Desk) -> int:
    """Once an hour; soon again where the portal did not answer, or messages would name people by number."""
    read_at = desk.health.people_read_at
    return await refresh_people(desk) if read_at is None or desk.now() - read_at >= PACE else 0


async def refresh_people(desk: Desk) -> int:
    """Read the portal's users; how many there are. Also the first call of a starting service."""
    persons = await desk.working_portal.people()
    async with desk.db.begin() as conn:
        await people.save(conn, persons)
    desk.health.people_read_at = desk.now()
    desk.people = {person.id: person for person in persons}
    return len(persons)
