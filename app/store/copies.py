"""A copy of an SQLite database while it is at work, and the word in it that it is one.

Promise: the copy is one moment's, whole and in one file; writers do not wait for it. A copy that is
opened in place of the database knows when it was taken, so that whoever opens it can tell what it missed.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

COPIED = "copied_at"
"""A mark that only copies have."""


class CopyFault(Exception):
    """There is no copy; the text says why."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What was copied."""

    size: int
    tickets: int


def copy_file(source: Path, to: Path, now: datetime) -> Copy:
    """Blocks; call it in a thread. Raises CopyFault, and leaves nothing half done."""
    part = to.with_name(f"{to.name}.part")
    try:
        part.touch(0o600)
        copy = _copied(source, part, now)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(to)
    except (sqlite3.Error, OSError) as error:
        raise CopyFault(f"копия не сделана: {error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return copy


def _copied(source: Path, part: Path, now: datetime) -> Copy:
    # Read-write, though nothing is written: a reader of a write-ahead log needs its index file.
    with closing(sqlite3.connect(source, timeout=5)) as old, closing(sqlite3.connect(part)) as new:
        old.execute("PRAGMA query_only = ON")
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")  # one file, nothing beside it
        with new:
            value = json.dumps(now.isoformat())
            new.execute("INSERT OR REPLACE INTO marks (name, value) VALUES (?, ?)", (COPIED, value))
        [fault] = new.execute("PRAGMA integrity_check(1)").fetchone()
        if fault != "ok":
            raise CopyFault(f"копия не сделана: {fault}")
        [tickets] = new.execute("SELECT count(*) FROM tickets").fetchone()
    return Copy(part.stat().st_size, tickets)
