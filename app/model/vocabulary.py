"""The codes of the field: states, classes, areas, clocks, verdicts (domain.md 3-5)."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a ticket stands (domain.md 5.1; the last two are ours)."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    WAITING_CLIENT = "waiting_client"
    POSTPONED = "postponed"
    ESCALATED = "escalated"
    ENGINEER = "engineer"
    RESOLVED = "resolved"
    CLOSED_CONFIRMED = "closed_confirmed"
    CLOSED_UNCONFIRMED = "closed_unconfirmed"
    DUPLICATE = "duplicate"
    NOT_TICKET = "not_ticket"
    DELETED = "deleted"
    LEFT = "left"


CLOSED_STATES = frozenset({State.CLOSED_CONFIRMED, State.CLOSED_UNCONFIRMED})
DONE_STATES = CLOSED_STATES | {State.RESOLVED}
VOID_STATES = frozenset({State.DUPLICATE, State.NOT_TICKET, State.DELETED, State.LEFT})
"""Clocks end without a verdict; the ticket is in no KPI."""


class TicketClass(StrEnum):
    """Класс обращения."""

    EMERGENCY = "emergency"
    STANDARD = "standard"
    CONSULTATION = "consultation"
    NOT_TICKET = "not_ticket"


URGENCY = {
    TicketClass.EMERGENCY: 3,
    TicketClass.STANDARD: 2,
    TicketClass.CONSULTATION: 1,
    TicketClass.NOT_TICKET: 0,
}


class Area(StrEnum):
    """Область продукта (domain.md 4)."""

    APP_LOGIN = "app_login"
    PASSES = "passes"
    BARRIER_GATE = "barrier_gate"
    PLATE_RECOGNITION = "plate_recognition"
    MOBILE_KEY = "mobile_key"
    CONTROLLER_HW = "controller_hw"
    MOBILE_APP = "mobile_app"
    WEB_ADMIN = "web_admin"
    OBJECTS = "objects"
    TRUSTED_PERSONS = "trusted_persons"
    INTEGRATION = "integration"
    BILLING_DOCS = "billing_docs"
    OTHER = "other"


class SlaState(StrEnum):
    """Состояние SLA on the card."""

    ON_TRACK = "on_track"
    AT_RISK = "at_risk"
    OVERDUE = "overdue"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"


class ClockName(StrEnum):
    """The clocks of sla.md 2. Reply and solution are in the KPIs and on the card, the others are shown."""

    REPLY = "reply"
    NEXT_REPLY = "next_reply"
    PROGRESS = "progress"
    SOLUTION = "solution"
    INTERNAL = "internal"


class OutcomeWord(StrEnum):
    """A clock's verdict."""

    MET = "met"
    BREACHED = "breached"


class Side(StrEnum):
    """Who spoke."""

    CLIENT = "client"
    OURS = "ours"
    NOBODY = "nobody"  # robots, system lines, automatic greetings
