"""The figures' page in words: groups, splits by class and person, ready periods. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from app import words
from app.metrics.kpi import SMALL, Kpi
from app.metrics.periods import DAY
from app.metrics.targets import Targets
from app.metrics.wording import LENGTHS, TITLES, counts_since, fraction, goal, mark, shown
from app.model import TicketClass
from app.web.figures import Book, Figures, Question

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Сроки", ("reply_sla", "solve_sla", "sla", "extensions")),
    ("Скорость", ("reply_median", "reply_p90", "solve_median", "solve_p90")),
    ("Поток и очередь", ("created", "solved", "closed", "backlog", "queue_days", "emergencies_off_hours")),
    (
        "Качество",
        ("no_escalation", "escalations", "fcr", "repeats", "reopens", "confirmed", "csat", "documented"),
    ),
    ("Работа отдела", ("kb_updates", "load", "class_accuracy")),
)
SPLIT_CODES = ("created", "solved", "backlog", "reply_sla", "solve_sla", "reply_median", "solve_median")
SPLIT_HEADS = (
    "Поступило", "Решено", "Открыто", "Ответ в срок", "Решение в срок", "Обычно ответ", "Обычно решение",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the page."""

    label: str
    remark: str
    value: str
    href: str
    mark: str
    kept: bool
    of: str
    goal: str
    before: str


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """Figures about one thing."""

    label: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a split."""

    value: str
    mark: str
    kept: bool
    of: str


@dataclass(frozen=True, slots=True)
class Line:
    """A class or a person."""

    label: str
    href: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The figures of each class or person side by side."""

    label: str
    what: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class ReadyPeriod:
    """A period to choose with one click."""

    label: str
    href: str
    here: bool


def groups_of(book: Book, asked: Question) -> tuple[FigureGroup, ...]:
    now_, before = book.figures(asked), book.figures(asked.before)
    was = {code: _was(kpi) if book.counts(asked.before) else "—" for code, kpi in before.items()}
    return tuple(
        FigureGroup(label, tuple(_figure(code, now_, was[code], asked) for code in codes))
        for label, codes in GROUPS
    )


def _was(kpi: Kpi) -> str:
    return "" if kpi.value is None else shown(kpi)


def since_words(book: Book, asked: Question) -> str:
    """What to know of a period that reaches back before the service; else nothing."""
    if book.since is None or asked.first >= book.since:
        return ""
    if not book.counts(asked):
        return f"Служба тогда ещё не считала: {counts_since(book.since)}."
    return f"{counts_since(book.since).capitalize()}: дни до этого в нормы и доли не входят."


def _figure(code: str, now_: Figures, before: str, asked: Question) -> Figure:
    kpi = now_[code]
    return Figure(
        label=TITLES[kpi.code],
        remark=_remark(kpi),
        value=shown(kpi),
        href=asked.address(f"/kpi/{kpi.code}") if kpi.refs else "",
        mark=mark(kpi),
        kept=bool(kpi.reached),
        of=_marks(kpi, now_["solved"]) if code == "csat" else made_of(kpi),
        goal=goal(kpi),
        before=before,
    )


def _remark(kpi: Kpi) -> str:
    """Later events may change a young figure, and a norm is no measurement."""
    if kpi.value is None:
        return ""
    return "предварительно" if kpi.provisional else "оценка" if kpi.estimated else ""


def _marks(csat: Kpi, solved: Kpi) -> str:
    """Marks are never shown without their number and coverage (domain.md 1.1)."""
    if not csat.denominator:
        return ""
    return f"{fraction(csat)}; оценили {csat.denominator:.0f} из {solved.value or 0:.0f} решённых"


def made_of(kpi: Kpi) -> str:
    """«15 из 16»; a share of few tickets is itself a fraction and needs no second one."""
    if not kpi.denominator:
        return ""
    if kpi.code in LENGTHS:
        return words.tickets(int(kpi.denominator))
    if kpi.code == "load":
        return _handling(kpi)
    if kpi.code == "queue_days":
        return f"{kpi.numerator:.0f} открыто, в день решают {words.number(kpi.denominator)}"
    if kpi.code == "kb_updates":
        days = words.plural(int(kpi.denominator), "человеко-день", "человеко-дня", "человеко-дней")
        return f"{kpi.numerator:.0f} за {days}"
    return "" if kpi.denominator < SMALL else fraction(kpi)


def _handling(load: Kpi) -> str:
    """«34 × 30 мин от рабочего времени смены»."""
    each = Targets().handling
    count = round(timedelta(minutes=load.numerator or 0) / each)
    return f"{count} × {words.duration(each)} от рабочего времени смены" if count else ""


# --- splits ------------------------------------------------------------------------------


def splits_of(book: Book, asked: Question, name_of: Callable[[int | None], str]) -> tuple[Split, ...]:
    """By class and by person; not where one is chosen already."""
    splits = []
    if asked.value is None:
        splits.append(Split("По классам", "Класс", SPLIT_HEADS, tuple(_by_class(book, asked))))
    if asked.agent is None:
        lines = tuple(_by_agent(book, asked, name_of))
        splits.append(Split("По сотрудникам", "Сотрудник", SPLIT_HEADS, lines))
    return tuple(split for split in splits if split.lines)


def _by_class(book: Book, asked: Question) -> Iterator[Line]:
    for value in (TicketClass.EMERGENCY, TicketClass.STANDARD, TicketClass.CONSULTATION):
        part = replace(asked, value=value)
        yield _line(words.CLASS[value], part, book)


def _by_agent(book: Book, asked: Question, name_of: Callable[[int | None], str]) -> Iterator[Line]:
    for agent in sorted(book.agents(asked), key=name_of):
        part = replace(asked, agent=agent)
        yield _line(name_of(agent), part, book)


def _line(label: str, part: Question, book: Book) -> Line:
    figures = book.figures(part, SPLIT_CODES)
    return Line(label, part.address("/kpi"), tuple(_cell(figures[code]) for code in SPLIT_CODES))


def _cell(kpi: Kpi) -> Cell:
    of = fraction(kpi) if kpi.code.endswith("_sla") and kpi.denominator and kpi.denominator >= SMALL else ""
    value = "—" if kpi.value is None else shown(kpi)
    return Cell(value, mark(kpi), bool(kpi.reached), of)


# --- periods -----------------------------------------------------------------------------


def ready_periods(asked: Question, today: date) -> tuple[ReadyPeriod, ...]:
    return tuple(
        ReadyPeriod(
            label,
            Question(first, last, asked.agent, asked.value).address("/kpi"),
            (first, last) == (asked.first, asked.last),
        )
        for label, first, last in _periods(today)
    )


def _periods(today: date) -> Sequence[tuple[str, date, date]]:
    monday, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    last_month = month - DAY
    return (
        ("Сегодня", today, today),
        ("Вчера", today - DAY, today - DAY),
        ("Эта неделя", monday, today),
        ("Прошлая неделя", monday - 7 * DAY, monday - DAY),
        ("Этот месяц", month, today),
        ("Прошлый месяц", last_month.replace(day=1), last_month),
    )


def period_words(asked: Question) -> str:
    """«вторник 24.11» or «с 01.11.2026 по 24.11.2026»."""
    if asked.first == asked.last:
        return f"{words.day(asked.first)}.{asked.first.year}"
    return f"с {asked.first:%d.%m.%Y} по {asked.last:%d.%m.%Y}"
