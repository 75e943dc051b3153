"""What rules would do to open tickets, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from app import words
from app.simulation.shifts import ClockShift, Shift
from app.simulation.text import SHORT_CLOCKS


def shift_lines(found: Sequence[Shift], name: str, version: str, zone: tzinfo) -> Iterator[str]:
    """Whose deadlines move, who becomes late; `name`: of the rules' file."""
    changed = [shift for shift in found if shift.changes]
    yield f"Правила {name}, версия {version}: открыто {words.tickets(len(found))}, изменится {len(changed)}"
    for shift in changed:
        yield from _shift_lines(shift, zone)
    for title, some in _groups(changed):
        if some:
            yield f"{title}: {len(some)}: {', '.join(str(shift.ref) for shift in some)}"


def _groups(changed: Sequence[Shift]) -> Iterator[tuple[str, list[Shift]]]:
    yield "Сразу окажутся просроченными", [shift for shift in changed if shift.turns_overdue]
    yield "Срок сразу начнёт истекать", [shift for shift in changed if shift.turns_at_risk]
    yield "Останутся без сроков", [shift for shift in changed if shift.loses_sla]


def _shift_lines(shift: Shift, zone: tzinfo) -> Iterator[str]:
    yield f"  {shift.ref} {words.CLASS[shift.value_before].lower()}: {words.quoted_title(shift.title)}"
    for clock in shift.clocks:
        yield f"    {_clock_words(clock, zone)}"
    if shift.value is not shift.value_before:
        yield f"    класс: {words.CLASS[shift.value_before]} → {words.CLASS[shift.value]}"
    if shift.state_after is not shift.state_before:
        yield f"    состояние: {words.STATE[shift.state_before]} → {words.STATE[shift.state_after]}"


def _clock_words(clock: ClockShift, zone: tzinfo) -> str:
    """«решение: 25.11 14:00 → 25.11 18:00, на 4 ч позже (срок 2 раб. дн. 6 ч → 3 раб. дн.)»."""
    before, after = (
        words.moment_short(at, zone) if at else "без срока" for at in (clock.due_before, clock.due_after)
    )
    terms = ""
    if clock.term_before != clock.term_after and clock.due_after:
        terms = f" (срок {words.work_length(clock.term_before)} → {words.work_length(clock.term_after)})"
    return f"{SHORT_CLOCKS[clock.clock]}: {before} → {after}{_moved_words(clock.moved)}{terms}"


def _moved_words(moved: timedelta | None) -> str:
    if not moved:
        return ""
    return f", на {words.work_length(moved)} {'позже' if moved > timedelta(0) else 'раньше'}"


def shift_tree(found: Sequence[Shift], name: str, version: str) -> dict[str, Any]:
    """RFC 3339 UTC, business minutes; only tickets that would change are listed."""
    changed = [shift for shift in found if shift.changes]
    return {
        "rules": name,
        "version": version,
        "open": len(found),
        "changed": [_shift_tree(shift) for shift in changed],
    }


def _shift_tree(shift: Shift) -> dict[str, Any]:
    return {
        "ref": str(shift.ref),
        "agent_id": shift.agent,
        "class": shift.value_before.value,
        "class_after": shift.value.value,
        "state": shift.state_before.value,
        "state_after": shift.state_after.value,
        "sla_state": shift.sla_before,
        "sla_state_after": shift.sla_after,
        "turns_overdue": shift.turns_overdue,
        "turns_at_risk": shift.turns_at_risk,
        "clocks": [
            {
                "clock": clock.clock.value,
                "due_before": _moment(clock.due_before),
                "due_after": _moment(clock.due_after),
                "moved_minutes": None if clock.moved is None else int(clock.moved.total_seconds() / 60),
            }
            for clock in shift.clocks
        ],
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
