"""Random lives in random order of discovery: what is late, doubled or out of order changes no clock.

A person plays with the portal (moves the card, writes, calls, changes the class, the deadline, the
date of return) while the service reads when it likes; some words are bound to the card long after
they were said, so a reading shows them late. After every reading the ticket must be what the oracle
of minutes makes of that much knowledge, and at the end what it makes of the whole truth.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from app.decision import fold
from app.model import Cycle, Fact, Gone, Move, Reading, Side, State, TicketClass, Utterance
from app.pinning import judging
from tests.lives import AGENT, DEAL, HEAD, ROBOT, Desk, card
from tests.sla.minutes import Happening, Life, instant_of, minute_of
from tests.sla.oracle import told
from tests.sla.test_lives import START, USUAL, as_told

EXAMPLES = int(os.environ.get("B24SLA_EXAMPLES", "40"))
STAGES = {
    "NEW": State.NEW,
    "PREPARATION": State.IN_PROGRESS,
    "WAIT": State.WAITING_CLIENT,
    "HOLD": State.POSTPONED,
    "DEV": State.ESCALATED,
    "SOLVED": State.RESOLVED,
    "WON": State.CLOSED_CONFIRMED,
    "NOCONF": State.CLOSED_UNCONFIRMED,
    "DOUBLE": State.DUPLICATE,
    "SPAM": State.NOT_TICKET,
}
OFTEN = ["PREPARATION", "WAIT", "WAIT", "HOLD", "SOLVED", "WON"]
WORDS = {
    "answer": (Side.OURS, "Проверили настройки и отправили код ещё раз, посмотрите, пожалуйста."),
    "receipt": (Side.OURS, "Приняли в работу"),
    "question": (Side.CLIENT, "Житель не получает код для входа в приложение, пробовал три раза."),
    "thanks": (Side.CLIENT, "Спасибо большое!"),
    "robot": (Side.OURS, "Ваше обращение зарегистрировано, ожидайте."),
    "call": (Side.OURS, ""),
}


class Word(NamedTuple):
    at: int
    shown_at: int
    number: int
    kind: str


class Field(NamedTuple):
    at: int
    code: str
    value: str
    by: int


def stamp(minute: int) -> str:
    return f"{instant_of(minute).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class Discovery(RuleBasedStateMachine):
    """The portal's truth, the service's readings, and what the oracle should know of both."""

    @initialize()
    def begin(self) -> None:
        self.now = START
        self.moves: list[tuple[int, str, int]] = [(START, "NEW", ROBOT)]
        self.words: list[Word] = []
        self.fields: list[Field] = []
        self.heeded: list[Happening] = []  # changes of fields, as the readings could tell them
        self.absences: list[tuple[int, int | None]] = []  # when the card was seen to be gone, and back
        self.desk = Desk()
        self.seen_at = START  # the last time that the card was seen
        self.read_at: list[tuple[int, tuple[Cycle, ...]]] = []

    # --- what people do ------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 15, 60, 240, 540, 24 * 60, 3 * 24 * 60, 7 * 24 * 60 + 1]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes

    @rule(stage=st.sampled_from([*STAGES, *OFTEN, *OFTEN]))
    def moves_the_card(self, stage: str) -> None:
        if self.moves[-1][1] != stage:
            self.now += 1
            self.moves.append((self.now, stage, AGENT))

    @rule(kind=st.sampled_from([*WORDS]), late=st.sampled_from([0, 0, 5, 90, 2000]))
    def somebody_speaks(self, kind: str, late: int) -> None:
        self.now += 1
        self.words.append(Word(self.now, self.now + late, len(self.words) + 1, kind))

    @rule(value=st.sampled_from([*USUAL, TicketClass.NOT_TICKET]))
    def somebody_sets_the_class(self, value: TicketClass) -> None:
        self._writes("SLA_CLASS", value.value, AGENT)

    @rule(hours=st.integers(-2, 90), by=st.sampled_from([HEAD, HEAD, AGENT]))
    def somebody_moves_the_deadline(self, hours: int, by: int) -> None:
        self._writes("SLA_SOLVE_DUE", stamp(self.now + hours * 60 + 1), by)

    @rule(hours=st.none() | st.integers(-2, 90))
    def somebody_dates_the_return(self, hours: int | None) -> None:
        self._writes("SLA_PAUSE_UNTIL", "" if hours is None else stamp(self.now + hours * 60 + 1), AGENT)

    def _writes(self, code: str, value: str, by: int) -> None:
        self.now += 1
        self.fields.append(Field(self.now, code, value, by))

    # --- what the service does -----------------------------------------------------------

    @rule()
    def reads(self) -> None:
        if self._is_gone():
            self.now += 1
            self.absences[-1] = (self.absences[-1][0], self.now)
        self._hear_of_fields()
        self.seen_at = self.now
        self._decide_on(self._reading(self.now))

    @precondition(lambda self: self.read_at and not self._is_gone())
    @rule()
    def finds_it_gone(self) -> None:
        """For a while the service may not see the card, or somebody puts it into the bin and takes it out."""
        self.now += 1
        self.absences.append((self.now, None))
        self._decide_on(Gone(DEAL, instant_of(self.now)))

    def _is_gone(self) -> bool:
        return bool(self.absences) and self.absences[-1][1] is None

    def _decide_on(self, shown: Reading | Gone) -> None:
        decision = self.desk.reads(shown)
        assert [as_told(cycle) for cycle in decision.ticket.cycles] == told(self._known(), self.now)
        self.read_at.append((self.now, decision.ticket.cycles))

    @precondition(lambda self: self.read_at)
    @rule()
    def reads_the_same_again(self) -> None:
        self.reads()
        known = len(self.desk.facts)
        self.reads()
        assert len(self.desk.facts) == known

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        self.now = max([self.now, *(word.shown_at for word in self.words)]) + 1
        self.reads()
        self._whatever_order_the_facts_stand_in()
        self._as_it_was_known()

    def _whatever_order_the_facts_stand_in(self) -> None:
        facts = list(self.desk.facts)
        random.Random(len(facts)).shuffle(facts)
        assert self._folded(facts, self.now) == self.read_at[-1][1]

    def _as_it_was_known(self) -> None:
        for now, cycles in self.read_at:
            known = [fact for fact in self.desk.facts if fact.recorded_at <= instant_of(now)]
            assert self._folded(known, now) == cycles

    def _folded(self, facts: Sequence[Fact], now: int) -> tuple[Cycle, ...]:
        found = fold(facts, judging(facts, self.desk.rules), instant_of(now))
        assert found is not None
        return found.ticket.cycles

    # --- the portal's answer -------------------------------------------------------------

    def _reading(self, now: int) -> Reading:
        _, stage, _ = self.moves[-1]
        rows = [Move(str(n), instant_of(at), f"C3:{to}", 3) for n, (at, to, _) in enumerate(self.moves, 1)]
        shown = [word for word in self.words if word.shown_at <= now]
        changed_at, by = self._last_change()
        of = card(
            created="19.11 10:00",
            stage=f"C3:{stage}",
            modified_at=instant_of(changed_at),
            modified_by=by,
            sla=self._values(),
        )
        return Reading(DEAL, instant_of(now), of, tuple(rows), tuple(map(utterance, shown)))

    def _last_change(self) -> tuple[int, int]:
        """A field has no history: it changed when the card did, by whoever touched that last."""
        changes = [(at, by) for at, _, by in self.moves] + [(field.at, field.by) for field in self.fields]
        return max(changes, key=lambda change: change[0])

    def _values(self) -> dict[str, str]:
        return {field.code: field.value for field in self.fields}

    # --- what the oracle is told ---------------------------------------------------------

    def _hear_of_fields(self) -> None:
        """A reading shows a field's last value only, unless it is what stood there or what we wrote."""
        at, by = self._last_change()
        for code, value in self._values().items():
            stood, ours = self.desk.confirmed.get(code, ""), self.desk.wanted.get(code)
            unseen = not self.desk.facts
            if value == stood or (value == ours and not unseen):
                continue
            if code == "SLA_SOLVE_DUE" and (not ours or unseen):
                continue  # a deadline that stood there before our first stamp
            if code == "SLA_CLASS":
                self.heeded.append(Happening(at, "class", TicketClass(value)))
            elif code == "SLA_PAUSE_UNTIL":
                self.heeded.append(Happening(at, "until", minute(value)))
            elif by == HEAD:
                self.heeded.append(Happening(at, "extend", minute(value)))

    def _known(self) -> Life:
        spoken = [word for word in self.words if word.shown_at <= self.seen_at]
        happenings = [
            Happening(START, "class", TicketClass.STANDARD),
            *self._states(),
            *(heard for word in spoken for heard in happening(word)),
            *self.heeded,
        ]
        return Life(START, tuple(sorted(happenings, key=lambda each: each.at)), USUAL)

    def _states(self) -> Iterator[Happening]:
        """Where the card stood; while it was gone it stood nowhere, and then where it had been moved to."""
        for at, stage, _ in (move for move in self.moves if move[0] <= self.seen_at):
            if not any(gone <= at < (back or self.now + 1) for gone, back in self.absences):
                yield Happening(at, "state", STAGES[stage])
        for gone, back in self.absences:
            yield Happening(gone, "state", State.DELETED)
            if back is not None:
                stage = [stage for at, stage, _ in self.moves if at <= back][-1]
                yield Happening(back, "state", STAGES[stage])


def minute(text: str) -> int | None:
    from datetime import datetime

    return minute_of(datetime.fromisoformat(text)) if text else None


def utterance(word: Word) -> Utterance:
    side, text = WORDS[word.kind]
    channel = "call" if word.kind == "call" else "email"
    author = AGENT if side is Side.OURS else None
    return Utterance(f"activity:{word.number}", instant_of(word.at), side, channel, author, text)


def happening(word: Word) -> list[Happening]:
    side, _ = WORDS[word.kind]
    if word.kind == "robot":
        return []
    what = "ours" if side is Side.OURS else "client"
    return [Happening(word.at, what, None, word.kind in {"receipt", "thanks"}, word.kind == "call")]


Discovery.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=20)
test_lives_are_discovered_in_any_order = Discovery.TestCase
