"""The digest as a chat reads it: about 35 signs a line, what burns first (domain.md 8).

Titles and names are strangers' text: masked and made harmless. Tickets are links where
`card_url` is given; the link's address does not count as width.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app import words
from app.metrics import wording
from app.metrics.board import Burning
from app.metrics.digest import CLASSES, Digest, Late
from app.metrics.kpi import Kpi
from app.metrics.periods import DAY, PeriodKind
from app.metrics.review import NO_REPLY, UNKNOWN
from app.metrics.review_text import review_lines
from app.metrics.wording import WIDTH, broken, fraction, mark, share
from app.model import ItemRef

MOST = 5
"""Lines of a list before «и ещё n»."""

CardUrl = Callable[[ItemRef], str]

_WAITED = {
    "разработка": "ждали разработку",
    "инженер": "ждали инженера",
    "подрядчик": "ждали подрядчика",
    "клиент": "ждали клиента",
    "пик": "был пик обращений",
    NO_REPLY: "",
    UNKNOWN: "",
}


def digest_text(digest: Digest, name: str, card_url: CardUrl | None = None, *, late: bool = False) -> str:
    """The message for the chat. `name`: the department's. `late`: sent after its hour, and says so."""
    return "\n".join(_Page(digest, name, card_url).lines(late=late))


