"""The service as a process: web and worker over one desk, until a signal."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

import uvicorn

from app.bitrix.errors import PortalError
from app.clock import Clock
from app.desk import Desk, Role, open_desk
from app.jobs.ask import Answer, Question, answer, asked
from app.jobs.bind import bind_when_due
from app.jobs.deliver import deliver_full, deliver_next
from app.jobs.fetch import fetch, spares_sweep
from app.jobs.follow import follow
from app.jobs.handle import handle_first, handle_next
from app.jobs.knock import PACE as KNOCK_PACE
from app.jobs.knock import knock
from app.jobs.lead import PACE, lead, step_down
from app.jobs.listen import listen
from app.jobs.notice import notice_restored
from app.jobs.purge import purge_nightly
from app.jobs.reconcile import poll, poll_pace, reconcile, reread_open
from app.jobs.recount import recount
from app.jobs.refresh import refresh_when_due
from app.jobs.report import make_report, send_due, send_report
from app.jobs.rerule import rerule
from app.jobs.tend import Duty, Job, guarded, tending
from app.jobs.watch import watch
from app.listening import Server, bound
from app.metrics.periods import PeriodKind
from app.settings import NO_PORTAL, NotAllowed, Settings, is_loopback
from app.store.engine import StoreUnavailable

log = logging.getLogger(__name__)

REPORT_PACE = timedelta(seconds=30)
NIGHTLY_PACE = timedelta(minutes=10)
PEOPLE_PACE = timedelta(minutes=1)
ASKED_PACE = timedelta(seconds=1)
POLL_LOOK = timedelta(seconds=2)
FOLLOW_PACE = timedelta(seconds=10)
BIND_PACE = timedelta(seconds=10)  # one look at our database; the portal is asked when there is a reason
FETCH_PACE = timedelta(seconds=20)


GRACE_SECONDS = 3  # for requests in hand; the worker has as long after it, and both end within ten


MOST_CONNECTIONS = 1000  # more are answered 503: a crowd of idle ones must not take the memory of all
IDLE_SECONDS = 5  # between two requests of a connection


async def walk(desk: Desk) -> bool:
    """One step of the whole road, for whoever has one worker only."""
    hurried = await hurry(desk)
    return await go_on(desk) or hurried


async def hurry(desk: Desk) -> bool:
    """One step in the first lane: news and emergencies, beside whatever long pass is under way."""
    handled = await handle_first(desk)
    delivered = await deliver_next(desk, first=True)
    return handled or delivered


async def go_on(desk: Desk) -> bool:
    """One step in the other lanes: read and decide what waits, then deliver what was decided."""
    handled = await handle_next(desk, deliver_full)
    delivered = await deliver_next(desk)
    _look_after_portal(desk)
    return handled or delivered


async def sweep_or_fetch(desk: Desk) -> int:
    """The application's queue, where there is one, spares most sweeps through the portal's lists."""
    found = await fetch(desk)
    return found if await spares_sweep(desk) else found + await _listed(desk)


async def _listed(desk: Desk) -> int:
    began_at = desk.now()
    found = await reconcile(desk)
    if desk.health.portal_fault is None:
        desk.health.listed_at = began_at
    return found


async def bind_and_sweep(desk: Desk) -> int:
    """What changed before we were subscribed nobody told us, nor does the queue: the lists are read.

    Also where a sweep is under way: it may have read them before we were subscribed.
    """
    changed = await bind_when_due(desk)
    return changed + (await _listed(desk) if changed else 0)


async def fetch_if_deaf(desk: Desk) -> int:
    """Where no event can be posted to us, the queue is all that tells of changes."""
    return 0 if desk.settings.public_url else await fetch(desk)


async def take_over(desk: Desk) -> bool:
    """A new holder of the lease looks at once for what nobody told of: the last sweep was another's."""
    if desk.swept_epoch == desk.epoch:
        return False
    desk.swept_epoch = desk.epoch  # a sweep that fails is the regular one's to repeat
    await sweep_or_fetch(desk)
    return True


async def knock_and_sweep(desk: Desk) -> bool:
    """Once the portal lets us in again, everything that nobody heard of meanwhile is looked for."""
    opened = await knock(desk)
    if opened:
        await led(sweep_or_fetch)(desk)
    return opened


# --- what commands ask for ---------------------------------------------------------------


async def answer_asked(desk: Desk) -> bool:
    """Do what commands ask for; False when none does."""
    questions = await asked(desk)
    for question in questions:
        await answer(desk, question, await _done(desk, question))
    return bool(questions)


async def _done(desk: Desk, question: Question) -> Answer:
    """Its answer; a `fault` in words where it could not be done: unanswered it would be done each second."""
    duty = ON_REQUEST.get(question.duty)
    if duty is None:
        return {"fault": "работающая служба другой версии: перезапустите её"}
    try:
        return await duty(desk, question.args)
    except PortalError as fault:
        return {"fault": str(fault)}
    except StoreUnavailable:
        return {"fault": "база данных недоступна, повторите позже"}
    except Exception:
        log.exception("what a command asked for failed: %s", question.duty)
        return {"fault": "внутренняя ошибка, подробности в журнале"}


async def _sweep(desk: Desk, _: Mapping[str, Any]) -> Answer:
    return {"found": await reconcile(desk), "fault": desk.health.portal_fault}


async def _digest(desk: Desk, args: Mapping[str, Any]) -> Answer:
    on = date.fromisoformat(args["on"]) if args["on"] else None
    report = await make_report(desk, PeriodKind(args["period"]), on)
    await send_report(desk, report, f"digest/by-hand/{desk.now().isoformat()}")
    return {}


