"""The shapes of the API's answers, for its description; a test compares them with what is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.model import Area, ClockName, SlaState, State, TicketClass
from app.store.outbox import MessageState

_Verdict = Literal["met", "breached"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SpanAnswer(_Answer):
    """A stretch of a clock's time; `why` is work, night, weekend, holiday:<name>, pause:<cause> …"""

    clock: ClockName
    start: datetime = Field(alias="from")
    end: datetime = Field(alias="to")
    counted: bool
    minutes: int
    why: str


class VersionsAnswer(_Answer):
    """By which rules, calendar and classifier a ticket is judged."""

    rules: str
    calendar: str
    classifier: str


class TicketAnswer(_Answer):
    """A ticket; times in UTC, clocks and spans of the present cycle."""

    ref: str
    cycle: int
    title: str
    url: str
    value: TicketClass = Field(alias="class")
    class_why: str
    class_sure: bool
    confidence: float
    area: Area
    agent_id: int | None
    agent: str | None
    client: str | None
    object: str | None
    channel: str | None
    state: State
    created_at: datetime
    started_at: datetime
    reply_due: datetime | None
    solve_due: datetime | None
    first_reply_at: datetime | None
    reply_met_by: Literal["message", "call", "closing"] | None
    solved_at: datetime | None
    closed_at: datetime | None
    confirmed_at: datetime | None
    sla_state: SlaState | None
    reply_outcome: _Verdict | None
    solve_outcome: _Verdict | None
    pause_seconds: int
    reopen_count: int
    escalation_level: int
    repeat_of: str | None
    provisional: bool
    gaps: list[str]
    versions: VersionsAnswer
    spans: list[SpanAnswer]


class CountedSpanAnswer(SpanAnswer):
    """A stretch with what has been counted at its end; `text` says why in words."""

    total_minutes: int
    text: str


class TurnAnswer(_Answer):
    """What changed a term on its way: another class, other rules, an extension, a waiver."""

    at: datetime
    text: str


class ClockAnswer(_Answer):
    """How one clock's figures come about; texts are Russian, with the desk's local times.

    `due` tells the deadline as a sum, null where nothing is counted; an agreed date has no sum.
    """

    clock: ClockName
    label: str
    level: int | None = Field(description="internal: whose answer is awaited, 1 to 3")
    started_at: datetime
    counted_from: datetime = Field(description="the term is counted from here; after a raise, later")
    term_minutes: int
    spent_minutes: int
    due_at: datetime | None
    met_at: datetime | None
    outcome: _Verdict | None
    outcome_at: datetime | None = Field(description="met: when; breached: the deadline that was missed")
    spans: list[CountedSpanAnswer]
    turns: list[TurnAnswer]
    due: str | None
    sum: str
    verdict: str


class CycleAnswer(_Answer):
    """One round of a ticket; a return after seven days begins the next."""

    cycle: int
    started_at: datetime
    clocks: list[ClockAnswer]


class AlertAnswer(_Answer):
    """A notice, a line in the chat or a comment on the card; `sent_at` is null until it was said."""

    cycle: int
    step: str
    to: str
    text: str
    state: MessageState
    sent_at: datetime | None


class ExplainedAnswer(TicketAnswer):
    """One ticket with its explanation: every cycle and clock, and what was said to whom."""

    explanation: list[CycleAnswer]
    alerts: list[AlertAnswer]


class TicketsAnswer(_Answer):
    """A page of tickets; `next_cursor` is null on the last one."""

    items: list[TicketAnswer]
    next_cursor: str | None


class KpiAnswer(_Answer):
    """A figure: shares 0..1 or null, lengths in business minutes."""

    value: float | None
    numerator: float | None
    denominator: float | None
    target: float | None
    tickets_url: str


class ProblemAnswer(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str


class QueueAnswer(_Answer):
    """How much waits, and since when the oldest does."""

    waiting: int
    oldest_seconds: int


class ReadyAnswer(BaseModel):
    """What keeps the service from its work (`reasons`), and what a person should look at (`warnings`)."""

    status: Literal["ready", "not_ready"]
    reasons: list[str]
    warnings: list[str]
    role: Literal["all", "web", "worker"]
    inbox: QueueAnswer
    outbox: QueueAnswer
    failed: int
    last_portal_ok_at: datetime | None
    last_sweep_at: datetime | None


_REFUSED = {
    400: "Не прочитано",
    401: "Нужен ключ",
    403: "Не тот токен",
    404: "Нет такого",
    408: "Тело пришло не всё",
    413: "Слишком длинное тело",
    415: "Сжатое тело",
    422: "Неверные параметры",
    429: "Слишком часто",
    503: "База данных не отвечает",
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals of an operation, for its description."""
    shape = {"application/problem+json": {"schema": ProblemAnswer.model_json_schema()}}
    return {status: {"description": _REFUSED[status], "content": shape} for status in statuses}
