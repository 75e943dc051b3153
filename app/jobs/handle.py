"""The one road: claim many, read many, decide each (`deciding.py`), save each in a transaction of its own.

An item is decided only from a complete reading; what could not be read is read again later,
and one item's fault never fails its neighbours.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from prometheus_client import Counter
from sqlalchemy.ext.asyncio import AsyncConnection

from app.bitrix.portal import Ask, Unread
from app.deciding import bind, decide_and_save
from app.desk import Desk
from app.learning import SOON, comes_true_at
from app.model import Gone, Hint, ItemRef, Lane, Reading, Subject, Ticket
from app.patience import is_over, wait_after
from app.store import facts as fact_store
from app.store import inbox, tickets
from app.store.engine import StoreUnavailable
from app.store.inbox import Claim

BATCH = 1000  # claims of one pass: the more are read together, the fuller are the requests
SLICE = 50  # items decided between two looks at what may be delivered meanwhile
FLOOD = 50  # more news than this at once are a mass import, no emergency of the first lane
FIRST, OTHERS = (Lane.URGENT,), tuple(lane for lane in Lane if lane is not Lane.URGENT)
LEASE = timedelta(minutes=5)  # a holder that died loses its claims after this

UNREAD = Counter("b24sla_unread", "Readings put off because something of them was missing")

_WAITED = "ждёт карточку, к которой привязана"
"""Why a bound task was put off; also the sign that it has waited for its deal once."""

log = logging.getLogger(__name__)


Meanwhile = Callable[[Desk], Awaitable[object]]


async def _nothing(_: Desk) -> None:
    """Nobody waits for what is being decided."""


async def handle_next(desk: Desk, meanwhile: Meanwhile = _nothing) -> bool:
    """One pass over what waits in the inbox behind the first lane; False when nothing did.

    A long pass takes a while to decide: `meanwhile` is called after every slice of it, so that
    an alert decided first does not wait for the last.
    """
    async with desk.db.begin() as conn:
        await inbox.take_in(conn)
        # What is still ours here was left by a pass that failed: this is the only worker of these lanes.
        claims = await inbox.claim(conn, BATCH, desk.now(), desk.name, LEASE, OTHERS, over=True)
    return await _handle(desk, claims, meanwhile)


async def handle_first(desk: Desk) -> bool:
    """The same for the first lane: what is new, and open emergencies. A short pass beside a long one."""
    async with desk.db.begin() as conn:
        await inbox.take_in(conn)
        await inbox.hasten(conn, await tickets.emergencies_waiting(conn))
        claims = await inbox.claim(conn, BATCH, desk.now(), desk.name, LEASE, FIRST, over=True)
    return await _handle(desk, claims, _nothing)


async def _handle(desk: Desk, claims: Sequence[Claim], meanwhile: Meanwhile) -> bool:
    if not claims:
        return False
    items = [claim for claim in claims if isinstance(claim.subject, ItemRef)]
    held = {claim.subject for claim in items}
    await _follow_hints(desk, [claim for claim in claims if isinstance(claim.subject, Hint)], held)
    await _handle_items(desk, items, meanwhile)
    return True


def _lane(claims: Sequence[Claim]) -> Lane:
    """In which their reading travels: that of the most urgent, but no crowd is urgent."""
    lane = claims[0].lane
    return Lane.LIVE if lane is Lane.URGENT and len(claims) > FLOOD else lane


# --- hints: events that name an activity or a comment ------------------------------------


async def _follow_hints(desk: Desk, claims: Sequence[Claim], held: Container[Subject]) -> None:
    """Put the items that these activities and comments belong to into the inbox; those `held` are read next
    in this very pass.
    """
    if not claims:
        return
    hints = {claim.subject: claim for claim in claims if isinstance(claim.subject, Hint)}
    found = await desk.working_portal.owners(list(hints), _lane(claims))
    async with desk.db.begin() as conn:
        remembered = await fact_store.owners_of(conn, [str(hint) for hint in hints])
        for hint, claim in hints.items():
            owners = found.get(hint)
            if isinstance(owners, Unread):
                await _put_off(conn, desk, claim, owners)
                continue
            refs = {ref for ref in (*(owners or ()), *remembered.get(str(hint), ())) if ref not in held}
            await inbox.put(conn, [(ref, claim.lane, claim.cause) for ref in refs], desk.now())
            await inbox.done(conn, claim)


# --- items -------------------------------------------------------------------------------


async def _handle_items(desk: Desk, claims: Sequence[Claim], meanwhile: Meanwhile) -> None:
    if not claims:
        return
    held = {claim.subject: claim for claim in claims if isinstance(claim.subject, ItemRef)}
    async with desk.db.read() as conn:
        known = await tickets.load_many(conn, held)
    asks = [_ask(ref, known.get(ref)) for ref in held]
    readings = await desk.working_portal.read(asks, _lane(claims))
    by_ref = {reading.ref: reading for reading in readings}
    lost_rights = await _are_rights_lost(desk, held, readings)
    told: list[tuple[Claim, Reading | Gone]] = []
    unread: list[tuple[Claim, Unread]] = []
    for ref, claim in held.items():
        reading = by_ref[ref]
        if lost_rights and isinstance(reading, Gone) and not _told_deleted(claim):
            reading = Unread(reading.ref, _RIGHTS_LOST, retry_at=desk.now() + timedelta(minutes=10))
        if isinstance(reading, Reading) and (true_at := _waits_for_our_clock(claim, reading, desk.now())):
            reading = Unread(reading.ref, _CLOCK_BEHIND, retry_at=true_at)
        if isinstance(reading, Unread):
            unread.append((claim, reading))
        else:
            told.append((claim, reading))
    await _put_all_off(desk, unread)
    for place, (claim, read) in enumerate(told, 1):
        await _handle_one(desk, claim, read)
        if place % SLICE == 0:
            await meanwhile(desk)


def _waits_for_our_clock(claim: Claim, reading: Reading, now: datetime) -> datetime | None:
    """Not for ever: in a card where somebody writes every minute there is always something ahead of us."""
    return comes_true_at(reading) if now - claim.since_at < SOON else None


async def _put_all_off(desk: Desk, unread: Sequence[tuple[Claim, Unread]]) -> None:
    """In one commit: while the portal is away the intake must not queue behind a thousand of them."""
    if not unread:
        return
    UNREAD.inc(len(unread))
    async with desk.db.begin() as conn:
        for claim, reading in unread:
            await _put_off(conn, desk, claim, reading)


def _ask(ref: ItemRef, ticket: Ticket | None) -> Ask:
    return Ask(ref, dict(ticket.cursor) if ticket else {})


_DELETIONS = ("ONCRMDEALDELETE", "ONCRMDYNAMICITEMDELETE", "ONTASKDELETE")
_CLOCK_BEHIND = "часы сервера отстают от часов портала: проверьте синхронизацию времени (NTP)"
_RIGHTS_LOST = "много карточек пропало разом: проверьте права владельца вебхука"


async def _are_rights_lost(
    desk: Desk, held: Mapping[ItemRef, Claim], readings: Iterable[Reading | Gone | Unread]
) -> bool:
    """Whether what is missing now may be hidden from us rather than deleted."""
    readings, vanished = list(readings), desk.vanished
    vanished.seen(reading.ref for reading in readings if isinstance(reading, Reading))
    gone = [r.ref for r in readings if isinstance(r, Gone) and not _told_deleted(held[r.ref])]
    if gone:
        await _note_missing(desk, gone)
    if vanished.lost_rights:
        desk.health.warnings["rights"] = _RIGHTS_LOST
    elif desk.health.warnings.pop("rights", None):
        log.info("the vanished items are back")
    return vanished.lost_rights


async def _note_missing(desk: Desk, gone: Sequence[ItemRef]) -> None:
    known_before = desk.vanished.lost_rights
    async with desk.db.begin() as conn:
        missing = [ref for ref, ticket in (await tickets.load_many(conn, gone)).items() if ticket.open]
        open_count = await tickets.count_open(conn)
        if desk.vanished.missed(missing, open_count, desk.now()) and not known_before:
            log.error("mass disappearance", extra={"items": len(desk.vanished.since)})
            # The first of them were taken for deleted: they are looked at again until they are back.
            again = [(ref, Lane.SWEEP, "rights") for ref in desk.vanished.since]
            await inbox.put_new(conn, again, desk.now())


def _told_deleted(claim: Claim) -> bool:
    return claim.cause.startswith(_DELETIONS)


async def _handle_one(desk: Desk, claim: Claim, reading: Reading | Gone) -> None:
    try:
        async with desk.deciding, desk.db.begin() as conn:
            if await _waits_for_its_deal(conn, desk, claim, reading):
                return
            if await decide_and_save(conn, desk, reading):
                await inbox.done(conn, claim)
            else:
                await inbox.later(conn, claim, desk.now(), "карточка записана во время чтения")
    except StoreUnavailable:
        raise
    except Exception as error:  # whatever is wrong with one item must not stop the others
        log.exception("an item could not be decided", extra={"ref": str(reading.ref)})
        async with desk.db.begin() as conn:
            await inbox.give_up(conn, claim, f"{type(error).__name__}: {error}", desk.now())


async def _waits_for_its_deal(
    conn: AsyncConnection, desk: Desk, claim: Claim, reading: Reading | Gone
) -> bool:
    """A task bound to a ticket's deal is that ticket's work (sla.md 2): the deal is looked at first."""
    bound = reading.card.bound_to if isinstance(reading, Reading) else ()
    if not bound:
        return False
    owners = await tickets.load_many(conn, bound)
    if owners:
        await bind(conn, reading, min(owners), desk.now())
        await inbox.put(conn, [(ref, claim.lane, claim.cause) for ref in owners], desk.now())
        await inbox.done(conn, claim)
        return True
    if claim.error == _WAITED:
        return False
    await inbox.put(conn, [(ref, claim.lane, "bound task") for ref in bound], desk.now())
    await inbox.later(conn, claim, desk.now() + timedelta(seconds=5), _WAITED)
    return True


async def _put_off(conn: AsyncConnection, desk: Desk, claim: Claim, unread: Unread) -> None:
    """Growing waits; what is refused for good becomes failed work at once."""
    if unread.final or is_over(claim.since_at, claim.attempts, desk.now()):
        await inbox.give_up(conn, claim, unread.error, desk.now())
        return
    at = unread.retry_at or desk.now() + wait_after(claim.attempts)
    await inbox.later(conn, claim, at, unread.error)
