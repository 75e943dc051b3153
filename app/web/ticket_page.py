"""One ticket for people: facts, both terms with their spans, history. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app import words
from app.account import Told, due_line, sum_line, turn_lines, verdict_line
from app.model import ClockName, Cycle, ExplainedSpan, ItemRef, Ledger, OutcomeWord, Ticket
from app.sla.explanation import ledger_end
from app.sla.state import sla_state
from app.store.outbox import Put
from app.ticket_view import card_url, gaps_in_words, put_words, rfc3339, said_words, versions
from app.web.board import KIND_LABEL, Surroundings, left_words, length_words, used_share
from app.web.histories import Happened, history
from app.web.strips import KeyEntry, Piece, SpanRow, key_of, pieces_of, span_rows

BESIDE = frozenset({ClockName.NEXT_REPLY, ClockName.PROGRESS, ClockName.INTERNAL})
"""Clocks that a cycle may have many of."""

_NOTES = {
    "chat_unreadable": "Чат задачи не читается, поэтому ответы видны не все: добавьте сервис в наблюдатели.",
    "replies_unreadable": "Переписка не читается, паузы считаются по стадии карточки.",
    "openline_unread": "Диалог открытой линии не читается: ответы в нём не видны.",
    "extension_unexplained": "Срок продлён без причины: её ждут в поле карточки «Причина продления».",
    "waiver_asked": "Просят не учитывать обращение в показателях. Решает руководитель: в карточке.",
    "utterances_since_cursor": "",  # how a long chat is read is nobody's concern
    "outsiders_read": "",  # why decisions are not said in the task
}


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of «Об обращении»."""

    label: str
    value: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One clock of the present cycle; `clock` names it on the page."""

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
class TicketPage:
    """Everything that the template says."""

    number: str
    title: str
    kind: str
    state: str
    cycle: int
    value: str
    value_label: str
    sla_state: str
    sla_label: str
    card: str
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    terms: tuple[Term, ...]
    history: tuple[Happened, ...]
    messages: tuple[tuple[str, str], ...]
    versions: str


def ticket_page(
    ticket: Ticket,
    spans: Sequence[ExplainedSpan],
    told: Told,
    around: Surroundings,
    messages: Sequence[Put],
    now: datetime,
) -> TicketPage:
    """Without a story the facts are gone (purged): then the ledgers alone tell the history."""
    state = sla_state(ticket.now_cycle, ticket.state, now) if ticket.sla_state else None
    return TicketPage(
        number=f"№{ticket.ref.id}",
        title=words.masked(ticket.title.strip()) or "Без темы",
        kind=KIND_LABEL[ticket.ref.kind],
        state=words.STATE[ticket.state],
        cycle=ticket.cycle,
        value=ticket.value.value,
        value_label=words.CLASS[ticket.value],
        sla_state=state.value if state else "",
        sla_label=words.SLA_STATE[state] if state else "",
        card=card_url(around.portal_url, ticket.ref),
        notes=tuple(note for note in _notes(ticket, around) if note),
        facts=tuple(
            replace(fact, value=words.masked(fact.value)) for fact in _facts(ticket, around) if fact.value
        ),
        terms=tuple(_terms(ticket, spans, told, around, now)),
        history=history(told.story, ticket.cycles, around),
        messages=tuple(_messages(messages, told)),
        versions=versions(ticket),
    )


def _notes(ticket: Ticket, around: Surroundings) -> Iterator[str]:
    if not ticket.counted:
        yield "Обращение поступило до начала учёта: оно показано, но в показатели не входит."
    if ticket.now_cycle.solution.provisional or ticket.now_cycle.reply.provisional:
        yield "Срок предварительный: производственный календарь на этот год ещё не утверждён."
    for note in ticket.notes:
        yield _note(note, around)


def _note(note: str, around: Surroundings) -> str:
    for gap in gaps_in_words([note]):
        return f"{gap[0].upper()}{gap[1:]}."
    code, _, value = note.partition(":")
    if code == "extension_asked":
        wished = words.moment(datetime.fromisoformat(value), around.zone)
        return f"Просят перенести срок решения на {wished}. Продлить может руководитель: в карточке."
    return _NOTES.get(note, note)


# --- facts -------------------------------------------------------------------------------


def _facts(ticket: Ticket, around: Surroundings) -> Iterator[Fact]:
    cycle = ticket.now_cycle
    yield Fact("Сотрудник", around.name_of(ticket.agent) or "не назначен")
    yield Fact("Клиент", ticket.client_name)
    yield Fact("Объект", ticket.object)
    yield Fact("Канал", words.CHANNEL.get(ticket.channel.casefold(), ticket.channel))
    yield Fact("Класс", _class_fact(ticket))
    yield Fact("Почему такой класс", ticket.class_why)
    yield Fact("Область продукта", words.AREA[ticket.area])
    yield Fact("Другие вопросы", ticket.other_topics)
    yield Fact("Поступило", words.moment(ticket.created_at, around.zone))
    if cycle.started_at != ticket.created_at:
        yield Fact("Сроки считаются с", words.moment(cycle.started_at, around.zone))
    yield Fact("Решено", _at(cycle.solved_at, around))
    yield Fact("Подтверждено клиентом", _at(cycle.confirmed_at, around))
    yield Fact("Закрыто", _at(cycle.closed_at, around))
    yield Fact("Время на паузе", words.work_length(cycle.pause_total) if cycle.pause_total else "")
    yield from _turns(ticket)


def _turns(ticket: Ticket) -> Iterator[Fact]:
    """What went otherwise than straight."""
    if ticket.escalation_level:
        level = words.ESCALATION_LEVEL.get(str(ticket.escalation_level), str(ticket.escalation_level))
        reason = words.ESCALATION_REASON.get(ticket.escalation_reason, ticket.escalation_reason)
        yield Fact("Эскалация", f"{level}, {reason.lower()}" if reason else level)
    returns = len(ticket.now_cycle.reopened_at)
    yield Fact("Возвраты в работу", str(returns) if returns else "")
    if ticket.repeat_of:
        kind = words.REPEAT_KIND.get(ticket.repeat_kind, "")
        yield Fact("Повтор обращения", f"{_number(ticket.repeat_of)} {kind.lower()}", _page(ticket.repeat_of))
    yield Fact("Оценка клиента", f"{ticket.csat} из 5" if ticket.csat else "")


def _class_fact(ticket: Ticket) -> str:
    label = words.CLASS[ticket.value]
    if ticket.class_by_person:
        return f"{label}, указан сотрудником"
    sure = "" if ticket.class_sure else ", не подтверждён"
    return f"{label}{sure} (уверенность {words.percent(ticket.confidence, 0)})"


def _at(at: datetime | None, around: Surroundings) -> str:
    return words.moment(at, around.zone) if at else ""


def _number(ref: str) -> str:
    return f"№{ref.rpartition(':')[2]}"


def _page(ref: str) -> str:
    try:
        return f"/tickets/{ItemRef.parse(ref)}"
    except ValueError:  # a person wrote something else into the field
        return ""


# --- terms -------------------------------------------------------------------------------


def _terms(
    ticket: Ticket, spans: Sequence[ExplainedSpan], told: Told, around: Surroundings, now: datetime
) -> Iterator[Term]:
    for clock in _shown(ticket.now_cycle):
        end = ledger_end(clock, now)
        own = [span for span in spans if span.clock is clock.clock and clock.started_at <= span.start < end]
        yield _term(clock, own, told, around, now)


def _shown(cycle: Cycle) -> Iterator[Ledger]:
    """Both terms of the card and, of the clocks beside them, the turns that are not over well."""
    yield cycle.reply
    yield cycle.solution
    for clock in (*cycle.next_replies, *cycle.progress, *cycle.internal):
        if clock.running or clock.paused or clock.outcome is OutcomeWord.BREACHED:
            yield clock


def _term(
    clock: Ledger, spans: Sequence[ExplainedSpan], told: Told, around: Surroundings, now: datetime
) -> Term:
    verdict, tone = _verdict(clock, now)
    pieces = pieces_of(spans, clock.due_at, around.zone)
    return Term(
        clock=f"{clock.clock}-{clock.started_at:%m%d%H%M%S}" if clock.clock in BESIDE else clock.clock.value,
        label=_label(clock),
        verdict=verdict,
        tone=tone,
        due=words.moment(clock.due_at, around.zone) if clock.due_at else "",
        iso=rfc3339(clock.due_at) or "",
        left=_result(clock, around, now),
        used=used_share(clock, around, now),
        spent=f"Отведено рабочего времени: {length_words(clock.term)}",
        summary=_summary(spans),
        account=tuple(_account(clock, told, around, now)),
        remarks=tuple(_remarks(clock, around)),
        pieces=pieces,
        key=key_of(pieces),
        spans=span_rows(spans, told),
    )


def _account(clock: Ledger, told: Told, around: Surroundings, now: datetime) -> Iterator[str]:
    """What changed the term, the deadline as a sum, the verdict with its fact."""
    yield from turn_lines(clock, told)
    calendar = around.calendars.get(clock.calendar)
    if calendar:
        yield f"Срок: {due_line(clock, calendar, told.zone)}"
    yield sum_line(clock, told, now)
    yield verdict_line(clock, told)


def _messages(put: Sequence[Put], told: Told) -> Iterator[tuple[str, str]]:
    """When each message was said, to whom and of what."""
    for each in put:
        if text := said_words(each.key, told.name_of):
            yield put_words(each.state, each.sent_at, told.zone), text


def _label(clock: Ledger) -> str:
    if clock.clock is not ClockName.INTERNAL:
        return words.CLOCK[clock.clock]
    return f"{words.CLOCK[clock.clock]}: {words.ESCALATION_LEVEL[str(clock.level)]}"


def _verdict(clock: Ledger, now: datetime) -> tuple[str, str]:
    """The word and the tone of the badge."""
    if clock.due_at is None:
        return "не считается", "none"
    if clock.waived:
        return "не учитывается", "none"
    if clock.met_at is not None:
        return ("с опозданием", "breached") if clock.outcome is OutcomeWord.BREACHED else ("в срок", "met")
    if clock.paused:
        return "на паузе", "paused"
    if not clock.running:
        return "остановлен", "none"
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
    return f"{done} {met}" + (f", позже на {length_words(late)}" if missed_at else "")


def _remarks(clock: Ledger, around: Surroundings) -> Iterator[str]:
    if clock.extended:
        yield "Срок продлён руководителем."
    missed_at = clock.outcome_at if clock.outcome is OutcomeWord.BREACHED else None
    if missed_at and clock.due_at and missed_at != clock.due_at:
        yield f"Нарушен срок, который действовал раньше: {words.moment(missed_at, around.zone)}."
    if clock.paused:
        yield "Пока пауза не закончилась, срок показан без неё; потом он сдвинется."


def _summary(spans: Sequence[ExplainedSpan]) -> str:
    """«засчитано 3 ч 20 мин, на паузе 2 ч»."""
    counted = timedelta(minutes=sum(span.minutes for span in spans if span.counted))
    paused = timedelta(minutes=sum(span.minutes for span in spans if span.why.startswith("pause:")))
    text = f"засчитано {length_words(counted)}"
    return f"{text}, на паузе {length_words(paused)}" if paused else text
