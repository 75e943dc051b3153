"""What must hold after any weather: the same end as in fair weather, and the laws of what is said."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.model import Cycle, Fact, FactKind, ItemRef, Kind, Ledger
from app.store import facts, tickets
from app.store.engine import Database
from app.web.failures import failed_work
from tests.chaos.course import courses_of
from tests.chaos.laws import Speech, belated, broken, digests_of
from tests.chaos.reports import figures
from tests.chaos.run import Town

FIELDS = ("SLA_CLASS", "SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT",
          "SLA_CONFIRMED_AT", "SLA_OVERDUE", "SLA_PAUSE_TOTAL")  # fmt: skip
KEPT = frozenset({FactKind.CREATED, FactKind.STAGE, FactKind.UTTERANCE})
"""What the portal keeps a history of: it must be known to the second, whenever it was read."""
LATEST_ACT = timedelta(seconds=110)
"""An act that is played later than it happened must lie in the two minutes for which a sweep looks back."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """All that is judged of a run: by the number of a life, whatever the portal called its card."""

    fields: Mapping[int, Mapping[str, Any]]
    facts: Mapping[int, Mapping[str, Any]]
    ledgers: Mapping[int, Mapping[str, Any]]
    kpi: Mapping[str, Any]  # the months' figures and reports
    speech: Speech
    comments_twice: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()  # work that gave up
    spec_faults: tuple[str, ...] = ()
    log: tuple[str, ...] = ()  # tracebacks
    latest_act: timedelta = timedelta(0)
    told: str = ""  # the run in one line


async def aftermath(town: Town) -> Aftermath:
    refs = {number: _ref(case.place, case.id) for number, case in town.month.cases.items()}
    database = Database.open(town.database)
    try:
        async with database.read() as conn:
            known = await tickets.load_many(conn, refs.values())
            learnt = await facts.load_many(conn, refs.values())
            failed = (await failed_work(conn)).groups
    finally:
        await database.close()
    return Aftermath(
        fields={number: _fields(town, number) for number in refs},
        facts={number: _facts(learnt[ref]) for number, ref in refs.items()},
        ledgers={number: _ledgers(known[ref].cycles) for number, ref in refs.items() if ref in known},
        kpi=await figures(town),
        speech=_speech(town),
        comments_twice=tuple(_comments_twice(town)),
        failed=tuple(f"{kind} {one.key}: {one.error}" for kind, group in failed.items() for one in group),
        spec_faults=tuple(town.portal.spec_faults),
        log=tuple(_tracebacks(town)),
        latest_act=town.time.latest,
        told=_told(town),
    )


def _ref(place: int | str, number: int) -> ItemRef:
    if place == "task":
        return ItemRef(Kind.TASK, number)
    return ItemRef(Kind.DEAL, number) if place == 2 else ItemRef(Kind.ITEM, number, int(place))


def _fields(town: Town, number: int) -> dict[str, Any]:
    case = town.month.cases[number]
    held = town.portal.sla(case.place, case.id)
    return {code: held.get(code) for code in FIELDS}


def _facts(learnt: Sequence[Fact]) -> dict[str, Any]:
    """By kind, without the portal's numbers of messages: they depend on what else was said."""
    return {
        kind.value: sorted(
            (one.happened_at, one.actor or 0, repr(one.value)) for one in learnt if one.kind is kind
        )
        for kind in KEPT
    }


def _ledgers(cycles: tuple[Cycle, ...]) -> dict[str, Any]:
    """Each clock of each cycle, so that a difference names what differs."""
    found: dict[str, Any] = {}
    for cycle in cycles:
        found[f"cycle {cycle.number}"] = (cycle.solved_at, cycle.closed_at, cycle.confirmed_at,
                                          cycle.reopened_at)  # fmt: skip
        for place, clock in enumerate(cycle.ledgers):
            found[f"cycle {cycle.number}, clock {place}"] = _ledger(clock)
    return found


