"""The road is driven on every kind of portal."""

from __future__ import annotations

import pytest

from app.demo.portal import Profile


@pytest.fixture(autouse=True)
def on_each_kind_of_portal(portal_kind: Profile) -> None:
    """Nothing to do: to ask for it is enough."""
