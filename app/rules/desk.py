"""The tables that say who we are, what is a ticket, whom to tell and when."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from app.model import Kind, State
from app.rules.readers import (
    BUDGET,
    CHAT,
    DAILY,
    FLAG,
    MONTHLY,
    NUMBER,
    OFF,
    PERSON,
    POLL,
    SPAN,
    SPAN_OR_OFF,
    TEXT,
    WEEKLY,
    ZONE,
    one_of,
    since_in,
)
from app.rules.section import Section, hint
from app.rules.terms import Calendars, calendar_among
from app.rules.values import (
    AlertTimes,
    Chats,
    Closing,
    DeskRules,
    DigestTimes,
    Pace,
    People,
    Phrases,
    ReadFields,
    Source,
    TaskRules,
)

TARIFFS = ("auto", "standard", "enterprise", "unlimited")
STATES = tuple(state for state in State if state not in {State.DELETED, State.LEFT})
LONGEST_KEPT_DAYS = 36500
TASK_STAGE = re.compile(r"[2-6]|stage:[1-9]\d*")
NATIVE_FIELDS: Mapping[Kind, ReadFields] = {
    Kind.DEAL: ReadFields(
        text=("TITLE", "COMMENTS", "SOURCE_DESCRIPTION", "first_message"),
        client=("CONTACT_ID", "COMPANY_ID"),
        channel="SOURCE_ID",
    ),
    Kind.ITEM: ReadFields(
        text=("TITLE", "SOURCE_DESCRIPTION", "first_message"),
        client=("CONTACT_ID", "COMPANY_ID"),
        channel="SOURCE_ID",
    ),
    Kind.TASK: ReadFields(text=("TITLE", "DESCRIPTION", "first_message"), client=("UF_CRM_TASK",)),
}
CODES = (
    "SLA_CLASS", "SLA_CLASS_SURE", "SLA_CLASS_WHY", "SLA_AREA", "SLA_OTHER_TOPICS", "SLA_STATE",
    "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT", "SLA_CONFIRMED_AT",
    "SLA_OVERDUE", "SLA_PAUSE_TOTAL", "SLA_PAUSE_REASON", "SLA_PAUSE_UNTIL", "SLA_BREACH_REASON",
    "SLA_ESC_LEVEL", "SLA_ESC_REASON", "SLA_REPEAT_OF", "SLA_REPEAT_KIND", "SLA_EXT_REASON", "SLA_EXT_BY",
    "SLA_KB_URL", "SLA_SOLUTION", "SLA_CSAT", "SLA_WAIVER",
)  # fmt: skip
"""Fields on the card (contract.md 5)."""


def desk_of(section: Section, calendars: Calendars) -> DeskRules:
    """`[desk]`; the zone is read once more than for the calendars, faults are told once."""
    zone = section.one("timezone", ZONE)
    desk = DeskRules(
        name=section.one("name", TEXT),
        zone=zone,
        language=section.one("language", one_of(("ru", "en"), "языка")),
        calendar_name=section.one("calendar", calendar_among(calendars)),
        since=section.maybe("since", since_in(zone)),
        timeline=section.one("timeline", one_of(("decisions", OFF))) != OFF,
        waiver=section.one("waiver", FLAG),
    )
    section.close()
    return desk


# --- [[source]] --------------------------------------------------------------------------


def sources_of(sections: Sequence[Section]) -> tuple[Source, ...]:
    """Sources in their order; one that can never be reached is a fault."""
    sources = tuple(_source(section) for section in sections)
    for (first, earlier), (number, later) in combinations(enumerate(sources, 1), 2):
        if earlier.holds(later.kind, later.entity_type, later.category, later.group):
            sections[number - 1].idle(f"никогда не сработает: всё это забирает source[{first}]")
    return sources


def _source(section: Section) -> Source:
    kind = Kind(section.one("kind", one_of(Kind, "вида")))
    keys = {Kind.DEAL: ("category",), Kind.ITEM: ("category", "entity_type"), Kind.TASK: ("group",)}[kind]
    numbers = {key: section.maybe(key, NUMBER) for key in keys}
    if kind is Kind.ITEM and not numbers["entity_type"]:
        section.fault("не задано: нужен номер смарт-процесса (entityTypeId), например 177", "entity_type")
    source = Source(
        kind=kind,
        category=numbers.get("category"),
        entity_type=numbers.get("entity_type") or 0,
        group=numbers.get("group"),
        stages=_stages(section.section("stages")),
        read=_fields_read(section.section("read"), NATIVE_FIELDS[kind]),
    )
    _refuse_foreign_stages(section, source)
    section.close()
    return source


def _stages(section: Section) -> Mapping[str, State]:
    if not section.keys:
        section.fault('не задано: нужны стадии и их состояния, например "C3:NEW" = "new"')
    return {stage: State(word) for stage, word in section.values(one_of(STATES, "состояния")).items()}


def _refuse_foreign_stages(section: Section, source: Source) -> None:
    """A stage of another funnel would never be met, so its name is a slip of the pen."""
    for stage in source.stages:
        expected = _stage_expected(source, stage)
        if expected:
            section.idle(f"такой стадии тут не бывает: нужно {expected}", "stages", stage)


def _stage_expected(source: Source, stage: str) -> str:
    """What the stages of the source look like; empty if this one does."""
    if source.kind is Kind.TASK:
        return "" if TASK_STAGE.fullmatch(stage) else "статус «2»…«6» или столбец «stage:57»"
    if source.kind is Kind.ITEM:
        prefix = f"DT{source.entity_type}_" + ("" if source.category is None else f"{source.category}:")
        return "" if stage.startswith(prefix) else f"вроде «{prefix}…»"
    if source.category:
        return "" if stage.startswith(f"C{source.category}:") else f"вроде «C{source.category}:NEW»"
    alien = source.category == 0 and re.match(r"C\d+:", stage)
    return "стадия общей воронки, вроде «NEW»" if alien else ""


def _fields_read(section: Section, native: ReadFields) -> ReadFields:
    fields = ReadFields(
        text=section.many("text", TEXT) or native.text,
        client=section.many("client", TEXT) or native.client,
        object=section.maybe("object", TEXT) or native.object,
        channel=section.maybe("channel", TEXT) or native.channel,
    )
    section.close()
    return fields


# --- people, chats, messages -------------------------------------------------------------


def people_of(section: Section) -> People:
    people = People(
        head=section.one("head", PERSON),
        leads=section.many("leads", PERSON),
        duty=section.many("duty", PERSON),
        director=section.one("director", PERSON),
        robots=section.many("robots", PERSON),
        development=section.many("development", PERSON),
    )
    section.close()
    return people


def chats_of(section: Section) -> Chats:
    chats = Chats(alerts=section.one("alerts", CHAT), digest=section.one("digest", CHAT))
    section.close()
    return chats


def phrases_of(section: Section) -> Phrases:
    phrases = Phrases(
        acknowledgements=section.many("acknowledgements", TEXT),
        automatic=section.many("automatic", TEXT),
        thanks=section.many("thanks", TEXT),
    )
    section.close()
    return phrases


def fields_of(section: Section) -> Mapping[str, str]:
    """Code → the field's own name."""
    for code in section.keys:
        if code not in CODES:
            section.fault(f"такого поля нет{hint(code, CODES)}", code)
    return section.values(TEXT)


