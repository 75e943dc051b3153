"""What a reading teaches: the facts in it that we did not know (sla.md 2).

Facts that the portal keeps carry their own time and id. A field without a history
changed at the item's modification time in the first reading that shows it.
A value that we wrote ourselves is nobody's change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.model import Card, Fact, FactKind, Gone, ItemRef, Move, Reading, Utterance

PEOPLES_CODES = (
    "SLA_CLASS",
    "SLA_CLASS_SURE",
    "SLA_AREA",
    "SLA_SOLVE_DUE",
    "SLA_ESC_LEVEL",
    "SLA_ESC_REASON",
    "SLA_REPEAT_OF",
    "SLA_REPEAT_KIND",
    "SLA_PAUSE_REASON",
    "SLA_PAUSE_UNTIL",
    "SLA_BREACH_REASON",
    "SLA_EXT_REASON",
    "SLA_WAIVER",
    "SLA_KB_URL",
    "SLA_SOLUTION",
    "SLA_CSAT",
)
"""Fields on the card that people write and we heed (contract.md 5)."""

DEADLINE_BY = "deadline_changed_by"  # in Card.extra of tasks

CLAIMED = "claimed_at"
"""In a fact's value: the moment that the portal gave it, when that had not come yet."""
AHEAD_OF_US = timedelta(minutes=1)
"""Clocks may differ by less; `check` tells by how much."""
A_MOMENT, SOON = timedelta(seconds=5), timedelta(minutes=3)
"""How far what is told may lie ahead of our clock: less is nothing, up to the other it is waited for."""

SILENT_NOTES = frozenset({"replies_unreadable", "openline_unread"})
"""Notes of a reading that say: what we answered cannot be seen."""


@dataclass(frozen=True, slots=True)
class CardMemory:
    """What the card held when we last knew: code → value."""

    confirmed: Mapping[str, str]  # seen in the last reading, or written since
    attempted: Mapping[str, str]  # our own wish, on its way or of unknown fate

    def changed_by_people(self, code: str, value: str) -> bool:
        """True when neither the former value nor our own writing explains this one."""
        former = [self.confirmed.get(code, ""), *([self.attempted[code]] if code in self.attempted else [])]
        return _bare(value) not in map(_bare, former)


def _bare(value: str) -> str:
    """An empty boolean reads as N in some methods and as nothing in others: they count as one."""
    return "" if value == "N" else value


UNSEEN = CardMemory({}, {})


def learned(reading: Reading | Gone, known: Sequence[Fact], memory: CardMemory) -> tuple[Fact, ...]:
    """The new facts of this reading, in order of time."""
    if isinstance(reading, Gone):
        return tuple(_disappearance(reading, known))
    seen = {(fact.kind, fact.key) for fact in known}
    found = [*_history(reading), *_fields(reading, known, memory), *_vanished(reading, known)]
    found += _silence(reading, known)
    if _is_gone(known):
        found.append(_mark(FactKind.RETURNED, reading.ref, reading.read_at, known))
    new = {(fact.kind, fact.key): fact for fact in found if (fact.kind, fact.key) not in seen}
    return tuple(sorted(new.values(), key=lambda fact: fact.happened_at))


def _disappearance(reading: Gone, known: Sequence[Fact]) -> Iterator[Fact]:
    if known and not _is_gone(known):
        yield _mark(FactKind.GONE, reading.ref, reading.read_at, known)


def _is_gone(known: Sequence[Fact]) -> bool:
    """It goes and comes back by turns, so their numbers tell, even of two in one instant."""
    gone, back = (sum(fact.kind is kind for fact in known) for kind in (FactKind.GONE, FactKind.RETURNED))
    return gone > back


def _mark(kind: FactKind, ref: ItemRef, at: datetime, known: Sequence[Fact]) -> Fact:
    number = sum(fact.kind is kind for fact in known) + 1
    return Fact(ref, kind, str(number), at, at)


