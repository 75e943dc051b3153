"""The support department on the emulated portal: its funnel, people and chat, and the verbs of its day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.demo.portal import EmulatedPortal

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
KANBAN = {"in_progress": "В работе", "waiting_client": "Ждём клиента", "escalated": "Эскалация"}
SERVICE = 9  # the emulated portal's integration user
AGENTS = ("Иванова Анна", "Петров Олег", "Смирнова Ольга", "Кузнецов Илья", "Орлова Вера")

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
            return
        if state in TASK_STATUS or state not in self.kanban:
            self.portal.set_status(case.id, TASK_STATUS.get(state, 5), case.agent)
        if state in self.kanban:
            self.portal.move_task(case.id, self.kanban[state], case.agent)

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
            f'"{self._stage(self.entity_type, self.item_category, c)}" = "{state}"'
            for c, _, _, state in STAGES
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
since = "2026-11-24"

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
    group = portal.add_project("Обращения с сайта", ("Новые", *KANBAN.values()))
    titles = {title: stage for stage, title in portal.project_stages(group).items()}
    portal.number_from(2, 4101)  # each kind has numbers of its own, so that «№…» is told apart
    portal.number_from(entity_type, 701)
    chat = portal.add_chat("Поддержка: сроки и показатели", [head, director, SERVICE, *people])
    return Office(
        portal, category, entity_type, type_id, item_category, group,
        {state: titles[title] for state, title in KANBAN.items()},
        head, director, people[0], SERVICE, intake, guest, tuple(people), chat,
    )  # fmt: skip


def _first_words(text: str) -> str:
    """What an open line or a form calls a message without a title."""
    return " ".join(text.split()[:7])
