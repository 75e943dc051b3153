"""The command line: status codes and one sentence for a user's mistake."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.store.migrate import NEWER

BROKEN = """\
[desk]
timezon = "Europe/Moscow"
since = "yesterday"
[class.emergency]
respond = "15 минут"
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, so that no `.env` and no database of the checkout is read."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def base(sqlite_template: Path, elsewhere: Path) -> Path:
    """A database at the default's place."""
    (elsewhere / "var").mkdir()
    return Path(shutil.copy(sqlite_template, elsewhere / "var" / "b24sla.db"))


def run(*words: str, **environ: str) -> Result:
    given = {f"B24SLA_{name.upper()}": value for name, value in environ.items()}
    return CliRunner(env=given).invoke(app, list(words))


def test_what_a_command_may_not_need_is_not_loaded() -> None:
    heavy = {"apscheduler", "fastapi", "httpx", "jinja2", "matplotlib", "numpy"}
    script = f"import sys, app.cli; print(*{heavy!r} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout.split() == []


COMMANDS = (
    "serve", "demo", "check", "provision", "reconcile", "digest", "explain", "failed", "export", "purge",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    answer = run(command, "--help")
    assert (answer.exit_code, "Usage:" in answer.output) == (0, True)


def test_the_list_of_commands_is_not_cut_off() -> None:
    assert "..." not in run("--help").output.partition("Commands:")[2]


@pytest.mark.parametrize("command", ["serve", "check", "provision", "reconcile"])
def test_without_a_portal_the_variable_is_named(command: str) -> None:
    answer = run(command)
    assert (answer.exit_code, "B24SLA_PORTAL_WEBHOOK" in answer.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("explain", "41"), "deal:41, item:177:5 или task:17"),
        (("explain",), "ОБРАЩЕНИЕ"),
        (("digest", "--date", "24.11.2026"), "дата вида 2026-11-24"),
        (("digest", "--period", "year"), "--period"),
        (("digest", "--date", "0001-01-01"), "годы с 2000 по 2100"),
        (("digest", "--date", "9999-12-31"), "годы с 2000 по 2100"),
        (("digest", "--as-known", "0001-01-01T00:00"), "годы с 2000 по 2100"),
        (("purge", "--before", "0001-01-01"), "годы с 2000 по 2100"),
        (("simulate", "--rules", "x.toml", "--days", "800000"), "--days"),
        (("serve", "--clock", "x"), "--clock"),
        (("serve", "--clock", "0001-01-01T00:00+03:00@60x"), "годы с 2000 по 2100"),
        (("failed", "drop"), "КЛЮЧ"),
        (("purge",), "--before"),
        (("purge", "--before", "1.11.2026"), "--before"),
        (("nothing",), "nothing"),
    ],
)
def test_wrong_use_is_status_two(words: tuple[str, ...], expected: str) -> None:
    answer = run(*words)
    assert (answer.exit_code, expected in answer.output) == (2, True)


def test_an_unknown_ticket_fails_with_advice(base: Path) -> None:
    answer = run("explain", "deal:41")
    assert answer.exit_code == 1
    assert "deal:41: такого обращения в базе нет" in answer.output


def test_missing_rules_are_named(base: Path) -> None:
    answer = run("digest", rules="nowhere.toml")
    assert (answer.exit_code, "nowhere.toml: такого файла нет" in answer.output) == (1, True)


def test_all_faults_of_the_rules_at_once(elsewhere: Path, base: Path) -> None:
    (elsewhere / "rules.toml").write_text(BROKEN, "utf-8")
    answer = run("digest", rules="rules.toml")
    assert answer.exit_code == 1
    for place in ("desk.timezon:", "desk.since:", "class.emergency.respond:", "source"):
        assert place in answer.output


@pytest.mark.parametrize(
    "words",
    [("explain", "deal:41"), ("digest",), ("failed",), ("export",), ("purge", "--before", "2026-11-01")],
)
def test_what_only_reads_creates_no_database(elsewhere: Path, words: tuple[str, ...]) -> None:
    answer = run(*words)
    assert (answer.exit_code, "var/b24sla.db здесь нет" in answer.output) == (1, True)
    assert list(elsewhere.iterdir()) == []


def test_nothing_failed_is_good_news(base: Path) -> None:
    answer = run("failed")
    assert (answer.exit_code, answer.output) == (0, "Неудавшейся работы нет.\n")


@pytest.mark.parametrize("verb", ["retry", "drop"])
@pytest.mark.parametrize(
    "key", ["nokey", "4105", "deal:", "deal:0", "activity:x", "lead:5", "deal:41", "deal:41/1/x", "ключ", "/"]
)
def test_a_key_of_nothing_is_one_sentence(base: Path, verb: str, key: str) -> None:
    answer = run("failed", verb, key)
    assert (answer.exit_code, answer.output) == (1, f"{key}: такого ключа нет; список: b24sla failed\n")


def test_a_database_that_is_away_is_said_with_the_remedy_and_without_its_password() -> None:
    answer = run("failed", database_url="postgresql+asyncpg://sla:s3cret@127.0.0.1:1/sla")
    assert (answer.exit_code, "s3cret" in answer.output) == (1, False)
    assert answer.output.startswith("PostgreSQL не отвечает или не пишет (127.0.0.1:1, база sla")
    assert "запущен ли сервер" in answer.output


def test_a_file_that_is_no_database_is_said_with_the_remedy(base: Path) -> None:
    base.write_text("это не база")
    answer = run("failed")
    assert (answer.exit_code, answer.output.startswith(f"база {base} не читается или не пишется")) == (
        1,
        True,
    )


@pytest.mark.parametrize("words", [("serve",), ("explain", "deal:41"), ("failed",)])
def test_a_database_of_a_later_version_is_one_sentence(base: Path, words: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(base)) as conn, conn:
        conn.execute("UPDATE alembic_version SET version_num = '9999'")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
    answer = run(*words, portal_webhook="http://127.0.0.1:1/rest/1/secret/", port=port)
    assert answer.exit_code == 1
    assert answer.output == f"{NEWER}\n"


def test_a_busy_port_is_said_with_the_remedy_before_anything_starts(elsewhere: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        answer = run("serve", "--role", "web", port=port)
    assert (answer.exit_code, answer.output) == (1, f"порт {port} занят: задайте B24SLA_PORT\n")
    assert list(elsewhere.iterdir()) == []


def test_an_address_of_another_machine_is_said_with_the_remedy() -> None:
    answer = run("serve", "--role", "web", host="192.0.2.1", admin_token="a-key-of-16-signs")
    assert (answer.exit_code, "B24SLA_HOST=192.0.2.1 — не адрес этой машины" in answer.output) == (1, True)
