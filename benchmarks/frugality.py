"""What a thousand changed deals cost in requests: the whole service on a portal that keeps its limits."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from pathlib import Path
from time import perf_counter

import uvicorn
from fast_bitrix24 import BitrixAsync
from starlette.types import ASGIApp

from app.demo.office import Office, Ticket, furnish
from app.demo.portal import CLOUD_STD, EmulatedPortal
from app.jobs.reconcile import reconcile
from benchmarks.ground import BEGIN_AT, TOKEN, LeapClock, Town, town

DEALS, MOVES, LETTERS = 1000, 4, 3
PAGE = BATCH = 50
QUESTIONS = (
    "Житель не получает код для входа в приложение",
    "Не открывается калитка по распознаванию лица",
    "В журнале проездов нет записей за вчера",
    "Пропуск для гостя создан, но на посту его не видно",
)


def busy_morning(office: Office, clock: LeapClock, deals: int) -> list[int]:
    """Deals with a client's letter, four moves, an answer and one more question."""
    portal, made = office.portal, []
    for number in range(deals):
        contact = portal.add_contact(f"Клиент {number}")
        deal = portal.add_deal(
            f"Обращение {number}", category=office.category, by=office.intake, contact=contact,
            assigned=office.agents[number % len(office.agents)],
        )  # fmt: skip
        made.append(deal)
    by = office.agents[0]
    acts: list[Callable[[int], object]] = [
        lambda deal: portal.add_email((2, deal), 1, "", QUESTIONS[deal % len(QUESTIONS)], by=office.intake),
        lambda deal: portal.move(2, deal, "WORK", by),
        lambda deal: portal.add_email((2, deal), 2, "", "Проверили, пришлите снимок экрана", by=by),
        lambda deal: portal.move(2, deal, "WAIT", by),
        lambda deal: portal.add_email((2, deal), 1, "", "Прислал, посмотрите", by=office.intake),
        lambda deal: portal.move(2, deal, "WORK", by),
        lambda deal: portal.move(2, deal, "DEV", by),
    ]
    for act in acts:
        clock.leap(timedelta(minutes=5))
        for deal in made:
            act(deal)
    return made


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """The portal on a loopback port, for clients that bring their own sockets."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield "http://{}:{}".format(*server.servers[0].sockets[0].getsockname())
    finally:
        server.should_exit = True
        await task


@dataclass(frozen=True)
class Cost:
    """What some work cost."""

    requests: int
    commands: int
    waited: timedelta
    took: timedelta
    real_seconds: float


async def cost_of(place: Town, work: Callable[[], Awaitable[object]]) -> Cost:
    traffic = place.desk.working_portal.traffic
    requests, commands, waited = place.portal.requests, traffic.commands.total(), traffic.waited
    began_at, began = place.clock.now(), perf_counter()
    await work()
    return Cost(
        place.portal.requests - requests, traffic.commands.total() - commands, traffic.waited - waited,
        place.clock.now() - began_at, perf_counter() - began,
    )  # fmt: skip


def bound(deals: int, commands_each: int) -> int:
    """Requests that nobody can undercut: full pages of fifty rows, full batches of fifty commands."""
    rows = (deals, deals * (MOVES + 1), deals * LETTERS)
    return ceil(sum(ceil(some / PAGE) for some in rows) / BATCH) + ceil(deals * commands_each / BATCH)


def bound_of_kinds(deals: int, lines: int, tasks: int) -> int:
    """The same bound when a session, a task's log and a task's talk come only one by one."""
    rows = (deals, deals * (MOVES + 1), deals * LETTERS + lines, tasks)
    one_by_one = lines + 2 * tasks
    return ceil((sum(ceil(some / PAGE) for some in rows) + one_by_one) / BATCH) + ceil(
        (deals + tasks) / BATCH
    )


def rate_bound(requests: int) -> timedelta:
    """How long the rate limit alone makes so many requests last: fifty at once, then two a second."""
    return timedelta(seconds=max(0, requests - 50) / 2)


async def the_service(timeline: str) -> None:
    """Read, decide and write, then what finding the changes and our own echo cost."""
    with tempfile.TemporaryDirectory() as folder:
        async with town(Path(folder), timeline) as place:
            deals = busy_morning(place.office, place.clock, DEALS)
            place.portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
            await place.named(deals)
            least = bound(DEALS, 2 if timeline == "decisions" else 1)
            tell(place, f"timeline = {timeline!r}", await cost_of(place, place.settle), least)
            fields = [len(place.portal.sla(2, deal)) for deal in deals]
            print(
                f"  полей в каждой карточке: от {min(fields)}; карточек записано {len(place.portal.writes)}"
            )
            if timeline == "off":
                await afterwards(place)


def tell(place: Town, name: str, cost: Cost, least: int) -> None:
    method, share = place.busiest()
    print(f"{name}: {cost.requests} запросов (граница {least}), {cost.commands} команд")
    print(f"  отказов портала: {place.portal.refused.total()}; занятее всех {method}: {share:.0%}")
    print(f"  ждали из-за лимитов {seconds(cost.waited)} (граница {seconds(rate_bound(least))});", end=" ")
    print(f"работа портала {seconds(cost.took)}, наша и его на этой машине {cost.real_seconds:.0f} с")


async def of_all_kinds() -> None:
    """The same with 30 % messengers and 30 % tasks."""
    lines = tasks = DEALS * 3 // 10
    with tempfile.TemporaryDirectory() as folder:
        async with town(Path(folder), "off") as place:
            deals = busy_morning(place.office, place.clock, DEALS - tasks)
            chats(place.office, place.clock, deals[:lines])
            made = talks(place.office, place.clock, tasks)
            await place.named(deals, made)
            least = bound_of_kinds(DEALS - tasks, lines, tasks)
            tell(place, "30 % мессенджеров и 30 % задач", await cost_of(place, place.settle), least)
            place.clock.leap(timedelta(minutes=15))
            await reconcile(place.desk)
            await place.settle()
            place.clock.leap(timedelta(minutes=15))
            sweep = await cost_of(place, lambda: reconcile(place.desk))
            print(
                f"  обход, когда ничего не изменилось, взгляд в {lines} диалогов: {sweep.requests} запросов"
            )


def chats(office: Office, clock: LeapClock, deals: list[int]) -> None:
    """A messenger's session at each of these deals, with a question and an answer."""
    portal = office.portal
    lines = [portal.open_line_of(portal.add_open_line((2, deal), by=office.agents[0])) for deal in deals]
    for by, text in (("client", QUESTIONS[0]), ("agent", "Проверяем"), ("client", "Жду")):
        clock.leap(timedelta(minutes=1))
        for line in lines:
            portal.open_line_says(line, text, by)


