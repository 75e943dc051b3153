"""What was decided reaches the portal: fields by difference, messages exactly once.

Before anybody speaks about a ticket whose last reading is old, it is read again: a newer decision
may withdraw the message, and a late retry never overwrites a person's edit.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app import words
from app.alerts import marker
from app.bitrix.errors import PortalError
from app.bitrix.portal import MessageWork, StampWork, Unwritten, Work, Written
from app.bitrix.results import Sighting, unwritten
from app.bitrix.sighting import TOGETHER, is_known
from app.commenting import comment_marker
from app.desk import Desk
from app.learning import PEOPLES_CODES, CardMemory, seen_before_writing
from app.model import ItemRef, Lane, MessageKind, Ticket, TicketClass
from app.patience import MOST_ATTEMPTS, is_over, wait_after
from app.store import facts, inbox, leases, outbox, stamps, tickets
from app.store.outbox import Outgoing

BATCH = 50
LEASE = timedelta(minutes=2)
FRESH = timedelta(minutes=2)
"""A reading older than this is repeated before we speak or write late (sla.md 4)."""
READING_PAUSE = timedelta(seconds=5)
FUSE = 30
"""Writes to one card within an hour; more means that something fights us, and the card is parked."""
ABOUT_NOW = frozenset({MessageKind.NOTICE, MessageKind.SUMMARY, MessageKind.CHAT_CARD})

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to send, and the queued messages that it says."""

    work: MessageWork
    says: tuple[Outgoing, ...]


async def deliver_next(desk: Desk, *, first: bool = False) -> bool:
    """One request's worth of writing; False when nothing is due.

    `first`: only alerts and the cards of emergencies, beside a long delivery of others.
    """
    now, lane = desk.now(), Lane.URGENT if first else Lane.LIVE
    async with desk.db.read() as conn:
        outgoing = await outbox.due(conn, BATCH, now, urgent=first)
        wishes = await stamps.due(conn, BATCH, now, emergencies=first)
        known = await tickets.load_many(conn, _refs(outgoing, wishes))
    outgoing = [each for each in outgoing if each.message.key not in desk.in_flight]
    wishes = [wish for wish in wishes if str(wish.ref) not in desk.in_flight]
    outgoing, wishes = await _fresh_only(desk, outgoing, wishes, known)
    letters = await _letters(desk, outgoing)
    stamp_works = _of_one_request(await _stamp_works(desk, wishes))
    if desk.settings.dry_run:
        return await _only_pretend(desk, letters)
    letters = [letter for letter in letters if await _may_be_said(desk, letter, known, lane)]
    return await _write(desk, letters, stamp_works, {w.ref: w.attempts + 1 for w in wishes}, lane)


async def deliver_full(desk: Desk) -> bool:
    """In the middle of a long pass: only what fills a request, or cannot wait."""
    async with desk.db.read() as conn:
        outgoing = await outbox.due(conn, BATCH, desk.now())
        cards, _ = await stamps.lag(conn, desk.now())
    urgent = any(each.message.lane is Lane.URGENT for each in outgoing)
    if not urgent and max(cards, len(outgoing)) < BATCH:
        return False
    try:
        return await deliver_next(desk)
    except PortalError:
        return False  # what was read must still be decided; the delivery after the pass tells of it


def _refs(outgoing: Iterable[Outgoing], wishes: Iterable[stamps.StampWork]) -> set[ItemRef]:
    return {o.message.ref for o in outgoing if o.message.ref} | {wish.ref for wish in wishes}


async def _fresh_only(
    desk: Desk,
    outgoing: Sequence[Outgoing],
    wishes: Sequence[stamps.StampWork],
    known: Mapping[ItemRef, Ticket],
) -> tuple[list[Outgoing], list[stamps.StampWork]]:
    """Those that may go; the others' tickets are put on the road once more."""
    limit = desk.now() - FRESH
    stale = {ref for ref, ticket in known.items() if ticket.read_at < limit}
    late = [o for o in outgoing if o.message.kind in ABOUT_NOW and o.message.ref in stale]
    again = [wish for wish in wishes if wish.attempts and wish.ref in stale]
    refs = {o.message.ref for o in late if o.message.ref} | {wish.ref for wish in again}
    if refs:
        async with desk.db.begin() as conn:
            lane = Lane.URGENT if any(o.message.lane is Lane.URGENT for o in late) else Lane.LIVE
            await inbox.put_new(conn, [(ref, lane, "before speaking") for ref in refs], desk.now())
            await _step_aside(conn, desk, late, again)
    return [o for o in outgoing if o not in late], [wish for wish in wishes if wish not in again]


async def _step_aside(
    conn: AsyncConnection, desk: Desk, late: Sequence[Outgoing], again: Sequence[stamps.StampWork]
) -> None:
    """What waits for a reading makes room: a portal that hides fifty cards must not silence the others."""
    at, why = desk.now() + READING_PAUSE, "ждёт, пока карточка будет перечитана"
    for each in late:
        await outbox.later(conn, each.message.key, at, why, unknown_fate=each.uncertain)
    for wish in again:
        await stamps.later(conn, wish.ref, at, why, unknown_fate=bool(wish.attempted))


