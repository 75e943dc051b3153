"""A support day to watch: Tuesday 24.11.2026, from the first night call to the next morning's digest.

It only acts on the emulated portal, as clients and agents would; it knows nothing of the service.
Every ticket is a generator that yields the next instant at which something happens to it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from importlib.resources import files

from app.demo.lives import Life, Lives
from app.demo.office import Case, Office, Ticket

MOSCOW = timezone(timedelta(hours=3))
DAY = datetime(2026, 11, 24, tzinfo=MOSCOW)
BEGIN_AT = DAY + timedelta(minutes=5)
END_AT = DAY + timedelta(days=1, hours=9, minutes=6)
OPENING, CLOSING = DAY + timedelta(hours=9), DAY + timedelta(hours=18)


@dataclass(frozen=True, slots=True)
class Plot:
    """What a teller works with: one ticket, when it comes, who gets it."""

    office: Office
    ticket: Ticket
    arrives_at: datetime
    agent: int
    chance: random.Random
    cases: dict[str, Case]

    def after(self, minutes: int) -> datetime:
        """So many minutes of wall time after the arrival."""
        return self.arrives_at + timedelta(minutes=minutes)

    def receive(self, agent: int | None = None) -> Case:
        """The ticket lands in the portal."""
        case = self.office.receive(self.ticket, agent or self.agent)
        self.cases[str(self.ticket["id"])] = case
        return case


class SupportDay(Lives):
    """All lives of the day."""

    def __init__(self, office: Office, tickets: Sequence[Ticket] | None = None) -> None:
        super().__init__()
        self.cases: dict[str, Case] = {}
        for number, life in enumerate(_lives(office, tickets or example_tickets(), self.cases)):
            self.add(number, life)


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
        yield teller(Plot(office, ticket, arrives_at, agent, random.Random(number), cases))


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
    "D051": _at(11, 40),
    "D024": _at(13, 5),
    "D056": _at(14, 50),
}

_REPLIES = (
    "Здравствуйте! Проверили настройки, уже разбираемся, напишем сегодня до конца дня.",
    "Добрый день! Видим ваше обращение, проверяем журнал событий по объекту.",
    "Здравствуйте! Ответ: в приложении откройте «Профиль», затем «Объекты». Если не получится, напишите.",
    "Добрый день! Поправили данные, пожалуйста, обновите приложение и попробуйте ещё раз.",
)
_SOLUTION = "Причина найдена и устранена, настройки проверены вместе с клиентом."


def _usual(plot: Plot) -> Life:
    """Comes, is answered, is solved, mostly confirmed; robots' mail is put aside."""
    yield plot.arrives_at
    case = plot.receive()
    kind = plot.ticket["expected_class"]
    if kind == "not_ticket":
        yield _worked(plot.arrives_at, plot.chance.randint(4, 20))
        plot.office.move(case, "not_ticket")
        return
    emergency = kind == "emergency"
    replied_at = _worked(
        plot.arrives_at, plot.chance.randint(3, 12) if emergency else plot.chance.randint(6, 130)
    )
    yield replied_at
    plot.office.reply(case, plot.chance.choice(_REPLIES), by_phone=emergency and case.place == 2)
    plot.office.move(case, "in_progress")
    if plot.ticket["escalation_to"] == "dev" and plot.chance.random() < 0.6:
        yield _worked(replied_at, 20)
        plot.office.move(case, "escalated")
        return
    solved_at = _worked(
        replied_at, plot.chance.randint(30, 170) if emergency else plot.chance.randint(40, 420)
    )
    yield solved_at
    yield from _finish(plot, case, solved_at)


def _finish(plot: Plot, case: Case, solved_at: datetime) -> Life:
    plot.office.write(case, SLA_SOLUTION=_SOLUTION)
    plot.office.move(case, "resolved")
    yield _worked(solved_at, plot.chance.randint(8, 50))
    if plot.chance.random() < 0.8:
        plot.office.client_says(case, "Спасибо, всё работает!")
        plot.office.move(case, "closed_confirmed")
    if plot.chance.random() < 0.35:
        plot.office.write(case, SLA_KB_URL=f"https://kb.example/articles/{case.id}")
    if plot.chance.random() < 0.3:
        plot.office.write(case, SLA_CSAT=plot.chance.choice((3, 4, 5, 5, 5)))


def _late_reply(plot: Plot) -> Life:
    """An emergency that nobody answers for 42 minutes: the reply's term is missed."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(42)
    plot.office.reply(case, "Дежурный уже едет, шлагбаум открыт вручную.")
    plot.office.move(case, "in_progress")
    yield plot.after(95)
    yield from _finish(plot, case, plot.after(95))


def _late_solution(plot: Plot) -> Life:
    """An emergency solved in 5 h 15 min instead of four hours, half an hour of waiting apart."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(7)
    plot.office.reply(case, "Проверяем контроллер турникетов, инженер на связи.")
    plot.office.move(case, "in_progress")
    yield plot.after(40)
    plot.office.reply(case, "Нужен доступ в серверную. Кто и когда сможет открыть её инженеру?")
    plot.office.move(case, "waiting_client")
    yield plot.after(70)
    plot.office.client_says(case, "Открыли, начальник смены ждёт у входа.")
    plot.office.move(case, "in_progress")
    yield plot.after(345)
    plot.office.write(case, SLA_BREACH_REASON="Ждали замену контроллера со склада")
    yield from _finish(plot, case, plot.after(345))


