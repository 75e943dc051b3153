"""Errors by code, every row of rest.md 1.4 under every status that its sources give."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bitrix import errors
from app.bitrix.errors import Effect, PortalError, error_of, undecodable

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parent.parent / "data" / "bitrix24" / "examples"

REMEDIES: list[tuple[Any, tuple[int | None, ...], type[PortalError]]] = [
    ("QUERY_LIMIT_EXCEEDED", (503, 429), errors.TooFast),
    ("OPERATION_TIME_LIMIT", (429,), errors.MethodResting),
    ("OVERLOAD_LIMIT", (503, 401), errors.Overloaded),
    ("expired_token", (401,), errors.TokenExpired),
    ("invalid_token", (401,), errors.ShutOut),
    ("NO_AUTH_FOUND", (401,), errors.ShutOut),
    ("INVALID_CREDENTIALS", (403, 401), errors.ShutOut),
    ("insufficient_scope", (403, 401, None), errors.Misconfigured),
    ("user_access_error", (403, 401), errors.ShutOut),
    ("authorization_error", (401,), errors.ShutOut),
    ("APPLICATION_NOT_FOUND", (401,), errors.ShutOut),
    ("ERROR_OAUTH", (401,), errors.ShutOut),
    ("PAYMENT_REQUIRED", (401, 402), errors.ShutOut),
    ("ACCESS_DENIED", (403, 400, None), errors.Refused),
    ("ACCESS_DENIED", (401,), errors.ShutOut),  # "REST is available only by subscription."
    ("WRONG_AUTH_TYPE", (403,), errors.Misconfigured),
    ("WRONG_LICENSE", (403,), errors.Misconfigured),
    ("allowed_only_intranet_user", (403,), errors.Misconfigured),
    ("METHOD_CONFIRM_WAITING", (401,), errors.Misconfigured),
    ("METHOD_CONFIRM_DENIED", (401, 403), errors.Misconfigured),
    ("ERROR_METHOD_NOT_FOUND", (404, None), errors.Misconfigured),
    ("ERROR_BATCH_METHOD_NOT_ALLOWED", (405, None), errors.Refused),
    ("ERROR_BATCH_LENGTH_EXCEEDED", (400, None), errors.Refused),
    ("INVALID_REQUEST", (400, 401), errors.ShutOut),
    ("INVALID_REQUEST", (None,), errors.Refused),
    ("ERROR_ARGUMENT", (400,), errors.Refused),
    ("ERROR_CORE", (400, None), errors.Refused),
    ("ERROR_CORE", (500,), errors.RetryLater),
    ("PORTAL_DELETED", (500, 410, 403), errors.ShutOut),
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


@pytest.mark.parametrize(("code", "status", "remedy"), ROWS)
@pytest.mark.parametrize("spelt", [str.lower, str.upper, str.title])
def test_case_of_the_code_says_nothing(
    code: Any, status: int | None, remedy: type[PortalError], spelt: Callable[[str], str]
) -> None:
    assert type(error_of(status, {"error": spelt(str(code))}, NOW)) is remedy


EFFECTS: list[tuple[type[PortalError], Effect]] = [
    (errors.TooFast, Effect.WAIT),
    (errors.RetryLater, Effect.WAIT),
    (errors.MethodResting, Effect.REST),
    (errors.Refused, Effect.ITEM),
    (errors.Misconfigured, Effect.METHOD),
    (errors.ShutOut, Effect.STOP),
    (errors.Overloaded, Effect.STOP),
    (errors.TokenExpired, Effect.RENEW),
]


@pytest.mark.parametrize(("remedy", "effect"), EFFECTS)
def test_every_remedy_has_its_effect_on_the_road(remedy: type[PortalError], effect: Effect) -> None:
    assert remedy.effect is effect


def test_no_row_is_without_an_effect() -> None:
    assert {remedy for _, _, remedy in ROWS} == {remedy for remedy, _ in EFFECTS}


@pytest.mark.parametrize(("code", "status", "remedy"), [row for row in ROWS if row[2].effect is Effect.STOP])
def test_who_is_shut_out_is_told_what_to_do(code: Any, status: int, remedy: type[PortalError]) -> None:
    error = error_of(status, {"error": code}, NOW)
    assert isinstance(error, errors.ShutOut)
    assert len(error.remedy) > 20


def test_vendors_block_is_looked_at_far_more_rarely_than_a_webhook() -> None:
    assert errors.Overloaded.looks[0] >= timedelta(hours=1) > errors.ShutOut.looks[1]


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


TOLD = "Bad value ivan@example.org +7 (916) 123-45-67 of https://p.test/rest/9/s3cr3tkey/ token=t0ken5"


@pytest.mark.parametrize(
    "body",
    [
        {"error": "ERROR_CORE", "error_description": TOLD},
        {"error": TOLD},
        {"error": {"code": TOLD, "message": TOLD}},
    ],
)
@pytest.mark.parametrize("status", [None, 400, 401, 429, 503])
def test_an_error_of_the_portal_tells_no_secret_and_no_number(
    body: dict[str, Any], status: int | None
) -> None:
    error = error_of(status, body, NOW)
    assert error is not None
    assert "Bad value" in str(error)
    for hidden in ("s3cr3tkey", "t0ken5", "ivan@", "123-45-67"):
        assert hidden not in f"{error} {error.code} {error.text}"
