"""The clocks of a ticket as panels of its page: those that matter now, and the rest folded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app import words
from app.account import pause_moves_due
from app.explained import ClockAccount, CountedSpan, CycleAccount
from app.model import ClockName, Ledger, OutcomeWord
from app.ticket_view import rfc3339
from app.web.board import Surroundings, left_words, used_share
from app.web.strips import (
    KEY_LABEL,
    RESTS,
    KeyEntry,
    Look,
    Piece,
    SpanRow,
    key_of,
    pieces_of,
    rest_of,
    span_rows,
)


@dataclass(frozen=True, slots=True)
class Term:
    """One clock; `clock` names it on the page."""

    clock: str
    label: str
    verdict: str
    tone: str
    due: str
    iso: str
    left: str
    used: int
    spent: str
    summary: str
    account: tuple[str, ...]
    remarks: tuple[str, ...]
    pieces: tuple[Piece, ...]
    key: tuple[KeyEntry, ...]
    spans: tuple[SpanRow, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """An earlier cycle."""

    label: str  # «Круг 1, с 02.11.2026 16:00: первый ответ в срок, решение с опозданием»
    terms: tuple[Term, ...]


def open_terms(cycle: CycleAccount, around: Surroundings, now: datetime) -> tuple[Term, ...]:
    """Both terms of the card and, of the clocks beside them, those that are not over well."""
    shown = [clock for clock in cycle.clocks if _is_main(clock) or _matters(clock.ledger)]
    return _terms(sorted(shown, key=_rank), around, now)


def kept_terms(cycle: CycleAccount, around: Surroundings, now: datetime) -> tuple[Term, ...]:
    """The others of the cycle: over in time, or without a verdict."""
    rest = [clock for clock in cycle.clocks if not (_is_main(clock) or _matters(clock.ledger))]
    return _terms(sorted(rest, key=_rank), around, now)


def rounds(cycles: Iterable[CycleAccount], around: Surroundings, now: datetime) -> tuple[Round, ...]:
    """Earlier cycles with all their clocks."""
    return tuple(_round(cycle, around, now) for cycle in cycles)


def _round(cycle: CycleAccount, around: Surroundings, now: datetime) -> Round:
    terms = _terms(sorted(cycle.clocks, key=_rank), around, now, of=f"{cycle.number}-")
    verdicts = ", ".join(f"{term.label.lower()} {term.verdict}" for term in terms[: len(_MAIN)])
    started = words.moment(cycle.started_at, around.zone)
    return Round(f"Круг {cycle.number}, с {started}: {verdicts}", terms)


_MAIN = (ClockName.REPLY, ClockName.SOLUTION)
_ORDER = (*_MAIN, ClockName.NEXT_REPLY, ClockName.PROGRESS, ClockName.INTERNAL)


def _rank(clock: ClockAccount) -> int:
    return _ORDER.index(clock.ledger.clock)


def _is_main(clock: ClockAccount) -> bool:
    return clock.ledger.clock in _MAIN


def _matters(clock: Ledger) -> bool:
    return clock.running or clock.paused or clock.outcome is OutcomeWord.BREACHED


def _terms(
    clocks: Iterable[ClockAccount], around: Surroundings, now: datetime, of: str = ""
) -> tuple[Term, ...]:
    """`of` tells the names of an earlier cycle's clocks from the present ones."""
    return tuple(_term(clock, f"{of}{_name(clock.ledger)}", around, now) for clock in clocks)


def _name(clock: Ledger) -> str:
    started = "" if clock.clock in _MAIN else f"-{clock.started_at:%m%d%H%M%S}"
    return f"{clock.clock}{started}"


