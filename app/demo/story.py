"""A support day to watch: Tuesday 24.11.2026, from the first night call to the next morning's digest.

It only acts on the emulated portal, as clients and agents would; it knows nothing of the service.
Every ticket is a generator that yields the next instant at which something happens to it.
"""

from __future__ import annotations

import heapq
import json
import random
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from importlib.resources import files

from app.demo.portal import EmulatedPortal

MOSCOW = timezone(timedelta(hours=3))
DAY = datetime(2026, 11, 24, tzinfo=MOSCOW)
BEGIN_AT = DAY + timedelta(minutes=5)
END_AT = DAY + timedelta(days=1, hours=9, minutes=6)
OPENING, CLOSING = DAY + timedelta(hours=9), DAY + timedelta(hours=18)

STAGES = (
    ("NEW", "Новое", "P", "new"),
    ("WORK", "В работе", "P", "in_progress"),
    ("WAIT", "Ожидание ответа клиента", "P", "waiting_client"),
    ("HOLD", "Отложено", "P", "postponed"),
    ("DEV", "Эскалация", "P", "escalated"),
    ("VISIT", "Выезд инженера", "P", "engineer"),
    ("SOLVED", "Решено, ждёт подтверждения", "P", "resolved"),
    ("OK", "Закрыто с подтверждением", "S", "closed_confirmed"),
    ("NOCONF", "Закрыто без подтверждения", "F", "closed_unconfirmed"),
    ("DUP", "Дубль", "F", "duplicate"),
    ("SPAM", "Не обращение", "F", "not_ticket"),
)
TASK_STATUS = {"new": 2, "in_progress": 3, "resolved": 4, "closed_confirmed": 5, "postponed": 6}
KANBAN = {"waiting_client": "Ждём клиента", "escalated": "Эскалация"}
SERVICE = 9  # the emulated portal's integration user
AGENTS = ("Иванова Анна", "Петров Олег", "Смирнова Ольга", "Кузнецов Илья", "Орлова Вера")

Life = Generator[datetime, None, None]
Ticket = dict[str, object]


@dataclass(slots=True)
class Case:
    """One ticket where it stands in the portal: (entity type, id), or ("task", id)."""

    place: int | str
    id: int
    agent: int
    contact: int | None = None


