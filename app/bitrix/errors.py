"""Errors of the portal, named for the remedy (rest.md 1.4).

`error_of` branches on the code first, without case; the HTTP status is only a hint, because the
documents, the official SDK and the product's source give different statuses for the same code.
Descriptions may be localised or hold HTML, addresses and tokens: they are cleaned here, shown, never matched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from app import words
from app.bitrix.times import of_unix


class Effect(StrEnum):
    """What an error does to the road."""

    WAIT = "wait"  # the same call again, not before its moment
    REST = "rest"  # this method waits, the others go on
    ITEM = "item"  # this item or message is given up: failed work
    METHOD = "method"  # this method needs a person; the others go on
    STOP = "stop"  # nothing is asked any more, but for a rare look whether it has passed
    RENEW = "renew"  # a new token, and once more


class PortalError(Exception):
    """Something the portal did not do. `unknown_fate`: a write may have happened all the same."""

    effect: ClassVar[Effect] = Effect.ITEM

    def __init__(self, code: str, text: str = "", *, method: str = "", unknown_fate: bool = False) -> None:
        self.code = code
        self.text = text
        self.method = method
        self.unknown_fate = unknown_fate
        super().__init__(": ".join(part for part in (method, code, text) if part))


class RetryLater(PortalError):
    """It will pass: try again, not before `at`."""

    effect = Effect.WAIT

    def __init__(
        self, code: str, text: str = "", *, at: datetime, method: str = "", unknown_fate: bool = False
    ) -> None:
        super().__init__(code, text, method=method, unknown_fate=unknown_fate)
        self.at = at


class TooFast(RetryLater):
    """The rate bucket is full. The call was not executed."""


class NotOurTurn(RetryLater):
    """Another process talks to the portal now. The call was not made."""

    effect = Effect.ITEM  # no trouble of the portal's


class MethodResting(RetryLater):
    """One method used up its operating time; the others still work. The call was not executed."""

    effect = Effect.REST


class Refused(PortalError):
    """Refused for good: the same call will be refused again."""


class Misconfigured(PortalError):
    """This does not work until a person gives the right, the scope or the tariff for it."""

    effect = Effect.METHOD


class ShutOut(PortalError):
    """Nothing works until a person mends the access: the webhook, its owner, the portal, the tariff."""

    effect = Effect.STOP
    looks: ClassVar[tuple[timedelta, timedelta]] = (timedelta(minutes=1), timedelta(minutes=15))
    """After how long somebody looks whether it has passed: the first time, and at most."""

    @property
    def remedy(self) -> str:
        """What a person should do."""
        return _SHUT_OUT.get(self.code.lower(), PLAN_REMEDY)


class Overloaded(ShutOut):
    """The vendor blocked us by hand: stop, tell a person, and look rarely."""

    looks = (timedelta(hours=1), timedelta(hours=1))

    @property
    def remedy(self) -> str:
        return OVERLOAD_REMEDY


class TokenExpired(PortalError):
    """Refresh the access token and repeat once."""

    effect = Effect.RENEW


SOON = timedelta(seconds=2)
LATER = timedelta(seconds=30)
RESTING = timedelta(minutes=1)
LONGEST_REST = timedelta(hours=1)  # the portal counts over ten minutes; more is a clock gone astray

_SHUT_OUT: Mapping[str, str] = {
    "invalid_token": "переустановите приложение на портале",
    "no_auth_found": "проверьте адрес вебхука",
    "invalid_credentials": "вебхук удалён или истёк: создайте новый и запишите его в B24SLA_PORTAL_WEBHOOK",
    "user_access_error": "откройте владельцу вебхука доступ на портал",
    "authorization_error": "владелец вебхука уволен или заблокирован: нужен вебхук другого пользователя",
    "application_not_found": "приложение удалено с портала: установите его заново",
    "error_oauth": "закончите установку приложения на портале",
    "payment_required": "продлите тариф портала",
    "not_installed": "добавьте приложение на портале, путь для первоначальной установки: …/install",
    "uninstalled": "приложение удалено с портала: установите его заново",
    "secret_key": "верните прежний B24SLA_SECRET_KEY или установите приложение заново",
    "invalid_grant": "доступ приложения пропал: установите его на портале заново",
    "invalid_client": "проверьте B24SLA_CLIENT_ID и B24SLA_CLIENT_SECRET и что приложение установлено",
    "portal_deleted": "портал закрыт или удалён: проверьте его адрес",
    "invalid_request": "порталу нужен адрес с https",
    "expired_token": "срок доступа истёк: создайте новый вебхук без срока или переустановите приложение",
    "redirect": "портал отвечает переадресацией: проверьте его адрес в настройках",
}
"""What a person can do when nothing works any more."""
OVERLOAD_REMEDY = "вендор остановил запросы вручную: напишите в поддержку Битрикс24"
PLAN_REMEDY = "REST не входит в тариф портала: продлите или смените тариф"
_MISCONFIGURED = (
    "insufficient_scope", "wrong_auth_type", "wrong_license", "allowed_only_intranet_user",
    "method_confirm_waiting", "method_confirm_denied", "error_method_not_found",
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
    **dict.fromkeys(_SHUT_OUT.keys() - {"expired_token"}, ShutOut),
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
    code, text = told_of(body)
    remedy = _remedy(code.strip().lower(), status)
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


def told_of(body: Mapping[str, Any]) -> tuple[str, str]:
    """Code and text, fit for every eye. The code may be empty, a number, a sentence, or an object (v3)."""
    error = body.get("error", "")
    if isinstance(error, Mapping):
        return _plain(error.get("code", "")), _plain(error.get("message") or "")
    return _plain(error), _plain(body.get("error_description") or "")


def _plain(text: object) -> str:
    """Without markup, secrets and people's numbers: whoever asks /readyz is shown it."""
    return words.harmless(_TAG.sub(" ", str(text))).strip()


def _remedy(code: str, status: int | None) -> type[PortalError]:
    """By the code. Methods refuse rights with ACCESS_DENIED too, but only a missing plan is a 401; and what
    is wrong with a request can be wrong with one command of it.
    """
    if code == "access_denied" and status == 401:
        return ShutOut
    if code == "invalid_request" and status is None:
        return Refused
    return _REMEDY.get(code) or _by_status(status)


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
