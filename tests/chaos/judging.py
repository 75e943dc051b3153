"""What must hold after any weather: the same end as in fair weather, and nothing said twice or in vain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.model import Cycle, ItemRef, Kind, Ledger, OutcomeWord, Ticket
from app.store import tickets
from app.store.engine import Database
from app.web.failures import failed_work
from tests.chaos.run import Town

FIELDS = ("SLA_CLASS", "SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT",
          "SLA_CONFIRMED_AT", "SLA_OVERDUE", "SLA_PAUSE_TOTAL")  # fmt: skip
MARKER = re.compile(r"#sla-[0-9a-f]{10}")


@dataclass(frozen=True, slots=True)
class Aftermath:
    """All that is compared of a run: by the number of a life, whatever the portal called its card."""

    fields: Mapping[int, Mapping[str, Any]]
    ledgers: Mapping[int, tuple[Any, ...]]
    said_twice: tuple[str, ...]
    breaches: Mapping[int, frozenset[str]]  # life → clocks whose breach stands
    failed: tuple[str, ...] = ()  # work that gave up
    spec_faults: tuple[str, ...] = ()
    log: tuple[str, ...] = ()  # the last lines of tracebacks


async def aftermath(town: Town) -> Aftermath:
    refs = {number: _ref(case.place, case.id) for number, case in town.month.cases.items()}
    database = Database.open(town.database)
    try:
        async with database.read() as conn:
            known = await tickets.load_many(conn, refs.values())
            failed = (await failed_work(conn)).groups
    finally:
        await database.close()
    found = {number: known[ref] for number, ref in refs.items() if ref in known}
    return Aftermath(
        fields={number: _fields(town, number) for number in refs},
        ledgers={number: tuple(_cycle(cycle) for cycle in ticket.cycles) for number, ticket in found.items()},
        said_twice=tuple(_said_twice(town)),
        breaches={number: _breaches(ticket) for number, ticket in found.items()},
        failed=tuple(f"{kind} {one.key}: {one.error}" for kind, group in failed.items() for one in group),
        spec_faults=tuple(town.portal.spec_faults),
        log=tuple(_tracebacks(town)),
    )


def _ref(place: int | str, number: int) -> ItemRef:
    if place == "task":
        return ItemRef(Kind.TASK, number)
    return ItemRef(Kind.DEAL, number) if place == 2 else ItemRef(Kind.ITEM, number, int(place))


def _fields(town: Town, number: int) -> dict[str, Any]:
    case = town.month.cases[number]
    held = town.portal.sla(case.place, case.id)
    return {code: held.get(code) for code in FIELDS}


def _cycle(cycle: Cycle) -> tuple[Any, ...]:
    return (cycle.number, cycle.solved_at, cycle.closed_at, cycle.confirmed_at, cycle.reopened_at,
            _ledger(cycle.reply), _ledger(cycle.solution))  # fmt: skip


def _ledger(clock: Ledger) -> tuple[Any, ...]:
    return (clock.clock, clock.due_at, clock.met_at, clock.met_by, clock.outcome, clock.outcome_at,
            clock.pauses, clock.spent if clock.met_at else None)  # fmt: skip


def _breaches(ticket: Ticket) -> frozenset[str]:
    clocks = (ticket.now_cycle.reply, ticket.now_cycle.solution)
    return frozenset(clock.clock.value for clock in clocks if clock.outcome is OutcomeWord.BREACHED)


def _said_twice(town: Town) -> Iterator[str]:
    """The mark of a step stands once in all dialogs; the same comment once in a card."""
    spoken = Counter(_marks(town))
    yield from (f"{mark} in {place}" for (place, mark), times in spoken.items() if times > 1)
    for case in town.month.cases.values():
        if case.place == "task":
            continue
        comments = Counter(one["text"] for one in town.portal.timeline(int(case.place), case.id))
        yield from (f"{case.place}:{case.id} {text}" for text, times in comments.items() if times > 1)


def _marks(town: Town) -> Iterator[tuple[str, str]]:
    for message in town.portal.messages(town.office.chat):
        if not message["deleted"]:
            yield from (("chat", mark) for mark in MARKER.findall(message["text"]))
    for person in (town.office.head, town.office.director, *town.office.agents):
        for notice in town.portal.notices(person):
            yield from ((f"notices of {person}", mark) for mark in MARKER.findall(notice["text"]))


def _tracebacks(town: Town) -> Iterator[str]:
    for log in sorted(town.folder.glob("service-*.log")):
        lines = log.read_text("utf-8").splitlines()
        begins = (at for at, line in enumerate(lines) if line.startswith("Traceback"))
        yield from ("; ".join(lines[at : at + 60]) for at in begins)


def differences(fair: Aftermath, foul: Aftermath) -> list[str]:
    """In words; empty: the weather changed nothing."""
    found = [f"said twice: {text}" for text in foul.said_twice]
    found += [f"gave up: {text}" for text in foul.failed]
    found += [f"called the portal wrongly: {text}" for text in foul.spec_faults]
    for number, fields in fair.fields.items():
        other = foul.fields.get(number, {})
        found += [f"life {number} {code}: {value!r} became {other.get(code)!r}"
                  for code, value in fields.items() if other.get(code) != value]  # fmt: skip
    for number, cycles in fair.ledgers.items():
        if foul.ledgers.get(number) != cycles:
            found.append(f"life {number} ledgers: {cycles} became {foul.ledgers.get(number)}")
    return found
