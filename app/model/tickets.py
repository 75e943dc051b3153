"""The classifier's word, the ticket, and what the KPIs need of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.model.clocks import Cycle
from app.model.items import ItemRef
from app.model.vocabulary import DONE_STATES, VOID_STATES, Area, OutcomeWord, SlaState, State, TicketClass


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
    calendar_version: str = ""  # fingerprint of the hours that the solution's term counts
    classifier_version: str = ""  # of the verdict that is in force
    counted: bool = True  # False: older than desk.since, shown only
    next_at: datetime | None = None
    notes: tuple[str, ...] = ()
    cursor: Mapping[str, int] = field(default_factory=dict)
    extended_by: int | None = None  # who moved the deadline that the solution has now

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

    @property
    def last_at(self) -> datetime:
        """The last thing that happened to the cycle, a missed deadline included."""
        instants = (
            self.received_at, self.first_reply_at, self.reply_outcome_at, self.first_solved_at,
            self.solved_at, self.solve_outcome_at, self.escalated_at, self.closed_at, *self.reopened_at,
        )  # fmt: skip
        return max(at for at in instants if at is not None)
