"""The classifier's word about a ticket: class, area, reason, other topics, whom it may need."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from app.model import Area, TicketClass, Verdict
from app.triage.areas import area_of
from app.triage.classes import NOT_OURS, consultation, denial, not_ticket, standard
from app.triage.emergencies import emergency, suspected
from app.triage.escalation import escalate_to
from app.triage.evidence import Evidence
from app.triage.phrases import is_command, is_thanks, spoken_text
from app.triage.reading import Reading, read
from app.triage.topics import other_topics

VERSION = "1"
SURE = 0.6
STRONG = 0.7  # an emergency that no advertisement explains away
NO_TICKET = 0.8  # losing a real ticket is worse than keeping spam
QUOTE_SIGNS = 60
NOTHING = Evidence(TicketClass.STANDARD, "S", "", 0.3)


def classify(texts: Sequence[str], channel: str) -> Verdict:
    """Judge the title and the texts of a ticket, in the order they were written.

    `channel` ("email", "call", "telegram" …): nobody advertises by way of a call that a person took down.
    """
    return _classified(tuple(texts), channel in ("call", "phone"))


@lru_cache(maxsize=2048)
def _classified(texts: tuple[str, ...], by_voice: bool) -> Verdict:
    spoken = [text for text in map(spoken_text, texts) if text]
    reading = read(spoken)
    if spoken and all(is_thanks(text) or is_command(text) for text in spoken):
        return _verdict(reading, Evidence(TicketClass.NOT_TICKET, "N", " ".join(spoken), 0.95))
    chosen = _chosen(reading, by_voice)
    return _verdict(reading, chosen)


def _chosen(reading: Reading, by_voice: bool) -> Evidence:
    """The most urgent class with evidence; a weak «no ticket» beats no other (domain.md 3.3)."""
    urgent, trouble, question = emergency(reading), standard(reading), consultation(reading)
    nothing = None if by_voice else not_ticket(reading)
    if nothing and nothing.weight >= NO_TICKET and not _is_our_trouble(reading, urgent):
        return nothing
    if urgent:
        return urgent
    if trouble and not _only_asks(trouble, question):
        return trouble
    return question or trouble or suspected(reading) or denial(reading) or NOTHING


def _is_our_trouble(reading: Reading, urgent: Evidence | None) -> bool:
    """A person in trouble with our product wrote this, whatever else stands in it."""
    broken = reading.has("own_product") and bool(reading.real("fails", "login_fail"))
    return broken or (urgent is not None and urgent.weight >= STRONG)


def _only_asks(trouble: Evidence, question: Evidence | None) -> bool:
    """A request or a doubt inside a question or a wish; what does not work is never only asked about."""
    if question is None or question.weight <= trouble.weight:
        return False
    return question.clause is trouble.clause or question.weight >= NOT_OURS


def _verdict(reading: Reading, chosen: Evidence) -> Verdict:
    area = Area.OTHER if chosen.value is TicketClass.NOT_TICKET else area_of(reading, chosen.clause)
    return Verdict(
        value=chosen.value,
        area=area,
        confidence=round(chosen.weight, 2),
        why=_reason(chosen),
        sure=chosen.weight >= SURE,
        other_topics=other_topics(reading, chosen.clause, chosen.value, area),
        escalate_to=escalate_to(reading, chosen.value, area),
        version=VERSION,
    )


def _reason(chosen: Evidence) -> str:
    """`E2: «не можем выехать»`; line ends and long quotes are shortened."""
    quote = " ".join(chosen.quote.split())
    if len(quote) > QUOTE_SIGNS:
        quote = quote[: QUOTE_SIGNS - 1].rstrip() + "…"
    return f"{chosen.rule}: «{quote}»" if quote else f"{chosen.rule}: ясных признаков нет"
