"""Which steps of the alert ladder stand now, for whom, and how they read (sla.md 4).

A step is said once per cycle and receiver; the key tells which. Off the desk's hours
only emergencies speak. What passed while nobody could speak comes as a line of a summary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from hashlib import sha256
from typing import TYPE_CHECKING

from app import words
from app.deadlines import EXTENSION_ASKED
from app.model import (
    DONE_STATES,
    VOID_STATES,
    ClockName,
    Lane,
    Ledger,
    Message,
    MessageKind,
    OutcomeWord,
    SlaState,
    State,
    Ticket,
    TicketClass,
)
from app.stamping import UNSTAMPED_STATES, clocks, first_reply_at, missed_since

if TYPE_CHECKING:
    from app.rules import Rules

PATIENCE = timedelta(minutes=10)
"""A step older than this was held back or missed: it goes into a summary."""

BOTH_ARE_TOLD_FROM = 0.9
"""Share of the solution's term from which the head is told beside the agent (domain.md 6)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder that has been reached."""

    name: str  # announce, reply_warn_67, solve_breach, repeat_breach …
    at: datetime
    text: str
    people: tuple[int, ...]
    chat: bool = False
    always: bool = False  # speaks at any hour
    replaces: bool = False  # one notice per ticket: a newer one takes its place


@dataclass(frozen=True, slots=True)
class Alerts:
    """What to say now, and when the ladder next has something to say."""

    messages: tuple[Message, ...]
    standing: frozenset[str]  # keys that may be said; anything else still queued is withdrawn
    next_at: datetime | None


CardUrl = Callable[[Ticket], str]


def marker(key: str) -> str:
    """A harmless end of the card's link by which a message is found again in its dialog."""
    return f"#sla-{sha256(key.encode()).hexdigest()[:10]}"


@dataclass(frozen=True, slots=True)
class Audience:
    """What alerts need to know beside the ticket and the rules."""

    said: frozenset[str]  # keys of messages already queued or sent
    name_of: Callable[[int | None], str]
    card_url: CardUrl
    page_url: CardUrl  # our page about it; "" where the service has no public address
    first_seen_at: datetime  # when this ticket was first read
    gap: tuple[datetime, datetime] | None = None  # what we said in between is forgotten (jobs/notice.py)


def alerts(ticket: Ticket, rules: Rules, audience: Audience, now: datetime) -> Alerts:
    """The messages of this ticket's ladder that are due and unsaid."""
    if not ticket.counted or ticket.state in UNSTAMPED_STATES:
        return Alerts((), frozenset(), None)
    ladder = _Ladder(ticket, rules, audience, now)
    messages = tuple(ladder.messages())
    standing = frozenset(message.key for message in messages) | frozenset(ladder.standing_keys())
    return Alerts(messages, standing, ladder.next_at())