@dataclass(slots=True)
class Office:
    """The department as the portal knows it, with the verbs of a support day."""

    portal: EmulatedPortal
    category: int
    entity_type: int
    type_id: int  # what the names of the smart process's own fields carry
    item_category: int
    group: int
    kanban: dict[str, int]
    head: int
    director: int
    duty: int
    service: int  # whose webhook the service uses: it can read a task's chat only as its auditor
    intake: int  # the robot that registers what comes by mail
    guest: int  # the extranet user behind the web form
    agents: tuple[int, ...]
    chat: str
    states: dict[str, str] = field(default_factory=lambda: {state: code for code, _, _, state in STAGES})

    def receive(self, ticket: Ticket, agent: int) -> Case:
        """A new ticket, as its channel brings it."""
        channel, title, text = (str(ticket[key]) for key in ("channel", "title", "description"))
        if channel in {"form", "crm"}:
            task = self.portal.add_task(
                title or _first_words(text), text, created_by=self.guest, responsible=agent,
                group=self.group, auditors=(self.service,),
            )  # fmt: skip
            return Case("task", task, agent)
        contact = self.portal.add_contact(f"Клиент {str(ticket['id'])[1:]}")
        if channel == "telegram":
            item = self.portal.add_item(
                self.entity_type, title or _first_words(text), category=self.item_category,
                by=self.intake, assigned=agent, contact=contact,
            )  # fmt: skip
            case = Case(self.entity_type, item, agent, contact)
        else:
            deal = self.portal.add_deal(
                title or "Без темы", category=self.category, by=self.intake, assigned=agent,
                contact=contact, source="EMAIL" if channel == "email" else "CALL",
            )  # fmt: skip
            case = Case(2, deal, agent, contact)
        self.client_says(case, text, subject=title)
        return case

    def client_says(self, case: Case, text: str, subject: str = "") -> None:
        if case.place == "task":
            self.portal.task_message(case.id, text, self.guest)
        else:
            self.portal.add_email((int(case.place), case.id), 1, subject, text, by=self.intake)

    def reply(self, case: Case, text: str, *, by_phone: bool = False) -> None:
        if case.place == "task":
            self.portal.task_message(case.id, text, case.agent)
        elif by_phone:
            self.portal.add_call((int(case.place), case.id), 2, case.agent)
        else:
            self.portal.add_email((int(case.place), case.id), 2, "Re: обращение", text, by=case.agent)

    def move(self, case: Case, state: str) -> None:
        """Put the card where an agent would put it."""
        if case.place != "task":
            self.portal.move(int(case.place), case.id, self.states[state], case.agent)
        elif state in self.kanban:
            self.portal.move_task(case.id, self.kanban[state], case.agent)
        else:
            self.portal.set_status(case.id, TASK_STATUS.get(state, 5), case.agent)

    def write(self, case: Case, **fields: object) -> None:
        """An agent fills SLA_* fields in the card."""
        if case.place == "task":
            values = {f"UF_{code}": value for code, value in fields.items()}
            self.portal.update_task(case.id, values, case.agent)
            return
        prefix = "UF_CRM_" if case.place == 2 else f"UF_CRM_{self.type_id}_"
        values = {prefix + code: value for code, value in fields.items()}
        self.portal.update_item(int(case.place), case.id, values, case.agent)

    def rules(self) -> str:
        """The rules file of this department, as an administrator would write it."""
        return "\n\n".join([_RULES_HEAD.format(office=self), *self._sources()]) + "\n"

    def _sources(self) -> Iterator[str]:
        stages = "\n".join(f'"{self._stage(2, self.category, c)}" = "{state}"' for c, _, _, state in STAGES)
        yield f'[[source]]\nkind = "deal"\ncategory = {self.category}\n[source.stages]\n{stages}'
        stages = "\n".join(
            f'"{self._stage(self.entity_type, self.item_category, c)}" = "{state}"' for c, _, _, state in STAGES
        )
        yield (
            f'[[source]]\nkind = "item"\nentity_type = {self.entity_type}\n'
            f"category = {self.item_category}\n[source.stages]\n{stages}"
        )
        rows = [f'"{number}" = "{state}"' for state, number in TASK_STATUS.items()]
        rows += [f'"stage:{stage}" = "{state}"' for state, stage in self.kanban.items()]
        yield f'[[source]]\nkind = "task"\ngroup = {self.group}\n[source.stages]\n' + "\n".join(rows)

    def _stage(self, entity_type: int, category: int, code: str) -> str:
        return str(self.portal.stage(entity_type, category, code))


_RULES_HEAD = """\
[desk]
since = "2026-11-01"

[people]
head = {office.head}
duty = [{office.duty}]
director = {office.director}
robots = [{office.intake}]

[chats]
alerts = "{office.chat}"
digest = "{office.chat}"

[pace]
reconcile = "15m"
"""


def furnish(portal: EmulatedPortal) -> Office:
    """A portal with a support department in it, before its first ticket."""
    people = [portal.add_user(first, last) for last, first in map(str.split, AGENTS)]
    head = portal.add_user("Игорь", "Соколов")
    director = portal.add_user("Елена", "Громова")
    intake = portal.add_user("Почта", "Робот")
    guest = portal.add_user("Форма", "Сайт", extranet=True)
    funnel = [(code, name, semantics) for code, name, semantics, _ in STAGES]
    category = portal.add_funnel("Поддержка", funnel)
    entity_type, type_id = portal.add_type("Обращения из Telegram")
    item_category = portal.add_funnel("Поддержка", funnel, entity_type=entity_type)
    group = portal.add_project("Обращения с сайта", ("Новые", "В работе", *KANBAN.values()))
    titles = {title: stage for stage, title in portal.project_stages(group).items()}
    chat = portal.add_chat("Поддержка: сроки и показатели", [head, director, SERVICE, *people])
    return Office(
        portal, category, entity_type, type_id, item_category, group,
        {state: titles[title] for state, title in KANBAN.items()},
        head, director, people[0], SERVICE, intake, guest, tuple(people), chat,
    )  # fmt: skip