def _waiting(plot: Plot) -> Life:
    """The client is asked and answers three hours later: the solution's clock stood still."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(25)
    plot.office.reply(case, "Подскажите, пожалуйста, модель телефона и версию приложения.")
    plot.office.move(case, "waiting_client")
    yield plot.after(205)
    plot.office.client_says(case, "Android 15, приложение из магазина, версия 5.2.")
    yield plot.after(215)
    plot.office.move(case, "in_progress")
    yield plot.after(320)
    yield from _finish(plot, case, plot.after(320))


def _reopened(plot: Plot) -> Life:
    """Solved, but the client writes «не помогло»: the same ticket goes back to work."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(30)
    plot.office.reply(case, "Проверили права доверенного лица, доступ выдан заново.")
    plot.office.move(case, "resolved")
    yield plot.after(150)
    plot.office.client_says(case, "Не помогло, калитка всё так же не открывается.")
    plot.office.move(case, "in_progress")
    yield plot.after(260)
    plot.office.reply(case, "Нашли вторую запись с тем же номером, удалили. Проверьте, пожалуйста.")
    yield from _finish(plot, case, plot.after(260))


def _lost_event(plot: Plot) -> Life:
    """Its events never reach the service: the sweep has to find it."""
    yield plot.arrives_at
    plot.office.portal.events.drop = 1.0
    case = plot.receive()
    plot.office.portal.events.drop = 0.0
    yield plot.after(50)
    plot.office.reply(case, "Камера перенастроена, проверьте, пожалуйста, проезд.")
    plot.office.move(case, "in_progress")
    yield plot.after(140)
    yield from _finish(plot, case, plot.after(140))


def _unassigned(plot: Plot) -> Life:
    """Two hours without an agent: the head is told and gives it to somebody."""
    yield plot.arrives_at
    case = plot.receive(plot.office.intake)
    yield plot.after(130)
    plot.office.portal.update_item(int(case.place), case.id, {"assignedById": plot.agent}, plot.office.head)
    case.agent = plot.agent
    yield plot.after(150)
    plot.office.reply(case, "Добрый день! Мастер доводчиков приедет завтра утром.")
    plot.office.move(case, "engineer")


def _corrected(plot: Plot) -> Life:
    """The agent sets another class in the card: a person's word wins."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(12)
    plot.office.write(case, SLA_CLASS="consultation")
    yield plot.after(35)
    plot.office.reply(case, "Историю проходов видно в разделе «Журнал», ответы на остальное ниже.")
    plot.office.move(case, "in_progress")
    yield plot.after(90)
    yield from _finish(plot, case, plot.after(90))


def _handed_over(plot: Plot) -> Life:
    """Through the head to the developers and back."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(18)
    plot.office.reply(case, "Воспроизвели, передаём разработчикам.")
    plot.office.write(case, SLA_ESC_LEVEL="2", SLA_ESC_REASON="bug")
    plot.office.move(case, "escalated")
    yield plot.after(330)
    plot.office.move(case, "in_progress")
    yield plot.after(370)
    yield from _finish(plot, case, plot.after(370))


def _unanswered_question(plot: Plot) -> Life:
    """The client is asked and still has not answered: the board shows a pause."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(25)
    plot.office.reply(case, "Подскажите, пожалуйста, фамилию арендатора, чью доверенность отозвать.")
    plot.office.move(case, "waiting_client")


def _postponed(plot: Plot) -> Life:
    """Put off until a date, with a reason."""
    yield plot.arrives_at
    case = plot.receive()
    yield plot.after(15)
    plot.office.reply(case, "Нашли ошибку в строке 3. Вы писали, что новый файл будет в четверг: ждём его.")
    until = DAY + timedelta(days=2, hours=12)
    plot.office.write(case, SLA_PAUSE_REASON="Новый файл будет в четверг", SLA_PAUSE_UNTIL=until.isoformat())
    plot.office.move(case, "postponed")


def _overlooked(plot: Plot) -> Life:
    """Nobody has answered by the next morning: the reply's term runs out soon."""
    yield plot.arrives_at
    plot.receive()


_SPECIAL: dict[str, Callable[[Plot], Life]] = {
    "D016": _late_reply,
    "D012": _late_solution,
    "D027": _waiting,
    "D030": _reopened,
    "D021": _lost_event,
    "D044": _unassigned,
    "D048": _corrected,
    "D028": _handed_over,
    "D051": _unanswered_question,
    "D024": _postponed,
    "D056": _overlooked,
}

DIGEST_AT = datetime.combine(DAY.date() + timedelta(days=1), time(9, 5), MOSCOW)
