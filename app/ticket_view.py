"""A ticket as the API and `explain --json` give it (contract.md 3), and its reasons in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from app import words
from app.gaps import (
    AHEAD,
    BORN_LATE,
    LOST_RULES,
    NO_BEGINNING,
    ONE_INSTANT,
    OUT_OF_ORDER,
    UNKNOWN_STAGE,
    UNTIMED,
)
from app.model import Cycle, ExplainedSpan, ItemRef, Kind, Ticket

_CARD = {
    Kind.DEAL: "/crm/deal/details/{id}/",
    Kind.ITEM: "/crm/type/{type}/details/{id}/",
    Kind.TASK: "/company/personal/user/0/tasks/task/view/{id}/",
}

_WHY = {
    "work": "рабочее время",
    "night": "ночь",
    "weekend": "выходной",
    "closed": "нерабочий день отдела",
    "pause:waiting_client": "пауза: ждём клиента",
    "pause:postponed": "пауза: отложено",
    "pause:waiting_client:silent": "пауза: ждём клиента, без переписки",
    "pause:done": "было решено",
    "pause:void": "не было обращением",
}
_WHY_NAMED = {"holiday": "праздник", "day_off": "нерабочий день"}


def card_url(base: str, ref: ItemRef) -> str:
    """The card in the portal; `base` is the portal's address, with or without a slash at its end."""
    return base.rstrip("/") + _CARD[ref.kind].format(id=ref.id, type=ref.entity_type)


def why_words(code: str) -> str:
    """«праздник: День народного единства» for `holiday:День народного единства`."""
    if code in _WHY:
        return _WHY[code]
    kind, _, name = code.partition(":")
    if kind in _WHY_NAMED:
        return f"{_WHY_NAMED[kind]}: {name}" if name else _WHY_NAMED[kind]
    return code


_GAP = {
    UNKNOWN_STAGE: "стадия не описана в правилах: состояние осталось прежним",
    NO_BEGINNING: "в истории стадий нет начала: сроки идут с создания карточки",
    BORN_LATE: "история начинается раньше создания карточки: сроки идут с её первой записи",
    UNTIMED: "о смене стадии сказала только карточка: время взято по её последнему изменению",
    OUT_OF_ORDER: "записи истории стоят не по порядку времени: они разложены по времени",
    LOST_RULES: "правила, с которыми оно началось, больше не читаются: сроки посчитаны по нынешним",
    ONE_INSTANT: "несколько стадий в одну секунду: действует последняя из них",
    AHEAD: "часы портала забегали вперёд: событию из будущего дано время, когда его прочитали",
}


def gaps_in_words(notes: Iterable[str]) -> tuple[str, ...]:
    """What a ticket's history lacks and how it was counted nevertheless; other notes say nothing here."""
    return tuple(words for note in notes if (words := gap_in_words(note)))


def gap_in_words(note: str) -> str:
    """One such lack; empty for another note. «unknown_stage:» without a stage is any of them."""
    kind, stage = note, ""
    if note.startswith(UNKNOWN_STAGE):
        kind, stage = UNKNOWN_STAGE, note.removeprefix(UNKNOWN_STAGE)
    text = _GAP.get(kind, "")
    return text.replace("стадия", f"стадия «{stage}»", 1) if stage else text


_SAID = {
    "announce": "сообщили о новом обращении",
    "reply_breach": "нарушен срок первого ответа",
    "reply_breach_again": "срок первого ответа всё ещё нарушен",
    "reply_director": "первый ответ просрочен, сообщили директору",
    "solve_breach": "нарушен срок решения",
    "solve_breach_again": "срок решения всё ещё нарушен",
    "solve_director": "решение просрочено, сообщили директору",
    "unassigned": "нет ответственного",
    "comment/class": "класс и сроки",
    "comment/due": "срок решения сдвинут",
    "comment/breach": "нарушен срок",
}
_ASKED = "asked_"
_WARNING = {"reply_warn_": "первый ответ: срок истекает", "solve_warn_": "решение: срок истекает"}


@dataclass(frozen=True, slots=True)
class Said:
    """What the key of a message tells."""

    cycle: int
    step: str  # announce, solve_warn_75, comment/due …
    whom: str
    text: str

    def __str__(self) -> str:
        return f"{self.whom}: {self.text}"


