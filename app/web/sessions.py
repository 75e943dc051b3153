"""Signed cookies and form marks: who logged in needs no table.

A session is `<seconds until which it holds>.<random>.<signature>`, signed with a key derived
from the admin token: another token ends all sessions.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

LIFETIME = timedelta(hours=12)


def key_of(admin_token: str) -> bytes:
    return hashlib.sha256(b"b24sla session key\0" + admin_token.encode()).digest()


def same(one: str, other: str) -> bool:
    """Equal, in a time that does not tell how far."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def _signature(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def new_session(key: bytes, now: datetime) -> str:
    payload = f"{int((now + LIFETIME).timestamp())}.{secrets.token_hex(16)}"
    return f"{payload}.{_signature(key, payload)}"


def holds(key: bytes, session: str, now: datetime) -> bool:
    payload, _, signature = session.rpartition(".")
    until = payload.partition(".")[0]
    if not same(signature, _signature(key, payload)):
        return False
    return int(until) > now.timestamp()  # signed by us, so it is a number


def form_mark(key: bytes, session: str) -> str:
    """What our forms carry and a stranger's page cannot know."""
    return _signature(key, "form\0" + session)
