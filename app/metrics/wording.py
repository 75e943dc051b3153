"""Turns of phrase that the digest's text, picture and sheet share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from app import words
from app.metrics.kpi import SMALL, Kpi
from app.metrics.periods import DAY, Period, PeriodKind
from app.metrics.targets import SMALLER_IS_BETTER
from app.model import TicketClass

WIDTH = 35
"""Signs that a phone shows in one line of a chat (domain.md 8)."""

LONGEST = WIDTH + 3
"""Signs that still fit most phones."""

TITLES: Mapping[str, str] = {
    "reply_sla": "Соблюдение SLA по первому ответу",
    "solve_sla": "Соблюдение SLA по решению",
    "sla": "Соблюдение SLA (общий)",
    "extensions": "Доля продлений",
    "reply_median": "Медиана первого ответа",
    "reply_p90": "Первый ответ: 9 из 10 не дольше",
    "solve_median": "Медиана решения",
    "solve_p90": "Решение: 9 из 10 не дольше",
    "created": "Поступило",
    "solved": "Решено",
    "closed": "Закрыто",
    "backlog": "Открыто",
    "queue_days": "Очередь, дней работы",
    "no_escalation": "Решено без эскалации",
    "escalations": "Доля эскалаций",
    "fcr": "Решено с первого обращения",
    "repeats": "Повторные обращения",
    "reopens": "Возвраты в работу",
    "confirmed": "Закрыто с подтверждением",
    "csat": "Оценки клиентов 4–5",
    "documented": "Решение записано",
    "kb_updates": "Обновления базы знаний на сотрудника в день",
    "load": "Загрузка",
    "class_accuracy": "Точность классификации",
    "emergencies_off_hours": "Экстренные вне рабочего времени",
}
"""How each figure is shown (domain.md 7)."""

_LINK = re.compile(r"\[/?url[^\]]*\]")

LENGTHS = frozenset({"reply_median", "reply_p90", "solve_median", "solve_p90"})
COUNTS = frozenset({"created", "solved", "closed", "backlog", "emergencies_off_hours"})
RATES = frozenset({"queue_days", "kb_updates"})

CLASS_SHORT: Mapping[TicketClass, str] = {
    TicketClass.EMERGENCY: "экстр.",
    TicketClass.STANDARD: "станд.",
    TicketClass.CONSULTATION: "конс.",
}


def share(kpi: Kpi) -> str:
    """«93,8 %», a small one as «3 из 4», nothing as «нет данных»."""
    if kpi.value is None or kpi.denominator is None:
        return words.NOTHING
    if kpi.denominator < SMALL:
        return fraction(kpi)
    return words.percent(kpi.value)


def fraction(kpi: Kpi) -> str:
    """«11 из 13»."""
    return f"{kpi.numerator or 0:.0f} из {kpi.denominator or 0:.0f}"


def shown(kpi: Kpi) -> str:
    """Any figure as people read it."""
    if kpi.value is None:
        return words.NOTHING
    if kpi.code in COUNTS:
        return f"{kpi.value:.0f}"
    if kpi.code in LENGTHS:
        return length(kpi.value)
    if kpi.code in RATES:
        return words.number(kpi.value)
    return words.percent(kpi.value) if kpi.code == "load" else share(kpi)


def length(minutes: float) -> str:
    """Business minutes as «1 раб. дн. 3 ч»."""
    return words.work_length(words.WORKDAY * (minutes / 540))


def calendar_length(length: timedelta) -> str:
    """Time as the client felt it: «2 сут. 3 ч»."""
    rest = words.duration(length - timedelta(days=length.days))
    return f"{length.days} сут. {rest}" if length.days else rest


def goal(kpi: Kpi) -> str:
    """«не меньше 95 %», «не больше 14 %», or nothing."""
    if kpi.target is None:
        return ""
    bound = "не больше" if kpi.code in SMALLER_IS_BETTER else "не меньше"
    return f"{bound} {words.number(kpi.target) if kpi.code in RATES else words.percent(kpi.target)}"


def mark(kpi: Kpi) -> str:
    """▲ when the goal is kept, ▼ when it is missed; nothing without a goal or data."""
    return {True: "▲", False: "▼", None: ""}[kpi.reached]


def agent_name(agent: int | None, names: Mapping[int, str]) -> str:
    """The family name alone unless two share it; «без ответственного»."""
    if agent is None:
        return "без ответственного"
    full = names.get(agent, f"сотрудник {agent}")
    family = full.split(" ")[0]
    namesakes = sum(name.split(" ")[0] == family for name in names.values())
    return family if agent in names and namesakes == 1 else full


def period_name(period: Period) -> str:
    """«вторник 24.11», «пятница 20.11 – воскресенье 22.11», «неделя 16.11 – 22.11», «ноябрь 2026»."""
    if period.kind is PeriodKind.MONTH:
        return words.month(period.first)
    if period.kind is PeriodKind.WEEK:
        return f"неделя {period.first:%d.%m} – {period.last:%d.%m}"
    if period.last - period.first < DAY:
        return words.day(period.first)
    return f"{words.day(period.first)} – {words.day(period.last)}"


def counts_since(since: date | None) -> str:
    """«учёт идёт с 24.11.2026», or nothing where no day is known."""
    return f"учёт идёт с {since:%d.%m.%Y}" if since else ""


def norm(asked: tuple[int, int] | None) -> str:
    """«норма 28–30», or nothing where none was asked for."""
    if asked is None:
        return ""
    low, high = asked
    return f"норма {low}–{high}" if low != high else f"норма {low}"


def with_norm(updates: str, asked: tuple[int, int] | None) -> str:
    """«База знаний: 3 обновления (норма 4)»."""
    told = f" ({norm(asked)})" if asked else ""
    return f"База знаний: {updates}{told}"


def usual(verb: str, median: Kpi) -> str:
    """«Обычно отвечали за 22 мин»."""
    return f"Обычно {verb} за {shown(median)}" if median.denominator else f"Обычно {verb}: {words.NOTHING}"


def of_total(name: str, kpi: Kpi) -> str:
    """«Подтвердили клиенты 11 из 13»."""
    return f"{name} {fraction(kpi)}" if kpi.denominator else f"{name}: {words.NOTHING}"


def visible(text: str) -> int:
    """Signs that a reader sees: links without their addresses."""
    return len(_LINK.sub("", text))


def broken(line: str, rest: str, indent: str = "  ") -> Iterator[str]:
    """Both in one line where phones show it, else below one another."""
    if visible(f"{line} {rest}") <= LONGEST:
        yield f"{line} {rest}"
        return
    yield line
    yield f"{indent}{rest}"


def folded(start: str, parts: Iterable[str]) -> Iterator[str]:
    """Parts after a heading, a comma between them, folded into lines of `WIDTH` signs where parts allow."""
    line, fresh = start, True
    for part in parts:
        longer = f"{line}{'' if fresh else ', '}{part}"
        if visible(longer) > WIDTH and line.strip():
            yield line.rstrip() if fresh else f"{line},"
            longer = f"  {part}"
        line, fresh = longer, False
    yield line
