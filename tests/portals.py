"""The kinds of portals that a test meets, and what must hold of every emulated portal at its end.

`pytest --portal self-hosted` runs everything on one kind alone. Without it the tests of the road and of the
adapter run on both; `@pytest.mark.portals("cloud-std", reason="…")` says that one is enough. Other tests that
build a scene (pages, purges) meet the cloud.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo.portal import SELF_HOSTED, UNLIMITED, EmulatedPortal, Profile

KINDS = {"cloud-std": UNLIMITED, "self-hosted": SELF_HOSTED}
"""Cloud without its limits: the clock of most tests stands still, and a bucket would never drain."""

_met: list[Profile] = [UNLIMITED]


def profile() -> Profile:
    """The kind of the test that runs."""
    return _met[-1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--portal", choices=[*KINDS], help="the only kind of portal to run on; default: both")
    parser.addoption(
        "--recorded", type=Path, help="a file of `check --record` to hold the emulated portal to"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "portals(*kinds, reason): the kinds of portals that the test is about")
    _met[:] = [KINDS[config.getoption("--portal") or "cloud-std"]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is on a kind that is not wanted, or that the test is not about."""
    only = config.getoption("--portal")
    wanted = [item for item in items if is_wanted(_kind_of(item), _about(item), only)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(wanted)])
    items[:] = wanted


def is_wanted(kind: str | None, about: tuple[str, ...] | None, only: str | None) -> bool:
    """`kind`: None for a test that meets no portal; `about`: None for one that is about every kind."""
    return kind is None or (only in {None, kind} and (about is None or kind in about))


def _kind_of(item: pytest.Item) -> str | None:
    return getattr(getattr(item, "callspec", None), "params", {}).get("portal_kind")


def _about(item: pytest.Item) -> tuple[str, ...] | None:
    mark = item.get_closest_marker("portals")
    return mark.args if mark else None


@pytest.fixture(params=KINDS)
def portal_kind(request: pytest.FixtureRequest) -> Iterator[Profile]:
    """What `profile()` answers during this test."""
    _met.append(KINDS[request.param])
    yield _met[-1]
    _met.pop()


@pytest.fixture
def habits() -> tuple[str, ...]:
    """What may be said otherwise than published: nothing by us, a little by clients that others wrote."""
    return ()


@pytest.fixture(autouse=True)
def spoken_well(monkeypatch: pytest.MonkeyPatch, habits: tuple[str, ...]) -> Iterator[None]:
    """Every call of every test fits the vendor's specification, and no field that we name is unknown."""
    made: list[EmulatedPortal] = []
    monkeypatch.setattr(EmulatedPortal, "__init__", _noting(EmulatedPortal.__init__, made))
    yield
    faults = [fault for portal in made for fault in portal.spec_faults]
    assert [fault for fault in faults if not fault.endswith(habits)] == []
    assert [name for portal in made for name in portal.unknown_fields] == []


def _noting(build: Callable[..., None], made: list[EmulatedPortal]) -> Callable[..., None]:
    def built(portal: EmulatedPortal, *given: Any, **named: Any) -> None:
        build(portal, *given, **named)
        made.append(portal)

    return built
