"""The desk's rules as frozen values. Lengths are open time unless said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from app.model import Kind, State, TicketClass
from app.sla.calendar import Calendar
from app.sla.terms import ClassTerms, Ola


@dataclass(frozen=True, slots=True)
class DeskRules:
    """Who we are."""

    name: str
    zone: ZoneInfo
    language: str  # ru or en
    calendar_name: str
    since: datetime | None  # tickets that started earlier are shown, never stamped, announced or counted
    timeline: bool  # a comment in the card for each decision
    waiver: bool = False  # whether the cards have a field «Вне SLA: причина», written by the head


@dataclass(frozen=True, slots=True)
class ReadFields:
    """Fields of the card by their upper-case names; `first_message` is the first thing the client said."""

    text: tuple[str, ...]
    client: tuple[str, ...]
    object: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Which items are tickets; None is any funnel or project."""

    kind: Kind
    category: int | None
    entity_type: int  # smart items only, else 0
    group: int | None
    stages: Mapping[str, State]
    read: ReadFields

    def holds(self, kind: Kind, entity_type: int, category: int | None, group: int | None) -> bool:
        """Whether an item there is a ticket."""
        return (
            self.kind is kind
            and (kind is not Kind.ITEM or self.entity_type == entity_type)
            and self.category in {None, category}
            and self.group in {None, group}
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """Other terms for some tickets. An empty condition asks nothing."""

    classes: AbstractSet[TicketClass]
    company: AbstractSet[str]
    contact: AbstractSet[str]
    object: AbstractSet[str]  # casefolded
    fields: Mapping[str, AbstractSet[str]]
    sla: bool = True
    changes: Mapping[str, Any] = field(default_factory=dict)  # fields of ClassTerms

    def fits(
        self, value: TicketClass, company: str, contact: str, object: str, extra: Mapping[str, str]
    ) -> bool:
        """Whether every condition holds."""
        return (
            (not self.classes or value in self.classes)
            and (not self.company or company in self.company)
            and (not self.contact or contact in self.contact)
            and (not self.object or object.strip().casefold() in self.object)
            and all(extra.get(name, "") in values for name, values in self.fields.items())
        )

    def applied(self, terms: ClassTerms) -> ClassTerms | None:
        """The changed terms; None: no SLA."""
        return replace(terms, **self.changes) if self.sla else None


@dataclass(frozen=True, slots=True)
class People:
    """Portal user ids; 0 is nobody."""

    head: int
    leads: tuple[int, ...]
    duty: tuple[int, ...]
    director: int
    robots: tuple[int, ...]
    development: tuple[int, ...] = ()  # developers and engineers: their word answers a hand-over

    @property
    def deciders(self) -> frozenset[int]:
        """Who may extend and waive."""
        return frozenset({self.head, *self.leads} - {0})


@dataclass(frozen=True, slots=True)
class Chats:
    """Dialogs of the portal (`chat12`, `sg3`, a user's number); "" is nowhere."""

    alerts: str
    digest: str


@dataclass(frozen=True, slots=True)
class AlertTimes:
    """When the ladder speaks again; the mappings have the keys `emergency` and `other`."""

    unassigned: Mapping[str, timedelta]
    repeat_breach: Mapping[str, timedelta]
    director_after: timedelta


@dataclass(frozen=True, slots=True)
class Phrases:
    """Compared without case and punctuation: whole messages, but `automatic` is contained in one."""

    acknowledgements: tuple[str, ...]
    automatic: tuple[str, ...]
    thanks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """What follows «Решено» when the client is silent."""

    remind: timedelta
    close_after: timedelta
    moves_stage: bool


@dataclass(frozen=True, slots=True)
class DigestTimes:
    """Wall times in the desk's zone; None: not sent."""

    daily: time | None  # on working days
    weekly: tuple[int, time] | None  # weekday (Monday is 0)
    monthly: time | None  # on the first working day


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the jobs look, in clock time."""

    reconcile: timedelta
    watch: timedelta
    poll: timedelta | Literal["auto", "off"]  # the sweep instead of events; auto: where no event can come
    tariff: str  # auto, standard, enterprise, unlimited: what the portal allows one address
    share: float  # of the requests that it allows
    talk: timedelta | None = None  # a look into the portal's queue of talk; None: only with the sweep


@dataclass(frozen=True, slots=True)
class TaskRules:
    """What the service may do in tasks beside reading and stamping them."""

    join: bool = False  # become an auditor, once, of a task whose chat it cannot read
    comments: bool = True  # say decisions in the task's talk, where only employees read along


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that the desk decides for itself."""

    desk: DeskRules
    sources: tuple[Source, ...]
    calendars: Mapping[str, Calendar]
    classes: Mapping[TicketClass, ClassTerms]
    policies: tuple[Policy, ...]
    people: People
    chats: Chats
    alerts: AlertTimes
    phrases: Phrases
    closing: Closing
    ola: Mapping[str, timedelta]  # head, development and, if they have a term, wishes, director
    digest: DigestTimes
    pace: Pace
    keep_words: timedelta | None  # of ended tickets; None: until somebody says `purge`
    fields: Mapping[str, str]  # code of contract.md 5 → the field's own name on the card
    version: str
    text: str  # canonical JSON from which `rules_from` makes the same rules again
    tasks: TaskRules = TaskRules()

    @property
    def calendar(self) -> Calendar:
        """When the desk may speak, and the working days of its digests."""
        return self.calendars[self.desk.calendar_name]

    @property
    def inner_lines(self) -> Ola:
        """How soon the inner lines answer, in the desk's own hours."""
        ola = self.ola
        return Ola(
            self.desk.calendar_name,
            self.calendar,
            ola["head"],
            ola["development"],
            ola.get("wishes"),
            ola.get("director"),
        )

    @property
    def policy_fields(self) -> tuple[str, ...]:
        """Fields of the card that policies look at."""
        return tuple(sorted({name for policy in self.policies for name in policy.fields}))

    def source_for(
        self, kind: Kind, entity_type: int, category: int | None, group: int | None
    ) -> Source | None:
        """The first source that holds such an item; None: it is no ticket of ours."""
        fitting = (source for source in self.sources if source.holds(kind, entity_type, category, group))
        return next(fitting, None)

    def terms_for(
        self, *, company: str, contact: str, object: str, extra: Mapping[str, str]
    ) -> Mapping[TicketClass, ClassTerms | None]:
        """The terms of every class for this ticket, the first fitting policy applied; None: no SLA."""
        terms: dict[TicketClass, ClassTerms | None] = {TicketClass.NOT_TICKET: None}
        for value, usual in self.classes.items():
            fitting = (each for each in self.policies if each.fits(value, company, contact, object, extra))
            policy = next(fitting, None)
            terms[value] = policy.applied(usual) if policy else usual
        return terms
