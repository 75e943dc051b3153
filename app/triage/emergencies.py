"""The signs of an emergency: rules E1, E2, E3 of domain.md 3.1, each a small function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from app.model import TicketClass
from app.triage.evidence import Evidence
from app.triage.patterns import Hit
from app.triage.reading import Clause, Reading

FAILURES = ("fails", "dead_entry", "blocked", "login_fail")
OPENINGS = {
    "emergency_unlock": 0.85,
    "stuck_open": 0.8,
    "strangers": 0.8,
    "any_card": 0.8,
    "account_theft": 0.8,
    "data_leak": 0.8,
    "stolen_key": 0.75,
}
SUSPICIONS = {
    "waiting": "E2",
    "at_door": "E2",
    "rescue": "E2",
    "queue": "E1",
    "uproar": "E1",
    "strangers": "E3",
}
PAST_FORM = re.compile(r"л[аои]?(?:с[ья]?)?$")
NEAR = 8  # words between two families that belong together; voice messages have no full stops

Rule = Callable[[Reading], Iterator[Evidence]]


def _emergency(rule: str, weight: float, clause: Clause, *hits: Hit) -> Evidence:
    return Evidence(TicketClass.EMERGENCY, rule, clause.quote(*hits), weight, clause)


def everybody(reading: Reading) -> Iterator[Evidence]:
    """E1: «ни у кого не открывается», «все жители не могут»."""
    if reading.has("part_only"):
        return
    for clause in reading.clauses:
        for many, trouble in _pairs(clause, ("crowd",), FAILURES):
            yield _emergency("E1", 0.9, clause, many, trouble)
        for people, trouble in _pairs(clause, ("crowd_noun",), ("no_passage", "login_fail")):
            if people.first < trouble.first:
                yield _emergency("E1", 0.85, clause, people, trouble)


def site_is_cut_off(reading: Reading) -> Iterator[Evidence]:
    """E1: «корпус без доступа с утра»."""
    if not reading.has("part_only"):
        for clause, hit in reading.real("cut_off"):
            yield _emergency("E1", 0.8, clause, hit)


def crowd_waits(reading: Reading) -> Iterator[Evidence]:
    """E1: a queue, a chat in uproar, and something that fails beside it."""
    if not reading.real(*FAILURES, "stuck_open", "facility") or reading.has("part_only"):
        return
    for clause, hit in reading.real("queue", "uproar"):
        yield _emergency("E1", 0.85, clause, hit)


def post_is_blind(reading: Reading) -> Iterator[Evidence]:
    """E1: the guard's workplace is dead."""
    for clause, hit in reading.real("guard_dead"):
        if not clause.has("own_pass", "part_only") and not reading.has("part_only"):
            yield _emergency("E1", 0.8, clause, hit)


def cabinet_is_dead(reading: Reading) -> Iterator[Evidence]:
    """E1: the administrator's cabinet as a whole, not a report in it and not one password."""
    for clause, hit in reading.real("admin_dead"):
        if not reading.has("cabinet_part", "login_fail", "part_only"):
            yield _emergency("E1", 0.75, clause, hit)


def place_is_dead(reading: Reading) -> Iterator[Evidence]:
    """E1: a checkpoint or a main entrance fails for whoever comes."""
    if reading.way_round or reading.has("part_only"):
        return
    for clause in reading.clauses:
        for place, trouble in _pairs(clause, ("facility",), ("fails", "dead_entry")):
            if not clause.has("by_own_means"):
                yield _emergency("E1", 0.7, clause, place, trouble)


def entrance_is_dead(reading: Reading) -> Iterator[Evidence]:
    """E1, weak: «шлагбаум не поднимается», without a word on whom it stops."""
    if reading.way_round or reading.has("part_only", "by_own_means"):
        return
    for clause, hit in reading.real("dead_entry"):
        yield _emergency("E1", 0.55, clause, hit)


def blocked_now(reading: Reading) -> Iterator[Evidence]:
    """E2: somebody cannot get in or out; told in the past tense it weighs less."""
    if reading.way_round:
        return
    for clause, hit in reading.real("blocked"):
        weight = 0.55 if _told_as_past(clause, hit) else 0.85
        yield _emergency("E2", weight, clause, hit)


