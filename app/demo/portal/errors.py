"""Refusals of the portal, with the HTTP status that goes with each code."""

from dataclasses import dataclass, field
from typing import Any

from .profile import Profile


@dataclass(frozen=True, slots=True)
class RestError(Exception):
    """A refusal of one call: what stands in `error` and `error_description`, and the HTTP status.

    `code` may be an empty string (classic crm.*),
    a number in a string (tasks) or the integer 0 (stage history).
    """

    code: str | int
    text: str
    status: int = 400
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """Version 3 puts an object of its own in `error` and nothing beside it."""
        if isinstance(self.extra.get("error"), dict):
            return self.extra
        return {"error": self.code, "error_description": self.text, **self.extra}


def classic(text: str) -> RestError:
    """A refusal of a classic crm.* method: the code is an empty string."""
    return RestError("", text)


def core(text: str) -> RestError:
    return RestError("ERROR_CORE", text)


def no_access() -> RestError:
    return RestError("ACCESS_DENIED", "Access denied!", 403)


def item_no_access() -> RestError:
    return RestError("ACCESS_DENIED", "Доступ запрещен")


def item_not_found() -> RestError:
    return RestError("NOT_FOUND", "Элемент не найден")


def type_not_found() -> RestError:
    return RestError("NOT_FOUND", "Смарт-процесс не найден")


def bad_value(text: str) -> RestError:
    return RestError("INVALID_ARG_VALUE", text)


def missing(name: str) -> RestError:
    """A controller method (crm.item.*, tasks.task.*) called without a parameter it needs."""
    return RestError("100", f"Could not find value for parameter {{{name}}} (internal error)")


def no_method() -> RestError:
    return RestError("ERROR_METHOD_NOT_FOUND", "Method not found!", 404)


def no_auth() -> RestError:
    return RestError("NO_AUTH_FOUND", "Wrong authorization data", 401)


def wrong_auth_type() -> RestError:
    return RestError("WRONG_AUTH_TYPE", "Current authorization type is denied for this method", 403)


def no_license(feature: str) -> RestError:
    return RestError("WRONG_LICENSE", f"This feature is not enabled for the current license: {feature}", 403)


def too_many_requests() -> RestError:
    return RestError("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)


def operating_exceeded() -> RestError:
    return RestError("OPERATION_TIME_LIMIT", "Method is blocked due to operation time limit.", 429)


def bad_credentials(profile: Profile) -> RestError:
    return RestError("INVALID_CREDENTIALS", "Invalid request credentials", profile.credentials_status)


def bad_scope(profile: Profile) -> RestError:
    text = "The request requires higher privileges than provided by the webhook token"
    return RestError("insufficient_scope", text, profile.credentials_status)


def canned(kind: str, profile: Profile) -> RestError:
    """The refusal that a fault of this kind gives."""
    made = {
        "limit": too_many_requests(),
        "operating": operating_exceeded(),
        "access": no_access(),
        "expired": RestError("expired_token", "The access token provided has expired", 401),
        "overload": RestError(
            "OVERLOAD_LIMIT", "REST API is blocked due to overload.", profile.overload_status
        ),
        "deleted": RestError("PORTAL_DELETED", "Portal was deleted", profile.deleted_status),
        "credentials": bad_credentials(profile),
        "scope": bad_scope(profile),
        "user_access": RestError(
            "user_access_error",
            "The user does not have access to the application.",
            profile.user_access_status,
        ),
        "internal": RestError("INTERNAL_SERVER_ERROR", "Internal server error", 500),
        "not_found": classic("Not found"),
    }
    return made[kind]
