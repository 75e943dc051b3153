"""A ticket's facts, told as a story that the clocks understand (sla.md 2-3).

The same facts give the same story in whatever order they were found. A stage that
the rules do not know leaves the state as it was and is named in the notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.deadlines import extensions, postponements, waivers
from app.gaps import BORN_WITHIN, UNKNOWN_STAGE, gaps_of
from app.handing import handing_reasons, handings, level_answers
from app.learning import PEOPLES_CODES, field_order, is_kanban
from app.model import (
    DONE_STATES,
    URGENCY,
    Area,
    ClassChange,
    Fact,
    FactKind,
    ItemRef,
    Side,
    Spoken,
    State,
    StateChange,
    Story,
    TicketClass,
    Verdict,
)
from app.rules import Rules, Source
from app.sla.ledger import CALL_BEFORE_CARD
from app.triage import VERSION, classify
from app.triage.phrases import is_acknowledgement, is_automatic, is_thanks

CORRECTION_WINDOW = timedelta(minutes=10)
"""The classifier may change its mind this long after the start without it being a raise."""


@dataclass(frozen=True, slots=True)
class Telling:
    """A story and what the clocks do not need but the ticket shows."""

    story: Story
    fields: dict[str, str]
    verdict: Verdict  # the classifier's word that is in force
    class_by_person: bool
    classified: tuple[Fact, ...]  # the classifier's words that are new
    notes: tuple[str, ...]


def telling(
    facts: Sequence[Fact], rules: Rules, now: datetime, *, unreadable: bool = False
) -> Telling | None:
    """The story of these facts; None when the item never was in any source.

    `unreadable`: the channel's replies cannot be read, so the stage alone is trusted.
    """
    created_at = _created_at(facts)
    states, notes = _states(facts, rules, created_at)
    if not states:
        return None
    started_at = states[0].at
    fields = fields_at(facts)
    heard = _heard(facts, rules)
    calls_from = started_at - CALL_BEFORE_CARD if started_at <= created_at else started_at
    spoken = tuple(_spoken(heard, rules, started_at, calls_from))
    acts = [*_first_replies(spoken), *_acts(facts, states, rules)]
    classing = _Classing(facts, heard, started_at, min(acts, default=None), now)
    classes = classing.changes()
    story = Story(
        ref=facts[0].ref,
        started_at=started_at,
        states=states,
        classes=classes,
        spoken=spoken,
        extensions=tuple(extensions(facts, rules)),
        waived=tuple(waivers(facts, rules)),
        postponed_until=tuple(postponements(facts)),
        silent_channel=unreadable,
        handings=tuple(handings(facts)),
        handing_reasons=tuple(handing_reasons(facts)),
        level_answers=tuple(level_answers(facts, rules)),
    )
    return Telling(
        story,
        fields,
        classing.verdict_now,
        classes[-1].by_person,
        tuple(classing.new),
        (*notes, *gaps_of(facts, created_at)),
    )


def fields_at(facts: Sequence[Fact], at: datetime | None = None) -> dict[str, str]:
    """Field code → value, as it was at `at` (or now)."""
    ordered = sorted((f for f in facts if f.kind is FactKind.FIELD), key=field_order)
    return {f.value["code"]: f.value["value"] for f in ordered if at is None or f.happened_at <= at}


def _created_at(facts: Sequence[Fact]) -> datetime:
    created = [fact.happened_at for fact in facts if fact.kind is FactKind.CREATED]
    return min(created or [fact.happened_at for fact in facts])


# --- states ------------------------------------------------------------------------------


def _states(
    facts: Sequence[Fact], rules: Rules, created_at: datetime
) -> tuple[tuple[StateChange, ...], tuple[str, ...]]:
    ref, group = facts[0].ref, _number(fields_at(facts).get("group", ""))
    category = _number(fields_at(facts).get("category", ""))
    found: list[StateChange] = []
    notes: list[str] = []
    finished = False  # a task, by its status: where it is put in the kanban then opens nothing again
    for at, stage, row_category, actor in _stage_rows(facts, created_at, category):
        source = rules.source_for(ref.kind, ref.entity_type, row_category, group)
        state = _state(source, stage, found, notes)
        if not is_kanban(stage):
            finished = state in DONE_STATES
        elif finished and state not in DONE_STATES:
            continue
        if state is not None and (not found or found[-1].state is not state):
            found.append(StateChange(at, state, actor))
    return tuple(_with_absences(found, facts)), tuple(dict.fromkeys(notes))


StageRow = tuple[datetime, str, int | None, int | None]
UNTOLD = ""
"""The stage of a beginning that the history does not tell."""


def _stage_rows(facts: Sequence[Fact], created_at: datetime, category: int | None) -> list[StageRow]:
    rows: list[StageRow] = []
    for fact in _ordered(facts, FactKind.STAGE):
        own = fact.value.get("category")
        rows.append((fact.happened_at, fact.value["stage"], category if own is None else own, fact.actor))
    return _from_birth(rows, created_at)


def _from_birth(rows: list[StageRow], created_at: datetime) -> list[StageRow]:
    """The first row and the item are born together, though the portal may write one a second later.

    Where the first row is missing, the ticket was new from its creation: in whichever funnel the
    first row that is known tells of.
    """
    if not rows or rows[0][0] <= created_at:
        return rows
    (at, stage, category, actor), *rest = rows
    if at - created_at <= BORN_WITHIN:
        return [(created_at, stage, category, actor), *rest]
    return [(created_at, UNTOLD, category, None), *rows]


def _state(source: Source | None, stage: str, found: Sequence[StateChange], notes: list[str]) -> State | None:
    if source is None:
        return State.LEFT if found else None
    if stage == UNTOLD:
        return State.NEW
    state = source.stages.get(stage)
    if state is not None:
        return state
    if is_kanban(stage) and not any(map(is_kanban, source.stages)):
        return None  # a project whose kanban the rules do not use
    notes.append(f"{UNKNOWN_STAGE}{stage}")
    standing = found[-1].state if found else State.NEW
    return State.IN_PROGRESS if standing is State.LEFT else standing


def _with_absences(changes: Sequence[StateChange], facts: Sequence[Fact]) -> Iterator[StateChange]:
    """Deleted while it was gone; back again in the state in which its stages then left it."""
    absences = [(fact.happened_at, fact.kind) for fact in _ordered(facts, FactKind.GONE, FactKind.RETURNED)]
    steps: list[tuple[datetime, StateChange | FactKind]] = [(change.at, change) for change in changes]
    standing: StateChange | None = None
    gone = False
    for at, step in sorted([*steps, *absences], key=lambda row: row[0]):
        if isinstance(step, StateChange):
            standing = step
        else:
            gone = step is FactKind.GONE
        if standing is None:
            continue
        if not isinstance(step, StateChange):
            yield StateChange(at, State.DELETED if gone else standing.state)
        elif not gone:
            yield step


def _ordered(facts: Sequence[Fact], *kinds: FactKind) -> list[Fact]:
    chosen = [fact for fact in facts if fact.kind in kinds]
    return sorted(chosen, key=lambda f: (f.happened_at, _row_number(f.key), f.key, f.kind))


def _row_number(key: str) -> int:
    """Its place within a second: where a task began (`new`) stands before the rows of its log."""
    if key.startswith("new"):
        return 0
    tail = key.rpartition(":")[2]
    return int(tail) if tail.isdigit() else 1 << 62


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdigit() else None


# --- who spoke ---------------------------------------------------------------------------


def _heard(facts: Sequence[Fact], rules: Rules) -> list[Fact]:
    """What people said to each other: nobody's words and automatic ones left out.

    A client's letter that opens the talk is never automatic: it may quote such a text (sla.md 2).
    """
    talk = [f for f in _ordered(facts, FactKind.UTTERANCE) if f.value["side"] != Side.NOBODY]
    opening = talk[:1] if talk and talk[0].value["side"] == Side.CLIENT else []
    rest = [f for f in talk[len(opening) :] if not is_automatic(_text(f), rules.phrases.automatic)]
    return [*opening, *rest]


def _text(fact: Fact) -> str:
    return str(fact.value.get("text", ""))


def _spoken(
    heard: Sequence[Fact], rules: Rules, started_at: datetime, calls_from: datetime
) -> Iterator[Spoken]:
    """Our words before the start belong to another life, save a call: a card is made while it lasts."""
    for fact in heard:
        side = Side(fact.value["side"])
        since = calls_from if fact.value.get("channel") == "call" else started_at
        if side is Side.CLIENT or fact.happened_at >= since:
            yield _one_spoken(fact, side, _text(fact), rules)


def _one_spoken(fact: Fact, side: Side, text: str, rules: Rules) -> Spoken:
    ours = side is Side.OURS
    return Spoken(
        at=fact.happened_at,
        side=side,
        call=fact.value.get("channel") == "call",
        acknowledgement=ours and is_acknowledgement(text, rules.phrases.acknowledgements),
        thanks=not ours and is_thanks(text, rules.phrases.thanks),
        author=fact.actor,
    )


def _first_replies(spoken: Sequence[Spoken]) -> list[datetime]:
    return [said.at for said in spoken if said.side is Side.OURS][:1]


def _acts(facts: Sequence[Fact], states: Sequence[StateChange], rules: Rules) -> Iterator[datetime]:
    """When people took the ticket in hand: wrote a field of theirs, or moved it on.

    Who moved a card of the CRM the portal does not tell: it counts as a person (sla.md 2).
    """
    yield from (f.happened_at for f in facts if f.kind is FactKind.FIELD and f.value["code"] in PEOPLES_CODES)
    yield from (change.at for change in states[1:] if change.actor not in rules.people.robots)


# --- class -------------------------------------------------------------------------------


class _Classing:
    """Who set which class when: the classifier by the texts as they came, people by the card."""

    def __init__(
        self,
        facts: Sequence[Fact],
        heard: Sequence[Fact],
        started_at: datetime,
        quiet_at: datetime | None,
        now: datetime,
    ) -> None:
        self._facts, self._heard, self._started_at, self._now = facts, heard, started_at, now
        self._quiet_at = quiet_at  # from here on the classifier has no word
        self._ref: ItemRef = facts[0].ref
        self._channel = fields_at(facts).get("channel", "")
        self._known = {f.key: f for f in facts if f.kind is FactKind.CLASSIFIED}
        self._people = _people_classes(facts)
        self.new: list[Fact] = []
        self.verdict_now = _NO_TEXT

    def changes(self) -> tuple[ClassChange, ...]:
        changes = list(self._automatic())
        for at, value, actor in self._people:
            chosen = value or self.verdict_now.value
            early = not value and at <= self._started_at + CORRECTION_WINDOW
            changes.append(ClassChange(at, chosen, value is not None, early, actor))
        return _tidy(changes, self._started_at)

    def _automatic(self) -> Iterator[ClassChange]:
        first = "\n".join(self._card_texts())
        self.verdict_now = self._verdict("start", self._started_at, [first])
        yield ClassChange(self._started_at, self.verdict_now.value, by_person=False, correction=True)
        texts = [first]
        for at, key, text in self._later_texts():
            texts.append(text)
            # The number tells this verdict from one given before an earlier text was found.
            verdict = self._verdict(f"text:{key}/{len(texts)}", at, texts)
            early = at <= self._started_at + CORRECTION_WINDOW
            if early or self._outweighs(verdict):
                self.verdict_now = verdict
                yield ClassChange(at, verdict.value, by_person=False, correction=early)

    def _outweighs(self, verdict: Verdict) -> bool:
        """Later than a correction a class that was sure is not lowered without a person (domain.md 3)."""
        lower = URGENCY[verdict.value] < URGENCY[self.verdict_now.value]
        return not (lower and self.verdict_now.sure)

    def _later_texts(self) -> list[tuple[datetime, str, str]]:
        """(when, key, text) of what came after the card, while the classifier still has a word."""
        said = [f for f in self._heard if f.value["side"] == Side.CLIENT and _text(f).strip()]
        written = [f for f in self._facts if f.kind is FactKind.FIELD and self._is_text(f)]
        rows = [
            (fact.happened_at, fact.key, _text(fact) or str(fact.value.get("value", "")))
            for fact in _ordered([*said, *written], FactKind.FIELD, FactKind.UTTERANCE)
        ]
        return [row for row in rows if self._quiet_at is None or row[0] < self._quiet_at]

    def _card_texts(self) -> list[str]:
        fields = fields_at(self._facts, self._started_at)
        return [text for text in (fields.get("title", ""), fields.get("text", "")) if text]

    def _is_text(self, fact: Fact) -> bool:
        new_text = fact.value["code"] in {"title", "text"} and fact.happened_at > self._started_at
        return new_text and bool(fact.value["value"].strip())

    def _verdict(self, key: str, at: datetime, texts: Sequence[str]) -> Verdict:
        known = self._known.get(key)
        if known is not None:
            return _verdict_from(known)
        verdict = classify([text for text in texts if text.strip()], self._channel)
        self.new.append(_classified(self._ref, key, at, self._now, verdict))
        return verdict


_NO_TEXT = Verdict(TicketClass.STANDARD, Area.OTHER, 0.0, "", sure=False, version=VERSION)


def _people_classes(facts: Sequence[Fact]) -> list[tuple[datetime, TicketClass | None, int | None]]:
    """(when, class or None for emptied, who) as people set it on the card."""
    rows = sorted(
        (f for f in facts if f.kind is FactKind.FIELD and f.value["code"] == "SLA_CLASS"), key=field_order
    )
    return [(f.happened_at, _class_of(f.value["value"]), f.actor) for f in rows]


def _class_of(text: str) -> TicketClass | None:
    return TicketClass(text) if text in set(TicketClass) else None


def _tidy(changes: list[ClassChange], started_at: datetime) -> tuple[ClassChange, ...]:
    """In order of time, nothing before the start, no change that changes nothing."""
    tidy: list[ClassChange] = []
    for change in sorted(changes, key=lambda c: max(c.at, started_at)):
        same = bool(tidy) and tidy[-1].value is change.value and tidy[-1].by_person == change.by_person
        if not same:
            tidy.append(change)
    return tuple(tidy)


def _classified(ref: ItemRef, key: str, at: datetime, now: datetime, verdict: Verdict) -> Fact:
    value = {
        "class": verdict.value.value,
        "area": verdict.area.value,
        "confidence": verdict.confidence,
        "why": verdict.why,
        "sure": verdict.sure,
        "other_topics": verdict.other_topics,
        "escalate_to": verdict.escalate_to,
        "version": verdict.version,
    }
    return Fact(ref, FactKind.CLASSIFIED, key, at, now, None, value)


def _verdict_from(fact: Fact) -> Verdict:
    value = fact.value
    return Verdict(
        TicketClass(value["class"]),
        Area(value["area"]),
        float(value["confidence"]),
        value["why"],
        bool(value["sure"]),
        value["other_topics"],
        value["escalate_to"],
        value["version"],
    )
