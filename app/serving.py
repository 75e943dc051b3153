"""The service as a process: web and worker over one desk, until a signal."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import uvicorn

from app.clock import Clock
from app.desk import Desk, Role, open_desk
from app.jobs.ask import answer, asked
from app.jobs.bind import bind_when_due
from app.jobs.deliver import deliver_full, deliver_next
from app.jobs.fetch import fetch, spares_sweep
from app.jobs.follow import follow
from app.jobs.handle import handle_first, handle_next
from app.jobs.lead import PACE, lead, step_down
from app.jobs.listen import listen
from app.jobs.purge import purge_nightly
from app.jobs.reconcile import reconcile, reread_open
from app.jobs.recount import recount
from app.jobs.refresh import refresh_when_due
from app.jobs.report import send_due
from app.jobs.tend import Duty, Job, guarded, tending
from app.jobs.watch import watch
from app.settings import Settings, is_loopback
from app.web import create_app

log = logging.getLogger(__name__)

REPORT_PACE = timedelta(seconds=30)
NIGHTLY_PACE = timedelta(minutes=10)
PEOPLE_PACE = timedelta(minutes=1)
ASKED_PACE = timedelta(seconds=1)
FOLLOW_PACE = timedelta(seconds=10)
BIND_PACE = timedelta(seconds=10)  # one look at our database; the portal is asked when there is a reason
FETCH_PACE = timedelta(seconds=20)


GRACE_SECONDS = 3  # for requests in hand; the worker has as long after it, and both end within ten


class Server(uvicorn.Server):
    """Ends at a signal, and lets the worker end after it: uvicorn's own would kill the process then."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Until the process ends: a second signal must not cut the worker's last write."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


NO_PORTAL = (
    "не задан B24SLA_PORTAL_WEBHOOK (адрес входящего вебхука) или локальное приложение: B24SLA_PORTAL, "
    "B24SLA_CLIENT_ID, B24SLA_CLIENT_SECRET, B24SLA_SECRET_KEY"
)


class NotAllowed(Exception):
    """The service must not start like this; the text names the remedy."""


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
    if await spares_sweep(desk):
        return found
    began_at = desk.now()
    found += await reconcile(desk)
    if desk.health.portal_fault is None:
        desk.health.listed_at = began_at
    return found


async def fetch_if_deaf(desk: Desk) -> int:
    """Where no event can be posted to us, the queue is all that tells of changes."""
    return 0 if desk.settings.public_url else await fetch(desk)


async def answer_asked(desk: Desk) -> bool:
    """The sweep that a command asked for, if any did."""
    question = await asked(desk)
    if question is None:
        return False
    await answer(desk, question, await reconcile(desk))
    return True


def led(job: Job) -> Job:
    """The job, done only by the process that holds the lease."""

    async def run(desk: Desk) -> object:
        return await job(desk) if desk.epoch is not None else False

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
    await guarded("lead", lead, desk)
    # The worker begins with these: a portal that hangs must not keep the web from taking its events.
    # Every process asks the portal once, so that it can say whether it could take over.
    first = (
        ("people", refresh_when_due), ("bind", led(bind_when_due)), ("reconcile", led(sweep_or_fetch)),
        ("recount", led(recount)), ("follow", follow),
    )  # fmt: skip
    try:
        async with tending(desk, (("first lane", led(hurry)), ("road", led(go_on))), _duties(desk), first):
            yield
    finally:
        await guarded("step_down", step_down, desk)


def _duties(desk: Desk) -> tuple[Duty, ...]:
    pace = desk.rules.pace
    led_duties: tuple[Duty, ...] = (
        ("watch", pace.watch, watch),
        ("reconcile", pace.reconcile, sweep_or_fetch),
        ("bind", BIND_PACE, bind_when_due),
        ("fetch", FETCH_PACE, fetch_if_deaf),
        ("report", REPORT_PACE, send_due),
        ("nightly", NIGHTLY_PACE, reread_open),
        ("recount", NIGHTLY_PACE, recount),
        ("purge", NIGHTLY_PACE, purge_nightly),
        ("people", PEOPLE_PACE, refresh_when_due),
        ("asked", ASKED_PACE * desk.clock.speed, answer_asked),
    )
    if pace.talk is not None:
        led_duties += (("listen", pace.talk, listen),)
    # The lease lives by real time, whatever the desk's clock does.
    own: tuple[Duty, ...] = (
        ("lead", PACE * desk.clock.speed, lead),
        ("follow", FOLLOW_PACE * desk.clock.speed, follow),
    )
    return (*own, *((name, every, led(job)) for name, every, job in led_duties))


async def serve(settings: Settings, *, role: Role = "all", clock: Clock | None = None) -> None:
    """Until SIGTERM or SIGINT. Raises NotAllowed, SettingsFault, RulesFault, StoreUnavailable."""
    refuse_unsafe(settings, role, clock)
    async with open_desk(settings, clock=clock, role=role) as desk, at_work(desk):
        config = uvicorn.Config(
            create_app(desk),
            host=settings.host,
            port=settings.port,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        gc.freeze()  # what lives as long as the process is never looked through again, 100 ms at a time
        log.info("listening on http://%s:%s", settings.host, settings.port)
        await Server(config).serve()


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
