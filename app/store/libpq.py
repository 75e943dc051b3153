"""What a PostgreSQL address says after its `?`: the names of libpq, which other drivers know, for asyncpg."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.engine import URL

_BY_DSN = frozenset({
    "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword", "sslnegotiation",
    "ssl_min_protocol_version", "ssl_max_protocol_version",
})  # fmt: skip
"""asyncpg reads most of these from a DSN only."""
_AS_THEY_ARE = frozenset({"ssl", "target_session_attrs", "passfile", "service", "servicefile", "krbsrvname"})
_NUMBERS: Mapping[str, tuple[str, Callable[[str], float]]] = {
    "connect_timeout": ("timeout", int),  # 0: without limit
    "command_timeout": ("command_timeout", float),  # the same
    "statement_cache_size": ("statement_cache_size", int),  # 0 behind a pooler
    "prepared_statement_cache_size": ("prepared_statement_cache_size", int),
}
_LIMITS = frozenset({"connect_timeout", "command_timeout"})
_DROPPED = frozenset({
    "channel_binding", "gssencmode", "sslcompression", "sslsni",  # asyncpg has none of them
    "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",  # nor
    "client_encoding", "fallback_application_name",  # always UTF-8; we always have a name
})  # fmt: skip
_HOSTS = ("host", "port")  # SQLAlchemy reads them
_MODES = frozenset({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"})
_CHOICES: Mapping[str, frozenset[str]] = {
    "sslmode": _MODES,
    "ssl": _MODES,
    "target_session_attrs": frozenset(
        {"any", "primary", "standby", "read-write", "read-only", "prefer-standby"}
    ),
}


class UnknownParameter(ValueError):
    """The text names the parameter and what was expected, never the rest of the address."""


def bare(address: URL) -> URL:
    """Without what `arguments` has taken over."""
    return address.difference_update_query([name for name in address.query if name not in _HOSTS])


def arguments(
    address: URL, settings: Mapping[str, str], seconds: int, command_seconds: float | None = None
) -> dict[str, Any]:
    """Arguments of `asyncpg.connect` beside place and user. Raises UnknownParameter.

    `settings` of the session, `seconds` for a connection and `command_seconds` for a statement (None: no
    limit) are ours, unless the address says otherwise.
    """
    given = {name: value if isinstance(value, str) else value[-1] for name, value in address.query.items()}
    named = {name: given.pop(name) for name in ("application_name",) if name in given}
    limits = {"timeout": seconds, "command_timeout": command_seconds}
    found: dict[str, Any] = {"server_settings": {**settings, **named}, **limits}
    for name in given.keys() - _DROPPED - {*_HOSTS}:
        found |= _argument(name, given[name])
    by_dsn = {name: value for name, value in given.items() if name in _BY_DSN}
    return found | ({"dsn": f"postgresql:///?{urlencode(by_dsn)}"} if by_dsn else {})


def _argument(name: str, value: str) -> dict[str, Any]:
    if name in _CHOICES and value not in _CHOICES[name]:
        raise UnknownParameter(f"параметр {name}: возможны {', '.join(sorted(_CHOICES[name]))}")
    if name in _NUMBERS:
        return _number(name, value)
    if name in _AS_THEY_ARE:
        return {name: value}
    if name not in _BY_DSN:
        raise UnknownParameter(f"неизвестный параметр {name}: уберите его")
    return {}


def _number(name: str, value: str) -> dict[str, Any]:
    theirs, number = _NUMBERS[name]
    try:
        found = number(value)
    except ValueError:
        found = -1
    if found < 0:
        raise UnknownParameter(f"параметр {name}: нужно число")
    return {theirs: found or None if name in _LIMITS else found}
