"""A task whose chat is closed to the service: it becomes one of its auditors, if the rules let it (sla.md 3).

Once: whoever takes it out again has said no, and the key of what was done stays for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.model import Kind, Lane, Message, MessageKind, Ticket

if TYPE_CHECKING:
    from app.rules import Rules

UNREADABLE = "replies_unreadable"  # a note of a reading


def joining(ticket: Ticket, said: frozenset[str], rules: Rules) -> tuple[Message, ...]:
    """The wish to be let in, if there is any."""
    key = f"{ticket.ref}/join"
    is_shut = ticket.ref.kind is Kind.TASK and ticket.open and ticket.counted and UNREADABLE in ticket.notes
    if not rules.tasks.join or not is_shut or key in said:
        return ()
    return (Message(key, MessageKind.WATCH, str(ticket.ref), "", ticket.ref, Lane.LIVE),)
