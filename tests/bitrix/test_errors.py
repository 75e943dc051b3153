"""Errors by code, every row of rest.md 1.4 under every status that its sources give."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bitrix import errors
from app.bitrix.errors import PortalError, error_of, undecodable

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parent.parent / "data" / "bitrix24" / "examples"

REMEDIES: list[tuple[Any, tuple[int | None, ...], type[PortalError]]] = [
    ("QUERY_LIMIT_EXCEEDED", (503, 429), errors.TooFast),
    ("OPERATION_TIME_LIMIT", (429,), errors.MethodResting),
    ("OVERLOAD_LIMIT", (503, 401), errors.Overloaded),
    ("expired_token", (401,), errors.TokenExpired),
    ("invalid_token", (401,), errors.Misconfigured),
    ("NO_AUTH_FOUND", (401,), errors.Misconfigured),
    ("INVALID_CREDENTIALS", (403, 401), errors.Misconfigured),
    ("insufficient_scope", (403, 401, None), errors.Misconfigured),
    ("user_access_error", (403, 401), errors.Misconfigured),
    ("authorization_error", (401,), errors.Misconfigured),
    ("APPLICATION_NOT_FOUND", (401,), errors.Misconfigured),
    ("ERROR_OAUTH", (401,), errors.Misconfigured),
    ("PAYMENT_REQUIRED", (401, 402), errors.Misconfigured),
    ("ACCESS_DENIED", (403, 401, 400, None), errors.Refused),
    ("WRONG_AUTH_TYPE", (403,), errors.Misconfigured),
    ("WRONG_LICENSE", (403,), errors.Misconfigured),
    ("allowed_only_intranet_user", (403,), errors.Misconfigured),
    ("METHOD_CONFIRM_WAITING", (401,), errors.Misconfigured),
    ("METHOD_CONFIRM_DENIED", (401, 403), errors.Misconfigured),
    ("ERROR_METHOD_NOT_FOUND", (404, None), errors.Misconfigured),
    ("ERROR_BATCH_METHOD_NOT_ALLOWED", (405, None), errors.Refused),
    ("ERROR_BATCH_LENGTH_EXCEEDED", (400, None), errors.Refused),
    ("INVALID_REQUEST", (400, 401), errors.Misconfigured),
    ("ERROR_ARGUMENT", (400,), errors.Refused),
    ("ERROR_CORE", (400, None), errors.Refused),
    ("ERROR_CORE", (500,), errors.RetryLater),
    ("PORTAL_DELETED", (500, 410, 403), errors.Misconfigured),
    ("INTERNAL_SERVER_ERROR", (500, None), errors.RetryLater),
    ("ERROR_UNEXPECTED_ANSWER", (500,), errors.RetryLater),
    ("WRONG_ENCODING", (200,), errors.Refused),
    ("", (400, 200, None), errors.Refused),
    ("0", (400, 200), errors.Refused),
    ("100", (400,), errors.Refused),
    (0, (400, None), errors.Refused),
    ("NOT_FOUND", (400,), errors.Refused),
    ("SOMETHING_NEW", (400, 403, 200, None), errors.Refused),
    ("SOMETHING_NEW", (500, 502, 504), errors.RetryLater),
    ("SOMETHING_NEW", (401,), errors.Misconfigured),
]
ROWS = [(code, status, remedy) for code, statuses, remedy in REMEDIES for status in statuses]


@pytest.mark.parametrize(("code", "status", "remedy"), ROWS)
def test_code_decides_the_remedy(code: Any, status: int | None, remedy: type[PortalError]) -> None:
    error = error_of(status, {"error": code, "error_description": "why"}, NOW)
    assert type(error) is remedy


@pytest.mark.parametrize("code", ["query_limit_exceeded", "Query_Limit_Exceeded"])
def test_case_of_the_code_says_nothing(code: Any) -> None:
    assert isinstance(error_of(503, {"error": code}, NOW), errors.TooFast)


def test_every_sample_error_is_read() -> None:
    for sample in json.loads((EXAMPLES / "errors.json").read_text())["errors"]:
        assert error_of(sample.get("status_docs"), sample["body"], NOW) is not None


def test_every_error_response_of_the_samples_is_read() -> None:
    for path in EXAMPLES.glob("*.json"):
        body = json.loads(path.read_text()).get("error_response")
        if isinstance(body, dict) and "error" in body:
            assert error_of(400, body, NOW) is not None, path.name


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("BITRIX_REST_V3_EXCEPTION_RATELIMITEXCEPTION", errors.TooFast),
        ("BITRIX_REST_V3_EXCEPTION_ACCESSDENIEDEXCEPTION", errors.Refused),
        ("BITRIX_REST_V3_EXCEPTION_INSUFFICIENTSCOPEEXCEPTION", errors.Misconfigured),
    ],
)
def test_v3_error_is_an_object(code: Any, remedy: type[PortalError]) -> None:
    error = error_of(400, {"error": {"code": code, "message": "why"}}, NOW)
    assert error is not None
    assert type(error) is remedy
    assert error.text == "why"


def test_success_is_no_error() -> None:
    assert error_of(200, {"result": []}, NOW) is None


def test_method_rests_until_the_portal_says() -> None:
    body = {"error": "OPERATION_TIME_LIMIT", "time": {"operating_reset_at": NOW.timestamp() + 240}}
    error = error_of(429, body, NOW)
    assert isinstance(error, errors.MethodResting)
    assert error.at == NOW + timedelta(seconds=240)


def test_html_is_read_again_and_its_writes_are_of_unknown_fate() -> None:
    error = undecodable(502, NOW, method="crm.item.update")
    assert error.at > NOW
    assert error.unknown_fate


@pytest.mark.parametrize("code", ["QUERY_LIMIT_EXCEEDED", "ACCESS_DENIED", "OPERATION_TIME_LIMIT"])
def test_refused_call_was_certainly_not_executed(code: Any) -> None:
    error = error_of(503, {"error": code}, NOW)
    assert error is not None
    assert not error.unknown_fate


def test_markup_of_a_description_is_dropped() -> None:
    error = error_of(400, {"error": "ERROR_CORE", "error_description": "Cannot<br>bind"}, NOW)
    assert error is not None
    assert error.text == "Cannot bind"
