"""One ticket for people: facts, terms, history, what was said. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from app import words
from app.model import Cycle, ItemRef, Ticket
from app.sla.state import sla_state
from app.ticket_view import card_url, gaps_in_words, put_words, versions
from app.web.board import KIND_LABEL, Surroundings
from app.web.histories import Happened, history
from app.web.looking import Known
from app.web.ticket_terms import Round, Term, kept_terms, open_terms, rounds

_NOTES = {
    "chat_unreadable": "Чат задачи не читается, поэтому ответы видны не все: добавьте службу в наблюдатели.",
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
    kept: tuple[Term, ...]
    earlier: tuple[Round, ...]
    history: tuple[Happened, ...]
    messages: tuple[tuple[str, str], ...]
    versions: str


def ticket_page(known: Known, around: Surroundings, now: datetime) -> TicketPage:
    """Without a story the facts are gone (purged): then the ledgers alone tell the history."""
    ticket, told = known.ticket, known.told
    account = known.account(now)
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
        terms=open_terms(account.present, around, now),
        kept=kept_terms(account.present, around, now),
        earlier=rounds(account.cycles[:-1], around, now),
        history=history(told.story, ticket.cycles, around),
        messages=tuple(
            (put_words(each.state, each.sent_at, told.zone), f"{each.whom}: {each.text}")
            for each in account.alerts
        ),
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
    yield Fact("Время на паузе", _paused(cycle, around))
    yield from _turns(ticket)


def _paused(cycle: Cycle, around: Surroundings) -> str:
    return around.length(cycle.solution, cycle.pause_total) if cycle.pause_total else ""


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
