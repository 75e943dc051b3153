"""The comment that each decision leaves in the card's timeline (domain.md 9).

One for the class and its terms, one when a deadline moved, one for each breach; none by the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app import words
from app.account import due_line, given_back
from app.model import (
    VOID_STATES,
    EntryKind,
    Kind,
    Lane,
    Ledger,
    Message,
    MessageKind,
    OutcomeWord,
    Ticket,
    TicketClass,
)
from app.sla.course import MOVED
from app.stamping import clocks

OUTSIDERS = "outsiders_read"
"""A note of a reading: not everybody in the task is known as an employee."""

if TYPE_CHECKING:
    from app.rules import Rules


def comments(
    ticket: Ticket, before: Ticket | None, said: frozenset[str], rules: Rules, page: str = ""
) -> tuple[Message, ...]:
    """The comments that this decision adds; in a task they stand in its talk. `page`: our explanation."""
    silent = not rules.desk.timeline or not ticket.counted or _is_overheard(ticket, rules)
    if silent or ticket.state in VOID_STATES or not (ticket.open or before is not None):
        return ()
    found = _comments(ticket, before, rules)
    why = f"\n[url={page}]Почему?[/url]" if page else ""
    return tuple(
        Message(key, MessageKind.TIMELINE, str(ticket.ref), f"SLA: {text}{why}", ticket.ref, Lane.LIVE)
        for key, text in found
        if key not in said
    )


def comment_marker(text: str) -> str:
    """By what a comment of unknown fate is found again: a portal may rewrite line ends and links."""
    return text.partition("\n")[0]


def _is_overheard(ticket: Ticket, rules: Rules) -> bool:
    """A task has no side that only colleagues see: what a client would read is not said there."""
    return ticket.ref.kind is Kind.TASK and (not rules.tasks.comments or OUTSIDERS in ticket.notes)


def _comments(ticket: Ticket, before: Ticket | None, rules: Rules) -> Iterator[tuple[str, str]]:
    prefix = f"{ticket.ref}/{ticket.cycle}/comment"
    if _is_newly_classed(ticket, before):
        yield f"{prefix}/class/{ticket.value}/{_changes(ticket)}", _class_text(ticket, rules)
    elif before is not None and _due_moved(ticket, before):
        due = ticket.now_cycle.solution.due_at
        yield (
            f"{prefix}/due/{due:%Y%m%dT%H%M}",
            f"решение до {_when(ticket.now_cycle.solution, rules)}{_why_moved(ticket, before, rules)}",
        )
    for clock in clocks(ticket.now_cycle):
        if clock.outcome is OutcomeWord.BREACHED and not clock.waived:
            yield f"{prefix}/breach/{clock.clock}", f"нарушен {_name(clock)} ({_when(clock, rules)})"


def _is_newly_classed(ticket: Ticket, before: Ticket | None) -> bool:
    return before is None or before.value is not ticket.value or before.cycle != ticket.cycle


def _changes(ticket: Ticket) -> int:
    """Tells the second time of the same class from the first."""
    return sum(entry.cause.startswith("class:") for entry in ticket.now_cycle.solution.entries)


def _class_text(ticket: Ticket, rules: Rules) -> str:
    name = words.CLASS[ticket.value].lower()
    why = f"; причина: {words.masked(ticket.class_why)}" if ticket.class_why else ""
    if ticket.value is TicketClass.NOT_TICKET:
        return f"{name}{why}"
    cycle = ticket.now_cycle
    if cycle.solution.due_at is None:
        return f"{name}, без срока{why}"
    unsure = "" if ticket.class_sure else "; класс не подтверждён, проверьте"
    reply, solution = _when(cycle.reply, rules), _when(cycle.solution, rules)
    return f"{name}, ответ до {reply}, решение до {solution}{why}{unsure}{_how(cycle.solution, rules)}"


def _how(clock: Ledger, rules: Rules) -> str:
    """In one line how the deadline comes about."""
    calendar = rules.calendars.get(clock.calendar)
    return f"\nСрок решения: {due_line(clock, calendar, rules.desk.zone)}" if calendar else ""


def _due_moved(ticket: Ticket, before: Ticket) -> bool:
    was, now = before.now_cycle.solution, ticket.now_cycle.solution
    return ticket.open and not now.paused and now.due_at is not None and was.due_at != now.due_at


def _why_moved(ticket: Ticket, before: Ticket, rules: Rules) -> str:
    """An extension tells both deadlines (sla.md 2)."""
    was, now = before.now_cycle.solution, ticket.now_cycle.solution
    if _extensions(now) > _extensions(was):
        return f", срок продлён (был до {_when(was, rules)})"
    if now.extended:
        return _given_back(now, rules)
    pause, calendar = ticket.now_cycle.pause_total, rules.calendars.get(now.calendar)
    workday = calendar.hours_per_day if calendar else words.WORKDAY
    return f", на паузе {words.work_length(pause, workday)}" if pause else ""


def _extensions(clock: Ledger) -> int:
    """How many were given in time."""
    return sum(entry.kind is EntryKind.EXTENDED and entry.cause.startswith(MOVED) for entry in clock.entries)


def _given_back(clock: Ledger, rules: Rules) -> str:
    """An agreed date that a return to work moved."""
    calendar = rules.calendars.get(clock.calendar)
    back = given_back(clock, calendar) if calendar else ""
    if not back or clock.agreed_due is None:
        return ""
    return f": назначено {words.moment_short(clock.agreed_due, rules.desk.zone)}, плюс {back}"


def _when(clock: Ledger, rules: Rules) -> str:
    return words.moment_short(clock.due_at, rules.desk.zone) if clock.due_at else "—"


def _name(clock: Ledger) -> str:
    return "срок первого ответа" if clock.clock == "reply" else "срок решения"
