"""A scripted quarter of a support department: lives full of everything, learned of in time or late.

Each life is a list of happenings, and each happening has two times: when it was, and from when on the
portal shows it. The road is the service's own (facts, decision, one transaction an item) on a real
database; only the portal is a few lines of Python, so that months pass in seconds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from app import deciding
from app.bitrix.portal import Portal
from app.clock import SetClock
from app.decision import Around, Known, decide
from app.desk import Desk, rule_book
from app.learning import UNSEEN, CardMemory, learned
from app.model import (
    Card,
    Decision,
    Fact,
    Gone,
    ItemRef,
    Kind,
    Message,
    Move,
    Person,
    Reading,
    Side,
    Utterance,
)
from app.pinning import composed, pins_of
from app.rules import Rules, load_rules
from app.settings import Settings
from app.store import facts as fact_store
from app.store import rules_log, stamps, tickets
from app.store.engine import Database
from tests.lives import MOSCOW

START = datetime(2026, 9, 1, tzinfo=MOSCOW)
DAYS = 91
SLOW = 0.38  # the chance that the portal shows a happening hours or days after it was
AGENTS, HEAD, ROBOT = (5, 6, 8), 7, 9
HOUR = timedelta(hours=1)
ASKS, ANSWERS = "Какая у вас модель телефона?", "Android 15, приложение обновил"
SOLUTION = "Код отправлен повторно, номер исправлен"
TEXTS = (
    "Житель не получает код для входа в приложение, пробовал три раза.",
    "Пожарная машина стоит у закрытых ворот, въехать не может.",
    "Как выдать гостевой пропуск на неделю?",
    "Не открывается шлагбаум на втором въезде, охрана открывает вручную.",
)
RULES = """
[desk]
since = "2026-09-01"
[[source]]
kind = "deal"
category = 3
[source.stages]
{stages}
[people]
head = 7
robots = [9]
[chats]
digest = "chat12"
"""
STAGES = {
    "NEW": "new", "WORK": "in_progress", "WAIT": "waiting_client", "HOLD": "postponed", "DEV": "escalated",
    "SOLVED": "resolved", "WON": "closed_confirmed", "LOSE": "closed_unconfirmed", "SPAM": "not_ticket",
}  # fmt: skip


def rules_of(folder: Path, name: str = "rules", more: str = "") -> Rules:
    stages = "\n".join(f'"C3:{stage}" = "{state}"' for stage, state in STAGES.items())
    (folder / f"{name}.toml").write_text(RULES.format(stages=stages) + more, "utf-8")
    return load_rules(folder / f"{name}.toml")


@dataclass(frozen=True, slots=True)
class Happening:
    """`what`: move, client, ours, field, sla, gone, hidden (an answer vanishes), blind (and seeing again)."""

    at: datetime
    shown_at: datetime
    what: str
    value: Any = None


@dataclass(slots=True)
class Life:
    """One deal."""

    number: int
    happenings: list[Happening] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)  # the card's SLA fields
    applied: int = 0  # people's changes of them that the card shows already

    @property
    def ref(self) -> ItemRef:
        return ItemRef(Kind.DEAL, self.number)

    @property
    def created_at(self) -> datetime:
        return self.happenings[0].at

    def moments(self) -> Iterator[datetime]:
        """When the portal has news of it."""
        yield from sorted({each.shown_at for each in self.happenings})

    def shown(self, now: datetime) -> list[Happening]:
        known = [each for each in self.happenings if each.shown_at <= now]
        return sorted(known, key=lambda each: each.at)

    def reading(self, now: datetime, written: Mapping[str, str]) -> Reading | Gone:
        """What the portal says of the card; `written` is what the service has put into it."""
        known = self.shown(now)
        if any(each.what == "gone" for each in known):
            return Gone(self.ref, now)
        self._hold(written, [each for each in known if each.what == "sla"])
        moves = [each for each in known if each.what == "move"]
        blind = [each.value for each in known if each.what == "blind"][-1:]
        return Reading(
            self.ref,
            now,
            self._card(known, moves[-1].value if moves else "NEW"),
            tuple(Move(str(n), each.at, f"C3:{each.value}", 3) for n, each in enumerate(moves, 1)),
            tuple(self._said(known)),
            notes=("openline_unread",) if blind == [True] else (),
        )

    def _hold(self, written: Mapping[str, str], wishes: list[Happening]) -> None:
        self.held |= written
        for wish in wishes[self.applied :]:
            self.held |= wish.value
        self.applied = max(self.applied, len(wishes))

    def _card(self, known: list[Happening], stage: str) -> Card:
        fields: dict[str, Any] = {"title": f"Обращение {self.number}", "assignee": None}
        for each in known:
            fields |= each.value if each.what == "field" else {}
        changed = [each.at for each in known if each.what in {"move", "field", "sla"}]
        return Card(
            ref=self.ref, stage=f"C3:{stage}", category=3, group=None, created_at=self.created_at,
            modified_at=max(changed, default=self.created_at), created_by=ROBOT, modified_by=HEAD,
            sla=dict(self.held), **fields,
        )  # fmt: skip

    def _said(self, known: list[Happening]) -> Iterator[Utterance]:
        hidden = {each.value for each in known if each.what == "hidden"}
        for number, each in enumerate(self.happenings):
            if each not in known or each.what not in {"client", "ours"} or number in hidden:
                continue
            side = Side.CLIENT if each.what == "client" else Side.OURS
            author = AGENTS[self.number % 3] if side is Side.OURS else None
            yield Utterance(f"activity:{self.number}{number:03}", each.at, side, "email", author, each.value)


def life_of(number: int, chance: random.Random) -> Life:
    """A ticket's life from its first letter to some end, or to none."""
    at = START + timedelta(days=chance.uniform(0, DAYS - 1))
    first = {"text": (chance.choice(TEXTS),), "client": f"contact:{number % 7}", "contact": str(number % 7)}
    agent = {"assignee": AGENTS[number % 3] if chance.random() < 0.8 else ROBOT}
    told = [_happening(at, "field", first | agent, chance), _happening(at, "move", "NEW", chance)]
    told[1] = replace(told[1], at=at, shown_at=told[0].shown_at)
    for what, value in _course(chance, number):
        at += timedelta(hours=min(chance.expovariate(1 / 40), 300))
        told.append(_happening(at, what, value, chance))
    return Life(number, told)


