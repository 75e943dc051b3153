"""What happened to a ticket, in words, the newest last. Texts of messages are not repeated here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from app import words
from app.model import (
    DONE_STATES,
    VOID_STATES,
    ClassChange,
    ClockName,
    Cycle,
    Entry,
    EntryKind,
    Ledger,
    Side,
    Spoken,
    State,
    Story,
)
from app.sla.course import MOVED
from app.ticket_view import rfc3339
from app.web.board import Surroundings

CALM, BAD, GOOD, WAITING, OURS = "none", "overdue", "met", "paused", "on_track"

_PAUSE = {
    "waiting_client": "Пауза: ждём клиента",
    "waiting_client:silent": "Пауза: ждём клиента, переписка не читается",
    "postponed": "Пауза: отложено",
}
_TERM = {ClockName.REPLY: "Срок первого ответа", ClockName.SOLUTION: "Срок решения"}


@dataclass(frozen=True, slots=True)
class Happened:
    """A line of the history."""

    at: str
    iso: str
    tone: str
    text: str
    who: str


_Line = tuple[datetime, str, str, int | None]  # when, tone, text, who


def history(story: Story | None, cycles: Sequence[Cycle], around: Surroundings) -> tuple[Happened, ...]:
    """States, classes and messages from the story; terms from the ledgers. At one instant a word comes
    before the move that follows from it, as a person would tell it.
    """
    lines = [*(_told(story) if story else ()), *_reckoned(cycles, around)]
    lines.sort(key=lambda line: line[0])
    return tuple(
        Happened(
            words.moment_short(at, around.zone),
            rfc3339(at) or "",
            tone,
            words.masked(text),
            around.name_of(who),
        )
        for at, tone, text, who in lines
    )


def _told(story: Story) -> Iterator[_Line]:
    yield story.started_at, CALM, "Обращение поступило", None
    for spoken in story.spoken:
        yield spoken.at, OURS if spoken.side is Side.OURS else CALM, _said(spoken), spoken.author
    for changed in story.classes:
        yield changed.at, CALM, _class(changed), changed.actor
    for before, change in pairwise(story.states):
        yield change.at, CALM, _state(before.state, change.state), change.actor
    for extension in story.extensions:
        reason = f": {extension.reason}" if extension.reason else ""
        yield extension.at, CALM, f"Срок решения продлён{reason}", extension.by


def _state(before: State, after: State) -> str:
    back = before in DONE_STATES and after not in DONE_STATES | VOID_STATES
    if not back:
        return words.STATE[after]
    return (
        "Возврат в работу"
        if after is State.IN_PROGRESS
        else f"Возврат в работу: {words.STATE[after].lower()}"
    )


def _class(change: ClassChange) -> str:
    how = "" if change.by_person else " (определён по тексту)"
    return f"Класс: {words.CLASS[change.value]}{how}"


def _said(spoken: Spoken) -> str:
    if spoken.call:
        return "Разговор с клиентом по телефону"
    if spoken.side is Side.CLIENT:
        return "Клиент поблагодарил" if spoken.thanks else "Клиент написал"
    return "Ответили клиенту: обращение принято" if spoken.acknowledgement else "Ответили клиенту"


def _reckoned(cycles: Sequence[Cycle], around: Surroundings) -> Iterator[_Line]:
    for cycle in cycles:
        for ledger in (cycle.reply, cycle.solution):
            for entry in ledger.entries:
                yield from _entry(entry, ledger, around)


def _entry(entry: Entry, ledger: Ledger, around: Surroundings) -> Iterator[_Line]:
    term = _TERM[ledger.clock]
    if entry.kind is EntryKind.PAUSE and entry.cause in _PAUSE:
        yield entry.at, WAITING, _PAUSE[entry.cause], None
    elif entry.kind is EntryKind.RESUME and entry.cause in _PAUSE:
        yield entry.at, CALM, "Пауза закончилась", None
    elif entry.kind is EntryKind.BREACHED:
        yield entry.at, BAD, f"{term} прошёл", None
    elif entry.kind is EntryKind.MET:
        yield entry.at, GOOD if _in_time(ledger) else BAD, _met(ledger), None
    elif entry.kind is EntryKind.WAIVED:
        yield entry.at, CALM, f"{term}: нарушение не учитывается", None
    elif entry.kind is EntryKind.EXTENDED and entry.cause.startswith(MOVED):
        old = datetime.strptime(entry.cause.removeprefix(MOVED), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        yield entry.at, CALM, f"Прежний срок решения: {words.moment(old, around.zone)}", None


def _in_time(ledger: Ledger) -> bool:
    return ledger.outcome is None or ledger.outcome.value == "met"


def _met(ledger: Ledger) -> str:
    when = "в срок" if _in_time(ledger) else "с опозданием"
    if ledger.clock is ClockName.SOLUTION:
        return f"Решено {when}"
    return (
        f"Первый ответ: закрыто без ответа, {when}" if ledger.met_by == "closing" else f"Первый ответ {when}"
    )
