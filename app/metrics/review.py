"""What a week's and a month's report add: reasons, weekdays, topics, and what to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app import words
from app.metrics import moments
from app.metrics.kpi import Kpi
from app.metrics.moments import Key
from app.model import Area, ClockName, Outcome, State
from app.sla.calendar import Calendar

TOPIC = 3
"""Tickets from which something is said to repeat (domain.md 8)."""

TOP = 10
PEAK = 1.25

NO_REPLY, UNKNOWN = "нет ответа", "другое"
UNSAID = "без причины"

_BY_ESCALATION: Mapping[str, str] = {
    "bug": "разработка",
    "development": "разработка",
    "visit": "инженер",
    "contractor": "подрядчик",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """Several tickets about one product area."""

    area: Area
    count: int
    objects: int
    days: int


Counts = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Review:
    """Counts by name, the most frequent first."""

    late_reasons: Counts = ()
    escalation_reasons: Counts = ()
    objects: Counts = ()
    repeats: Counts = ()
    gaps: Counts = ()  # areas with tickets and not one written solution
    corrected: Counts = ()  # «Консультация → Стандартное»
    waived: int = 0  # solved in the period, out of the shares by the head's word
    recounted: int = 0  # solved in the period by an earlier count, came back since


def review_of(
    outcomes: Iterable[Outcome], start_at: datetime, end_at: datetime, peak: frozenset[Key]
) -> Review:
    """The additions for a half-open period; `peak`: see `came_in_a_peak`."""
    every = [outcome for outcome in outcomes if outcome.counted]

    def inside(at: datetime | None) -> bool:
        return at is not None and start_at <= at < end_at

    received = [outcome for outcome in every if inside(outcome.received_at)]
    ended = [outcome for outcome in every if inside(moments.closed_at(outcome))]
    return Review(
        late_reasons=_late_reasons(every, start_at, end_at, peak),
        escalation_reasons=_counted(
            words.ESCALATION_REASON.get(it.escalation_reason, UNSAID)
            for it in every
            if inside(it.escalated_at)
        ),
        objects=_often(it.object for it in received if it.object),
        repeats=_counted(words.AREA[it.area] for it in received if moments.is_repeat(it)),
        gaps=gaps(ended),
        corrected=_counted(_moved(it) for it in ended if it.class_auto and it.class_auto is not it.value),
        waived=sum(it.waived and inside(moments.solved_at(it)) for it in every),
        recounted=sum(inside(it.first_solved_at) and bool(it.reopened_at) for it in every),
    )


def topics(
    outcomes: Iterable[Outcome], start_at: datetime, end_at: datetime, calendar: Calendar
) -> tuple[Topic, ...]:
    """Product areas with three tickets or more that came in the half-open stretch."""
    by_area: dict[Area, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.counted and outcome.area is not Area.OTHER and start_at <= outcome.received_at < end_at:
            by_area.setdefault(outcome.area, []).append(outcome)
    found = [_topic(area, group, calendar) for area, group in by_area.items() if len(group) >= TOPIC]
    return tuple(sorted(found, key=lambda topic: (-topic.count, topic.area)))


def _topic(area: Area, group: Sequence[Outcome], calendar: Calendar) -> Topic:
    objects = {outcome.object for outcome in group if outcome.object}
    days = {calendar.local(outcome.received_at).date() for outcome in group}
    return Topic(area, len(group), len(objects), len(days))


def came_in_a_peak(outcomes: Iterable[Outcome], calendar: Calendar, norm: int) -> frozenset[Key]:
    """Cycles received on a local date with a quarter more than the norm."""
    days: dict[date, list[Key]] = {}
    for outcome in outcomes:
        if outcome.counted:
            days.setdefault(calendar.local(outcome.received_at).date(), []).append(moments.key_of(outcome))
    return frozenset(key for keys in days.values() if len(keys) > norm * PEAK for key in keys)


def late_reason(outcome: Outcome, clock: ClockName, peak: frozenset[Key]) -> str:
    """Why a deadline passed, in one word of domain.md 8; a person's own reason wins."""
    if outcome.breach_reason:
        return words.short(words.masked(outcome.breach_reason), 40)
    if clock is ClockName.REPLY:
        return NO_REPLY
    if outcome.engineer_visit or outcome.state is State.ENGINEER:
        return "инженер"
    by_hand_over = _BY_ESCALATION.get(outcome.escalation_reason)
    if by_hand_over:
        return by_hand_over
    if outcome.waited_client:
        return "клиент"
    return "пик" if moments.key_of(outcome) in peak else UNKNOWN


