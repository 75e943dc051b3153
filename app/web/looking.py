"""What pages and API look up before they say anything: names, calendars, rules of older tickets, spans."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.account import Told, pause_reasons
from app.desk import Desk, rules_then
from app.model import ExplainedSpan, Person, Ticket
from app.rules import Rules
from app.settings import Settings
from app.sla.explanation import explained
from app.store import facts
from app.story import telling
from app.web.board import Surroundings


def portal_url(settings: Settings) -> str:
    """The portal's address without the webhook's secret; empty while there is none."""
    return settings.portal_address


def surroundings(desk: Desk, rules: Rules | None = None) -> Surroundings:
    """`rules`: those of the ticket, where its own calendars matter."""
    return Surroundings(
        name_of=desk.name_of,
        calendar=desk.rules.calendar,
        calendars=(rules or desk.rules).calendars,
        zone=desk.rules.desk.zone,
        portal_url=portal_url(desk.settings),
    )


async def spans_of(conn: AsyncConnection, desk: Desk, ticket: Ticket) -> tuple[ExplainedSpan, ...]:
    rules = await rules_then(conn, desk, ticket.rules_version)
    return explained(ticket.now_cycle, rules.calendars, desk.now())


async def told_of(conn: AsyncConnection, desk: Desk, ticket: Ticket) -> tuple[Rules, Told]:
    """The rules of a ticket and what its facts tell, where they are still there."""
    rules = await rules_then(conn, desk, ticket.rules_version)
    known = await facts.load(conn, ticket.ref)
    telling_now = telling(known, rules, desk.now()) if known else None
    story = telling_now.story if telling_now else None
    return rules, Told(desk.name_of, desk.rules.desk.zone, story, pause_reasons(known))


def agents_of(desk: Desk) -> list[Person]:
    """Who may be responsible for a ticket, by name."""
    robots = set(desk.rules.people.robots)
    people = (person for person in desk.people.values() if person.employee and person.id not in robots)
    return sorted(people, key=lambda person: (not person.active, person.name))
