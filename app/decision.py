"""The heart: facts in, decision out. Pure; the same facts and `now` give the same decision.

facts → telling (story + words) → cycles (clocks) → ticket → stamp, messages, outcomes
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.alerts import Audience, alerts
from app.commenting import comments
from app.deadlines import EXTENSION_ASKED, EXTENSION_UNEXPLAINED, WAIVER_ASKED, requests, waiver_is_asked
from app.gaps import LOST_RULES
from app.handing import escalation_level
from app.joining import joining
from app.learning import is_silent, number_in
from app.model import (
    Area,
    Cycle,
    Decision,
    Fact,
    FactKind,
    ItemRef,
    Outcome,
    Story,
    Ticket,
    Track,
)
from app.outcomes import is_void, outcome_of, somebody
from app.pinning import Judging, RulesOf, judging
from app.rules import Rules
from app.sla.ledger import cycles_of
from app.sla.state import next_moment, sla_state
from app.sla.targets import TermsByClass, TermsChange
from app.stamping import stamp_of, stored
from app.story import Telling, telling
from app.tracking import tracks_of

SOLUTION_IS_WRITTEN = 30
"""Signs in «Решение» from which a solution counts as documented (domain.md 7)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What we held of this item before."""

    ticket: Ticket | None
    said: frozenset[str]  # keys of messages queued or sent


@dataclass(frozen=True, slots=True)
class Around:
    """What the neighbours contribute."""

    name_of: Callable[[int | None], str]
    card_url: Callable[[ItemRef], str]
    page_url: Callable[[Ticket], str]
    read_at: datetime
    cursor: Mapping[str, int]
    notes: tuple[str, ...] = ()
    rules_of: RulesOf | None = None  # the versions that pins name; None: `rules` have always been in force
    gap: tuple[datetime, datetime] | None = None  # what we said in between is forgotten


@dataclass(frozen=True, slots=True)
class Fold:
    """A ticket as its facts tell it: nothing in it depends on who looked, nor when before `now`."""

    ticket: Ticket
    outcomes: tuple[Outcome, ...]
    classified: tuple[Fact, ...]  # the classifier's words that the facts did not hold yet
    tracks: tuple[Track, ...] = ()


def fold(facts: Sequence[Fact], by: Judging, now: datetime) -> Fold | None:
    """The ticket of these facts; None when the item is no concern of this desk."""
    if bound_to(facts):
        return None
    told = telling(facts, by.rules, now, unreadable=is_silent(facts))
    if told is None:
        return None
    first, later = _terms(told, by)
    cycles = cycles_of(told.story, first, now, later, by.rules.inner_lines)
    ticket = _ticket(facts, told, cycles, by.rules, now)
    if by.lost:
        ticket = replace(ticket, notes=(*ticket.notes, LOST_RULES))
    outcomes = tuple(outcome_of(ticket, cycle, facts, by.rules) for cycle in cycles)
    void = is_void(ticket.state, ticket.value)
    tracks = () if void else tuple(tracks_of(told.story, cycles, told.fields, by, now))
    return Fold(ticket, outcomes, told.classified, tracks)


def bound_to(facts: Iterable[Fact]) -> str:
    """The ticket whose work this item is; "" when it stands for itself."""
    told = [fact for fact in facts if fact.kind is FactKind.BOUND]
    return str(max(told, key=lambda fact: int(fact.key)).value["to"]) if told else ""


def _terms(told: Telling, by: Judging) -> tuple[TermsByClass, list[TermsChange]]:
    """The terms of the ticket's start and those applied since, each with its policy in it."""

    def of(rules: Rules) -> TermsByClass:
        return rules.terms_for(
            company=told.fields.get("company", ""),
            contact=told.fields.get("contact", ""),
            object=told.fields.get("object", ""),
            extra=_extra(told.fields),
        )

    return of(by.first), [TermsChange(pin.at, of(rules), rules.version, pin.by) for pin, rules in by.later]


def decide(
    facts: Sequence[Fact], known: Known, around: Around, rules: Rules, now: datetime
) -> Decision | None:
    """What follows from the facts; None when the item is no concern of this desk."""
    found = fold(facts, judging(facts, rules, around.rules_of), now)
    if found is None:
        return None
    ticket = replace(
        found.ticket,
        read_at=around.read_at,
        cursor=around.cursor,
        notes=(*found.ticket.notes, *around.notes),
    )
    audience = Audience(
        said=known.said,
        name_of=around.name_of,
        card_url=lambda ticket: around.card_url(ticket.ref),
        page_url=around.page_url,
        first_seen_at=min(fact.recorded_at for fact in facts if fact.kind is FactKind.CREATED),
        gap=around.gap,
    )
    ladder = alerts(ticket, rules, audience, now)
    notes = comments(ticket, known.ticket, known.said, rules, around.page_url(ticket))
    moments = [at for at in (next_moment(ticket.now_cycle, now), ladder.next_at) if at is not None]
    ticket = replace(ticket, next_at=min(moments, default=None))
    return Decision(
        ticket=ticket,
        facts=found.classified,
        stamp=stamp_of(ticket, rules.calendars, rules.desk.zone),
        messages=(*notes, *joining(ticket, known.said, rules), *ladder.messages),
        standing=ladder.standing,
        outcomes=found.outcomes,
        tracks=found.tracks,
    )


