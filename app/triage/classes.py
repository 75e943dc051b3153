"""What speaks for the other classes: rules S, C and N of domain.md 3.1."""

from __future__ import annotations

import re
from itertools import pairwise

from app.model import TicketClass
from app.triage.evidence import Evidence
from app.triage.reading import Clause, Reading

TROUBLES = {
    "login_fail": 0.87,
    "fails": 0.86,
    "blocked": 0.86,
    "dead_entry": 0.86,
    "action": 0.75,
    "wrong": 0.75,
    "stuck_open": 0.7,
    "trapped": 0.6,
}
QUESTIONS = {
    "wish": 0.85,
    "how": 0.8,
    "may": 0.8,
    "whether": 0.8,
    "explain": 0.7,
    "not_found": 0.7,
    "hypothetical": 0.7,
}
NO_TICKETS = {"bounce": 0.95, "robot": 0.85, "jobseeker": 0.85, "lead": 0.85, "advert": 0.6}
NOT_OURS = 0.9  # hot water and the like, with no word on our product
VERB_FORM = re.compile(r"(?:[еиую]т|[яа]т|л[аои]?)(?:с[ья]?)?$")


def standard(reading: Reading) -> Evidence | None:
    """Something fails, is wrong, or must be done."""
    found = [
        Evidence(TicketClass.STANDARD, "S", clause.quote(hit), TROUBLES[hit.family], clause)
        for clause, hit in reading.real(*TROUBLES)
    ]
    return max(found, key=_weight_told, default=None)


def denial(reading: Reading) -> Evidence | None:
    """«не» before a verb of a kind that the lexicon lacks: something does not happen as it should."""
    for clause in reading.clauses:
        at = _denied_verb(clause)
        if at is not None and not clause.has("not_found", "fine"):
            return Evidence(TicketClass.STANDARD, "S", clause.sentence.quote(at, at + 1), 0.6, clause)
    return None


def _denied_verb(clause: Clause) -> int | None:
    pairs = enumerate(pairwise(clause.sentence.keys))
    return next((at for at, (no, verb) in pairs if no == "не" and VERB_FORM.search(verb)), None)


def consultation(reading: Reading) -> Evidence | None:
    """A question, a wish, or a matter that is not ours."""
    found = [
        Evidence(TicketClass.CONSULTATION, "C", clause.quote(hit), QUESTIONS[hit.family], clause)
        for clause, hit in reading.of(*QUESTIONS)
    ]
    found += _not_ours(reading)
    asked = (clause for clause in reading.clauses if clause.sentence.asks)
    found += [Evidence(TicketClass.CONSULTATION, "C", c.sentence.text.strip()[-60:], 0.6, c) for c in asked]
    return max(found, key=lambda one: one.weight, default=None)


def _not_ours(reading: Reading) -> list[Evidence]:
    if reading.has("own_product"):
        return []
    return [
        Evidence(TicketClass.CONSULTATION, "C", clause.quote(hit), NOT_OURS, clause)
        for clause, hit in reading.of("out_of_scope")
    ]


def not_ticket(reading: Reading) -> Evidence | None:
    """Robots, bounces, advertising, CVs, sales leads: one strong sign or two lesser ones."""
    found = [
        (NO_TICKETS[hit.family], clause, hit)
        for clause, hit in reading.of(*NO_TICKETS)
        if not (hit.family == "advert" and clause.sentence.asks)
    ]
    if not found:
        return None
    weight, clause, hit = max(found, key=lambda one: one[0])
    distinct = {(id(c), h.first) for _, c, h in found}
    weight = min(0.95, weight + 0.2 * (len(distinct) - 1))
    return Evidence(TicketClass.NOT_TICKET, "N", clause.quote(hit), weight, clause)


def _weight_told(one: Evidence) -> tuple[float, bool]:
    """Of equal weights what is told comes before what is asked."""
    return one.weight, one.clause is None or not one.clause.sentence.asks