class SupportDay:
    """All lives of the day in order of time. `next_at` and `play` drive it."""

    def __init__(self, office: Office, tickets: Sequence[Ticket] | None = None) -> None:
        self._office = office
        self._queue: list[tuple[datetime, int, Life]] = []
        self.cases: dict[str, Case] = {}
        for number, life in enumerate(_lives(office, tickets or example_tickets(), self.cases)):
            self._push(number, life)

    @property
    def next_at(self) -> datetime | None:
        """When the portal's people next do something."""
        return self._queue[0][0] if self._queue else None

    def play(self, now: datetime) -> int:
        """Everything that happens up to `now`; how many acts that were."""
        acts = 0
        while self._queue and self._queue[0][0] <= now:
            _, number, life = heapq.heappop(self._queue)
            self._push(number, life)
            acts += 1
        return acts

    def _push(self, number: int, life: Life) -> None:
        at = next(life, None)
        if at is not None:
            heapq.heappush(self._queue, (at, number, life))


def example_tickets() -> list[Ticket]:
    """The seventy invented examples."""
    text = files("app.demo").joinpath("tickets.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _lives(office: Office, tickets: Sequence[Ticket], cases: dict[str, Case]) -> Iterator[Life]:
    chance = random.Random(24)
    for number, ticket in enumerate(tickets):
        agent = office.agents[number % len(office.agents)]
        teller = _SPECIAL.get(str(ticket["id"]), _usual)
        arrives_at = _ARRIVALS.get(str(ticket["id"])) or _arrival(chance)
        yield teller(office, ticket, arrives_at, agent, random.Random(number), cases)


def _first_words(text: str) -> str:
    """What an open line or a form calls a message without a title."""
    return " ".join(text.split()[:7])


def _at(hours: int, minutes: int) -> datetime:
    return DAY + timedelta(hours=hours, minutes=minutes)


def _arrival(chance: random.Random) -> datetime:
    """About every third ticket comes outside the desk's hours (domain.md 1.1)."""
    if chance.random() < 0.22:
        early = chance.random() < 0.6
        return _at(chance.randint(6, 8), chance.randint(0, 59)) if early else _at(18, chance.randint(5, 55))
    return OPENING + timedelta(minutes=chance.randint(2, 500))


def _worked(start: datetime, minutes: int) -> datetime:
    """The instant after so many minutes of the office's time; after the closing, next morning."""
    at = max(start, OPENING) + timedelta(minutes=minutes)
    if at < CLOSING and max(start, OPENING) < CLOSING:
        return at
    return DAY + timedelta(days=1, hours=9) + (at - max(start, CLOSING))


_ARRIVALS = {
    "D003": _at(7, 40),
    "D057": _at(9, 22),
    "D012": _at(10, 5),
    "D016": _at(12, 10),
    "D030": _at(9, 40),
    "D021": _at(11, 17),
    "D027": _at(10, 30),
    "D044": _at(9, 50),
    "D048": _at(13, 20),
    "D028": _at(9, 15),
    "D067": _at(22, 47),
}

_REPLIES = (
    "Здравствуйте! Проверили настройки, уже разбираемся, напишем сегодня до конца дня.",
    "Добрый день! Видим ваше обращение, проверяем журнал событий по объекту.",
    "Здравствуйте! Ответ: в приложении откройте «Профиль», затем «Объекты». Если не получится, напишите.",
    "Добрый день! Поправили данные, пожалуйста, обновите приложение и попробуйте ещё раз.",
)
_SOLUTION = "Причина найдена и устранена, настройки проверены вместе с клиентом."


def _usual(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """Comes, is answered, is solved, mostly confirmed; robots' mail is put aside."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    kind = ticket["expected_class"]
    if kind == "not_ticket":
        yield _worked(arrives_at, chance.randint(4, 20))
        office.move(case, "not_ticket")
        return
    emergency = kind == "emergency"
    replied_at = _worked(arrives_at, chance.randint(3, 12) if emergency else chance.randint(6, 130))
    yield replied_at
    office.reply(case, chance.choice(_REPLIES), by_phone=emergency and case.place == 2)
    office.move(case, "in_progress")
    if ticket["escalation_to"] == "dev" and chance.random() < 0.6:
        yield _worked(replied_at, 20)
        office.move(case, "escalated")
        return
    solved_at = _worked(replied_at, chance.randint(30, 170) if emergency else chance.randint(40, 420))
    yield solved_at
    yield from _finish(office, case, solved_at, chance)


def _finish(office: Office, case: Case, solved_at: datetime, chance: random.Random) -> Life:
    office.write(case, SLA_SOLUTION=_SOLUTION)
    office.move(case, "resolved")
    yield _worked(solved_at, chance.randint(8, 50))
    if chance.random() < 0.8:
        office.client_says(case, "Спасибо, всё работает!")
        office.move(case, "closed_confirmed")


def _late_reply(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """An emergency that nobody answers for 42 minutes: the reply's term is missed."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=42)
    office.reply(case, "Дежурный уже едет, шлагбаум открыт вручную.")
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=95)
    yield from _finish(office, case, arrives_at + timedelta(minutes=95), chance)


def _late_solution(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """An emergency solved in 5 h 15 min instead of four hours."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=7)
    office.reply(case, "Проверяем контроллер турникетов, инженер на связи.")
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=315)
    office.write(case, SLA_BREACH_REASON="Ждали замену контроллера со склада")
    yield from _finish(office, case, arrives_at + timedelta(minutes=315), chance)


def _waiting(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """The client is asked and answers three hours later: the solution's clock stood still."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=25)
    office.reply(case, "Подскажите, пожалуйста, модель телефона и версию приложения.")
    office.move(case, "waiting_client")
    yield arrives_at + timedelta(minutes=205)
    office.client_says(case, "Android 15, приложение из магазина, версия 5.2.")
    yield arrives_at + timedelta(minutes=215)
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=320)
    yield from _finish(office, case, arrives_at + timedelta(minutes=320), chance)


def _reopened(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """Solved, but the client writes «не помогло»: the same ticket goes back to work."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=30)
    office.reply(case, "Проверили права доверенного лица, доступ выдан заново.")
    office.move(case, "resolved")
    yield arrives_at + timedelta(minutes=150)
    office.client_says(case, "Не помогло, калитка всё так же не открывается.")
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=260)
    office.reply(case, "Нашли вторую запись с тем же номером, удалили. Проверьте, пожалуйста.")
    yield from _finish(office, case, arrives_at + timedelta(minutes=260), chance)


def _lost_event(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """Its events never reach the service: the sweep has to find it."""
    yield arrives_at
    office.portal.events.drop = 1.0
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    office.portal.events.drop = 0.0
    yield arrives_at + timedelta(minutes=50)
    office.reply(case, "Камера перенастроена, проверьте, пожалуйста, проезд.")
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=140)
    yield from _finish(office, case, arrives_at + timedelta(minutes=140), chance)


def _unassigned(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """Two hours without an agent: the head is told and gives it to somebody."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, office.intake)
    yield arrives_at + timedelta(minutes=130)
    office.portal.update_item(int(case.place), case.id, {"assignedById": agent}, office.head)
    case.agent = agent
    yield arrives_at + timedelta(minutes=150)
    office.reply(case, "Добрый день! Мастер доводчиков приедет завтра утром.")
    office.move(case, "engineer")


def _corrected(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """The agent sets another class in the card: a person's word wins."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=12)
    office.write(case, SLA_CLASS="consultation")
    yield arrives_at + timedelta(minutes=35)
    office.reply(case, "Историю проходов видно в разделе «Журнал», ответы на остальное ниже.")
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=90)
    yield from _finish(office, case, arrives_at + timedelta(minutes=90), chance)


def _handed_over(
    office: Office, ticket: Ticket, arrives_at: datetime, agent: int, chance: random.Random,
    cases: dict[str, Case],
) -> Life:  # fmt: skip
    """Through the head to the developers and back."""
    yield arrives_at
    case = cases[str(ticket["id"])] = office.receive(ticket, agent)
    yield arrives_at + timedelta(minutes=18)
    office.reply(case, "Воспроизвели, передаём разработчикам.")
    office.write(case, SLA_ESC_LEVEL="2", SLA_ESC_REASON="bug")
    office.move(case, "escalated")
    yield arrives_at + timedelta(minutes=330)
    office.move(case, "in_progress")
    yield arrives_at + timedelta(minutes=370)
    yield from _finish(office, case, arrives_at + timedelta(minutes=370), chance)


_SPECIAL = {
    "D016": _late_reply,
    "D012": _late_solution,
    "D027": _waiting,
    "D030": _reopened,
    "D021": _lost_event,
    "D044": _unassigned,
    "D048": _corrected,
    "D028": _handed_over,
}

DIGEST_AT = datetime.combine(DAY.date() + timedelta(days=1), time(9, 5), MOSCOW)
