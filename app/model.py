"""Values that cross packages.

Conventions: instants end in `_at` and are aware UTC; lengths are `timedelta`;
people are Bitrix24 user ids; every value is frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

# --- what we talk about ------------------------------------------------------------------


class Kind(StrEnum):
    """What a ticket is in the portal."""

    DEAL = "deal"
    ITEM = "item"
    TASK = "task"


DEAL_TYPE = 2  # entityTypeId of deals (rest.md 4.1)


@dataclass(frozen=True, slots=True, order=True)
class ItemRef:
    """The address of one item: `deal:41`, `item:177:5`, `task:17`."""

    kind: Kind
    id: int
    entity_type: int = 0  # smart processes only

    @classmethod
    def parse(cls, text: str) -> ItemRef:
        """Read `deal:41`, `item:177:5` or `task:17`; ValueError says what was expected."""
        kind, *numbers = text.strip().split(":")
        wanted = {"deal": 1, "task": 1, "item": 2}.get(kind)
        if wanted != len(numbers) or not all(n.isascii() and n.isdigit() and int(n) for n in numbers):
            raise ValueError(f"{text!r} is no item: expected deal:41, item:177:5 or task:17")
        ids = [int(number) for number in numbers]
        return cls(Kind(kind), ids[-1], ids[0] if kind == "item" else 0)

    def __str__(self) -> str:
        middle = f"{self.entity_type}:" if self.kind is Kind.ITEM else ""
        return f"{self.kind}:{middle}{self.id}"

    @property
    def crm_type(self) -> int:
        """The entityTypeId for crm.* methods; 0 for tasks."""
        return DEAL_TYPE if self.kind is Kind.DEAL else self.entity_type


class HintKind(StrEnum):
    """Events that name something beside an item; its owner must be looked up."""

    ACTIVITY = "activity"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True, order=True)
class Hint:
    """An activity or timeline comment whose owner may be a ticket: `activity:12`."""

    kind: HintKind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


Subject = ItemRef | Hint


def parse_subject(text: str) -> Subject:
    """The inverse of `str()` for anything that the inbox holds."""
    kind, _, number = text.partition(":")
    if kind in set(HintKind):
        return Hint(HintKind(kind), int(number))
    return ItemRef.parse(text)


class Lane(StrEnum):
    """How urgent a piece of work is; see `architecture.md` on the portal's budget."""

    URGENT = "urgent"
    LIVE = "live"
    SWEEP = "sweep"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Event:
    """What an outgoing webhook told us: only a hint that a subject must be read again."""

    name: str
    subject: Subject | None  # None: an event that we know no use for
    sent_at: datetime | None = None


# --- vocabulary --------------------------------------------------------------------------


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
    """The clocks of sla.md 2 that run today."""

    REPLY = "reply"
    SOLUTION = "solution"


class OutcomeWord(StrEnum):
    """A clock's verdict."""

    MET = "met"
    BREACHED = "breached"


class Side(StrEnum):
    """Who spoke."""

    CLIENT = "client"
    OURS = "ours"
    NOBODY = "nobody"  # robots, system lines, automatic greetings


# --- what a reading of the portal brings -------------------------------------------------