def _history(reading: Reading) -> Iterator[Fact]:
    card, at = reading.card, reading.read_at
    born = {"by": card.created_by, **_claim(card.created_at, at)}
    yield Fact(card.ref, FactKind.CREATED, "1", min(card.created_at, at), at, card.created_by, born)
    for move in reading.moves:
        yield _stage_fact(card.ref, move, at)
    for utterance in reading.utterances:
        yield _utterance_fact(card.ref, utterance, at)
    yield from _unrecorded_stage(reading)


def _stage_fact(ref: ItemRef, move: Move, read_at: datetime) -> Fact:
    value = {"stage": move.stage, "category": move.category, **_claim(move.at, read_at)}
    return Fact(ref, FactKind.STAGE, move.key, min(move.at, read_at), read_at, move.actor, value)


def _utterance_fact(ref: ItemRef, said: Utterance, read_at: datetime) -> Fact:
    told = {"side": said.side.value, "channel": said.channel, "text": said.text}
    value = {**told, **_claim(said.at, read_at)}
    return Fact(ref, FactKind.UTTERANCE, said.key, min(said.at, read_at), read_at, said.author, value)


def comes_true_at(reading: Reading) -> datetime | None:
    """When our clock will have reached the last of what the reading tells; None: it has, or never soon.

    Behind the portal's, our clock would date what people did to the moment of our look: the item is read
    again a little later instead. What is far ahead is the portal's own mistake, and is dated to the reading.
    """
    card = reading.card
    moved, said = (move.at for move in reading.moves), (each.at for each in reading.utterances)
    last = max(card.created_at, card.modified_at, *moved, *said)
    return last if A_MOMENT < last - reading.read_at <= SOON else None


def _claim(at: datetime, read_at: datetime) -> dict[str, str]:
    """What the portal said of something that it dates after the reading that shows it."""
    return {CLAIMED: at.isoformat()} if at - read_at > AHEAD_OF_US else {}


def _unrecorded_stage(reading: Reading) -> Iterator[Fact]:
    """The card's stage where the history does not end with it (history off, trimmed or late)."""
    card = reading.card
    rows = [move for move in reading.moves if is_kanban(move.stage) == is_kanban(card.stage)]
    last = max(rows, key=lambda move: (move.at, len(move.key), move.key), default=None)
    if last is not None and last.stage == card.stage:
        return
    at = card.created_at if last is None else min(card.modified_at, reading.read_at)
    move = Move(f"card:{card.stage}:{at:%Y%m%dT%H%M%S}", at, card.stage, card.category)
    yield _stage_fact(card.ref, move, reading.read_at)


def is_kanban(stage: str) -> bool:
    """A task has a status and, apart from it, a kanban stage: `stage:57` (contract.md 4).

    Whichever changed last tells the state.
    """
    return stage.startswith("stage:")


def _fields(reading: Reading, known: Sequence[Fact], memory: CardMemory) -> Iterator[Fact]:
    latest = latest_fields(known)
    first = not known
    for code, value in _plain_values(reading.card):
        if latest.get(code, "") != value:
            yield _field_fact(reading, known, code, value, at_start=first)
    for code in PEOPLES_CODES:
        shown = reading.card.sla.get(code)
        if shown is None:
            continue  # no such field on the card now: that is nobody's emptying it
        if code == "SLA_SOLVE_DUE" and not memory.attempted.get(code):
            continue  # a deadline that stood there before our first stamp is no extension
        if memory.changed_by_people(code, shown):
            yield _field_fact(reading, known, code, shown, at_start=False)


OVERTAKEN = "overtaken"  # in a fact's value: learnt from what our own write came after


def is_overtaken(known: Iterable[Fact], read_at: datetime) -> bool:
    """Whether something was learnt beside the readings since this one, and must still be decided on."""
    return any(fact.value.get(OVERTAKEN) and fact.recorded_at >= read_at for fact in known)


def seen_before_writing(
    ref: ItemRef,
    values: Mapping[str, str],
    by: int | None,
    changed_at: datetime | None,
    known: Sequence[Fact],
    memory: CardMemory,
    now: datetime,
) -> tuple[Fact, ...]:
    """What people had written on a card when our own write overtook them: with them as its authors.

    A later reading finds us as the card's last writer, so this is the only evidence of who it was.
    """
    found = []
    for code, value in values.items():
        was_stamped = code != "SLA_SOLVE_DUE" or memory.attempted.get(code)
        if code in PEOPLES_CODES and was_stamped and memory.changed_by_people(code, value):
            number = sum(f.kind is FactKind.FIELD and f.value["code"] == code for f in known) + 1
            told = {"code": code, "value": value, OVERTAKEN: True}
            at = min(changed_at or now, now)
            found.append(Fact(ref, FactKind.FIELD, f"{code}#{number}", at, now, by, told))
    return tuple(found)