class _Page:
    """One digest on its way to text."""

    def __init__(self, digest: Digest, name: str, card_url: CardUrl | None) -> None:
        self.digest, self.name, self.card_url = digest, name, card_url
        self.calendar = digest.office.calendar
        self.zone = digest.office.calendar.zone
        self.today = self.calendar.local(digest.made_at).date()

    def lines(self, *, late: bool) -> Iterator[str]:
        daily = self.digest.period.kind is PeriodKind.DAY
        yield f"📋 {words.plain(self.name)}: {words.day(self.today) if daily else self._period()}"
        if late:
            yield f"Отправлено позже срока, в {self.calendar.local(self.digest.made_at):%H:%M}"
        yield from self._daily() if daily else self._longer()
        yield from self._age()

    def _daily(self) -> Iterator[str]:
        yield from self._now()
        yield ""
        yield from self._heading()
        if not self.digest.known:
            yield from self._unknown(words.NOTHING)
            return
        yield from self._figures()
        details = [*self._late(), *self._agents(), *self._topics(), *self._off_hours()]
        yield from (["", *details] if details else [])

    def _longer(self) -> Iterator[str]:
        if not self.digest.known:
            yield from self._unknown(f"Показатели: {words.NOTHING}")
            return
        yield from review_lines(self.digest)

    def _unknown(self, unread: str) -> Iterator[str]:
        if not self.digest.too_early:
            yield unread
            return
        yield "Служба тогда ещё не считала:"
        yield f"  {wording.counts_since(self.digest.office.since)}"

    # --- now ---

    def _now(self) -> Iterator[str]:
        if not self.digest.fresh.knows_now():
            yield f"🔴 Горит: {words.NOTHING}"
            return
        found = self.digest.burning
        yield f"🔴 ГОРИТ: {len(found)}" if found else "🟢 Ничего не горит"
        for ticket in found[:MOST]:
            yield self._ticket(ticket.ref, ticket.title)
            yield from self._heat(ticket)
        yield from _rest(len(found))
        yield from self._expiring()

    def _heat(self, ticket: Burning) -> Iterator[str]:
        due = words.moment_short(ticket.due_at, self.zone, self.today)
        time = f"просрочено с {due}" if ticket.overdue else f"до срока {words.work_length(ticket.left)}"
        who = self._name(ticket.agent)
        if ticket.waits_head is not None:
            who = f"ждёт вас {words.work_length(ticket.waits_head)}"
        yield from broken(f"  {time},", who)

    def _expiring(self) -> Iterator[str]:
        due = self.digest.expiring
        if not due.refs:
            return
        yield f"🟠 Сегодня истекает: {len(due.refs)}"
        parts = [f"до 12:00 — {due.before_noon}"] if due.before_noon else []
        parts += [f"без ответственного — {due.unassigned}"] if due.unassigned else []
        if parts:
            yield f"  {', '.join(parts)}"

    # --- the period ---

    def _heading(self) -> Iterator[str]:
        people = words.plural(self.digest.office.agents_on_duty, "сотрудник", "сотрудника", "сотрудников")
        norm = wording.norm(self.digest.norm(self.digest.office.targets.requests_per_day))
        told = ", ".join(filter(None, (people, norm)))
        period = self.digest.period
        if period.first == period.last == self.today - DAY:
            yield f"ВЧЕРА ({told})"
            return
        yield self._period()
        yield f"({told})"

    def _figures(self) -> Iterator[str]:
        figures = self.digest.figures
        came, done, left = (wording.shown(figures[code]) for code in ("created", "solved", "backlog"))
        yield f"Поступило {came} · решено {done} · открыто {left}"
        yield f"  {self._classes()}"
        yield _measured("Ответ в срок", figures["reply_sla"], "норма ")
        yield _measured("Решение в срок", figures["solve_sla"])
        yield wording.usual("отвечали", figures["reply_median"])
        yield _measured("Без эскалации", figures["no_escalation"], of=" закрытых")
        yield f"Вернулись в работу {self.digest.returned}, повторных {figures['repeats'].numerator or 0:.0f}"
        yield wording.of_total("Подтвердили клиенты", figures["confirmed"])
        yield self._knowledge(figures["kb_updates"])

    def _classes(self) -> str:
        by_class = self.digest.by_class
        counts = ((wording.CLASS_SHORT[value], by_class[value]["created"]) for value in CLASSES)
        return ", ".join(f"{name} {wording.shown(kpi)}" for name, kpi in counts)

    def _knowledge(self, updates: Kpi) -> str:
        count = words.plural(int(updates.numerator or 0), "обновление", "обновления", "обновлений")
        return wording.with_norm(count, self.digest.norm(self.digest.office.targets.kb_per_day))

    # --- details ---

    def _late(self) -> Iterator[str]:
        found = self.digest.late
        if not found:
            yield "Просрочек нет"
            return
        for line in wording.folded("Просрочки: ", [self._late_line(line) for line in found[:MOST]]):
            what, why = line.partition(" (")[::2]
            yield from broken(what, f"({why}", indent="    ") if why else [line]
        yield from _rest(len(found))

    def _late_line(self, line: Late) -> str:
        parts = [f"ответ +{words.work_length(line.reply_over)}"] if line.reply_over is not None else []
        parts += [f"решение +{words.work_length(line.solve_over)}"] if line.solve_over is not None else []
        why = words.plain(_WAITED.get(line.reason, line.reason))
        notes = [*(["ещё открыто"] if line.still_open else []), *([why] if why else [])]
        return f"{self._number(line.ref)} {', '.join(parts)}" + (f" ({', '.join(notes)})" if notes else "")

    def _agents(self) -> Iterator[str]:
        people = [
            f"{self._name(line.agent)} {line.received} (открыто {line.open}{' ⚠' if line.overloaded else ''})"
            for line in self.digest.agents
            if line.agent is not None
        ]
        nobodys = [f"ничьих {line.open}" for line in self.digest.agents if line.agent is None and line.open]
        if people or nobodys:
            yield from wording.folded("Нагрузка: ", [*people, *nobodys])

    def _topics(self) -> Iterator[str]:
        for topic in self.digest.topics[:2]:
            parts = [words.tickets(topic.count)]
            parts += [words.plural(topic.objects, "объект", "объекта", "объектов")] if topic.objects else []
            parts += [words.plural(topic.days, "день", "дня", "дней")]
            yield from _named_topic(words.AREA[topic.area])
            yield f"  {', '.join(parts)}"

    def _off_hours(self) -> Iterator[str]:
        off = self.digest.off_hours
        if not off.received:
            return
        urgent = f", экстренных {off.emergencies}" if off.emergencies else ""
        yield f"Вне рабочего времени: {off.received}{urgent}"
        if off.slowest_reply is not None:
            yield f"  ответа ждали до {words.duration(off.slowest_reply)}"
        if off.unanswered:
            yield f"  без ответа: {off.unanswered}"

    # --- the data's age ---

    def _age(self) -> Iterator[str]:
        fresh = self.digest.fresh
        if self.digest.uncounted:
            yield f"Старше запуска, вне счёта: {self.digest.uncounted}"
        if fresh.trouble:
            yield f"⚠ Данные не прочитаны: {words.plain(words.masked(fresh.trouble))}"
        if fresh.read_at is None:
            yield "⚠ Данных ещё нет: ничего не прочитано."
            return
        warning = "⚠ " if fresh.stale(self.digest.made_at) else ""
        unread = f"не прочитано: {words.tickets(fresh.unread)}" if fresh.unread else "прочитано всё"
        ending = "последние прочитанные" if fresh.trouble else unread
        yield f"{warning}Данные на {words.moment_short(fresh.read_at, self.zone, self.today)}, {ending}."

    # --- words ---

    def _ticket(self, ref: ItemRef, title: str) -> str:
        room = WIDTH - len(f"№{ref.id} ")
        return f"{self._number(ref)} {words.quoted_title(title, room)}"

    def _number(self, ref: ItemRef) -> str:
        label = f"№{ref.id}"
        return f"[url={self.card_url(ref)}]{label}[/url]" if self.card_url else label

    def _name(self, agent: int | None) -> str:
        return words.plain(wording.agent_name(agent, self.digest.office.names))

    def _period(self) -> str:
        return wording.period_name(self.digest.period)


def _measured(name: str, kpi: Kpi, norm: str = "", of: str = "") -> str:
    """«Ответ в срок 93,8 % (15 из 16) ▼ норма 95»."""
    if not kpi.denominator:
        return f"{name}: {words.NOTHING}"
    text = share(kpi)
    parts = [name, text] if text == fraction(kpi) else [name, text, f"({fraction(kpi)}{of})"]
    target = f"{norm}{words.number((kpi.target or 0) * 100)}" if kpi.target is not None else ""
    return " ".join(filter(None, [*parts, mark(kpi), target]))


def _named_topic(area: str) -> Iterator[str]:
    """«Повторяется: «Пропуска» —»; a long name, without its product, stands on its own line."""
    name = f"«{area.partition(' (')[0]}» —"
    if len(f"Повторяется: {name}") <= WIDTH:
        yield f"Повторяется: {name}"
        return
    yield "Повторяется:"
    yield f"  {name}"


def _rest(count: int) -> Iterator[str]:
    if count > MOST:
        yield f"  и ещё {count - MOST}"
