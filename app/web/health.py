"""Alive and ready. A reason names the remedy; `--role web` judges only what it needs itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from app import words
from app.desk import Desk
from app.jobs.lead import LEASE
from app.store import inbox, migrate, outbox, stamps
from app.store.engine import StoreUnavailable
from app.ticket_view import rfc3339
from app.web.answers import ReadyAnswer, refusals
from app.web.desks import DeskHere
from app.web.exposition import CONTENT_TYPE, exposition, numbers_of
from app.web.failures import failed_work
from app.web.intake import INTAKE_WRITES

INBOX_LAG = timedelta(minutes=5)
OUTBOX_LAG = timedelta(minutes=15)
SWEEPS_MISSED = 3
PORTAL_SILENCE = timedelta(minutes=10)
MEND = (
    "Проверьте место на диске, права на файл базы, не стоит ли сервер «только для чтения» и не заняты ли "
    "таблицы."
)
REFUSED = f"База данных читается, но не принимает записи: события портала получают отказ. {MEND}"
UNLED = (
    "База данных читается, но не принимает запись о том, кто работает с порталом: этот процесс к порталу не "
    f"обращается. {MEND}"
)
UNWRITTEN = {INTAKE_WRITES: REFUSED, LEASE: UNLED}

open_router = APIRouter(tags=["health"])
metrics_router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Queues:
    """What the database says: how much waits and since when."""

    reachable: bool = False
    migrated: bool = False
    inbox: tuple[int, timedelta] = (0, timedelta(0))
    outbox: tuple[int, timedelta] = (0, timedelta(0))
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reasons` keep it from being ready; `warnings` ask for a person but stop nothing."""

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


async def queues_of(desk: Desk) -> Queues:
    now = desk.now()
    try:
        async with desk.db.read() as conn:
            if not await migrate.is_current(conn):
                return Queues(reachable=True)
            failed = (await failed_work(conn)).count
            to_write = await _outgoing(conn, now)
            return Queues(True, True, await inbox.lag(conn, now), to_write, failed)
    except StoreUnavailable:
        return Queues()


async def _outgoing(conn: AsyncConnection, now: datetime) -> tuple[int, timedelta]:
    """Messages and cards together: both go over the same road."""
    messages, cards = await outbox.lag(conn, now), await stamps.lag(conn, now)
    return messages[0] + cards[0], max(messages[1], cards[1])


def readiness(desk: Desk, queues: Queues, now: datetime) -> Readiness:
    """What keeps the desk from its work, in words for whoever has to mend it. Pure."""
    found = Readiness()
    found.reasons.extend(_database_faults(queues))
    if queues.reachable and desk.health.unwritten:
        found.reasons.extend(UNWRITTEN[what] for what in sorted(desk.health.unwritten))
    if desk.role != "web":
        found.reasons.extend(_worker_faults(desk, queues, now))
    if queues.failed:
        found.warnings.append(f"Неудавшаяся работа: {queues.failed}. Разберите её на странице «Сбои».")
    found.warnings.extend(desk.health.warnings.values())
    return found


def _database_faults(queues: Queues) -> list[str]:
    if not queues.reachable:
        return ["База данных не отвечает: проверьте B24SLA_DATABASE_URL, сервер базы и место на диске."]
    if not queues.migrated:
        return ["Таблицы базы не обновлены до этой версии: перезапустите b24sla serve и посмотрите журнал."]
    return _late(queues.inbox, INBOX_LAG, "События ждут разбора", "проверьте, что работает b24sla serve")


def _worker_faults(desk: Desk, queues: Queues, now: datetime) -> list[str]:
    late = _late(queues.outbox, OUTBOX_LAG, "Запись в портал отстаёт", "проверьте доступ к порталу")
    return [*_portal_faults(desk, now), *late, *_sweep_faults(desk, now)]


def _portal_faults(desk: Desk, now: datetime) -> list[str]:
    health = desk.health
    if desk.portal is not None and desk.portal.shut is not None:
        told = str(desk.portal.shut)
        return [f"{told[0].upper()}{told[1:]}."]
    if health.portal_fault:
        return [f"Портал: {health.portal_fault}"]
    if health.last_portal_ok_at is None:
        return ["Портал ещё ни разу не ответил: проверьте его настройки командой b24sla check."]
    silence = now - health.last_portal_ok_at
    if silence > max(PORTAL_SILENCE, SWEEPS_MISSED * desk.rules.pace.reconcile):
        return [f"Портал не отвечал {words.duration(silence)}: запустите b24sla check."]
    return []


def _sweep_faults(desk: Desk, now: datetime) -> list[str]:
    """Until the first sweep ends there is nothing to be late with: it may have a month to read."""
    swept_at = desk.health.last_sweep_at
    if swept_at is None or now - swept_at <= SWEEPS_MISSED * desk.rules.pace.reconcile:
        return []
    return [f"Сверка с порталом не проходила {words.duration(now - swept_at)}: запустите b24sla reconcile."]


def _late(waiting: tuple[int, timedelta], limit: timedelta, what: str, remedy: str) -> list[str]:
    count, age = waiting
    return [f"{what} {words.duration(age)} ({count}): {remedy}."] if age > limit else []


@open_router.get("/healthz", summary="Процесс жив")
async def alive() -> dict[str, str]:
    return {"status": "ok"}


@open_router.get(
    "/readyz",
    summary="Служба готова работать",
    description="200 или 503 с причинами словами.",
    response_model=ReadyAnswer,
    responses={503: {"description": "Не готов", "model": ReadyAnswer}},
)
async def ready(desk: DeskHere) -> Response:
    """200, or 503 with the reasons in words."""
    now, queues = desk.now(), await queues_of(desk)
    found = readiness(desk, queues, now)
    body = {
        "status": "not_ready" if found.reasons else "ready",
        "reasons": found.reasons,
        "warnings": found.warnings,
        "role": desk.role,
        "inbox": _queue(queues.inbox),
        "outbox": _queue(queues.outbox),
        "failed": queues.failed,
        "last_portal_ok_at": rfc3339(desk.health.last_portal_ok_at),
        "last_sweep_at": rfc3339(desk.health.last_sweep_at),
    }
    return JSONResponse(body, 503 if found.reasons else 200)


def _queue(waiting: tuple[int, timedelta]) -> dict[str, int]:
    return {"waiting": waiting[0], "oldest_seconds": int(waiting[1].total_seconds())}


@metrics_router.get(
    "/metrics",
    summary="Числа для Prometheus",
    response_class=PlainTextResponse,
    responses=refusals(401, 503),
)
async def metrics(desk: DeskHere) -> Response:
    return Response(exposition(await numbers_of(desk), desk.now()), media_type=CONTENT_TYPE)