def said_of(key: str, name_of: Callable[[int], str]) -> Said | None:
    """«Соколов И.: нарушен срок решения» for `deal:41/1/solve_breach/15`; None for the chat's own card."""
    _, cycle, step, *rest = *key.split("/"), "", ""
    if step in ("", "card"):
        return None
    if step == "comment":
        step = f"{step}/{rest[0]}"
        return Said(int(cycle), step, "комментарий в карточке", _step_words(step))
    receiver = rest[0]
    whom = name_of(int(receiver)) if receiver.isdigit() else "чат уведомлений"
    return Said(int(cycle), step, whom, _step_words(step))


def _step_words(step: str) -> str:
    for start, text in _WARNING.items():
        if step.startswith(start):
            return f"{text}, прошло {step.removeprefix(start)} %"
    if step.startswith(_ASKED):
        return "просят перенести срок решения"
    return _SAID.get(step, step)


_PUT = {
    "waiting": "ждёт отправки",
    "sending": "отправляется",
    "skipped": "не понадобилось",
    "covered": "в сообщении чата",
    "failed": "не отправлено",
}


def put_words(state: str, sent_at: datetime | None, zone: tzinfo) -> str:
    """When it was said, or why not."""
    return words.moment_short(sent_at, zone) if sent_at else _PUT.get(state, state)


def versions(ticket: Ticket) -> str:
    """What stays with a ticket from its start (sla.md 2)."""
    calendar, classifier = ticket.calendar_version or "—", ticket.classifier_version or "—"
    return f"правила {ticket.rules_version or '—'}, календарь {calendar}, классификатор {classifier}"


def rfc3339(at: datetime | None) -> str | None:
    """`2026-11-24T06:15:00Z`; fractions of a second are dropped."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def ticket_json(
    ticket: Ticket, spans: Iterable[ExplainedSpan], *, portal_url: str, names: Mapping[int, str]
) -> dict[str, Any]:
    """The object of `GET /api/v1/tickets/{ref}`; clocks and `spans` are those of the present cycle.

    Phones and addresses are hidden here too: whoever needs one opens the card.
    """
    return {
        "ref": str(ticket.ref),
        "cycle": ticket.cycle,
        "title": words.masked(ticket.title),
        "url": card_url(portal_url, ticket.ref),
        **_class(ticket),
        **_people(ticket, names),
        "state": ticket.state.value,
        "created_at": rfc3339(ticket.created_at),
        **_clocks(ticket.now_cycle),
        "sla_state": ticket.sla_state,
        "escalation_level": ticket.escalation_level,
        "repeat_of": ticket.repeat_of or None,
        "gaps": list(gaps_in_words(ticket.notes)),
        "versions": _versions(ticket),
        "spans": [span_json(span) for span in spans],
    }


def _versions(ticket: Ticket) -> dict[str, str]:
    """What it is judged by: pinned at its start, or applied to it since."""
    return {
        "rules": ticket.rules_version,
        "calendar": ticket.calendar_version,
        "classifier": ticket.classifier_version,
    }


def _class(ticket: Ticket) -> dict[str, Any]:
    return {
        "class": ticket.value.value,
        "class_why": words.masked(ticket.class_why),
        "class_sure": ticket.class_sure,
        "confidence": ticket.confidence,
        "area": ticket.area.value,
    }


def _people(ticket: Ticket, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "agent_id": ticket.agent,
        "agent": names.get(ticket.agent) if ticket.agent is not None else None,
        "client": words.masked(ticket.client_name or ticket.client) or None,
        "object": words.masked(ticket.object) or None,
        "channel": ticket.channel or None,
    }


def _clocks(cycle: Cycle) -> dict[str, Any]:
    reply, solution = cycle.reply, cycle.solution
    return {
        "started_at": rfc3339(cycle.started_at),
        "reply_due": rfc3339(reply.due_at),
        "solve_due": rfc3339(solution.due_at),
        "first_reply_at": rfc3339(reply.met_at if reply.met_by != "closing" else None),
        "reply_met_by": reply.met_by or None,
        "solved_at": rfc3339(cycle.solved_at),
        "closed_at": rfc3339(cycle.closed_at),
        "confirmed_at": rfc3339(cycle.confirmed_at),
        "reply_outcome": reply.outcome,
        "solve_outcome": solution.outcome,
        "pause_seconds": int(cycle.pause_total.total_seconds()),
        "reopen_count": len(cycle.reopened_at),
        "provisional": reply.provisional or solution.provisional,
    }


def span_json(span: ExplainedSpan) -> dict[str, Any]:
    return {
        "clock": span.clock.value,
        "from": rfc3339(span.start),
        "to": rfc3339(span.end),
        "counted": span.counted,
        "minutes": span.minutes,
        "why": span.why,
    }
