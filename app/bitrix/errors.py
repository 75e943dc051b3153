"""Errors of the portal, named for the remedy (rest.md 1.4).

`error_of` branches on the code first, without case; the HTTP status is only a hint, because the
documents, the official SDK and the product's source give different statuses for the same code.
Descriptions may be localised or hold HTML: they are shown, never matched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.times import of_unix


class PortalError(Exception):
    """Something the portal did not do. `unknown_fate`: a write may have happened all the same."""

    def __init__(self, code: str, text: str = "", *, method: str = "", unknown_fate: bool = False) -> None:
        self.code = code
        self.text = text
        self.method = method
        self.unknown_fate = unknown_fate
        super().__init__(": ".join(part for part in (method, code, text) if part))


class RetryLater(PortalError):
    """It will pass: try again, not before `at`."""

    def __init__(
        self, code: str, text: str = "", *, at: datetime, method: str = "", unknown_fate: bool = False
    ) -> None:
        super().__init__(code, text, method=method, unknown_fate=unknown_fate)
        self.at = at


class TooFast(RetryLater):
    """The rate bucket is full. The call was not executed."""


class MethodResting(RetryLater):
    """One method used up its operating time; the others still work. The call was not executed."""


class Refused(PortalError):
    """Refused for good: the same call will be refused again."""


class Misconfigured(PortalError):
    """Nothing works until a person mends the webhook, its rights or the tariff."""


class Overloaded(PortalError):
    """The vendor blocked us by hand: stop and tell a person, do not retry."""


class TokenExpired(PortalError):
    """Refresh the access token and repeat once."""


SOON = timedelta(seconds=2)
LATER = timedelta(seconds=30)
RESTING = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)  # the portal counts over ten minutes; more is a clock gone astray

_MISCONFIGURED = (
    "invalid_token", "no_auth_found", "invalid_credentials", "insufficient_scope", "user_access_error",
    "authorization_error", "application_not_found", "error_oauth", "payment_required", "wrong_auth_type",
    "wrong_license", "allowed_only_intranet_user", "method_confirm_waiting", "method_confirm_denied",
    "error_method_not_found", "invalid_request", "portal_deleted",
    "bitrix_rest_v3_exception_insufficientscopeexception",
)  # fmt: skip
_REFUSED = (
    "access_denied", "error_batch_method_not_allowed", "error_batch_length_exceeded", "error_argument",
    "wrong_encoding", "not_found", "invalid_arg_value", "bitrix_rest_v3_exception_accessdeniedexception",
)  # fmt: skip
_REMEDY: Mapping[str, type[PortalError]] = {
    "query_limit_exceeded": TooFast,
    "bitrix_rest_v3_exception_ratelimitexception": TooFast,
    "operation_time_limit": MethodResting,
    "overload_limit": Overloaded,
    "expired_token": TokenExpired,
    "internal_server_error": RetryLater,
    "error_unexpected_answer": RetryLater,
    **dict.fromkeys(_MISCONFIGURED, Misconfigured),
    **dict.fromkeys(_REFUSED, Refused),
}
_TAG = re.compile(r"<[^>]*>")


def error_of(
    status: int | None, body: Mapping[str, Any], now: datetime, *, method: str = ""
) -> PortalError | None:
    """The error that an answer holds, or None. `status` is None inside a batch."""
    if "error" not in body and (status is None or status < 400):
        return None
    code, text = _told(body)
    remedy = _REMEDY.get(code.lower()) or _by_status(status)
    code = code or (f"HTTP {status}" if status else "")
    if remedy is MethodResting:
        return MethodResting(code, text, at=_reset_at(body, now), method=method)
    if remedy is TooFast:
        return TooFast(code, text, at=now + SOON, method=method)
    if remedy is RetryLater:
        return RetryLater(code, text, at=now + LATER, method=method, unknown_fate=True)
    return remedy(code, text, method=method)


def undecodable(status: int, now: datetime, *, method: str = "") -> RetryLater:
    """HTML or nothing instead of JSON: overload, a gateway's timeout, maintenance."""
    return RetryLater(f"HTTP {status}", "ответ не читается", at=now + LATER, method=method, unknown_fate=True)


def _told(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and text. The code may be empty, a number, or an object (v3)."""
    error = body.get("error", "")
    if isinstance(error, Mapping):
        return str(error.get("code", "")), _plain(error.get("message", ""))
    return str(error), _plain(body.get("error_description", ""))


def _plain(text: object) -> str:
    return _TAG.sub(" ", str(text or "")).strip()


def _by_status(status: int | None) -> type[PortalError]:
    """The remedy of a code that nobody documented."""
    if status == 429:
        return TooFast
    if status is not None and status >= 500:
        return RetryLater
    return Misconfigured if status == 401 else Refused


def _reset_at(body: Mapping[str, Any], now: datetime) -> datetime:
    """When the method may run again: the answer's `operating_reset_at` (unix seconds), else a minute."""
    time = body.get("time")
    reset_at = of_unix(time.get("operating_reset_at")) if isinstance(time, Mapping) else None
    if reset_at is None or reset_at - now > LONGEST_REST:
        return now + RESTING
    return max(reset_at, now + SOON)