# --- messages ----------------------------------------------------------------------------


async def _letters(desk: Desk, outgoing: Sequence[Outgoing]) -> list[Letter]:
    """One letter a message; the lines of a summary to one receiver go as one."""
    lines: dict[tuple[str, bool], list[Outgoing]] = defaultdict(list)
    letters: list[Letter] = []
    for each in outgoing:
        if each.message.kind is MessageKind.SUMMARY:
            # Lines that an earlier summary may have said stay apart: found there, they take no new one along.
            lines[each.message.to, each.uncertain].append(each)
        else:
            letters.append(Letter(MessageWork(each.message, each.portal_id), (each,)))
    if lines and not await _still_deciding(desk):
        letters += [_summary(some) for some in lines.values()]
    return letters


async def _still_deciding(desk: Desk) -> bool:
    """More lines may come: the summary waits until what came due has been decided."""
    async with desk.db.read() as conn:
        waiting, age = await inbox.lag(conn, desk.now())
    return waiting > 0 and age < FRESH


def _summary(lines: Sequence[Outgoing]) -> Letter:
    if len(lines) == 1:
        only = lines[0]
        return Letter(MessageWork(only.message, None), (only,))
    head = f"📋 Требует внимания: {words.tickets(len({line.message.ref for line in lines}))}"
    text = "\n".join([head, *(line.message.text for line in lines)])
    tag = f"b24sla|summary|{marker(lines[0].message.key)}"
    return Letter(MessageWork(replace(lines[0].message, text=text, tag=tag), None), tuple(lines))


# --- stamps ------------------------------------------------------------------------------


async def _stamp_works(desk: Desk, wishes: Sequence[stamps.StampWork]) -> list[StampWork]:
    works = []
    for wish in wishes:
        changes = {
            code: value for code, value in wish.wanted.items() if wish.confirmed.get(code, "") != value
        }
        if changes and stamps.writes_lately(wish, desk.now()) < FUSE:
            works.append(StampWork(wish.ref, changes, _peoples(wish.confirmed), wish.attempted))
            continue
        async with desk.db.begin() as conn:
            await _settle(conn, desk, wish, changes)
    return works


def _of_one_request(works: list[StampWork]) -> list[StampWork]:
    """A look at known cards takes a place; the last one waits for the next request."""
    return works[:TOGETHER] if any(is_known(work) for work in works) else works


def _peoples(confirmed: Mapping[str, str]) -> dict[str, str]:
    """What people may have changed since: the request looks at it before it writes."""
    return {code: confirmed.get(code, "") for code in PEOPLES_CODES}


async def _settle(
    conn: AsyncConnection, desk: Desk, wish: stamps.StampWork, changes: Mapping[str, str]
) -> None:
    if not changes:
        await stamps.done(conn, wish.ref, {}, desk.now())
        return
    log.error("the fuse has blown: a card is written too often", extra={"ref": str(wish.ref)})
    reason = (
        f"карточка менялась больше {FUSE} раз за час: проверьте роботов и бизнес-процессы, затем повторите"
    )
    await stamps.parked(conn, wish.ref, reason, desk.now())


# --- the write ---------------------------------------------------------------------------


async def _write(
    desk: Desk, letters: list[Letter], works: list[StampWork], attempts: Mapping[ItemRef, int], lane: Lane
) -> bool:
    if not letters and not works:
        return False
    letters, works = await _announced(desk, letters, works)
    with _in_flight(desk, letters, works):
        ordered: list[Work] = [*(letter.work for letter in letters), *works]
        answers = await desk.working_portal.write(ordered, lane)
        async with desk.db.begin() as conn:
            for letter, answer in zip(letters, answers, strict=False):
                await _note_letter(conn, desk, letter, answer)
            for work, answer in zip(works, answers[len(letters) :], strict=True):
                await _note_stamp(conn, desk, work, answer, attempts[work.ref])
    return any(isinstance(answer, Written) for answer in answers)


@contextmanager
def _in_flight(desk: Desk, letters: Sequence[Letter], works: Sequence[StampWork]) -> Iterator[None]:
    """The other worker of this process leaves these alone, however long the portal takes."""
    keys = {each.message.key for letter in letters for each in letter.says}
    keys |= {str(work.ref) for work in works}
    desk.in_flight |= keys
    try:
        yield
    finally:
        desk.in_flight -= keys


async def _announced(
    desk: Desk, letters: Sequence[Letter], works: Sequence[StampWork]
) -> tuple[list[Letter], list[StampWork]]:
    """What is ours to send. Committed before the call: whoever comes after a crash looks before repeating."""
    now = desk.now()
    async with desk.db.begin() as conn:
        if desk.epoch is not None and not await leases.holds(conn, leases.PORTAL, desk.epoch):
            return [], []  # we were frozen, and another process has taken over
        ours = await outbox.sending(conn, [each for letter in letters for each in letter.says], now, LEASE)
        free = [work for work in works if await stamps.sending(conn, work.ref, work.wanted, now, LEASE)]
    return [each for each in letters if ours.issuperset(one.message.key for one in each.says)], free


