"""What every test may need."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)  # a busy machine is no counterexample
settings.load_profile("steady")


pytest_plugins = ["tests.databases", "tests.portals"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Call it when a browser or a database is not there: a skip, but a failure where all must run."""

    def tell(what: str) -> NoReturn:
        if os.environ.get("B24SLA_REQUIRE_ALL"):
            pytest.fail(f"{what}, and B24SLA_REQUIRE_ALL is set")
        pytest.skip(what)

    return tell
