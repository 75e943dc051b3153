"""The product area of a text, by words alone and independent of its class (domain.md 4)."""

from __future__ import annotations

from app.model import Area
from app.triage.reading import Clause, Reading

WEIGHTS = {"name": 6.0, "strong": 3.0, "weak": 1.0}
MAIN_CLAUSE = 1.6  # the sentence that decided the class weighs more


def area_of(reading: Reading, main: Clause | None = None) -> Area:
    """The area most spoken of; `main` is the sentence that decided the class."""
    scores = dict.fromkeys(Area, 0.0)
    for clause in reading.clauses:
        for area, score in _scores(clause).items():
            scores[area] += score * (MAIN_CLAUSE if clause is main else 1.0)
    best = max(NARROWEST_FIRST, key=lambda area: scores[area])
    return best if scores[best] else Area.OTHER


NARROWEST_FIRST = (
    *(Area.BILLING_DOCS, Area.INTEGRATION, Area.PLATE_RECOGNITION, Area.MOBILE_KEY, Area.APP_LOGIN),
    *(Area.WEB_ADMIN, Area.TRUSTED_PERSONS, Area.OBJECTS, Area.CONTROLLER_HW, Area.BARRIER_GATE),
    *(Area.PASSES, Area.MOBILE_APP, Area.OTHER),
)
"""Of equal scores the narrower subject wins."""


def _scores(clause: Clause) -> dict[Area, float]:
    """Each word counts once for an area, at its best weight."""
    best: dict[tuple[Area, int], float] = {}
    for hit in clause.hits:
        if not hit.family.startswith("area:"):
            continue
        _, code, weight = hit.family.split(":")
        place = (Area(code), hit.first)
        best[place] = max(best.get(place, 0.0), WEIGHTS[weight])
    scores: dict[Area, float] = {}
    for (area, _), score in best.items():
        scores[area] = scores.get(area, 0.0) + score
    return scores
