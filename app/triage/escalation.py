"""Who beyond the agent a ticket may need (domain.md 6): a suggestion, people decide."""

from __future__ import annotations

from app.model import Area, TicketClass
from app.triage.reading import Reading

HARDWARE = (Area.CONTROLLER_HW, Area.BARRIER_GATE)
BROKEN = ("fails", "dead_entry", "stuck_open", "any_card", "emergency_unlock", "guard_dead", "trapped")


def escalate_to(reading: Reading, value: TicketClass, area: Area) -> str:
    """`dev`, `engineer`, `head`, `contractor` or "" (the agent copes)."""
    if value is TicketClass.NOT_TICKET:
        return ""
    if value is TicketClass.CONSULTATION:
        return "head" if reading.has("conflict", "privacy") else ""
    if reading.real("data_leak", "account_theft"):
        return "dev"
    if reading.has("conflict"):
        return "head"
    if value is TicketClass.EMERGENCY:
        return _in_an_emergency(reading, area)
    return _ordinarily(reading, area)


def _in_an_emergency(reading: Reading, area: Area) -> str:
    if reading.has("stolen_key"):
        return ""
    if reading.has("revoked") and reading.has("passing"):
        return "dev"  # the list of rights does not reach the controller
    return "engineer" if area in (*HARDWARE, Area.PLATE_RECOGNITION) else "dev"


def _ordinarily(reading: Reading, area: Area) -> str:
    if reading.has("foreign_hardware"):
        return "contractor"
    if area in HARDWARE and reading.real(*BROKEN):
        return "engineer"
    if area is Area.PLATE_RECOGNITION and reading.has("wrong", "again"):
        return "engineer"
    return "dev" if reading.real("bug") or (area is Area.INTEGRATION and reading.real("fails")) else ""