def _ticket(
    facts: Sequence[Fact],
    told: Telling,
    cycles: tuple[Cycle, ...],
    rules: Rules,
    now: datetime,
) -> Ticket:
    story, since = told.story, rules.desk.since
    state, value = story.states[-1].state, story.classes[-1].value
    return Ticket(
        **_of_class(told),
        **_of_card(told.fields, rules),
        ref=story.ref,
        cycle=cycles[-1].number,
        state=state,
        value=value,
        created_at=min(f.happened_at for f in facts if f.kind is FactKind.CREATED),
        started_at=story.started_at,
        read_at=max(f.recorded_at for f in facts),
        cycles=cycles,
        sla_state=None if is_void(state, value) else sla_state(cycles[-1], state, now),
        escalation_level=escalation_level(facts, story.states),
        rules_version=rules.version,
        calendar_version=_calendar_version(cycles[-1], rules),
        counted=since is None or story.started_at >= since,
        notes=(*told.notes, *_wishes(facts, story, cycles[-1], rules)),
        extended_by=_extended_by(cycles[-1], story),
    )


def _extended_by(cycle: Cycle, story: Story) -> int | None:
    """Whose extension holds; one that came too late or was overtaken by a raise does not."""
    holds = cycle.solution.agreed_due
    return {extension.due_at: extension.by for extension in story.extensions}.get(holds) if holds else None


def _of_class(told: Telling) -> dict[str, Any]:
    """What is said of the class, and by whom."""
    verdict, by_person = told.verdict, told.class_by_person
    return {
        "area": _area(told.fields, verdict.area),
        "class_why": "Класс указан сотрудником" if by_person else verdict.why,
        "class_sure": _is_sure(told),
        "class_by_person": by_person,
        "confidence": 1.0 if by_person else verdict.confidence,
        "other_topics": verdict.other_topics,
        "class_auto": verdict.value,
        "classifier_version": verdict.version,
    }


def _of_card(fields: Mapping[str, str], rules: Rules) -> dict[str, Any]:
    """What stands on the card now."""
    return {
        **{name: fields.get(code, "") for name, code in _CARD_TEXTS.items()},
        "agent": somebody(fields.get("assignee", ""), rules),
        "csat": number_in(fields.get("SLA_CSAT", "")),
        "documented": _documented(fields),
    }


_CARD_TEXTS = {
    "title": "title",
    "client": "client",
    "client_name": "client_name",
    "object": "object",
    "channel": "channel",
    "escalation_reason": "SLA_ESC_REASON",
    "repeat_of": "SLA_REPEAT_OF",
    "repeat_kind": "SLA_REPEAT_KIND",
}


def _calendar_version(cycle: Cycle, rules: Rules) -> str:
    calendar = rules.calendars.get(cycle.solution.calendar)
    return calendar.fingerprint if calendar else ""


def _is_sure(told: Telling) -> bool:
    """A person's tick, or its removal, wins; a class that a person chose needs none."""
    ticked = told.fields.get("SLA_CLASS_SURE")
    if ticked is None:
        return told.class_by_person or told.verdict.sure
    return ticked == "Y"


def _area(fields: Mapping[str, str], found: Area) -> Area:
    by_person = fields.get("SLA_AREA", "")
    return Area(by_person) if by_person in set(Area) else found


def _documented(fields: Mapping[str, str]) -> bool:
    written = len(fields.get("SLA_SOLUTION", "").strip()) >= SOLUTION_IS_WRITTEN
    return written or bool(fields.get("SLA_KB_URL"))


def _wishes(facts: Sequence[Fact], story: Story, cycle: Cycle, rules: Rules) -> Iterator[str]:
    """What waits for the head's word: dates and waivers asked for, an extension without a reason."""
    for wished in requests(facts, rules):
        yield f"{EXTENSION_ASKED}{stored(wished)}"
    if cycle.solution.extended and any(not extension.reason for extension in story.extensions[-1:]):
        yield EXTENSION_UNEXPLAINED
    if waiver_is_asked(facts, rules):
        yield WAIVER_ASKED


def _extra(fields: Mapping[str, str]) -> dict[str, str]:
    return {code.removeprefix("extra:"): v for code, v in fields.items() if code.startswith("extra:")}
