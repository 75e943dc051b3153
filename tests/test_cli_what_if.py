"""The command line of what-if, of rules and of digests as they were known."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app


@pytest.fixture
def base(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an empty database at the default's place."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "var").mkdir()
    return Path(shutil.copy(sqlite_template, tmp_path / "var" / "b24sla.db"))


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        (["digest", "--as-known", "вчера"], 2, "2026-11-25T09:05"),
        (["digest", "--as-known", "2026-11-25T09:05", "--send"], 2, "уберите --send"),
        (["digest", "--as-known", "--date", "2026-11-24"], 1, "сводка за 24.11.2026 не отправлялась"),
        (["digest", "--date", "2026-11-24", "--as-known"], 1, "назовите момент"),
        (["digest", "--as-known", "2099-11-25T09:05"], 1, "ещё не наступило"),
        (["digest", "--as-known", "0001-01-01T00:00"], 2, "годы с 2000 по 2100"),
        (["digest", "--as-known", "9999-12-31T23:59"], 2, "годы с 2000 по 2100"),
        (["simulate"], 2, "--rules"),
        (["simulate", "--rules", "no.toml"], 1, "такого файла нет"),
        (["rules", "preview", "--rules", "no.toml"], 1, "такого файла нет"),
        (["rules", "apply", "--rules", "no.toml"], 2, "--by"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(base: Path, asked: list[str], status: int, told: str) -> None:
    answer = run(*asked)
    assert (answer.exit_code, told in answer.output) == (status, True), answer.output


def test_a_moment_of_the_past_is_a_digest_even_of_nothing(base: Path) -> None:
    answer = run("digest", "--as-known", "2025-11-25T09:05", "--date", "2025-11-24")
    assert (answer.exit_code, "нет данных" in answer.output) == (0, True), answer.output


def test_what_if_about_nothing_says_so(base: Path) -> None:
    Path("other.toml").write_text('[[source]]\nkind = "deal"\n[source.stages]\n"NEW" = "new"\n', "utf-8")
    answer = run("simulate", "--rules", "other.toml")
    assert (answer.exit_code, "Сравнивать нечего." in answer.output) == (0, True), answer.output


def test_faults_of_other_rules_are_told_as_at_the_start(base: Path) -> None:
    Path("other.toml").write_text('[class.standard]\nrespond = "день"\nresolv = "2h"\n', "utf-8")
    answer = run("simulate", "--rules", "other.toml")
    assert answer.exit_code == 1
    assert "class.standard.respond" in answer.output
    assert "class.standard.resolv" in answer.output