def talks(office: Office, clock: LeapClock, count: int) -> list[int]:
    """Tasks whose chat holds a question and an answer."""
    portal, agent = office.portal, office.agents[0]
    made = [
        portal.add_task(f"Заявка {n}", QUESTIONS[n % len(QUESTIONS)], created_by=office.guest,
                        responsible=agent, group=office.group, auditors=(office.service,))
        for n in range(count)
    ]  # fmt: skip
    for by, text in ((office.guest, "Когда почините?"), (agent, "Проверяем, ответим сегодня")):
        clock.leap(timedelta(minutes=1))
        for task in made:
            portal.task_message(task, text, by)
    for status in (3, 6, 3):
        clock.leap(timedelta(minutes=1))
        for task in made:
            portal.set_status(task, status, agent)
    return made


async def afterwards(place: Town) -> None:
    """Echoes of our own writes, posted by the portal and gathered; then a sweep without events."""
    place.clock.leap(timedelta(seconds=30))
    posted = await place.portal.deliver(place.web)
    echo = await cost_of(place, place.settle)
    print(f"  эхо своих записей ({posted} событий разом): {echo.requests} запросов")
    place.clock.leap(timedelta(minutes=15))
    sweep = await cost_of(place, lambda: reconcile(place.desk))
    again = await cost_of(place, place.settle)
    print(f"  обход, если бы событий не было: {sweep.requests} запросов, чтение найденного {again.requests}")