async def _may_be_said(desk: Desk, letter: Letter, known: Mapping[ItemRef, Ticket], lane: Lane) -> bool:
    """Neither there already, nor beyond looking for, nor moot by now."""
    if letter.work.portal_id is not None:
        return True
    return not await _stands_there(desk, letter, lane) and not await _is_moot(desk, letter, known)


async def _stands_there(desk: Desk, letter: Letter, lane: Lane) -> bool:
    """A message of unknown fate that is found in its dialog, or cannot be looked for now."""
    uncertain = [each for each in letter.says if each.uncertain]
    message = letter.work.message
    if not uncertain or message.kind is MessageKind.WATCH:  # done twice it changes nothing
        return False
    is_comment = message.kind is MessageKind.TIMELINE
    sign = comment_marker(message.text) if is_comment else marker(uncertain[0].message.key)
    try:
        first = min(each.created_at for each in uncertain)
        found = await desk.working_portal.find_said(message, sign, lane, first)
    except PortalError as error:  # this letter's trouble; the others may go
        await _note(desk, letter, unwritten(error))
        return True
    if found is not None:
        await _note(desk, letter, Written(portal_id=found))
    return found is not None


async def _is_moot(desk: Desk, letter: Letter, known: Mapping[ItemRef, Ticket]) -> bool:
    """The first words in the chat about a ticket that is over or paused by now (sla.md 4)."""
    message = letter.work.message
    ticket = known.get(message.ref) if message.ref else None
    if message.kind is not MessageKind.CHAT_CARD or ticket is None or _is_at_work(ticket):
        return False
    async with desk.db.begin() as conn:
        await outbox.skip(conn, message.key, "обращение уже закрыто или на паузе")
    return True


def _is_at_work(ticket: Ticket) -> bool:
    is_none = not ticket.open or ticket.value is TicketClass.NOT_TICKET
    return not is_none and not ticket.now_cycle.solution.paused


async def _note(desk: Desk, letter: Letter, answer: Written | Unwritten) -> None:
    async with desk.db.begin() as conn:
        await _note_letter(conn, desk, letter, answer)


async def _note_letter(
    conn: AsyncConnection, desk: Desk, letter: Letter, answer: Written | Unwritten
) -> None:
    now = desk.now()
    for each in letter.says:
        key = each.message.key
        if isinstance(answer, Written):
            await outbox.sent(conn, key, answer.portal_id, now)
        elif answer.final or is_over(each.created_at, each.attempts, now):
            await outbox.give_up(conn, key, answer.error, now)
        else:
            at = answer.retry_at or now + wait_after(each.attempts + 1)
            await outbox.later(
                conn, key, at, answer.error, unknown_fate=answer.unknown_fate or each.uncertain
            )


async def _note_stamp(
    conn: AsyncConnection, desk: Desk, work: StampWork, answer: Written | Unwritten, attempts: int
) -> None:
    now = desk.now()
    if isinstance(answer, Written):
        desk.health.warnings.pop("cards", None)
        seen = await _note_sighting(conn, desk, work, answer.sighted) if answer.sighted else {}
        await stamps.done(conn, work.ref, {**seen, **answer.values}, now)
    elif answer.final or attempts > MOST_ATTEMPTS:
        await stamps.parked(conn, work.ref, answer.error, now)
    else:
        if answer.retry_at is None:  # only a person can help: fields not created, a webhook without rights
            desk.health.warnings["cards"] = f"карточки не записываются: {answer.error}"
        at = max(now + wait_after(attempts), answer.retry_at or now)
        await stamps.later(conn, work.ref, at, answer.error, unknown_fate=answer.unknown_fate)


async def _note_sighting(
    conn: AsyncConnection, desk: Desk, work: StampWork, sighting: Sighting
) -> Mapping[str, str]:
    """People's changes that our write has overtaken: facts at once, for the card now names us."""
    known = await facts.load(conn, work.ref)
    memory = CardMemory(*await stamps.memory(conn, work.ref))
    new = seen_before_writing(work.ref, sighting.values, sighting.by, sighting.at, known, memory, desk.now())
    await facts.add(conn, new)
    await inbox.put(conn, [(work.ref, Lane.LIVE, "overtaken")], desk.now())
    return {code: value for code, value in sighting.values.items() if code not in work.wanted}


async def _only_pretend(desk: Desk, letters: Sequence[Letter]) -> bool:
    """B24SLA_DRY_RUN: nothing reaches the portal; messages are dropped, fields stay wanted."""
    async with desk.db.begin() as conn:
        for letter in letters:
            for each in letter.says:
                await outbox.skip(conn, each.message.key, "пробный режим")
    return False