class _Ladder:
    def __init__(self, ticket: Ticket, rules: Rules, audience: Audience, now: datetime) -> None:
        self.ticket, self.rules, self.audience, self.now = ticket, rules, audience, now
        self.cycle = ticket.now_cycle
        self.zone: tzinfo = rules.desk.zone
        self.emergency = ticket.value is TicketClass.EMERGENCY
        self.steps = tuple(self._standing())

    # -- which steps stand --

    def _standing(self) -> Iterator[Step]:
        if self._is_over():
            return
        yield from self._announcement()
        for clock in clocks(self.cycle):
            if clock.waived or clock.due_at is None:
                continue
            yield from self._breach(clock)
            yield from self._warning(clock)
        yield from self._unassigned()
        yield from self._requests()

    def _is_over(self) -> bool:
        return not self.ticket.open or self.ticket.value is TicketClass.NOT_TICKET

    def _announcement(self) -> Iterator[Step]:
        terms = self.rules.classes.get(self.ticket.value)
        answered = self.cycle.reply.met_at is not None
        if terms is None or not terms.announce or answered or self.cycle.solution.paused:
            return
        at = self.cycle.reply.anchor_at
        duty = () if self.rules.calendar.is_open(self.now) else self.rules.people.duty
        text = f"🔴 {words.CLASS[self.ticket.value]} обращение, {self._due(self.cycle.reply, 'ответ до')}"
        yield Step(
            "announce", at, text, (self._agent(), self.rules.people.head, *duty), chat=True, always=True
        )

    def _warning(self, clock: Ledger) -> Iterator[Step]:
        if not clock.running or clock.paused or clock.outcome is not None:
            return
        reached = [(share, at) for share, at in clock.warn_at if at <= self.now]
        if not reached:
            return
        share, at = max(reached)
        to_head = clock.clock is ClockName.SOLUTION and share >= BOTH_ARE_TOLD_FROM
        people = (self._agent(), self.rules.people.head) if to_head else (self._agent(),)
        left = self._length(clock, self.now, clock.due_at)
        text = f"🟠 {words.CLOCK[clock.clock]}: осталось {left}, {self._due(clock, 'срок')}"
        yield Step(f"{_short(clock)}_warn_{round(share * 100)}", at, text, people, replaces=True)

    def _breach(self, clock: Ledger) -> Iterator[Step]:
        if clock.outcome is not OutcomeWord.BREACHED or clock.outcome_at is None or clock.paused:
            return
        at = clock.outcome_at
        if self._is_left_to_digest(at):
            return
        name = "ответа" if clock.clock is ClockName.REPLY else "решения"
        if clock.met_at is not None:
            late = self._length(clock, at, clock.met_at)
            text = f"🔴 Нарушен срок {name}: на {late}"
            yield Step(f"{_short(clock)}_breach", at, text, (self.rules.people.head,), chat=True)
            return
        if missed_since(clock) is None:
            return
        text = f"🔴 Нарушен срок {name}: просрочено с {words.moment_short(at, self.zone)}"
        yield Step(f"{_short(clock)}_breach", at, text, (self.rules.people.head,), chat=True)
        yield from self._reminders(clock, at)

    def _reminders(self, clock: Ledger, breached_at: datetime) -> Iterator[Step]:
        calendar = self.rules.calendars[clock.calendar]
        again = self.rules.alerts.repeat_breach["emergency" if self.emergency else "other"]
        late = self._length(clock, breached_at, self.now)
        since = words.moment_short(breached_at, self.zone)
        text = f"🔴 {words.CLOCK[clock.clock]}: просрочено на {late}, с {since}"
        repeat_at = calendar.add(breached_at, again)
        if repeat_at <= self.now:
            yield Step(f"{_short(clock)}_breach_again", repeat_at, text, (self.rules.people.head,))
        director_at = calendar.add(breached_at, self.rules.alerts.director_after)
        if self.emergency and director_at <= self.now:
            yield Step(f"{_short(clock)}_director", director_at, text, (self.rules.people.director,))

    def _unassigned(self) -> Iterator[Step]:
        if self.ticket.agent is not None:
            return
        at = self._unassigned_at()
        if at is not None and at <= self.now:
            calendar = self.rules.calendar
            length = calendar.between(self.cycle.started_at, self.now)
            waited = words.work_length(length, calendar.hours_per_day)
            yield Step("unassigned", at, f"🟠 Нет ответственного уже {waited}", (self.rules.people.head,))

    def _requests(self) -> Iterator[Step]:
        """A deadline moved by somebody who may not: the head decides (contract.md 5)."""
        for note in self.ticket.notes:
            if note.startswith(EXTENSION_ASKED):
                wished = datetime.fromisoformat(note.removeprefix(EXTENSION_ASKED))
                text = f"🟠 Просят перенести срок решения на {words.moment_short(wished, self.zone)}"
                yield Step(f"asked_{wished:%Y%m%dT%H%M}", self.now, text, (self.rules.people.head,))

    def _unassigned_at(self) -> datetime | None:
        wait = self.rules.alerts.unassigned["emergency" if self.emergency else "other"]
        terms = self.rules.classes.get(self.ticket.value)
        if terms is None:
            return None
        calendar = self.rules.calendars.get(self.cycle.reply.calendar, terms.calendar)  # a policy's own
        return calendar.add(self.cycle.started_at, wait)

    # -- what to say --

    def messages(self) -> Iterator[Message]:
        fresh = [step for step in self.steps if self._may_speak(step)]
        for step in fresh:
            for person in dict.fromkeys(person for person in step.people if person):
                yield from self._to_person(step, person)
        yield from self._to_chat([step for step in fresh if step.chat])

    def _may_speak(self, step: Step) -> bool:
        if self._is_forgotten(step):
            return False
        quiet = not self.rules.calendar.is_open(self.now)
        if quiet and not (self.emergency or step.always):
            return False
        if step.name == "announce":
            return True
        return not self._is_left_to_digest(step.at)

    def _is_forgotten(self, step: Step) -> bool:
        """It came due while a service was at work whose memory a restored copy does not hold: it was said."""
        gap = self.audience.gap
        return gap is not None and gap[0] < step.at <= gap[1]

    def _is_left_to_digest(self, at: datetime) -> bool:
        """More than a working day had passed when this ticket was first seen (sla.md 4)."""
        return self.rules.calendar.between(at, self.audience.first_seen_at) > words.WORKDAY

    def _to_person(self, step: Step, person: int) -> Iterator[Message]:
        if self._key(step, str(person)) not in self.audience.said:
            kind = MessageKind.SUMMARY if self._is_late(step) else MessageKind.NOTICE
            yield self._message(step, str(person), kind)

    def _to_chat(self, steps: list[Step]) -> Iterator[Message]:
        """Late steps as lines of a summary; the others in the ticket's one message, edited as it changes."""
        chat = self.rules.chats.alerts
        if not chat:
            return
        new = [step for step in steps if self._key(step, chat) not in self.audience.said]
        for step in new:
            if self._is_late(step):
                yield self._message(step, chat, MessageKind.SUMMARY)
        spoken = tuple(self._key(step, chat) for step in new if not self._is_late(step))
        if spoken or self._card_key() in self.audience.said:
            text = self._card_text()
            key = self._card_key()
            yield Message(key, MessageKind.CHAT_CARD, chat, text, self.ticket.ref, Lane.URGENT, covers=spoken)

    def _message(self, step: Step, receiver: str, kind: MessageKind) -> Message:
        tag = f"b24sla|{self.ticket.ref}" + ("" if step.replaces else f"|{self.cycle.number}|{step.name}")
        key = self._key(step, receiver)
        return Message(key, kind, receiver, self._text(step, key), self.ticket.ref, Lane.URGENT, tag)

    def _is_late(self, step: Step) -> bool:
        return step.name != "announce" and self.now - step.at > PATIENCE

    def standing_keys(self) -> Iterator[str]:
        for step in self.steps:
            yield from (self._key(step, str(person)) for person in step.people)
            yield self._key(step, self.rules.chats.alerts)
        yield self._card_key()

    # -- when to look again --

    def next_at(self) -> datetime | None:
        moments = list(self._coming())
        if self._held():
            moments.append(self.rules.calendar.next_open(self.now))
        return min((at for at in moments if at > self.now), default=None)

    def _coming(self) -> Iterator[datetime]:
        if self._is_over():
            return
        if self.ticket.agent is None and (at := self._unassigned_at()) is not None:
            yield at
        for clock in clocks(self.cycle):
            if missed_at := missed_since(clock):
                calendar = self.rules.calendars[clock.calendar]
                again = self.rules.alerts.repeat_breach["emergency" if self.emergency else "other"]
                yield calendar.add(missed_at, again)
                if self.emergency:
                    yield calendar.add(missed_at, self.rules.alerts.director_after)

    def _held(self) -> bool:
        return any(not self._may_speak(step) and not self._is_forgotten(step) for step in self.steps)

    # -- wording --

    def _text(self, step: Step, key: str) -> str:
        return f"{step.text}\n{self._headline(key)}"

    def _headline(self, key: str) -> str:
        title = words.quoted_title(self.ticket.title)
        url = self.audience.card_url(self.ticket) + marker(key)
        page = self.audience.page_url(self.ticket)
        why = f" [url={page}]почему[/url]" if page else ""
        return f"[url={url}]№{self.ticket.ref.id}[/url] {title}{self._who()}{why}"

    def _who(self) -> str:
        name = self.audience.name_of(self.ticket.agent)
        return f", {words.plain(name)}" if name else ", без ответственного"

    def _card_text(self) -> str:
        """The message in the alerts chat, as the ticket stands now. No running clocks in it."""
        lines = [step.text for step in self.steps if step.chat] or [self._calm_line()]
        reply = first_reply_at(self.cycle)
        if reply:
            lines.append(f"Первый ответ {words.moment_short(reply, self.zone)}")
        return "\n".join([self._headline(self._card_key()), *lines])

    def _calm_line(self) -> str:
        state = self.ticket.state
        if self.ticket.value is TicketClass.NOT_TICKET or state in VOID_STATES:
            return f"⚪ {words.STATE[state if state in VOID_STATES else State.NOT_TICKET]}"
        if state in DONE_STATES:
            late = self.ticket.sla_state is SlaState.BREACHED
            mark = "🔴 с опозданием" if late else "✅ в срок"
            ended_at = self.cycle.closed_at or self.cycle.solved_at
            when = f": {words.moment_short(ended_at, self.zone)}" if ended_at else ""
            return f"{words.STATE[state]}{when}, {mark}"
        if state in {State.WAITING_CLIENT, State.POSTPONED}:
            return f"⏸ {words.STATE[state]}"
        return f"🔵 {words.STATE[state]}, {self._due(self.cycle.solution, 'решение до')}"

    def _due(self, clock: Ledger, words_before: str) -> str:
        if clock.due_at is None:
            return "без срока"
        return f"{words_before} {words.moment_short(clock.due_at, self.zone, self._today())}"

    def _today(self) -> date:
        return self.rules.calendar.local(self.now).date()

    def _length(self, clock: Ledger, start: datetime, end: datetime | None) -> str:
        if end is None:
            return "0 мин"
        calendar = self.rules.calendars[clock.calendar]
        return words.work_length(calendar.between(start, end), calendar.hours_per_day)

    def _agent(self) -> int:
        return self.ticket.agent or 0

    def _key(self, step: Step, receiver: str) -> str:
        return f"{self.ticket.ref}/{self.cycle.number}/{step.name}/{receiver}"

    def _card_key(self) -> str:
        return f"{self.ticket.ref}/{self.cycle.number}/card"


def _short(clock: Ledger) -> str:
    return "reply" if clock.clock is ClockName.REPLY else "solve"
