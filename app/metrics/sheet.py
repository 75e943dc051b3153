"""The digest as XLSX: figures, the period's tickets, the late ones.

Everything that came from people is written as text: a title `=cmd` must not become a live
formula. Times are local without seconds, personal data is masked (domain.md 10).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import xlsxwriter

from app import words
from app.metrics import moments, wording
from app.metrics.digest import CLASSES, Digest, Late
from app.metrics.kpi import MINUTE, Kpi
from app.metrics.periods import DAY
from app.metrics.targets import SMALLER_IS_BETTER
from app.model import ItemRef, Outcome, OutcomeWord

OPTIONS = {
    "in_memory": True,
    "constant_memory": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
VERDICTS = {OutcomeWord.MET: "в срок", OutcomeWord.BREACHED: "с опозданием", None: ""}
CardUrl = Callable[[ItemRef], str]
Cell = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Linked:
    """A cell that opens a card."""

    url: str
    text: str


Row = Sequence[Cell | Linked]


def sheet_of(
    digest: Digest, outcomes: Iterable[Outcome], name: str, card_url: CardUrl | None = None
) -> bytes:
    """XLSX with «Показатели», «Обращения», «Просрочки». `outcomes`: those that the digest was made of."""
    stream = io.BytesIO()
    book = _Book(stream, digest, card_url)
    book.figures(name)
    book.tickets([outcome for outcome in outcomes if _concerns(outcome, digest)])
    book.late()
    book.close()
    return stream.getvalue()


def _concerns(outcome: Outcome, digest: Digest) -> bool:
    """Something happened to it in the period, or it stays open at the end."""
    start_at, end_at = digest.bounds
    happened = (
        outcome.received_at,
        outcome.first_reply_at,
        outcome.reply_outcome_at,
        outcome.solve_outcome_at,
        outcome.first_solved_at,
        outcome.solved_at,
        outcome.closed_at,
        outcome.escalated_at,
        *outcome.reopened_at,
    )
    inside = any(at is not None and start_at <= at < end_at for at in happened)
    return outcome.counted and (inside or moments.open_at(outcome, min(end_at, digest.made_at)))


class _Book:
    """One workbook while it is written."""

    def __init__(self, stream: io.BytesIO, digest: Digest, card_url: CardUrl | None) -> None:
        self.digest, self.card_url = digest, card_url
        self.zone = digest.office.calendar.zone
        self.book: Any = xlsxwriter.Workbook(stream, OPTIONS)
        # Without this xlsxwriter reads the machine's clock.
        self.book.set_properties({"created": self.local(digest.made_at)})
        self.formats = {name: self.book.add_format(look) for name, look in _LOOKS.items()}

    def close(self) -> None:
        self.book.close()

    def figures(self, name: str) -> None:
        sheet = self.book.add_worksheet("Показатели")
        read_at = self.digest.fresh.read_at
        age = words.moment(read_at, self.zone) if read_at else words.NOTHING
        sheet.write_string(0, 0, f"{name}: {wording.period_name(self.digest.period)}", self.formats["title"])
        sheet.write_string(1, 0, f"Данные на {age}", self.formats["muted"])
        known = self.digest.figures if self.digest.known else {}
        rows = [self._figure(code, known.get(code)) for code in wording.TITLES]
        heads = ["Показатель", "Всего", *(words.CLASS[value] for value in CLASSES)]
        heads += ["Числитель", "Знаменатель", "Норма", "Итог", "Примечание"]
        self._table(sheet, 3, heads, rows, [46, 14, 15, 15, 15, 12, 14, 18, 16, 18])

    def tickets(self, outcomes: Sequence[Outcome]) -> None:
        sheet = self.book.add_worksheet("Обращения")
        ordered = sorted(outcomes, key=lambda outcome: (outcome.received_at, outcome.ref))
        rows = [[cell(self, outcome) for cell, _ in _TICKET.values()] for outcome in ordered]
        self._table(sheet, 0, list(_TICKET), rows, [width for _, width in _TICKET.values()])

    def late(self) -> None:
        sheet = self.book.add_worksheet("Просрочки")
        late = self.digest.late if self.digest.known else ()
        rows = [row for line in late for row in self._late(line)]
        heads = ["№", "Тема", "Класс", "Сотрудник", "Срок", "Опоздание", "Причина", "Ещё открыто"]
        self._table(sheet, 0, heads, rows, [12, 48, 16, 18, 16, 18, 24, 14])

    # --- rows ---

    def _figure(self, code: str, kpi: Kpi | None) -> Row:
        if kpi is None:
            return [wording.TITLES[code], words.NOTHING]
        by_class = [_value(self.digest.by_class[value][code]) for value in CLASSES]
        verdict = {True: "▲ норма", False: "▼ хуже нормы", None: ""}[kpi.reached]
        notes = ["предварительно"] * kpi.provisional + ["оценка"] * kpi.estimated
        parts: Row = [kpi.numerator, kpi.denominator, _goal(kpi), verdict, ", ".join(notes)]
        return [wording.TITLES[code], _value(kpi), *by_class, *parts]

    def _late(self, line: Late) -> list[Row]:
        missed = (("первый ответ", line.reply_over), ("решение", line.solve_over))
        head: Row = [
            self.number(line.ref),
            self.text(line.title),
            words.CLASS[line.value],
            self.name(line.agent),
        ]
        tail: Row = [line.reason, "да" if line.still_open else ""]
        return [[*head, clock, Length.of(over), *tail] for clock, over in missed if over is not None]

    def _table(
        self, sheet: Any, top: int, heads: Sequence[str], rows: Sequence[Row], widths: Sequence[int]
    ) -> None:
        for column, (head, width) in enumerate(zip(heads, widths, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(top, column, head, self.formats["head"])
        for number, row in enumerate(rows, top + 1):
            for column, cell in enumerate(row):
                self._write(sheet, number, column, cell)
        sheet.freeze_panes(top + 1, 1)
        sheet.autofilter(top, 0, top + max(1, len(rows)), len(heads) - 1)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell | Linked) -> None:
        if isinstance(cell, Linked):
            sheet.write_url(row, column, cell.url, self.formats["link"], cell.text)
        elif isinstance(cell, datetime):
            sheet.write_datetime(row, column, self.local(cell), self.formats["moment"])
        elif isinstance(cell, int | float):
            sheet.write_number(row, column, cell, self.formats[_look_of(cell)])
        elif cell:
            sheet.write_string(row, column, cell, self.formats["text"])

    # --- cells ---

    def local(self, at: datetime) -> datetime:
        """Wall time without seconds: spreadsheets know no zones."""
        return at.astimezone(self.zone).replace(tzinfo=None, second=0, microsecond=0)

    def number(self, ref: ItemRef) -> Cell | Linked:
        return Linked(self.card_url(ref), str(ref.id)) if self.card_url else str(ref.id)

    def text(self, title: str) -> str:
        return words.masked(" ".join(title.split()))

    def name(self, agent: int | None) -> str:
        return wording.agent_name(agent, self.digest.office.names)


class Share(float):
    """A number shown in percent."""

    __slots__ = ()


class Length(float):
    """Days of 24 hours, the unit of spreadsheets, shown as hours and minutes: to be summed and sorted."""

    __slots__ = ()

    @staticmethod
    def of(length: timedelta) -> Length:
        """Seconds are dropped (domain.md 5.1)."""
        return Length(length // MINUTE * MINUTE / DAY)


def _look_of(number: float) -> str:
    match number:
        case Share():
            return "share"
        case Length():
            return "length"
    return "whole" if float(number).is_integer() else "number"


def _value(kpi: Kpi) -> Cell:
    """Numbers stay numbers, so that people can go on counting."""
    if kpi.value is None:
        return words.NOTHING
    if kpi.code in wording.LENGTHS:
        return Length.of(kpi.value * MINUTE)
    plain = kpi.code in wording.COUNTS or kpi.code in wording.RATES
    return kpi.value if plain else Share(kpi.value)


def _goal(kpi: Kpi) -> str:
    if kpi.target is None:
        return ""
    bound = "≤" if kpi.code in SMALLER_IS_BETTER else "≥"
    value = words.number(kpi.target) if kpi.code in wording.RATES else words.percent(kpi.target)
    return f"{bound} {value}"


def _spent(outcome: Outcome) -> Cell:
    return Length.of(outcome.solve_spent) if outcome.solve_spent is not None else None


_Cell = Callable[[_Book, Outcome], Cell | Linked]

_TICKET: Mapping[str, tuple[_Cell, int]] = {
    "№": (lambda book, it: book.number(it.ref), 10),
    "Тема": (lambda book, it: book.text(it.title), 48),
    "Класс": (lambda _, it: words.CLASS[it.value], 16),
    "Область": (lambda _, it: words.AREA[it.area], 28),
    "Состояние": (lambda _, it: words.STATE[it.state], 26),
    "Сотрудник": (lambda book, it: book.name(it.agent), 20),
    "Объект": (lambda book, it: book.text(it.object), 24),
    "Поступило": (lambda _, it: it.received_at, 17),
    "Срок первого ответа": (lambda _, it: it.reply_due, 20),
    "Первый ответ": (lambda _, it: it.first_reply_at, 17),
    "Ответ": (lambda _, it: VERDICTS[it.reply_outcome], 14),
    "Срок решения": (lambda _, it: it.solve_due, 17),
    "Решено": (lambda _, it: it.solved_at, 17),
    "Решение": (lambda _, it: VERDICTS[it.solve_outcome], 14),
    "Закрыто": (lambda _, it: it.closed_at, 17),
    "Подтверждено": (lambda _, it: "да" if it.confirmed else "", 14),
    "Время решения": (lambda _, it: _spent(it), 18),
    "Продлено": (lambda _, it: "да" if it.extended else "", 11),
    "Эскалация": (lambda _, it: words.ESCALATION_REASON.get(it.escalation_reason, it.escalation_reason), 18),
    "Повтор обращения": (lambda _, it: it.repeat_of, 18),
    "Вид повтора": (lambda _, it: words.REPEAT_KIND.get(it.repeat_kind, ""), 22),
    "Возвратов": (lambda _, it: len(it.reopened_at), 12),
    "Оценка": (lambda _, it: it.csat, 10),
    "Вне рабочего времени": (lambda _, it: "да" if it.off_hours else "", 22),
}
"""Heading → what stands below it, and the column's width."""

_LOOKS: Mapping[str, Mapping[str, object]] = {
    "title": {"bold": True, "font_size": 14},
    "muted": {"font_color": "#66727f"},
    "head": {"bold": True, "bg_color": "#e7ebef", "text_wrap": True, "valign": "vcenter"},
    "text": {"valign": "top"},
    "link": {"font_color": "#1f5fa8", "underline": 1, "valign": "top"},
    "moment": {"num_format": "dd.mm.yyyy hh:mm", "align": "left", "valign": "top"},
    "share": {"num_format": "0.0%", "align": "left", "valign": "top"},
    "whole": {"num_format": "0", "align": "left", "valign": "top"},
    "number": {"num_format": "0.0", "align": "left", "valign": "top"},
    "length": {"num_format": '[h]" ч "mm" мин"', "align": "left", "valign": "top"},
}