def _course(chance: random.Random, number: int) -> Iterator[tuple[str, Any]]:
    """What happens to a ticket, one after another; what people decide comes somewhere in between."""
    acts = [chance.choice(ACTS) for _ in range(chance.randint(1, 3))]
    for likely, decided in DECIDED:
        if chance.random() < likely:
            acts.insert(chance.randint(0, len(acts)), decided(chance))
    for act in [*acts, chance.choice(ENDS)]:
        yield from act
    if chance.random() < 0.1:
        yield "hidden", 3


Act = tuple[tuple[str, Any], ...]


def _class(chance: random.Random) -> Act:
    return (("sla", {"SLA_CLASS": chance.choice(("emergency", "standard", "consultation"))}),)


def _extension(chance: random.Random) -> Act:
    until = START.astimezone(UTC) + timedelta(days=chance.uniform(5, DAYS))
    return (("sla", {"SLA_SOLVE_DUE": f"{until:%Y-%m-%dT%H:%M:%SZ}", "SLA_EXT_REASON": "договорились"}),)


def _blindness(_: random.Random) -> Act:
    return (("blind", True), ("move", "WAIT"), ("blind", False))


DECIDED = ((0.5, _class), (0.2, _class), (0.2, _extension), (0.1, _blindness))
ACTS: tuple[Act, ...] = (
    (("ours", "Проверили, поправили настройки."), ("move", "WORK")),
    (("move", "WORK"), ("ours", ASKS), ("move", "WAIT"), ("client", ANSWERS), ("move", "WORK")),
    (("move", "HOLD"), ("sla", {"SLA_PAUSE_REASON": "ждём поставщика"}), ("move", "WORK")),
    (("move", "DEV"), ("field", {"assignee": HEAD}), ("ours", "Передали в разработку."), ("move", "WORK")),
    (("field", {"assignee": 6}), ("client", "Ну что там?"), ("ours", "Сделаем сегодня.")),
)
ENDS: tuple[Act, ...] = (
    (
        ("move", "SOLVED"),
        ("sla", {"SLA_SOLUTION": "Код отправлен повторно, номер исправлен"}),
        ("move", "WON"),
    ),
    (
        ("move", "SOLVED"),
        ("client", "Опять то же самое"),
        ("move", "WORK"),
        ("move", "SOLVED"),
        ("move", "LOSE"),
    ),
    (("move", "WON"), ("sla", {"SLA_CSAT": "5"})),
    (("move", "SOLVED"),),
    (("move", "SPAM"),),
    (("gone", None),),
    (),
)


