"""The API does what /openapi.json says, whatever it is asked: schemathesis over a desk with tickets.

SCHEMATHESIS_EXAMPLES: how many good and how many bad requests every operation gets; `make fuzz`: more.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, openapi
from schemathesis.checks import ignored_auth, negative_data_rejection, positive_data_acceptance

from app.store.engine import Database
from tests.web.town import ADMIN_TOKEN, bearer, client_of, desk_of, failed_work_in, town

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "12"))
SHAPES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
EVENTS = ("/webhooks/bitrix24", "/install")
"""The portal's trees are loose: what an event holds beside its name and its token is taken as a hint."""


@dataclass(frozen=True)
class Api:
    """A running desk and its description, driven from tests that are not async."""

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    schema: Any

    def operations(self) -> list[Any]:
        return [found.ok() for found in self.schema.get_all_operations()]

    def ask(self, case: Any) -> httpx.Response:
        told = case.as_transport_kwargs(base_url="http://127.0.0.1:8080")
        known = {
            name: told[name] for name in ("method", "url", "params", "headers", "json") if told.get(name)
        }
        raw = told.get("data")
        body = {"content" if isinstance(raw, str | bytes) else "data": raw} if raw else {}
        return self.loop.run_until_complete(self.client.request(**known, **body))


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    file = tmp_path_factory.mktemp("described") / "desk.db"
    shutil.copy(sqlite_template, file)
    loop = asyncio.new_event_loop()
    desk = desk_of(Database.open(f"sqlite:///{file}"), admin_token=ADMIN_TOKEN)
    loop.run_until_complete(town(desk))
    loop.run_until_complete(failed_work_in(desk))
    client = client_of(desk, **bearer())
    described = loop.run_until_complete(client.get("/openapi.json")).json()
    yield Api(loop, client, openapi.from_dict(described))
    loop.run_until_complete(client.aclose())
    loop.run_until_complete(desk.db.close())
    loop.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_answers_as_described(api: Api, mode: GenerationMode) -> None:
    for operation in api.operations():
        examine(api, operation, mode)


def goes_beyond_a_schema(answer: httpx.Response) -> bool:
    """A cursor of somebody else's, a period that runs backwards: no schema can tell; a type it must."""
    return answer.status_code == 422 and "errors" not in answer.json()


def examine(api: Api, operation: Any, mode: GenerationMode) -> None:
    @seed(7)
    @SHAPES
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        answer = api.ask(case)
        beyond = [positive_data_acceptance] if goes_beyond_a_schema(answer) else []
        loose = [negative_data_rejection] if operation.path in EVENTS else []
        case.validate_response(answer, excluded_checks=[ignored_auth, *beyond, *loose])

    try:
        one()
    except Unsatisfiable:  # nothing can be wrong with a request without parameters
        assert mode is GenerationMode.NEGATIVE
