"""Taking the words of old tickets away: what is kept of each is decided above, here it is put down.

Promise: instants, states, verdicts and figures stay as they were; what was said in the rows is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Fact, FactKind, ItemRef, Outcome, Ticket
from app.store import tickets as ticket_store
from app.store.codec import decode, encode
from app.store.dialects import locked
from app.store.outbox import MessageState
from app.store.schema import facts, inbox, messages, outcomes, reports, stamps, tickets

Place = tuple[datetime, str]
"""Where a walk over the tickets stands."""
BareOutcome = Callable[[Outcome], Outcome]
BareValues = Callable[[Mapping[str, str]], dict[str, str]]


async def ended_before(
    conn: AsyncConnection, before: datetime, after: Place | None, limit: int
) -> tuple[list[ItemRef], Place | None]:
    """Tickets with words that nobody works on and whose last moment lies before `before`; where to go on."""
    place = sa.tuple_(tickets.c.started_at, tickets.c.ref)
    query = sa.select(tickets.c.ref, tickets.c.started_at).where(
        tickets.c.purged_at.is_(None), tickets.c.started_at < before
    )
    if after is not None:
        start, ref = (sa.literal(value, column.type) for value, column in zip(after, _KEYS, strict=True))
        query = query.where(place > sa.tuple_(start, ref))
    rows = (await conn.execute(query.order_by(*_KEYS).limit(limit))).all()
    old = await still_old(conn, [ItemRef.parse(row.ref) for row in rows], before)
    following = (rows[-1].started_at, rows[-1].ref) if len(rows) == limit else None
    return [ticket.ref for ticket in old], following


_KEYS = (tickets.c.started_at, tickets.c.ref)


async def still_old(
    conn: AsyncConnection, refs: Sequence[ItemRef], before: datetime, *, hold: bool = False
) -> list[Ticket]:
    """Those of them that ended before; `hold`: nobody changes them until our commit."""
    if hold:
        rows = sa.select(tickets.c.ref).where(tickets.c.ref.in_([str(ref) for ref in refs]))
        await conn.execute(locked(rows.order_by(tickets.c.ref)))
    found = await ticket_store.load_many(conn, refs)
    ended = await _ended_at(conn, [ticket for ticket in found.values() if not ticket.open])
    return [found[ref] for ref, at in ended.items() if at < before]


async def _ended_at(conn: AsyncConnection, found: Sequence[Ticket]) -> dict[ItemRef, datetime]:
    """The last instant of each; of one without outcomes (it left) when it was last read."""
    refs = [str(ticket.ref) for ticket in found]
    last = sa.func.max(outcomes.c.ended_at, type_=outcomes.c.ended_at.type)
    query = sa.select(outcomes.c.ref, last).where(outcomes.c.ref.in_(refs)).group_by(outcomes.c.ref)
    known = {ref: at for ref, at in await conn.execute(query) if at is not None}
    return {ticket.ref: known.get(str(ticket.ref), ticket.read_at) for ticket in found}


async def refs_of_client(conn: AsyncConnection, client: str) -> list[ItemRef]:
    """Everything that ever was this client's: `contact:5`, `company:7`, or the text of the field."""
    kind, _, number = client.partition(":")
    found = set()
    for code, wanted in (("client", client), (kind, number)):
        asked = (facts.c.kind == FactKind.FIELD.value, facts.c.key.like(f"{code}#%"))
        rows = await conn.execute(sa.select(facts.c.ref, facts.c.value).where(*asked))
        found |= {ref for ref, value in rows if wanted and value.get("value") == wanted}
    of_tickets = sa.select(tickets.c.ref).where(tickets.c.client == client, tickets.c.client != "")
    return sorted(map(ItemRef.parse, found | set(await conn.scalars(of_tickets))))


async def take_words(
    conn: AsyncConnection,
    ticket: Ticket,
    changed: Iterable[Fact],
    now: datetime,
    *,
    bare_outcome: BareOutcome,
    bare_values: BareValues,
) -> None:
    """Put the bare ticket and facts in their places."""
    rows = [{"r": str(f.ref), "k": f.kind.value, "y": f.key, "v": dict(f.value)} for f in changed]
    if rows:
        await conn.execute(_CHANGE_FACT, rows)
    values = {"body": encode(ticket), "client": ticket.client, "title_folded": "", "purged_at": now}
    await conn.execute(sa.update(tickets).where(tickets.c.ref == str(ticket.ref)).values(values))
    await _bare_outcomes(conn, ticket.ref, bare_outcome)
    await _bare_stamp(conn, ticket.ref, bare_values)
    failed = sa.update(inbox).where(inbox.c.subject == str(ticket.ref)).values(error="")
    await conn.execute(failed)
    await _unsay(conn, ticket.ref)


_CHANGE_FACT = (
    sa.update(facts)
    .where(
        facts.c.ref == sa.bindparam("r"), facts.c.kind == sa.bindparam("k"), facts.c.key == sa.bindparam("y")
    )
    .values(value=sa.bindparam("v", type_=facts.c.value.type))
)


async def _bare_outcomes(conn: AsyncConnection, ref: ItemRef, bare: BareOutcome) -> None:
    key = (outcomes.c.ref == str(ref),)
    for cycle, body in (await conn.execute(sa.select(outcomes.c.cycle, outcomes.c.body).where(*key))).all():
        kept = encode(bare(decode(Outcome, body)))
        await conn.execute(sa.update(outcomes).where(*key, outcomes.c.cycle == cycle).values(body=kept))


async def _bare_stamp(conn: AsyncConnection, ref: ItemRef, bare: BareValues) -> None:
    columns = (stamps.c.wanted, stamps.c.confirmed, stamps.c.sending)
    row = (await conn.execute(sa.select(*columns).where(stamps.c.ref == str(ref)))).first()
    if row is not None:
        kept = {
            "wanted": bare(row.wanted),
            "confirmed": bare(row.confirmed),
            "sending": bare(row.sending) if row.sending else None,
        }
        await conn.execute(sa.update(stamps).where(stamps.c.ref == str(ref)).values(kept))


async def _unsay(conn: AsyncConnection, ref: ItemRef) -> None:
    """Texts of messages go, their keys stay: nothing is said twice. What had failed is not tried again."""
    gave_up = messages.c.state == MessageState.FAILED.value
    said = (messages.c.ref == str(ref), messages.c.state.not_in(_ON_THEIR_WAY), messages.c.text != "")
    state = sa.case((gave_up, MessageState.SKIPPED.value), else_=messages.c.state)
    query = sa.update(messages).where(*said).values(text="", error="", state=state, failed_at=None)
    await conn.execute(query)


_ON_THEIR_WAY = (MessageState.WAITING.value, MessageState.SENDING.value)


async def blank_reports(conn: AsyncConnection, before: date) -> int:
    """Texts of reports about periods that began before `before`: they name tickets."""
    old = (reports.c.first < before.isoformat(), reports.c.text != "")
    return len(
        (await conn.execute(sa.update(reports).where(*old).values(text="").returning(reports.c.kind))).all()
    )