def _ledger(clock: Ledger) -> tuple[Any, ...]:
    return (clock.clock, clock.due_at, clock.met_at, clock.met_by, clock.outcome, clock.outcome_at,
            clock.pauses, clock.spent if clock.met_at else None)  # fmt: skip


def _speech(town: Town) -> Speech:
    states = {code: state for state, code in town.office.states.items()}
    office = town.office
    return Speech(
        heard=tuple(town.ear.heard),
        courses=courses_of(town.portal, town.month, states, town.classes),
        people=(office.head, office.director, office.duty, *office.agents),
        head=office.head,
        duty=office.duty,
        chat=office.chat,
        begin_at=town.begin_at,
        end_at=town.clock.now(),
        shut=town.weather.shut(),
        skewed=tuple((one.begin_at, one.end_at) for one in town.weather.troubles if one.kind == "skew"),
        killed=tuple(town.killed),
    )


def _comments_twice(town: Town) -> Iterator[str]:
    """The same comment stands once in a card."""
    for case in town.month.cases.values():
        if case.place == "task":
            continue
        comments = Counter(one["text"] for one in town.portal.timeline(int(case.place), case.id))
        yield from (f"{case.place}:{case.id} {text}" for text, times in comments.items() if times > 1)


def _tracebacks(town: Town) -> Iterator[str]:
    for log in sorted(town.folder.glob("service-*.log")):
        lines = log.read_text("utf-8").splitlines()
        begins = (at for at, line in enumerate(lines) if line.startswith("Traceback"))
        yield from ("; ".join(lines[at : at + 60]) for at in begins)


def _told(town: Town) -> str:
    portal = town.portal
    return (
        f"{len(town.month.cases)} tickets, {len(town.killed)} kills, {town.turns} turns, "
        f"{portal.requests} requests, events dropped {portal.events.dropped}, lost {portal.events.lost}, "
        f"said {len(town.ear.heard)}"
    )


# --- the verdict -------------------------------------------------------------------------


def differences(fair: Aftermath, foul: Aftermath) -> list[str]:
    """In words; empty: the weather changed nothing that it may not change."""
    found = faults(foul)
    for number, fields in fair.fields.items():
        found += _differing(f"life {number}", fields, foul.fields.get(number, {}))
    for number, learnt in fair.facts.items():
        found += _differing(f"life {number} facts", learnt, foul.facts.get(number, {}))
    for number, clocks in fair.ledgers.items():
        found += _differing(f"life {number}", clocks, foul.ledgers.get(number, {}))
    found += _differing("the report", fair.kpi, foul.kpi)
    ours, theirs = set(digests_of(fair.speech)), set(digests_of(foul.speech))
    return found + [f"a digest is not as in fair weather: {title!r}" for title in sorted(ours ^ theirs)]


def faults(run: Aftermath) -> list[str]:
    """What may not be in any weather, this run alone looked at."""
    found = broken(run.speech)
    found += [f"a comment twice: {text}" for text in run.comments_twice]
    found += [f"gave up: {text}" for text in run.failed]
    found += [f"called the portal wrongly: {text}" for text in run.spec_faults]
    late = run.latest_act > LATEST_ACT
    return found + ([f"the script fell behind itself by {run.latest_act}"] if late else [])


def false_alarms(run: Aftermath) -> list[str]:
    """Where only events are lost: nothing in vain, and nothing later than one sweep."""
    return faults(run) + belated(run.speech)


def _differing(what: str, fair: Mapping[str, Any], foul: Mapping[str, Any]) -> list[str]:
    keys = [*fair, *(key for key in foul if key not in fair)]
    return [f"{what} {key}: {_short(fair.get(key))} became {_short(foul.get(key))}"
            for key in keys if fair.get(key) != foul.get(key)]  # fmt: skip


_INSTANT = re.compile(r"datetime\.datetime\((\d+), (\d+), (\d+), (\d+), (\d+)[\d, ]*tzinfo=[^)]*\)")


def _short(value: Any) -> str:
    return _INSTANT.sub(r"\3.\2 \4:\5Z", repr(value))