def gaps(ended: Iterable[Outcome]) -> Counts:
    """Areas with three closed tickets or more of which none has a written solution."""
    groups: dict[Area, list[Outcome]] = {}
    for outcome in ended:
        groups.setdefault(outcome.area, []).append(outcome)
    bare = {area: len(group) for area, group in groups.items() if not any(it.documented for it in group)}
    return _sorted({words.AREA[area]: count for area, count in bare.items() if count >= TOPIC})


def _late_reasons(
    every: Iterable[Outcome], start_at: datetime, end_at: datetime, peak: frozenset[Key]
) -> Counts:
    return _counted(
        late_reason(outcome, clock, peak)
        for outcome in every
        for clock in moments.breaches(outcome, start_at, end_at)
    )


def _moved(outcome: Outcome) -> str:
    return f"{words.CLASS[str(outcome.class_auto)]} → {words.CLASS[outcome.value]}"


def _counted(names: Iterable[str]) -> Counts:
    return _sorted(Counter(names))[:TOP]


def _often(names: Iterable[str]) -> Counts:
    return tuple((name, count) for name, count in _counted(names) if count >= TOPIC)


def _sorted(counts: Mapping[str, int]) -> Counts:
    return tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


# --- what to change ----------------------------------------------------------------------


def advice(figures: Mapping[str, Kpi], review: Review) -> tuple[str, ...]:
    """At most three sentences for a month's report, from the figures that miss their goals."""
    missed = {code for code, kpi in figures.items() if kpi.reached is False}
    found = [
        sentence
        for code, say in _ADVICE.items()
        if code in missed and (sentence := say(figures[code], review))
    ]
    if review.gaps:
        area, count = review.gaps[0]
        found.append(f"Написать статью «{area}»: {words.tickets(count)} и ни одного записанного решения.")
    return tuple(found[:3])


def _about_solutions(kpi: Kpi, review: Review) -> str:
    why = _mostly("Чаще всего", [pair for pair in review.late_reasons if pair[0] != NO_REPLY])
    return f"Сократить просрочки решения: {words.tickets(len(kpi.misses))} за месяц.{why}"


def _mostly(heading: str, reasons: Sequence[tuple[str, int]]) -> str:
    """The reason that leads, with how often; nothing where several do."""
    if not reasons or (len(reasons) > 1 and reasons[0][1] == reasons[1][1]):
        return ""
    name, count = reasons[0]
    if name in {UNKNOWN, UNSAID}:
        return " Причина чаще всего не указана."
    return f" {heading}: {name} ({count})."


def _about_replies(kpi: Kpi, _review: Review) -> str:
    return f"Отвечать раньше: срок первого ответа нарушен {_times(len(kpi.misses))}."


def _about_escalations(kpi: Kpi, review: Review) -> str:
    why = _mostly("Главная причина", [(name.lower(), count) for name, count in review.escalation_reasons])
    return f"Реже передавать дальше: без эскалации {words.percent(kpi.value)}.{why}"


def _about_repeats(kpi: Kpi, review: Review) -> str:
    where = f", больше всего: «{review.repeats[0][0]}»" if review.repeats else ""
    return f"Разобрать повторные обращения: {words.percent(kpi.value)}{where}."


def _about_records(kpi: Kpi, _review: Review) -> str:
    return f"Записывать решения: без записи закрыто {words.tickets(len(kpi.misses))}."


def _times(count: int) -> str:
    return words.plural(count, "раз", "раза", "раз")


_ADVICE: Mapping[str, Callable[[Kpi, Review], str]] = {
    "solve_sla": _about_solutions,
    "reply_sla": _about_replies,
    "no_escalation": _about_escalations,
    "repeats": _about_repeats,
    "documented": _about_records,
}
