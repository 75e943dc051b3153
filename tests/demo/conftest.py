"""A fresh portal for every test."""

from __future__ import annotations

import pytest

from tests.demo.helpdesk import HANDLER, Helpdesk


@pytest.fixture
def desk() -> Helpdesk:
    return Helpdesk()


@pytest.fixture
def heard_desk(desk: Helpdesk) -> Helpdesk:
    """With an outgoing webhook for everything."""
    desk.portal.subscribe(HANDLER, "token")
    return desk


@pytest.fixture(autouse=True)
def spoken_well() -> None:
    """Not here: what the portal notes of a call is what these tests are about."""
