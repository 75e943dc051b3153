"""The shapes of the API's answers, for its description; a test compares them with what is sent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.model import Area, ClockName, SlaState, State, TicketClass

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