async def _lend(desk: Desk, args: Mapping[str, Any]) -> Answer:
    now = desk.now()
    return desk.working_portal.budget.lend(now + timedelta(seconds=args["seconds"]), now).told()


async def _take_back(desk: Desk, args: Mapping[str, Any]) -> Answer:
    desk.working_portal.budget.returned(args["part"], desk.now())
    return {}


ON_REQUEST: Mapping[str, Callable[[Desk, Mapping[str, Any]], Awaitable[Answer]]] = {
    "reconcile": _sweep,
    "digest": _digest,
    "lend": _lend,
    "take back": _take_back,
}
"""Duties by the names under which commands ask for them (jobs/ask.py)."""


# --- who works, and when -----------------------------------------------------------------


def led(job: Job) -> Job:
    """The job, done only by the process that holds the lease, and only as long as it does."""

    async def run(desk: Desk) -> object:
        if desk.epoch is None:
            return False
        with desk.in_turn():
            return await job(desk)

    return run


def let_in(job: Job) -> Job:
    """The job, not done while the portal shuts us out: nothing is tried, so nothing is given up."""

    async def run(desk: Desk) -> object:
        shut = desk.working_portal.shut
        if shut is None:
            return await job(desk)
        desk.health.portal_fault = str(shut)
        return False

    return run


def _look_after_portal(desk: Desk) -> None:
    if desk.portal is not None:
        desk.health.last_portal_ok_at = desk.portal.last_ok_at


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[None]:
    """Inside, the desk's worker runs (nothing for `--role web`)."""
    if desk.portal is None:
        yield
        return
    await guarded("notice", notice_restored, desk)
    await guarded("lead", lead, desk)
    # The worker begins with these: a portal that hangs must not keep the web from taking its events.
    # Every process asks the portal once, so that it can say whether it could take over.
    first = (
        ("people", refresh_when_due), ("bind", led(bind_and_sweep)), ("take over", led(take_over)),
        ("recount", led(recount)), ("follow", follow),
    )  # fmt: skip
    if (pace := poll_pace(desk)) is not None:
        log.info("no event can reach us: the portal is asked every %d seconds", pace.total_seconds())
    roads = (("first lane", led(let_in(hurry))), ("road", led(let_in(go_on))))
    try:
        async with tending(desk, roads, _duties(desk), first):
            yield
    finally:
        await guarded("step_down", step_down, desk)


def _duties(desk: Desk) -> tuple[Duty, ...]:
    pace = desk.rules.pace
    asking: tuple[Duty, ...] = (
        ("poll", POLL_LOOK, poll) if poll_pace(desk) else ("reconcile", pace.reconcile, sweep_or_fetch),
        ("bind", BIND_PACE, bind_and_sweep),
        ("fetch", FETCH_PACE, fetch_if_deaf),
        ("report", REPORT_PACE, send_due),
        ("people", PEOPLE_PACE, refresh_when_due),
    )
    if pace.talk is not None and not poll_pace(desk):  # who polls looks into the queue of talk each time
        asking += (("listen", pace.talk, listen),)
    at_home: tuple[Duty, ...] = (
        ("watch", pace.watch, watch),
        ("nightly", NIGHTLY_PACE, reread_open),
        ("recount", NIGHTLY_PACE, recount),
        ("rerule", ASKED_PACE * desk.clock.speed, rerule),
        ("purge", NIGHTLY_PACE, purge_nightly),
        ("asked", ASKED_PACE * desk.clock.speed, answer_asked),
    )
    # The lease lives by real time, whatever the desk's clock does.
    own: tuple[Duty, ...] = (
        ("lead", PACE * desk.clock.speed, lead),
        ("take over", PACE * desk.clock.speed, led(take_over)),
        ("follow", FOLLOW_PACE * desk.clock.speed, follow),
        ("knock", KNOCK_PACE, knock_and_sweep),
    )
    at_portal = ((name, every, led(let_in(job))) for name, every, job in asking)
    return (*own, *at_portal, *((name, every, led(job)) for name, every, job in at_home))


async def serve(settings: Settings, *, role: Role = "all", clock: Clock | None = None) -> None:
    """Until SIGTERM or SIGINT. Raises NotAllowed, SettingsFault, RulesFault, StoreUnavailable."""
    from app.web.application import create_app  # FastAPI takes a second, and no other command needs it

    refuse_unsafe(settings, role, clock)
    with bound(settings.host, settings.port) as sockets:
        async with open_desk(settings, clock=clock, role=role) as desk, at_work(desk):
            gc.freeze()  # what lives as long as the process is never looked through again, 100 ms at a time
            web = create_app(desk)
            await Server(_server_config(settings, web), web.state.intake.hurry).serve(sockets)


def _server_config(settings: Settings, app: Any) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def refuse_unsafe(settings: Settings, role: Role, clock: Clock | None) -> None:
    """What would be dangerous or could not work is said before anything starts."""
    if settings.admin_token is None and not is_loopback(settings.host):
        raise NotAllowed(
            f"B24SLA_HOST={settings.host} открывает страницы сети: "
            "задайте B24SLA_ADMIN_TOKEN или слушайте 127.0.0.1"
        )
    if role == "web":
        return
    if not settings.portal_address:
        raise NotAllowed(NO_PORTAL)
    if settings.rules is None and not settings.portal_is_loopback:
        raise NotAllowed(
            "не задан B24SLA_RULES: образец правил из поставки годится только для учебного портала"
        )
    if clock is not None and not settings.portal_is_loopback:
        raise NotAllowed("--clock годится только для портала на этой машине: иначе сроки будут неверны")
