"""What documents and settings promise to each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings import Settings, variable

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
EXAMPLE = re.compile(r"^#?(B24SLA_\w+)=(.*)$", re.MULTILINE)
README = ROOT / "README.md"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))


def test_the_example_shows_every_variable_and_no_other() -> None:
    shown = [name for name, _ in EXAMPLE.findall(text_of(".env.example"))]
    assert sorted(shown) == sorted(variable(field) for field in Settings.model_fields)


def test_the_example_sets_nothing() -> None:
    assert re.findall(r"^[A-Z]", text_of(".env.example"), re.MULTILINE) == []


def test_the_values_of_the_example_are_taken() -> None:
    examples = dict(EXAMPLE.findall(text_of(".env.example")))
    assert Settings.read(examples).portal_webhook


def test_the_defaults_of_the_example_are_the_defaults() -> None:
    examples = dict(EXAMPLE.findall(text_of(".env.example")))
    names = ("DATABASE_URL", "HOST", "PORT", "DRY_RUN", "LOG_LEVEL", "LOG_FORMAT")
    assert Settings.read({f"B24SLA_{name}": examples[f"B24SLA_{name}"] for name in names}) == Settings()


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_nothing_else(name: str) -> None:
    requirement = re.compile(r"[\w.-]+==[\w.]+( ; [^\\#]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in text_of(name).splitlines() if not requirement.fullmatch(line)] == []


def test_the_service_runs_on_the_versions_that_were_tested() -> None:
    pinned = [set(re.findall(r"^\S+==\S+", text_of(name), re.MULTILINE)) for name in LOCKS]
    assert pinned[0] <= pinned[1]


@pytest.mark.parametrize("target", ["setup", "demo", "test", "lint", "bench"])
def test_every_promised_target_is_there(target: str) -> None:
    assert target in make_targets()


def test_the_readme_names_only_targets_that_there_are() -> None:
    named = set(re.findall(r"`?make ([a-z]+)", README.read_text(encoding="utf-8")))
    assert named <= make_targets()