# --- times -------------------------------------------------------------------------------


def alerts_of(section: Section) -> AlertTimes:
    alerts = AlertTimes(
        unassigned=_spans(section.section("unassigned"), "emergency", "other"),
        repeat_breach=_spans(section.section("repeat_breach"), "emergency", "other"),
        director_after=section.one("director_after", SPAN),
    )
    section.close()
    return alerts


def ola_of(section: Section) -> Mapping[str, timedelta]:
    spans = {key: section.one(key, SPAN) for key in ("head", "development")}
    for key in ("wishes", "director"):
        if span := section.maybe(key, SPAN_OR_OFF):
            spans[key] = span
    section.close()
    return spans


def closing_of(section: Section) -> Closing:
    remind, close_after = section.one("remind", SPAN), section.one("close_after", SPAN)
    if remind >= close_after:
        section.fault("напоминание не раньше закрытия: нужно меньше, чем close_after", "remind")
    closing = Closing(remind, close_after, section.one("moves_stage", FLAG))
    section.close()
    return closing


def keep_words_of(section: Section) -> timedelta | None:
    """How long words of ended tickets are kept; None: until somebody says `purge`."""
    days = section.one("keep_texts_days", NUMBER)
    if days > LONGEST_KEPT_DAYS:
        section.fault(f"{days}: нужно не больше {LONGEST_KEPT_DAYS}; 0: хранить без срока", "keep_texts_days")
        days = 0
    section.close()
    return timedelta(days=days) if days else None


def digest_of(section: Section) -> DigestTimes:
    times = DigestTimes(
        daily=section.one("daily", DAILY),
        weekly=section.one("weekly", WEEKLY),
        monthly=section.one("monthly", MONTHLY),
    )
    section.close()
    return times


def pace_of(section: Section) -> Pace:
    pace = Pace(
        reconcile=section.one("reconcile", SPAN),
        watch=section.one("watch", SPAN),
        poll=section.one("poll", POLL),
        tariff=section.one("tariff", one_of(TARIFFS, "тарифа")),
        share=section.one("share", BUDGET),
        talk=section.one("talk", SPAN_OR_OFF),
    )
    section.close()
    return pace


def tasks_of(section: Section) -> TaskRules:
    tasks = TaskRules(join=section.one("join", FLAG), comments=section.one("comments", FLAG))
    section.close()
    return tasks


def _spans(section: Section, *keys: str) -> Mapping[str, timedelta]:
    spans = {key: section.one(key, SPAN) for key in keys}
    section.close()
    return spans