def stands_outside(reading: Reading) -> Iterator[Evidence]:
    """E2: «стою у ворот», with something that fails."""
    if reading.way_round or not reading.real(*FAILURES, "shut"):
        return
    for clause, hit in reading.real("waiting"):
        yield _emergency("E2", 0.85, clause, hit)


def left_in_need(reading: Reading) -> Iterator[Evidence]:
    """E2: a door, a gate or the key to it fails, and there are children, frost, a flight, no other key."""
    if reading.way_round or reading.has("login_fail") or not _fails_at_entry(reading):
        return
    for clause, hit in reading.real("hardship"):
        yield _emergency("E2", 0.75, clause, hit)


def _fails_at_entry(reading: Reading) -> bool:
    failing = ("fails", "shut", "dead_entry") if reading.has("at_entry") else ("dead_entry",)
    return bool(reading.real(*failing))


def locked_in(reading: Reading) -> Iterator[Evidence]:
    """E2: a person is shut inside; a barrier may be stuck too, that is another thing."""
    for clause, hit in reading.real("trapped"):
        before = clause.sentence.keys[max(0, hit.first - 2) : hit.first]
        if not any(word.startswith(("шлагбаум", "ворот", "створк", "заявк", "письм")) for word in before):
            yield _emergency("E2", 0.85, clause, hit)


def help_is_stopped(reading: Reading) -> Iterator[Evidence]:
    """E2: an ambulance or fire engine at a closed entrance."""
    if not reading.real(*FAILURES, "shut", "no_way_round"):
        return
    for clause, hit in reading.real("rescue"):
        yield _emergency("E2", 0.9, clause, hit)


def open_to_all(reading: Reading) -> Iterator[Evidence]:
    """E3: the site, an account or personal data stand open to whoever wants; fire unlocking is dead."""
    for clause, hit in reading.real(*OPENINGS):
        if not (hit.family == "stuck_open" and reading.way_round):
            yield _emergency("E3", OPENINGS[hit.family], clause, hit)


def revoked_passes(reading: Reading) -> Iterator[Evidence]:
    """E3: dismissed or struck off, and still gets in."""
    gone, still, passes = (reading.real(name) for name in ("revoked", "still", "passing"))
    for clause, hit in passes:
        near = [other for where, other in still if where is clause and _are_near(other, hit)]
        if gone and near:
            yield _emergency("E3", 0.8, clause, *near, hit)


EMERGENCY_RULES: tuple[Rule, ...] = (
    *(everybody, site_is_cut_off, crowd_waits, post_is_blind, cabinet_is_dead, place_is_dead),
    *(blocked_now, stands_outside, left_in_need, locked_in, help_is_stopped),
    *(open_to_all, revoked_passes, entrance_is_dead),
)


def suspected(reading: Reading) -> Evidence | None:
    """People at a door, a crowd, an ambulance, and nothing that says what the matter is: the higher class."""
    if reading.way_round or reading.is_over or reading.is_past:
        return None
    signs = reading.real(*SUSPICIONS)
    found = [_emergency(SUSPICIONS[hit.family], 0.5, clause, hit) for clause, hit in signs]
    return found[0] if found else None


def emergency(reading: Reading) -> Evidence | None:
    """The weightiest sign of an emergency that lasts; what is over is standard (rule 6)."""
    if reading.is_over:
        return None
    found = [one for rule in EMERGENCY_RULES for one in rule(reading)]
    found = [one for one in found if one.rule == "E3" or not reading.is_past]
    return max(found, key=lambda one: one.weight, default=None)


def _pairs(clause: Clause, some: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[Hit, Hit]]:
    """Hits of two kinds at most NEAR words apart."""
    for one in clause.real(*some):
        for other in clause.real(*others):
            if _are_near(one, other):
                yield one, other


def _are_near(one: Hit, other: Hit) -> bool:
    return other.first - one.last <= NEAR and one.first - other.last <= NEAR


def _told_as_past(clause: Clause, hit: Hit) -> bool:
    return any(PAST_FORM.search(word) for word in clause.sentence.keys[hit.first : hit.last + 1])
