"""What a week's and a month's digest say after the heading."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from app import words
from app.metrics import wording
from app.metrics.details import Aging, Satisfaction
from app.metrics.digest import CLASSES, Digest
from app.metrics.kpi import Kpi
from app.metrics.periods import PeriodKind
from app.metrics.review import Counts, advice
from app.metrics.wording import WIDTH, broken, folded, mark, shown
from app.model import TicketClass

PEAKS = {9: "впереди сентябрь, обычно пик", 1: "впереди пик после каникул"}
"""By the month that begins (domain.md 8)."""

NAME = WIDTH - 5
"""Of a name in a list: room for its indent and its count."""

_SHARES = (
    ("Ответ в срок", "reply_sla"),
    ("Решение в срок", "solve_sla"),
    ("Всё в срок", "sla"),
    ("Без эскалации", "no_escalation"),
    ("С первого обращения", "fcr"),
    ("Повторных", "repeats"),
    ("Возвратов в работу", "reopens"),
    ("Подтвердили клиенты", "confirmed"),
    ("Решение записано", "documented"),
    ("Продлений", "extensions"),
    ("Класс верен", "class_accuracy"),
)


def review_lines(digest: Digest) -> Iterator[str]:
    """Figures with the period before, then what lies behind them, one empty line between."""
    of_month = (_people, _changes) if digest.period.kind is PeriodKind.MONTH else ()
    blocks = (list(block(digest)) for block in (_figures, _behind, *of_month, _recounted))
    for place, lines in enumerate(filter(None, blocks)):
        yield from ["", *lines] if place else lines


def _figures(digest: Digest) -> Iterator[str]:
    figures = digest.figures
    before = digest.earlier[0].figures if digest.earlier else {}
    for name, code in (("Поступило", "created"), ("Решено", "solved"), ("Открыто", "backlog")):
        yield f"{name} {shown(figures[code])}{_was(before.get(code))}"
    for name, code in _SHARES:
        yield from _share(name, figures[code], before.get(code))
        if code == "solve_sla":
            yield from folded("  ", [_of_class(digest, value) for value in CLASSES])
    yield wording.usual("отвечали", figures["reply_median"])
    yield from _slowest(figures["reply_p90"])
    yield wording.usual("решали", figures["solve_median"])
    yield from _slowest(figures["solve_p90"])
    if digest.felt is not None:
        yield f"  с ночами и паузами {wording.calendar_length(digest.felt)}"
    updates = int(figures["kb_updates"].numerator or 0)
    yield wording.with_norm(str(updates), digest.norm(digest.office.targets.kb_per_day))
    yield _marks(digest.marks)


def _share(name: str, kpi: Kpi, before: Kpi | None) -> Iterator[str]:
    """«Продлений 5 % (было 7 %)»; on two lines where one is too long for a phone."""
    if kpi.value is None:
        yield f"{name}: {words.NOTHING}{_was(before)}"
        return
    line = " ".join(filter(None, [name, shown(kpi), mark(kpi)]))
    notes = [*_before(before), *(["предварительно"] if kpi.provisional else [])]
    yield from broken(line, f"({', '.join(notes)})") if notes else [line]


def _before(before: Kpi | None) -> list[str]:
    return [f"было {shown(before)}"] if before is not None and before.value is not None else []


def _was(before: Kpi | None) -> str:
    return "".join(f" ({note})" for note in _before(before))


def _of_class(digest: Digest, value: TicketClass) -> str:
    kpi = digest.by_class[value]["solve_sla"]
    return f"{wording.CLASS_SHORT[value]} {shown(kpi) if kpi.denominator else '—'}"


def _slowest(kpi: Kpi) -> Iterator[str]:
    if kpi.denominator:
        yield f"  9 из 10 — не дольше {shown(kpi)}"


def _marks(marks: Satisfaction) -> str:
    if not marks.marks:
        return f"Оценка клиентов: {words.NOTHING}"
    return f"Оценка клиентов {words.number(marks.mean)} ({marks_of(marks)})"


def marks_of(marks: Satisfaction) -> str:
    """«20 оценок из 255»."""
    return f"{words.plural(marks.marks, 'оценка', 'оценки', 'оценок')} из {marks.asked}"


def _behind(digest: Digest) -> Iterator[str]:
    review = digest.review
    days = [f"{words.day_short(day).split()[0]} {shown(kpi)}" for day, kpi in digest.by_day]
    if digest.period.kind is PeriodKind.WEEK and days:
        yield from folded("В срок по дням: ", days)
    yield from _counts("Просрочки: ", review.late_reasons) if review.late_reasons else ["Просрочек нет"]
    yield from _counts("Эскалации: ", review.escalation_reasons)
    yield from _ages(digest.aging)
    yield from _areas("Повторы: ", review.repeats)
    yield from _counts("Объекты: ", review.objects)
    yield from _areas("Темы: ", tuple((words.AREA[it.area], it.count) for it in digest.topics))
    yield from _counts("Исправлен класс: ", review.corrected)
    yield from _areas("Нет записанных решений: ", review.gaps)
    if digest.pauses:
        longest = [f"№{ref.id} {words.work_length(length)}" for ref, length in digest.pauses]
        yield from folded("Дольше всех на паузе: ", longest)
    if review.waived:
        yield f"Вне SLA по решению руководителя: {review.waived}"


def _counts(heading: str, counts: Counts) -> Iterator[str]:
    if counts:
        yield from folded(heading, [f"{words.quoted_title(name, NAME)} {count}" for name, count in counts])


def _areas(heading: str, counts: Counts) -> Iterator[str]:
    """Areas without the product in brackets: it is what makes their lines too long."""
    yield from _counts(heading, tuple((name.partition(" (")[0], count) for name, count in counts))


def _ages(aging: Aging) -> Iterator[str]:
    names = ("до 1 дня", "1–3 дня", "3–5 дней", "дольше 5 дней")
    parts = [f"{name} — {count}" for name, count in zip(names, aging.ages, strict=True)]
    yield from folded("Возраст очереди: ", [*parts, f"на паузе — {aging.paused}"])


def _people(digest: Digest) -> Iterator[str]:
    for line in digest.agents:
        if line.agent is None:
            continue
        name = words.plain(wording.agent_name(line.agent, digest.office.names))
        in_time = f", всё в срок {shown(line.sla)}" if line.sla.denominator else ""
        yield f"{name}: решено {line.solved}{in_time}"
        if line.bonus is not None:
            yield f"  премия, предложение: × {words.number(line.bonus, 2)}"
    yield from _trend(digest)
    ahead = PEAKS.get(digest.period.last.month % 12 + 1)
    if ahead:
        yield f"Нагрузка: {ahead}"


def _trend(digest: Digest) -> Iterator[str]:
    if len(digest.earlier) < 2:
        return
    columns = [(column.period, column.figures["sla"]) for column in reversed(digest.earlier)]
    columns.append((digest.period, digest.figures["sla"]))
    known = [f"{period.first:%m.%y} {shown(kpi)}" for period, kpi in columns if kpi.value is not None]
    yield from folded("В срок по месяцам: ", known)


def _changes(digest: Digest) -> Iterator[str]:
    sentences = advice(digest.figures, digest.review)
    if sentences:
        yield "Что изменить:"
    for sentence in sentences:
        yield from textwrap.wrap(f"• {sentence}", WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _recounted(digest: Digest) -> Iterator[str]:
    if digest.review.recounted:
        yield f"Пересчитано: {digest.review.recounted} (вернули в работу)"
    yield "«Решено» — по последнему решению,"
    yield "  поэтому сумма дней может быть иной."
