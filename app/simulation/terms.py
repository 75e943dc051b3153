"""The terms of many tickets as columns: one row of a table for each way in which policies fall."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from app.model import ClockName, TicketClass
from app.rules import Rules
from app.simulation.columns import CLASSES, NONE, Column, Words
from app.sla.calendar import Calendar
from app.sla.terms import ClassTerms

MICROSECOND = timedelta(microseconds=1)
Terms = Mapping[TicketClass, ClassTerms | None]
Telling = tuple[tuple[str, str], ...]
"""What a ticket tells to policies: codes with values that some policy mentions."""


@dataclass(frozen=True, slots=True, eq=False)
class TermsTable:
    """A ticket's row of the table says for each class and clock: how long, on which calendar."""

    row: Column  # of each ticket
    length: Mapping[ClockName, Column]  # rows × classes, NONE where there is no SLA
    calendar: Column  # rows × classes → place in `calendars`
    calendars: tuple[Calendar, ...]


def terms_table(rules: Rules, asked: Words) -> TermsTable:
    """`asked`: what policies look at, as JSON; most of it makes no difference to these rules."""
    rows: dict[Telling, int] = {}
    tellings = _tellings(asked.words, _mentioned(rules))
    row = np.array([rows.setdefault(telling, len(rows)) for telling in tellings], dtype=np.int64)
    found = [_terms(rules, dict(telling)) for telling in rows] or [_terms(rules, {})]
    calendars = {terms.calendar.fingerprint: terms.calendar for each in found for terms in _all(each)}
    place_of = {fingerprint: place for place, fingerprint in enumerate(calendars)}
    return TermsTable(
        row=row[asked.place],
        length={
            ClockName.REPLY: _table(found, lambda terms: terms.respond // MICROSECOND),
            ClockName.SOLUTION: _table(found, lambda terms: terms.resolve // MICROSECOND),
        },
        calendar=_table(found, lambda terms: place_of[terms.calendar.fingerprint]),
        calendars=tuple(calendars.values()),
    )


def _terms(rules: Rules, telling: Mapping[str, str]) -> Terms:
    extra = {code.removeprefix("extra:"): v for code, v in telling.items() if code.startswith("extra:")}
    named = {code: telling.get(code, "") for code in ("company", "contact", "object")}
    return rules.terms_for(**named, extra=extra)


def _mentioned(rules: Rules) -> Mapping[str, frozenset[str]]:
    """What policies ask → the values that make a difference; all others are alike to them."""
    found: dict[str, set[str]] = {}
    for policy in rules.policies:
        for code in ("company", "contact", "object"):
            found.setdefault(code, set()).update(getattr(policy, code))
        for name, values in policy.fields.items():
            found.setdefault(f"extra:{name}", set()).update(values)
    return {code: frozenset(values) for code, values in found.items() if values}


def _tellings(texts: Sequence[str], mentioned: Mapping[str, frozenset[str]]) -> Iterable[Telling]:
    """What each text tells to policies; read as one JSON, for there may be very many."""
    if not mentioned:
        return [()] * len(texts)
    read = json.loads(f"[{','.join(text or '{}' for text in texts)}]")
    codes = sorted(mentioned.items())
    return [
        tuple(
            (code, told[code]) for code, values in codes if code in told and _key(code, told[code]) in values
        )
        for told in read
    ]


def _key(code: str, value: str) -> str:
    """As policies compare it."""
    return value.strip().casefold() if code == "object" else value


def _all(terms: Terms) -> Iterable[ClassTerms]:
    return (each for each in terms.values() if each is not None)


def _table(found: Sequence[Terms], number: Callable[[ClassTerms], int]) -> Column:
    rows = [[number(each) if (each := terms.get(value)) else NONE for value in CLASSES] for terms in found]
    return np.array(rows, dtype=np.int64)