def latest_fields(known: Iterable[Fact]) -> dict[str, str]:
    """Field code → its last value that facts tell of."""
    ordered = sorted((f for f in known if f.kind is FactKind.FIELD), key=field_order)
    return {fact.value["code"]: fact.value["value"] for fact in ordered}


def written(known: Iterable[Fact], code: str) -> list[Fact]:
    """The facts of one field, in the order in which they became true."""
    found = (fact for fact in known if fact.kind is FactKind.FIELD and fact.value["code"] == code)
    return sorted(found, key=field_order)


def number_in(text: str) -> int | None:
    """The number that a field's value is; None when it is empty or something else."""
    return int(text) if text.isascii() and text.isdigit() else None


def field_order(fact: Fact) -> tuple[datetime, datetime, int]:
    """Facts of fields in the order in which they became true."""
    return fact.happened_at, fact.recorded_at, int(fact.key.rpartition("#")[2])


def _plain_values(card: Card) -> Iterator[tuple[str, str]]:
    yield "title", card.title
    yield "text", "\n".join(card.text)
    yield "assignee", str(card.assignee or "")
    yield "client", card.client
    yield "client_name", card.client_name
    yield "company", card.company
    yield "contact", card.contact
    yield "object", card.object
    yield "channel", card.channel
    yield "category", "" if card.category is None else str(card.category)
    yield "group", "" if card.group is None else str(card.group)
    for name, value in card.extra.items():
        if name != DEADLINE_BY:
            yield f"extra:{name}", value


def _field_fact(reading: Reading, known: Sequence[Fact], code: str, value: str, *, at_start: bool) -> Fact:
    card = reading.card
    number = sum(f.kind is FactKind.FIELD and f.value["code"] == code for f in known) + 1
    at = min(card.created_at if at_start else card.modified_at, reading.read_at)
    actor = card.created_by if at_start else _changed_by(card, code)
    return Fact(
        card.ref,
        FactKind.FIELD,
        f"{code}#{number}",
        at,
        reading.read_at,
        actor,
        {"code": code, "value": value},
    )


def _changed_by(card: Card, code: str) -> int | None:
    """A task's log tells who moved its deadline; of other fields only the last writer is known."""
    mover = card.extra.get(DEADLINE_BY, "") if code == "SLA_SOLVE_DUE" else ""
    return int(mover) if mover.isdigit() else card.modified_by


def _vanished(reading: Reading, known: Sequence[Fact]) -> Iterator[Fact]:
    """Evidence that a complete reading no longer shows is marked, not forgotten."""
    shown = {utterance.key for utterance in reading.utterances}
    if "replies_unreadable" in reading.notes or "utterances_since_cursor" in reading.notes:
        return
    for fact in known:
        if fact.kind is FactKind.UTTERANCE and fact.key not in shown:
            yield Fact(reading.ref, FactKind.VANISHED, fact.key, reading.read_at, reading.read_at)


def _silence(reading: Reading, known: Sequence[Fact]) -> Iterator[Fact]:
    """Whether our answers can be read decides what a pause needs: told when it changes."""
    silent = not SILENT_NOTES.isdisjoint(reading.notes)
    if silent != is_silent(known):
        number = sum(fact.kind is FactKind.SILENCE for fact in known) + 1
        at = reading.read_at
        yield Fact(reading.ref, FactKind.SILENCE, str(number), at, at, None, {"silent": silent})


def is_silent(known: Iterable[Fact]) -> bool:
    """Whether the last complete reading could not see what we answered."""
    told = [fact for fact in known if fact.kind is FactKind.SILENCE]
    return bool(told) and bool(max(told, key=lambda fact: int(fact.key)).value["silent"])
