"""Who works here: names for pages and messages, read from the portal once an hour."""

from __future__ import annotations

from app.desk import Desk
from app.store import people


async def refresh_people(desk: Desk) -> int:
    """Read the portal's users; how many there are. Also the first call of a starting service."""
    persons = await desk.working_portal.people()
    async with desk.db.begin() as conn:
        await people.save(conn, persons)
    desk.people = {person.id: person for person in persons}
    return len(persons)
