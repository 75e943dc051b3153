"""An answer that cannot be written is no trouble of the database's and no traceback."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.commands.output import FULL, sentence
from app.store.engine import Database, StoreUnavailable

pytestmark = pytest.mark.anyio
CHECKOUT = Path(__file__).parents[1]


def full_device() -> int:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    return os.open("/dev/full", os.O_WRONLY)


def closed_pipe() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize(("out", "said"), [(full_device, f"{FULL}\n"), (closed_pipe, "")])
@pytest.mark.parametrize("words", [("failed",), ("export", "--json")])
def test_an_output_that_takes_nothing_is_a_sentence_and_a_closed_pipe_is_none(
    sqlite_template: Path, tmp_path: Path, words: tuple[str, ...], out: Callable[[], int], said: str
) -> None:
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "b24sla.db")
    there = out()
    done = subprocess.run(
        [sys.executable, "-m", "app", *words], cwd=tmp_path, stdout=there, stderr=subprocess.PIPE,
        text=True, check=False, env={"PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    os.close(there)
    assert (done.returncode, done.stderr) == (1, said)


@pytest.mark.parametrize("number", [errno.EPIPE, errno.ENOSPC])
async def test_a_callers_own_fault_is_not_the_databases(database: Database, number: int) -> None:
    for road in (database.read, database.begin):
        with pytest.raises(OSError, match="not ours") as fault:  # noqa: PT012
            async with road() as conn:
                await conn.exec_driver_sql("SELECT 1")
                raise OSError(number, "not ours")
        assert not isinstance(fault.value, StoreUnavailable)
        assert fault.value.errno == number


async def test_a_fault_of_a_statement_is_the_databases_also_when_it_comes_from_the_system(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch, pytest.raises(StoreUnavailable):  # noqa: PT012
        async with database.read() as conn:
            patch.setattr(database._reader.dialect, "do_execute", cut_off)
            await conn.exec_driver_sql("SELECT 1")


def test_a_full_disk_names_the_file() -> None:
    assert sentence(OSError(errno.ENOSPC, "No space left on device", "a.xlsx")) == f"{FULL}: a.xlsx"
    assert (
        sentence(PermissionError(errno.EACCES, "Permission denied", "a.xlsx")) == "Permission denied: a.xlsx"
    )