def _happening(at: datetime, what: str, value: Any, chance: random.Random) -> Happening:
    slow = chance.random() < SLOW
    wait = timedelta(hours=chance.uniform(2, 200)) if slow else timedelta(minutes=chance.uniform(0.5, 9))
    return Happening(_grain(at), _grain(at + wait), what, value)


def _grain(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


@dataclass
class Chat:
    """The portal as far as a digest and a decision need it."""

    address: str = "https://portal.test"
    texts: list[str] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    def card_url(self, ref: ItemRef) -> str:
        return f"{self.address}/{ref}"

    async def say(self, message: Message) -> int:
        self.texts.append(message.text)
        return len(self.texts)

    async def upload(self, _chat: str, _name: str, content: bytes, _text: str) -> int:
        self.files.append(content)
        return len(self.files)

    async def find_said(self, _chat: str, _marker: str, *, since: datetime | None) -> int | None:  # noqa: ARG002
        return None


def desk_of(db: Database, rules: Rules) -> tuple[Desk, Chat]:
    chat = Chat()
    settings = Settings.read({"B24SLA_PORTAL_WEBHOOK": "https://portal.test/rest/1/secret/"})
    desk = Desk(settings, rules, db, SetClock(START.astimezone(UTC)), cast("Portal", chat))
    desk.people = {number: Person(number, f"Сотрудник {number}") for number in (*AGENTS, HEAD)}
    return desk, chat


async def read_one(desk: Desk, life: Life) -> None:
    """The service reads a card and decides it; what it writes into the card stands there at once."""
    clock = cast("SetClock", desk.clock)
    async with desk.db.begin() as conn:
        written = (await stamps.memory(conn, life.ref))[1]
        clock.advance(timedelta(milliseconds=1))
        assert await deciding.decide_and_save(conn, desk, life.reading(desk.now(), written))


@dataclass
class Shorthand:
    """The same road with what it knows in memory: a quarter's readings in a tenth of the statements."""

    desk: Desk
    decided: dict[ItemRef, Decision] = field(default_factory=dict)

    async def read(self, life: Life) -> None:
        desk, last = self.desk, self.decided.get(life.ref)
        async with desk.db.read() as conn:
            known = await fact_store.load(conn, life.ref)
        cast("SetClock", desk.clock).advance(timedelta(milliseconds=1))
        now, wanted = desk.now(), dict(last.stamp.wanted) if last and last.stamp else {}
        held = dict(life.held)
        shown = life.reading(now, wanted)
        pin = deciding._pin_of(desk, None, known, now)
        learnt = learned(shown, known, CardMemory(held | wanted, wanted) if known else UNSEEN)
        new = [replace(each, recorded_at=now) for each in learnt]
        new += deciding._ours(life.ref, known, pin, now)
        await self._decide([*known, *new], new, life.ref, pin.terms)

    async def _decide(self, known: list[Fact], new: list[Fact], ref: ItemRef, terms: str) -> None:
        desk = self.desk
        ordered = deciding._ordered(known)
        async with desk.db.begin() as conn:
            rules_of = await rule_book(conn, desk, {terms} | {pin.terms for pin in pins_of(ordered)})
            around = Around(desk.name_of, lambda _: "", lambda _: "", desk.now(), {}, rules_of=rules_of)
            rules = composed(rules_of(terms), desk.rules)
            decision = decide(ordered, Known(None, frozenset()), around, rules, desk.now())
            assert decision is not None
            await fact_store.add(conn, [*new, *decision.facts])
            await tickets.save(conn, decision.ticket, decision.outcomes, decision.tracks)
            await rules_log.pin(conn, desk.rules.version, desk.rules.text, desk.now())
        self.decided[ref] = decision


async def late_share(db: Database) -> float:
    """Of the facts that the portal dates itself, the share learned an hour or more after they happened."""
    async with db.read() as conn:
        known = await fact_store.recorded_since(conn, START)
        lives = await fact_store.load_many(conn, known)
    told = [fact for life in lives.values() for fact in life if fact.kind in {"stage", "utterance", "field"}]
    return sum(fact.recorded_at - fact.happened_at >= HOUR for fact in told) / len(told)
