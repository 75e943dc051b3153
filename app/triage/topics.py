"""Other topics of a text: what else is asked beside the matter that decided the class."""

from __future__ import annotations

from app.model import Area, TicketClass
from app.triage.areas import area_of
from app.triage.reading import Clause, Reading

ASKED = ("how", "may", "whether", "explain", "wish")
WANTED = ("action", "fails", "login_fail", "wrong")
TOPIC_SIGNS = 80
MOST = 3


def other_topics(reading: Reading, main: Clause | None, value: TicketClass, area: Area) -> str:
    """Sentences beside the main one, quoted and parted by «; »; empty when the text has one subject."""
    if main is None or value is TicketClass.NOT_TICKET:
        return ""
    others = [clause for clause in reading.clauses if clause is not main and _is_topic(clause, value, area)]
    return "; ".join(_short(clause.sentence.text) for clause in others[:MOST])


def _is_topic(clause: Clause, value: TicketClass, area: Area) -> bool:
    """A question beside a trouble, or anything that begins with «и ещё» or a number."""
    own = area_of(Reading((clause,)))
    if own is Area.OTHER or not clause.has(*ASKED, *WANTED):
        return False
    if clause.has("also") or clause.sentence.keys[0].isdigit():
        return True
    asks = clause.has("wish") or (clause.sentence.asks and clause.has(*ASKED) and not clause.has("fails"))
    return asks and (value is not TicketClass.CONSULTATION or own is not area)


def _short(text: str) -> str:
    line = " ".join(text.split()).strip(" .!,;—-")
    return line if len(line) <= TOPIC_SIGNS else line[: TOPIC_SIGNS - 1].rstrip() + "…"
