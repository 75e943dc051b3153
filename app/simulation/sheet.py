"""A comparison as XLSX: shares, changed verdicts, missed deadlines by hour and weekday."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from app import words
from app.metrics.sheet import OPTIONS, VERDICTS
from app.simulation.comparing import Change, Comparison, Share
from app.simulation.text import CLOCKS, SHORT_CLOCKS, WEEKDAYS, notes

Cell = str | int | float | datetime | None
LOOKS: dict[str, dict[str, Any]] = {
    "head": {"bold": True, "bg_color": "#f1f4f7", "bottom": 1},
    "moment": {"num_format": "dd.mm.yyyy hh:mm"},
    "share": {"num_format": "0.0%"},
}


def comparison_sheet(found: Comparison, name: str) -> bytes:
    """XLSX with «Сравнение», «Исходы», «Просрочки»; `name`: of the other rules' file."""
    stream = io.BytesIO()
    book: Any = xlsxwriter.Workbook(stream, {**OPTIONS, "constant_memory": True})
    book.set_properties({"created": _local(found, found.now)})  # else it reads the machine's clock
    formats = {key: book.add_format(look) for key, look in LOOKS.items()}
    pages = (
        ("Сравнение", _SHARES, _share_rows(found, name)),
        ("Исходы", _CHANGES, (_change_row(found, change) for change in found.changes)),
        ("Просрочки", _BREACHES, _breach_rows(found)),
    )
    for title, heads, rows in pages:
        _page(book.add_worksheet(title), heads, rows, formats)
    book.close()
    return stream.getvalue()


_SHARES = (("Показатель", 34), ("Сейчас", 12), ("Из", 10), ("Стало бы", 12), ("Из", 10), ("Норма", 10))
_CHANGES = (
    ("Обращение", 16), ("Круг", 7), ("Класс", 16), ("Срок", 10), ("Сейчас", 14), ("Стало бы", 14),
    ("Срок сейчас", 17), ("Срок стал бы", 17), ("Опоздание сейчас, мин (−: запас)", 32),
    ("Стало бы, мин (−: запас)", 26),
)  # fmt: skip
_BREACHES = (("Когда", 12), ("Сейчас", 10), ("Стало бы", 10))


def _page(
    sheet: Any, heads: Sequence[tuple[str, int]], rows: Iterable[Sequence[Cell]], formats: dict[str, Any]
) -> None:
    for column, (head, width) in enumerate(heads):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, head, formats["head"])
    sheet.freeze_panes(1, 1)
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            _write(sheet, number, column, cell, formats)


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: dict[str, Any]) -> None:
    if isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell, formats["moment"])
    elif isinstance(cell, float):
        sheet.write_number(row, column, cell, formats["share"])
    elif isinstance(cell, int):
        sheet.write_number(row, column, cell)
    elif cell:
        sheet.write_string(row, column, cell)


def _share_rows(found: Comparison, name: str) -> Iterable[Sequence[Cell]]:
    for (value, clock), pair in found.shares.items():
        label = CLOCKS[clock] + (f": {words.CLASS[value].lower()}" if value else "")
        goal = float(found.targets[value]) if value else None
        yield [label, *_share(pair.before), *_share(pair.after), goal]
    yield []
    for line in (f"Правила: {name}", f"Обращений: {found.tickets}", *notes(found)):
        yield [line]


def _share(share: Share) -> tuple[Cell, Cell]:
    return (float(share.value) if share.value is not None else words.NOTHING), share.judged


def _change_row(found: Comparison, change: Change) -> Sequence[Cell]:
    return [
        str(change.ref),
        change.cycle,
        words.CLASS[change.value],
        SHORT_CLOCKS[change.clock],
        VERDICTS[change.before] or "без исхода",
        VERDICTS[change.after] or "без исхода",
        _local(found, change.due_before),
        _local(found, change.due_after),
        int(change.over_before.total_seconds() / 60),
        int(change.over_after.total_seconds() / 60),
    ]


def _breach_rows(found: Comparison) -> Iterable[Sequence[Cell]]:
    before, after = found.breaches
    yield from zip(WEEKDAYS, before.by_weekday, after.by_weekday, strict=True)
    hours = (f"{hour:02}:00" for hour in range(24))
    yield from zip(hours, before.by_hour, after.by_hour, strict=True)


def _local(found: Comparison, at: datetime | None) -> datetime | None:
    """Wall time without seconds: spreadsheets know no zones."""
    return at.astimezone(found.zone).replace(tzinfo=None, second=0, microsecond=0) if at else None
