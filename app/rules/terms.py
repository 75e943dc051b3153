"""Calendars, classes and policies: the tables that make up terms."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from app.model import TicketClass
from app.rules.readers import DAY as DATE
from app.rules.readers import FLAG, GOAL, ID, NAME, SHARE, SPAN, SPAN_OR_OFF, TEXT, ZONE, one_of
from app.rules.section import Reader, Section, shown
from app.rules.values import Policy
from app.sla.calendar import Calendar, CalendarFault, calendar_of
from app.sla.hours import WEEKDAYS
from app.sla.terms import ClassTerms
from app.sla.workdays import WorkDays, WorkDaysFault, load_workdays, russian_workdays

AROUND_THE_CLOCK = "24x7"
RUSSIA = "RU"
UNREADABLE = calendar_of(zone=ZoneInfo("UTC"), weekly={}, around_the_clock=True)
"""Stands for a calendar with faults, so that what names it is not called unknown as well."""
CLASSES: tuple[TicketClass, ...] = tuple(
    value for value in TicketClass if value is not TicketClass.NOT_TICKET
)

TOO_LONG = "столько рабочих часов не бывает"

ANSWERS = ("respond", "next_respond", "resolve")
TERMS = (*ANSWERS, "progress")

Calendars = Mapping[str, Calendar]
Classes = Mapping[TicketClass, ClassTerms]
Condition = Callable[[Policy], Collection[object]]


# --- [calendar.<name>] -------------------------------------------------------------------


def calendars_of(section: Section, zone: ZoneInfo) -> Calendars:
    """Every calendar by its name; `zone` is for those that name none."""
    return {name: _calendar(inner, zone) for name, inner in section.named().items()}


def _calendar(section: Section, desk_zone: ZoneInfo) -> Calendar:
    own_zone = section.maybe("timezone", ZONE)
    production = _production(section)
    closed = section.many("closed", DATE)
    opened = _opened(section, closed)
    weekly = _weekly(section)
    section.close()
    if section.get("hours") == AROUND_THE_CLOCK and production:
        section.fault("круглосуточно значит и в праздники: уберите этот ключ", "production_calendar")
    try:
        return calendar_of(
            zone=own_zone or desk_zone,
            weekly=weekly,
            production=production,
            closed=closed,
            opened=opened,
            around_the_clock=section.get("hours") == AROUND_THE_CLOCK,
        )
    except CalendarFault as fault:
        for key, problem in fault.problems:
            section.fault(problem, *key.split("."))
        return UNREADABLE


def _weekly(section: Section) -> Mapping[str, Sequence[str]]:
    hours = section.get("hours")
    if hours == AROUND_THE_CLOCK:
        return {}
    if not isinstance(hours, dict):
        problem = "не задано" if hours is None else shown(hours)
        section.fault(f'{problem}: нужно "{AROUND_THE_CLOCK}" или {{ mon = ["09:00-18:00"] }}', "hours")
        return {WEEKDAYS[0]: ["00:00-24:00"]}  # so that nothing more is told about them
    days = section.section("hours")
    weekly = {day: days.many(day, TEXT) for day in WEEKDAYS}
    days.close()
    return weekly


def _opened(section: Section, closed: Sequence[date]) -> Mapping[date, Sequence[str]]:
    dates = section.section("open")
    opened = {}
    for text in dates.keys:
        day = _date_key(dates, text)
        if day:
            opened[day] = dates.many(text, TEXT)
        if day in closed:
            dates.idle("эта же дата названа в closed: оставьте одно", text)
    return opened


def _date_key(section: Section, text: str) -> date | None:
    try:
        return DATE.read(text)
    except ValueError as why:
        section.fault(str(why) or DATE.expected, text)
        return None


def _production(section: Section) -> WorkDays | None:
    """`RU`, a calendar that `loading` has put in the place of its path, or none."""
    named = section.get("production_calendar")
    if named == RUSSIA:
        return russian_workdays()
    if not isinstance(named, dict):
        if named:
            section.fault(f"{shown(named)}: нужно «{RUSSIA}» или путь к файлу", "production_calendar")
        return None
    try:
        return load_workdays(json.dumps(named))
    except WorkDaysFault as fault:
        section.fault(str(fault), "production_calendar")
        return None


# --- [class.<name>] ----------------------------------------------------------------------


def classes_of(section: Section, calendars: Calendars) -> Classes:
    """The terms of the three classes, without policies."""
    terms: Classes = {value: _class(section.section(value), value, calendars) for value in CLASSES}
    section.close()
    return terms


def _class(section: Section, value: TicketClass, calendars: Calendars) -> ClassTerms:
    label = section.one("label", TEXT)
    calendar_name = section.one("calendar", calendar_among(calendars))
    respond, resolve = section.one("respond", SPAN), section.one("resolve", SPAN)
    next_respond = section.maybe("next_respond", SPAN)
    progress = section.maybe("progress", SPAN_OR_OFF)
    announce = section.one("announce", FLAG)
    warn_respond, warn_resolve = _shares(section, "warn_respond"), _shares(section, "warn_resolve")
    target = section.one("target", GOAL)
    section.close()
    terms = ClassTerms(
        value, label, calendar_name, calendars.get(calendar_name, UNREADABLE), respond, resolve, progress,
        announce, warn_respond, warn_resolve, target, next_respond,
    )  # fmt: skip
    for key in _endless(terms):
        section.fault(f"в календаре «{calendar_name}» {TOO_LONG}", key)
    return terms


def _endless(terms: ClassTerms) -> list[str]:
    """The keys of terms to whose end the calendar never comes."""
    lengths = {key: getattr(terms, key) for key in TERMS}
    return [key for key, term in lengths.items() if term and not terms.calendar.holds(term)]


def _shares(section: Section, key: str) -> tuple[float, ...]:
    return tuple(sorted(set(section.many(key, SHARE))))


def calendar_among(calendars: Calendars) -> Reader[str]:
    """The name of a calendar of this file."""
    return one_of(calendars, "календаря")


# --- [[policy]] --------------------------------------------------------------------------


def policies_of(sections: Sequence[Section], calendars: Calendars, classes: Classes) -> tuple[Policy, ...]:
    """Policies in their order; one that can never be reached is a fault, and one that could not be kept."""
    policies = tuple(_policy(section, calendars) for section in sections)
    for number, (section, policy) in enumerate(zip(sections, policies, strict=True)):
        takers = _takers(policies[:number], policy)
        if takers:
            told = ", ".join(f"policy[{each + 1}]" for each in takers)
            section.idle(f"никогда не сработает: всё это забирает {told}", "when")
        _refuse_endless(section, policy, classes)
    return policies


def _policy(section: Section, calendars: Calendars) -> Policy:
    when, changes = section.section("when"), section.section("set")
    fields = when.section("field")
    classes = frozenset(map(TicketClass, _asked(when, "class", one_of(CLASSES, "класса"))))
    policy = Policy(
        classes=classes if len(classes) < len(CLASSES) else frozenset(),
        company=_asked(when, "company", ID),
        contact=_asked(when, "contact", ID),
        object=frozenset(text.casefold() for text in _asked(when, "object", NAME)),
        fields={name: _asked(fields, name, NAME) for name in fields.keys},
        sla=changes.get("sla") is None or changes.one("sla", FLAG),
        changes=_changes(changes, calendars),
    )
    _refuse_idle(section, policy)
    when.close()
    changes.close()
    section.close()
    return policy


def _asked(section: Section, key: str, reader: Reader[str]) -> frozenset[str]:
    """The values that a condition lists; a single one needs no brackets."""
    value = section.get(key)
    if value == []:
        section.idle("пустой список: правило не сработает никогда", key)
    if value is None or isinstance(value, list):
        return frozenset(section.many(key, reader))
    return frozenset({section.one(key, reader)})


def _changes(section: Section, calendars: Calendars) -> Mapping[str, Any]:
    changes: dict[str, Any] = {key: section.one(key, SPAN) for key in ANSWERS if section.get(key) is not None}
    if section.get("progress") is not None:
        changes["progress"] = section.one("progress", SPAN_OR_OFF)
    name = section.maybe("calendar", calendar_among(calendars))
    if name and name in calendars:
        changes |= {"calendar_name": name, "calendar": calendars[name]}
    return changes


def _refuse_idle(section: Section, policy: Policy) -> None:
    asked, wanted = section.get("when"), section.get("set")
    if isinstance(asked, dict) and asked.get("field") == {}:
        section.idle("не названо ни одного поля: правило не сработает никогда", "when", "field")
    if not asked:
        section.fault("не задано: нужно хотя бы одно условие; сроки для всех меняют в [class.*]", "when")
    if not wanted:
        keys = ", ".join((*TERMS, "calendar", "sla"))
        section.idle(f"не задано: нужно хотя бы одно из {keys}", "set")
    if not policy.sla and policy.changes:
        section.idle("sla = false снимает все сроки: остальное в set лишнее", "set", "sla")


def _refuse_endless(section: Section, policy: Policy, classes: Classes) -> None:
    changed = [policy.applied(classes[value]) for value in policy.classes or CLASSES]
    endless = {key for terms in changed if terms for key in _endless(terms)}
    for key in ("calendar",) if endless and "calendar" in policy.changes else endless & set(policy.changes):
        section.fault(TOO_LONG, "set", key)


def _takers(earlier: Sequence[Policy], policy: Policy) -> list[int]:
    """Which earlier policies, alone or together, leave nothing to this one; empty if something is left.

    Each condition is tried with each value it lists, or with a value that nobody lists if it asks nothing.
    Only who takes a value matters, so values with the same takers are tried once.
    """
    asked = [_takers_by_value(each, earlier, policy) for each in _conditions((*earlier, policy))]
    taken = [frozenset.intersection(*chosen) for chosen in product(*asked)]
    if not all(taken):
        return []
    alone = frozenset.intersection(*taken)
    return [min(alone)] if alone else sorted(frozenset.union(*taken))


def _takers_by_value(condition: Condition, earlier: Sequence[Policy], policy: Policy) -> set[frozenset[int]]:
    values = condition(policy) or {None}
    return {
        frozenset(
            number for number, each in enumerate(earlier) if not condition(each) or value in condition(each)
        )
        for value in values
    }


def _conditions(policies: Sequence[Policy]) -> list[Condition]:
    fields = sorted({name for policy in policies for name in policy.fields})
    return [
        lambda policy: policy.classes or CLASSES,
        lambda policy: policy.company,
        lambda policy: policy.contact,
        lambda policy: policy.object,
        *(partial(_field, name) for name in fields),
    ]


def _field(name: str, policy: Policy) -> Collection[object]:
    return policy.fields.get(name, ())