def _term(account: ClockAccount, name: str, around: Surroundings, now: datetime) -> Term:
    clock = account.ledger
    verdict, tone = _verdict(clock, now)
    pieces = pieces_of([each.span for each in account.spans], clock.due_at, around.zone)
    return Term(
        clock=name,
        label=account.label,
        verdict=verdict,
        tone=tone,
        due=words.moment(clock.due_at, around.zone) if clock.due_at else "",
        iso=rfc3339(clock.due_at) or "",
        left=_result(clock, around, now),
        used=used_share(clock, around, now),
        spent=f"Отведено рабочего времени: {_hours(clock.term)}",
        summary=_summary(account.spans),
        account=tuple(_account(account, around)),
        remarks=tuple(_remarks(clock, around)),
        pieces=pieces,
        key=key_of(pieces),
        spans=span_rows(account.spans, around.zone),
    )


def _account(account: ClockAccount, around: Surroundings) -> Iterator[str]:
    """What changed the term, the deadline as a sum, the verdict with its fact."""
    if not account.is_kept:
        yield "Срок для этого обращения не считается."
        return
    yield from (f"{words.moment_short(at, around.zone)}: {text}" for at, text in account.turns)
    if account.due:
        yield f"Срок: {account.due}"
    yield account.sum
    yield account.verdict


def _verdict(clock: Ledger, now: datetime) -> tuple[str, str]:
    """The word and the tone of the badge."""
    if clock.waived:
        return "не учитывается", "none"
    if clock.met_at is not None and clock.outcome is not None:
        return ("с опозданием", "breached") if clock.outcome is OutcomeWord.BREACHED else ("в срок", "met")
    if clock.due_at is None:
        return "срок остановлен" if clock.term else "не считается", "none"
    if clock.paused:
        return "на паузе", "paused"
    if not clock.running:
        breached = clock.outcome is OutcomeWord.BREACHED
        return ("срок нарушен", "breached") if breached else ("срок остановлен", "none")
    if now > clock.due_at:
        return "просрочено", "overdue"
    warned = any(at <= now for _, at in clock.warn_at)
    return ("срок истекает", "at_risk") if warned else ("в норме", "on_track")


_MET = {
    "closing": "закрыто без ответа",
    "call": "ответили по телефону",
    "done": "решено",
    "hand_back": "вернули",
    "handed_on": "передали дальше",
}


def _result(clock: Ledger, around: Surroundings, now: datetime) -> str:
    if clock.due_at is None or (clock.met_at is None and not clock.running and not clock.paused):
        return ""
    if clock.met_at is None:
        return left_words(clock, around, now)
    met = words.moment(clock.met_at, around.zone)
    done = _MET.get(clock.met_by, "решено" if clock.clock is ClockName.SOLUTION else "ответили")
    missed_at = clock.outcome_at if clock.outcome is OutcomeWord.BREACHED else None
    late = around.between(clock, missed_at, clock.met_at) if missed_at else timedelta(0)
    return f"{done} {met}" + (f", позже на {around.length(clock, late)}" if missed_at else "")


def _remarks(clock: Ledger, around: Surroundings) -> Iterator[str]:
    if clock.extended:
        yield "Срок продлён руководителем."
    missed_at = clock.outcome_at if clock.outcome is OutcomeWord.BREACHED else None
    if missed_at and clock.due_at and missed_at != clock.due_at:
        yield f"Нарушен срок, который действовал раньше: {words.moment(missed_at, around.zone)}."
    if pause_moves_due(clock):
        yield "Пока пауза не закончилась, срок показан без неё; потом он сдвинется."


def _summary(spans: Sequence[CountedSpan]) -> str:
    """«засчитано 3 ч 20 мин, на паузе 2 ч, было решено 1 ч»."""
    counted = sum((each.length for each in spans if each.span.counted), timedelta(0))
    rested = dict.fromkeys(RESTS, timedelta(0))
    for each in spans:
        if look := rest_of(each.span.why):
            rested[look] += each.length
    named = {**KEY_LABEL, Look.PAUSE: "на паузе"}
    parts = [f"{named[look]} {_hours(length)}" for look, length in rested.items() if length]
    return ", ".join([f"засчитано {_hours(counted)}", *parts])


def _hours(length: timedelta) -> str:
    """As in the account below, never in days: they are to be added up."""
    return words.duration(length).replace(" ", words.NBSP)