async def others() -> None:
    """The same rows read and the same cards written with fast-bitrix24, in bulk."""
    clock = LeapClock(BEGIN_AT)
    portal = EmulatedPortal(clock.now, profile=CLOUD_STD, seed=1)
    deals = busy_morning(furnish(portal), clock, DEALS)
    for number in range(6):
        portal.add_userfield("CRM_DEAL", f"BENCH_{number}", "string")
    fields = {f"ufCrmBench{number}": "значение" for number in range(6)}
    works = [{"entityTypeId": 2, "id": deal, "fields": fields} for deal in deals]
    async with listening(portal.app) as address:
        client = BitrixAsync(portal.url(address), verbose=False)
        await client.get_all("crm.item.list", {"entityTypeId": 2, "filter": {"@id": deals}})
        shared = portal.requests
        which: dict[str, object] = {"entityTypeId": 2, "filter": {"@OWNER_ID": deals}}
        await client.get_all("crm.stagehistory.list", which)
        await client.get_all("crm.activity.list", {"filter": {"OWNER_TYPE_ID": 2, "@OWNER_ID": deals}})
        in_bulk = portal.requests - shared
        clock.leap(timedelta(minutes=10))
        await client.call("crm.item.update", works)
        written = portal.requests - shared - in_bulk
    print(f"fast-bitrix24, то же пачками: {shared + in_bulk + written} запросов: карточки {shared},", end=" ")
    print(f"история и дела владельца {in_bulk}, запись {written}; отказов {portal.refused.total()}")
    print("  без привязанных дел, без имён, без сверки записанного; дела по привязкам у нас 140 команд")


async def one_ticket() -> None:
    """A standard ticket on a quiet portal, from the moment when its last event has come."""
    print("одно обращение на тихом портале, от события до карточки и комментария в ней")
    for name, comes in (("без контакта", alone), ("с контактом", with_contact), ("письмом", by_letter)):
        with tempfile.TemporaryDirectory() as folder:
            async with town(Path(folder), "decisions") as place:
                place.portal.subscribe("http://127.0.0.1:8080/webhooks/bitrix24", TOKEN)
                await place.named(busy_morning(place.office, place.clock, 1))
                await place.settle()
                place.portal.drop_pending()
                comes(place)
                cost = await cost_of(place, lambda: heard(place))
                print(f"  {name}: запросов {cost.requests}, {seconds(cost.took)} портала")


async def heard(place: Town) -> None:
    """The events come, and the service does what follows."""
    await place.portal.deliver(place.web, until=place.clock.now() + timedelta(seconds=10))
    await place.settle()


def alone(place: Town) -> None:
    category = place.office.category
    place.portal.add_deal("Не приходит код", category=category, comments=QUESTIONS[0], by=place.office.intake)


def with_contact(place: Town) -> None:
    contact = place.portal.add_contact("Пётр", "Клиентов")
    place.portal.add_deal("Не приходит код", category=place.office.category, comments=QUESTIONS[0],
                          by=place.office.intake, contact=contact)  # fmt: skip


def by_letter(place: Town) -> None:
    ticket: Ticket = {"id": "T1", "channel": "email", "title": "Код", "description": QUESTIONS[0]}
    place.office.receive(ticket, place.office.agents[0])


def seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.1f} с"


async def main() -> None:
    print(f"{DEALS} изменённых сделок, у каждой {MOVES} смены стадии и {LETTERS} дела, записать поля SLA")
    await the_service("off")
    await the_service("decisions")
    await of_all_kinds()
    await others()
    await one_ticket()


if __name__ == "__main__":
    asyncio.run(main())
