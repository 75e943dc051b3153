"""What pages and API look up before they say anything: names, calendars, rules of older tickets, spans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.account import Told, pause_reasons
from app.desk import Desk, rules_then
from app.explained import TicketAccount, account_of, explanation_json, spans_of_present
from app.model import ExplainedSpan, Person, Ticket
from app.rules import Rules
from app.settings import Settings
from app.sla.explanation import explained
from app.store import facts, outbox
from app.story import telling
from app.ticket_view import ticket_json
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


@dataclass(frozen=True, slots=True)
class Known:
    """What an explanation is made of; `rules` are those of the ticket."""

    ticket: Ticket
    rules: Rules
    told: Told
    queued: Sequence[outbox.Put]

    def account(self, now: datetime) -> TicketAccount:
        return account_of(self.ticket, self.rules.calendars, self.told, self.queued, now)


async def known_of(conn: AsyncConnection, desk: Desk, ticket: Ticket) -> Known:
    """Its rules, what its facts tell where they are still there, and what became of its messages."""
    rules = await rules_then(conn, desk, ticket.rules_version)
    known = await facts.load(conn, ticket.ref)
    telling_now = telling(known, rules, desk.now()) if known else None
    story = telling_now.story if telling_now else None
    told = Told(desk.name_of, desk.rules.desk.zone, story, pause_reasons(known))
    return Known(ticket, rules, told, await outbox.put_for(conn, ticket.ref))


async def explained_ticket(conn: AsyncConnection, desk: Desk, ticket: Ticket) -> dict[str, Any]:
    """The answer of `GET /api/v1/tickets/{ref}`, which `explain --json` prints."""
    account = (await known_of(conn, desk, ticket)).account(desk.now())
    plain = plain_ticket(desk, ticket, spans_of_present(account))
    return {**plain, **explanation_json(account)}


def plain_ticket(desk: Desk, ticket: Ticket, spans: Iterable[ExplainedSpan]) -> dict[str, Any]:
    """A ticket of a list."""
    names = {person.id: person.name for person in desk.people.values()}
    return ticket_json(ticket, spans, portal_url=portal_url(desk.settings), names=names)


def agents_of(desk: Desk) -> list[Person]:
    """Who may be responsible for a ticket, by name."""
    robots = set(desk.rules.people.robots)
    people = (person for person in desk.people.values() if person.employee and person.id not in robots)
    return sorted(people, key=lambda person: (not person.active, person.name))