@dataclass(frozen=True, slots=True)
class Utterance:
    """One message or call between the client and us, as the portal keeps it."""

    key: str  # "activity:12", "chat:345", "comment:9": unique in the portal
    at: datetime
    side: Side
    channel: str  # email, call, task, openline
    author: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the stage history (or of a task's log)."""

    key: str  # the row's id
    at: datetime
    stage: str  # STAGE_ID, or a task status "2".."6", or "stage:57"
    category: int | None = None
    actor: int | None = None  # tasks only; CRM stage history has no user


@dataclass(frozen=True, slots=True)
class Card:
    """An item's own fields, brought to one form."""

    ref: ItemRef
    title: str
    stage: str
    category: int | None  # funnel (deals, items)
    group: int | None  # project (tasks)
    created_at: datetime
    modified_at: datetime
    created_by: int | None = None
    modified_by: int | None = None
    assignee: int | None = None
    text: tuple[str, ...] = ()  # the fields that [source.read].text names, in order, empties dropped
    client: str = ""  # "contact:5" or "company:7" or the raw value
    client_name: str = ""
    company: str = ""
    contact: str = ""
    object: str = ""
    channel: str = ""
    bound_to: tuple[ItemRef, ...] = ()  # a task's UF_CRM_TASK
    sla: Mapping[str, str] = field(default_factory=dict)
    """SLA_* code → canonical value: lists by XML_ID, booleans Y/N, date-times
    `2026-11-24T06:15:00Z`, numbers as digits, empty "". A task's native deadline is SLA_SOLVE_DUE."""
    extra: Mapping[str, str] = field(default_factory=dict)  # fields that [[policy]] looks at


@dataclass(frozen=True, slots=True)
class Reading:
    """A complete reading of one item: every sub-command succeeded, every page came."""

    ref: ItemRef
    read_at: datetime
    card: Card
    moves: tuple[Move, ...] = ()
    utterances: tuple[Utterance, ...] = ()
    notes: tuple[str, ...] = ()  # e.g. "chat_unreadable"
    cursor: Mapping[str, int] = field(default_factory=dict)  # chat id and the like, for the next reading


@dataclass(frozen=True, slots=True)
class Gone:
    """The portal says that there is no such item (or that we may not see it)."""

    ref: ItemRef
    read_at: datetime


# --- facts -------------------------------------------------------------------------------


class FactKind(StrEnum):
    """What a fact tells. Values are described beside each."""

    CREATED = "created"  # {"by": user}
    STAGE = "stage"  # key: history row; {"stage": str, "category": int|None}
    FIELD = "field"  # key: code#n; {"code": str, "value": str}
    UTTERANCE = "utterance"  # key: Utterance.key; {"side", "channel", "text"}
    VANISHED = "vanished"  # key: Utterance.key; evidence that the portal no longer shows
    CLASSIFIED = "classified"  # our classifier spoke; {"class", "area", "confidence", "why", ...}
    GONE = "gone"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to an item: append-only, unique by (ref, kind, key)."""

    ref: ItemRef
    kind: FactKind
    key: str
    happened_at: datetime
    recorded_at: datetime
    actor: int | None = None
    value: Mapping[str, Any] = field(default_factory=dict)


# --- the life of a ticket in our own words -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of absolute time; `end` None: still going on."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class StateChange:
    """From `at` on the ticket stood in `state`."""

    at: datetime
    state: State
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """An utterance that counts: nobody's and automatic ones are already left out."""

    at: datetime
    side: Side  # CLIENT or OURS
    call: bool = False
    acknowledgement: bool = False  # "приняли в работу": a reply, but no reason for a pause
    thanks: bool = False  # the client only thanks
    author: int | None = None


@dataclass(frozen=True, slots=True)
class ClassChange:
    """From `at` on the ticket had this class."""

    at: datetime
    value: TicketClass
    by_person: bool
    correction: bool = False  # terms from the start, never a raise (sla.md 2)
    actor: int | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """The head or a lead moved the solution's deadline."""

    at: datetime
    due_at: datetime
    by: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket's life, ready for the clocks. All tuples are ordered by time."""

    ref: ItemRef
    started_at: datetime
    states: tuple[StateChange, ...]  # the first stands at started_at
    classes: tuple[ClassChange, ...]
    spoken: tuple[Spoken, ...] = ()
    extensions: tuple[Extension, ...] = ()
    waived: tuple[tuple[datetime, str], ...] = ()
    postponed_until: tuple[tuple[datetime, datetime], ...] = ()  # (set at, until)
    silent_channel: bool = False  # replies cannot be read: the stage alone is trusted


# --- what the clocks say -----------------------------------------------------------------


class EntryKind(StrEnum):
    """A line of a ledger."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    MET = "met"
    BREACHED = "breached"
    SUPERSEDED = "superseded"
    WAIVED = "waived"
    EXTENDED = "extended"
    RETARGETED = "retargeted"  # class change
    ENDED = "ended"  # without a verdict


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened to a clock, and why."""

    at: datetime
    kind: EntryKind
    cause: str = (
        ""  # a code: new_cycle, waiting_client, postponed, done, class:<value>, message, call, closing …
    )


@dataclass(frozen=True, slots=True)
class Ledger:
    """One clock of one cycle."""

    clock: ClockName
    cycle: int
    started_at: datetime
    anchor_at: datetime  # the term is counted from here (differs after a raise to emergency)
    term: timedelta
    calendar: str  # name in the rules
    due_at: datetime | None  # None: no SLA for this ticket
    warn_at: tuple[tuple[float, datetime], ...] = ()  # share of the term → instant
    pauses: tuple[Span, ...] = ()
    entries: tuple[Entry, ...] = ()
    met_at: datetime | None = None
    met_by: str = ""  # message, call, closing (reply only)
    outcome: OutcomeWord | None = None
    outcome_at: datetime | None = None  # met: the event; breached: the deadline that was missed
    running: bool = False
    paused: bool = False
    spent: timedelta = timedelta(0)  # open time used, pauses off, until met_at or now
    provisional: bool = False
    extended: bool = False
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Cycle:
    """One round from a start to a closing; a return after seven days begins the next."""

    number: int
    started_at: datetime
    reply: Ledger
    solution: Ledger
    solved_at: datetime | None = None  # the last solution
    first_solved_at: datetime | None = None
    closed_at: datetime | None = None
    confirmed_at: datetime | None = None
    reopened_at: tuple[datetime, ...] = ()
    escalated_at: datetime | None = None  # first functional escalation
    waited_client: bool = False
    pause_total: timedelta = timedelta(0)  # open time


@dataclass(frozen=True, slots=True)
class ExplainedSpan:
    """A stretch of a clock's time: counted or not, and why (for people and the API)."""

    clock: ClockName
    start: datetime
    end: datetime
    counted: bool
    minutes: int
    why: str
    """A code: work, night, weekend, holiday:<name>, day_off:<name>, closed, or pause:<cause>."""


# --- the classifier's word ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verdict:
    """What triage says about a text."""

    value: TicketClass
    area: Area
    confidence: float  # 0..1
    why: str  # one Russian line: `E2: «не можем выехать»`
    sure: bool = True
    other_topics: str = ""
    escalate_to: str = ""  # dev, engineer, head, contractor or ""
    version: str = ""


# --- the ticket --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ticket:
    """Our fold of an item's facts, as saved and shown."""

    ref: ItemRef
    cycle: int
    title: str
    state: State
    value: TicketClass  # the class in force
    area: Area
    class_why: str
    class_sure: bool
    class_by_person: bool
    confidence: float
    other_topics: str
    created_at: datetime
    started_at: datetime
    read_at: datetime
    cycles: tuple[Cycle, ...]
    sla_state: SlaState | None  # None: not_ticket, duplicate, deleted, left, no SLA
    agent: int | None = None
    client: str = ""
    client_name: str = ""
    object: str = ""
    channel: str = ""
    escalation_level: int = 0
    escalation_reason: str = ""
    repeat_of: str = ""
    repeat_kind: str = ""
    csat: int | None = None
    documented: bool = False
    class_auto: TicketClass | None = None  # what the classifier said last
    rules_version: str = ""
    counted: bool = True  # False: older than desk.since, shown only
    next_at: datetime | None = None
    notes: tuple[str, ...] = ()
    cursor: Mapping[str, int] = field(default_factory=dict)

    @property
    def now_cycle(self) -> Cycle:
        """The cycle that runs or ran last."""
        return self.cycles[-1]

    @property
    def open(self) -> bool:
        """Still somebody's work."""
        return self.state not in DONE_STATES and self.state not in VOID_STATES


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the KPIs need of one cycle of one ticket."""

    ref: ItemRef
    cycle: int
    title: str
    value: TicketClass
    area: Area
    state: State
    received_at: datetime  # the cycle's start
    agent: int | None  # now, or at the end
    reply_agent: int | None  # who should have replied (assignee at the reply's outcome)
    solve_agent: int | None
    reply_due: datetime | None
    reply_outcome: OutcomeWord | None
    reply_outcome_at: datetime | None
    first_reply_at: datetime | None
    reply_spent: timedelta | None  # open time, known once replied
    solve_due: datetime | None
    solve_outcome: OutcomeWord | None
    solve_outcome_at: datetime | None
    solved_at: datetime | None
    first_solved_at: datetime | None
    solve_spent: timedelta | None  # open time, pauses off, known once solved
    closed_at: datetime | None
    confirmed: bool
    escalated_at: datetime | None
    escalation_level: int
    reopened_at: tuple[datetime, ...]
    waited_client: bool
    paused: bool
    extended: bool
    waived: bool
    repeat_of: str
    repeat_kind: str  # same, related, unsolved, context or ""
    csat: int | None
    documented: bool
    class_auto: TicketClass | None
    object: str
    channel: str
    off_hours: bool  # received outside the desk's hours
    counted: bool  # False: not_ticket, duplicate, deleted, left, before desk.since
    sla_state: SlaState | None = None
    reply_met_by: str = ""
    escalation_reason: str = ""  # code of SLA_ESC_REASON
    breach_reason: str = ""  # a person's words
    engineer_visit: bool = False  # the state was `engineer` at some time
    kb_link: bool = False  # SLA_KB_URL is filled: an article or template was made or changed


# --- what we do to the portal ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stamp:
    """The SLA fields that a card should hold: code → canonical value (see Card.sla)."""

    ref: ItemRef
    wanted: Mapping[str, str]


class MessageKind(StrEnum):
    """How a message reaches people."""

    TIMELINE = "timeline"  # a comment in the card
    NOTICE = "notice"  # a personal notice
    CHAT_CARD = "chat_card"  # the one edited message of a ticket in the alerts chat
    SUMMARY = "summary"  # a line of a summary; lines that wait together go as one message
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Message:
    """Something to say once. `key` names it for ever: `deal:41/1/solve_breach/7`."""

    key: str
    kind: MessageKind
    to: str  # "chat12", a user id, or the item for timeline comments
    text: str
    ref: ItemRef | None = None
    lane: Lane = Lane.LIVE
    tag: str = ""  # personal notices: a repeat with the same tag replaces the former
    covers: tuple[str, ...] = ()  # further keys that this message says: they must not be said again


@dataclass(frozen=True, slots=True)
class Decision:
    """What `decide` says: nothing here has happened yet."""

    ticket: Ticket
    facts: tuple[Fact, ...]  # our own acts: classified
    stamp: Stamp | None
    messages: tuple[Message, ...]
    standing: frozenset[
        str
    ]  # keys that may still be said; other alerts waiting for this ticket are withdrawn
    outcomes: tuple[Outcome, ...]

    @property
    def next_at(self) -> datetime | None:
        """When to look at this ticket again though nothing came."""
        return self.ticket.next_at


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the portal."""

    id: int
    name: str  # «Иванова А.»
    active: bool = True
    employee: bool = True  # False: extranet, connector, bot
