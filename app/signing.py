"""Addresses that open one ticket's explanation without a login, until a day. Pure.

Signed is what may be read (the reference) and until when; the end follows from the ticket's own times,
so the address is the same at every decision and nothing is written because an hour has passed.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlencode

from app.model import ItemRef, Ticket

LIFETIME = timedelta(days=30)


class Standing(StrEnum):
    """What an address is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    FORGED = "forged"


def key_of(secret: str) -> bytes:
    """A key of its own: no signature of another purpose is good here."""
    return hashlib.sha256(b"b24sla why key\0" + secret.encode()).digest()


def ends_at(ticket: Ticket) -> datetime:
    """Thirty days after the last of the present cycle's start, deadlines and closing."""
    cycle = ticket.now_cycle
    known = (cycle.started_at, cycle.reply.due_at, cycle.solution.due_at, cycle.closed_at)
    return max(at for at in known if at is not None) + LIFETIME


def address(key: bytes, ref: ItemRef, ends: datetime) -> str:
    """`/why/deal:41?until=…&sign=…`."""
    until = str(int(ends.timestamp()))
    return f"/why/{ref}?{urlencode({'until': until, 'sign': _signature(key, ref, until)})}"


def standing(key: bytes, ref: ItemRef, until: str, sign: str, now: datetime) -> Standing:
    """The signature is looked at first: a stranger learns nothing about dates."""
    ours = _signature(key, ref, until)
    if not hmac.compare_digest(ours.encode(), sign.encode("utf-8", "replace")):
        return Standing.FORGED
    return Standing.GOOD if now.timestamp() < int(until) else Standing.EXPIRED


def _signature(key: bytes, ref: ItemRef, until: str) -> str:
    text = f"{ref}\0{until}".encode("utf-8", "replace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()
