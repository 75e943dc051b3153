"""`rules preview|apply`: what other rules would do to open tickets, and doing it on the record."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.sharing import holding
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import Desk, open_desk
from app.jobs.lead import lead
from app.jobs.rerule import rerule
from app.recalling import rules_of_lives
from app.rules import Rules, load_rules
from app.settings import Settings
from app.store import facts, rules_log, tickets
from app.store.rules_log import Applied

if TYPE_CHECKING:
    from app.simulation.shifts import Shift

PATIENCE = timedelta(minutes=2)  # for the running service to do what a command asks
POLL_SECONDS = 0.5


async def preview_rules(settings: Settings, file: Path, *, as_json: bool) -> bool:
    """Which open tickets would change, and how; nothing is written."""
    needs_database(settings)
    async with open_desk(settings, role="web") as desk:
        other = _other(desk, file)
        found = await _shifts(desk, other)
        _show(desk, found, file.name, other, as_json=as_json)
        if not as_json:
            say(_about_new(desk, other))
    return True


async def apply_rules(settings: Settings, file: Path, by: str, *, to_open: bool) -> bool:
    """Record who puts these rules in force; open tickets are touched only if that is asked for."""
    needs_database(settings)
    async with open_desk(settings) as desk:
        other, name = _other(desk, file), _name(desk, by)
        if to_open:
            _show(desk, await _shifts(desk, other), file.name, other, as_json=False)
        applied = Applied(other.version, desk.now(), name, to_open)
        async with desk.db.begin() as conn:
            await rules_log.pin(conn, other.version, other.text, applied.asked_at)
            await rules_log.ask(conn, applied)
        say(f"Записано: {name} применяет правила {file.name}, версия {other.version}.")
        if to_open:
            say(await _done(desk, applied))
        say(_about_new(desk, other))
    return True


def _other(desk: Desk, file: Path) -> Rules:
    """The file as `serve` would read it. Raises RulesFault with everything that is wrong."""
    return load_rules(file, default_since=desk.rules.desk.since)


def _name(desk: Desk, by: str) -> str:
    """A person's name, or the name behind a number of the portal."""
    name = by.strip()
    if name.isdigit():
        person = desk.people.get(int(name))
        if person is None:
            raise Mistake(f"сотрудника № {name} служба не знает: назовите имя, например --by «Соколов И.»")
        return person.name
    if not name:
        raise Mistake("назовите, кто применяет правила: --by «Соколов И.» или номер сотрудника")
    return name


async def _shifts(desk: Desk, other: Rules) -> list[Shift]:
    from app.simulation.shifts import shifts

    async with desk.db.read() as conn:
        lives = list((await facts.load_many(conn, await tickets.open_refs(conn))).values())
        rules_of = await rules_of_lives(conn, desk, lives)
    return await asyncio.to_thread(lambda: list(shifts(lives, rules_of, other, desk.now())))


def _show(desk: Desk, found: list[Shift], name: str, other: Rules, *, as_json: bool) -> None:
    from app.simulation.shift_text import shift_lines, shift_tree

    if as_json:
        say_json(shift_tree(found, name, other.version))
        return
    for line in shift_lines(found, name, other.version, desk.rules.desk.zone):
        say(line)


def _about_new(desk: Desk, other: Rules) -> str:
    if desk.rules.version == other.version:
        return "Новые обращения уже идут по этим правилам: на них указывает B24SLA_RULES."
    return (
        "Новые обращения пойдут по этим правилам, когда B24SLA_RULES укажет на этот файл "
        "и службу перезапустят; до тех пор для них действуют прежние."
    )


async def _done(desk: Desk, applied: Applied) -> str:
    """By the running service if there is one: nobody else may add facts beside it."""
    if await lead(desk):
        async with holding(desk):
            touched = await rerule(desk)
        return (
            f"Применено к открытым: {touched}. Сроки в карточках обновит служба, когда её запустят, "
            "или b24sla reconcile."
        )
    touched_there = await _done_there(desk, applied)
    return f"Применено к открытым: {touched_there}. Карточки обновляет работающая служба."


async def _done_there(desk: Desk, applied: Applied) -> int:
    for _ in range(int(PATIENCE.total_seconds() / POLL_SECONDS)):
        async with desk.db.read() as conn:
            known = [each for each in await rules_log.history(conn) if each.asked_at == applied.asked_at]
        if known and known[0].done_at is not None:
            return known[0].tickets or 0
        await asyncio.sleep(POLL_SECONDS)
    raise Mistake(
        "запись сделана, но работающая служба не применила её за две минуты: посмотрите /readyz и её журнал"
    )
