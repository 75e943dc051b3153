"""Verdicts in columns equal the fold of single tickets, to the microsecond."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest

from app.decision import Fold, fold
from app.learning import UNSEEN, CardMemory, learned
from app.model import ClockName, Cycle, Fact, Ledger, OutcomeWord
from app.pinning import Judging
from app.rules import Rules
from app.simulation.columns import NONE, Tracks, tracks_from
from app.simulation.judging import BREACHED, MET, UNJUDGED, verdicts_of
from app.simulation.terms import terms_table
from app.sla.many import instants_of
from app.store.tracks import NAMES, row_of
from app.store.tracks import NONE as NO_NUMBER
from tests.jobs.quarter import DAYS, START, Life, life_of, rules_of

WORDS = {UNJUDGED: None, MET: OutcomeWord.MET, BREACHED: OutcomeWord.BREACHED}
OTHERS = {
    "the same": "",
    "stricter": '[class.standard]\nrespond = "30m"\nresolve = "5h"\n[class.emergency]\nrespond = "5m"\n',
    "around the clock": '[class.emergency]\ncalendar = "always"\n[class.consultation]\nresolve = "2h"\n',
    "no sla for some": "[[policy]]\nwhen = { contact = [3, 5] }\nset = { sla = false }\n"
    '[[policy]]\nwhen = { contact = [2], class = ["standard"] }\nset = { resolve = "90m", '
    'calendar = "always" }\n',
}
LIVES, SEED = 240, 20261124


WRITTEN = {"SLA_SOLVE_DUE": "2026-09-03T10:00:00Z"}  # a deadline of ours, for people to move


def facts_of(life: Life, now: datetime) -> list[Fact]:
    """What the service has learned of a life by then, looking at each piece of news."""
    known: list[Fact] = []
    for at in [each for each in life.moments() if each <= now]:
        held = dict(life.held)
        reading = life.reading(at, WRITTEN if known and "SLA_SOLVE_DUE" not in held else {})
        known += learned(reading, known, CardMemory(held, WRITTEN) if known else UNSEEN)
    return sorted(known, key=lambda fact: (fact.happened_at, fact.recorded_at, fact.kind, fact.key))


@cache
def lives() -> list[tuple[list[Fact], datetime]]:
    """Each with a moment at which somebody asks."""
    chance = random.Random(SEED)
    found = []
    for number in range(1, LIVES + 1):
        now = (START + timedelta(days=chance.uniform(1, DAYS * 1.2))).astimezone(UTC)
        facts = facts_of(life_of(number, chance), now)
        found += [(facts, now)] if facts else []
    return found


def columns(found: Fold) -> Tracks:
    rows = [row_of(track) for track in found.tracks]
    return tracks_from([[NO_NUMBER if row[name] is None else row[name] for name in NAMES] for row in rows])


def clocks(found: Fold) -> Iterator[tuple[int, Cycle, ClockName, Ledger]]:
    for place, cycle in enumerate(found.ticket.cycles):
        yield place, cycle, ClockName.REPLY, cycle.reply
        yield place, cycle, ClockName.SOLUTION, cycle.solution


def told(ledger: Ledger) -> tuple[OutcomeWord | None, datetime | None]:
    return ledger.outcome, ledger.outcome_at if ledger.outcome is OutcomeWord.BREACHED else None


@pytest.mark.parametrize("name", OTHERS)
def test_random_lives_are_judged_as_their_folds_are(name: str, tmp_path: Path) -> None:
    rules, other = rules_of(tmp_path), rules_of(tmp_path, "other", OTHERS[name])
    plain = 0
    for facts, now in lives():
        before, after = fold(facts, Judging(rules, rules), now), fold(facts, Judging(other, other), now)
        if before is None or after is None or not before.tracks:
            continue
        plain += sum(track.plain for track in before.tracks)
        assert judged(before, other, now) == wanted(before, after), str(before.ticket.ref)
    assert plain > LIVES * 0.4


def wanted(before: Fold, after: Fold) -> list[tuple[OutcomeWord | None, datetime | None]]:
    return [told(ledger) for place, _, _, ledger in clocks(after) if before.tracks[place].plain]


def judged(before: Fold, other: Rules, now: datetime) -> list[tuple[OutcomeWord | None, datetime | None]]:
    tracks, [at] = columns(before), instants_of([now]).tolist()
    table = terms_table(other, tracks.asked)
    found = {clock: verdicts_of(clock, tracks, table, at) for clock in (ClockName.REPLY, ClockName.SOLUTION)}
    answers = []
    for place, _, clock, _ in clocks(before):
        if before.tracks[place].plain:
            verdict, due = int(found[clock].verdict[place]), int(found[clock].due[place])
            missed = EPOCH + timedelta(microseconds=due) if verdict == BREACHED and due != NONE else None
            answers.append((WORDS[verdict], missed))
    return answers


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
