"""A comparison as a picture: shares before and after against the goals, missed deadlines by day and hour.

The pale bar is what is, the strong one what would be; the words say it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app import words
from app.metrics import canvas
from app.metrics.canvas import WIDTH, Canvas
from app.model import ClockName, TicketClass
from app.simulation.comparing import BeforeAfter, Comparison, Share
from app.simulation.text import CLOCKS, FEW, WEEKDAYS, share_words

EDGE, PAD, GAP = 40, 44, 28
LEFT, RIGHT = EDGE + PAD, WIDTH - EDGE - PAD
INNER = RIGHT - LEFT
WAS, WOULD = "#b9c6d3", canvas.CALM
ROW = 92
MARK = 40  # room for ▲ or ▼ at the right
ROOMY = 90  # from this width on every pair of bars has its numbers
Card = tuple[int, Callable[[Canvas, float], None]]


def comparison_picture(found: Comparison, name: str) -> bytes:
    """PNG, 1080 pixels wide; `name`: of the other rules' file. Slow (matplotlib): call it in a thread."""
    before, after = found.breaches
    cards = [
        *(_shares(found, clock) for clock in CLOCKS),
        _bars(
            "Просрочки по дням недели", list(zip(WEEKDAYS, before.by_weekday, after.by_weekday, strict=True))
        ),
        _bars("Просрочки по часам срока", _hours(before.by_hour, after.by_hour)),
    ]
    sheet = Canvas(250 + sum(height + GAP for height, _ in cards) + 46)
    _head(sheet, found, name)
    top = 250
    for height, draw in cards:
        draw(sheet, top)
        top += height + GAP
    _foot(sheet, found, top)
    return sheet.png()


def _head(sheet: Canvas, found: Comparison, name: str) -> None:
    since = f"с {found.since.astimezone(found.zone):%d.%m.%Y}" if found.since else "за всё время"
    sheet.text(EDGE + 8, 84, f"{words.tickets(found.tickets)} {since}", 30, canvas.MUTED)
    sheet.text(EDGE + 8, 142, "Что было бы по другим правилам", 46, bold=True)
    for x, color, told in ((EDGE + 8, WAS, "сейчас"), (EDGE + 168, WOULD, words.short(name, 40))):
        sheet.box(x, 186, 28, 28, color, 6)
        sheet.text(x + 42, 210, told, 28)


def _foot(sheet: Canvas, found: Comparison, top: float) -> None:
    told = f"другой исход: {len(found.changes)}; чьи обращения — в таблице"
    sheet.text(WIDTH / 2, top + 14, told, 26, canvas.MUTED, align="center")


def _paper(sheet: Canvas, top: float, height: float, title: str) -> None:
    sheet.box(EDGE, top, WIDTH - 2 * EDGE, height, canvas.PAPER, 28)
    sheet.text(LEFT, top + 70, title, 34, bold=True)


# --- shares ------------------------------------------------------------------------------


def _shares(found: Comparison, clock: ClockName) -> Card:
    rows = [(value, pair) for (value, asked), pair in found.shares.items() if asked is clock]
    height = 122 + ROW * len(rows)

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, height, CLOCKS[clock])
        for place, (value, pair) in enumerate(rows):
            _share(sheet, top + 110 + ROW * place, value, pair, found.targets.get(value) if value else None)

    return height, draw


def _share(
    sheet: Canvas, top: float, value: TicketClass | None, pair: BeforeAfter, goal: float | None
) -> None:
    sheet.text(LEFT, top + 30, words.CLASS[value] if value else "Все", 29, bold=value is None)
    told = f"{_told(pair.before)} → {_told(pair.after)}"
    if goal is None or pair.after.value is None or pair.after.judged < FEW:
        sheet.text(RIGHT - MARK, top + 30, told, 30, bold=True, align="right")
    else:
        good = pair.after.value >= goal
        color = canvas.GOOD if good else canvas.BAD
        sheet.text(RIGHT - MARK, top + 30, told, 30, color, bold=True, align="right")
        sheet.triangle(RIGHT - 14, top + 20, 22, color, up=good)
    for place, (share, look) in enumerate(((pair.before, WAS), (pair.after, WOULD))):
        y = top + 44 + 16 * place
        sheet.box(LEFT, y, INNER, 12, canvas.FAINT, 6)
        if share.value:
            sheet.box(LEFT, y, max(12.0, INNER * share.value), 12, look, 6)
    if goal is not None:
        sheet.box(min(LEFT + INNER * goal, RIGHT) - 2, top + 40, 4, 36, canvas.INK)


def _told(share: Share) -> str:
    """Few are a fraction, none are no data (domain.md 7)."""
    return words.percent(share.value) if share.judged >= FEW else share_words(share)


# --- missed deadlines --------------------------------------------------------------------

Pair = tuple[str, int, int]


def _hours(before: Sequence[int], after: Sequence[int]) -> list[Pair]:
    """From the first hour to the last in which a deadline stands."""
    busy = [hour for hour in range(24) if before[hour] or after[hour]] or [9, 17]
    return [(str(hour), before[hour], after[hour]) for hour in range(busy[0], busy[-1] + 1)]


def _bars(title: str, pairs: Sequence[Pair]) -> Card:
    most = max((max(was, would) for _, was, would in pairs), default=0) or 1
    step = INNER / len(pairs)
    highest = {max(was for _, was, _ in pairs), max(would for _, _, would in pairs)}
    total = f"{sum(was for _, was, _ in pairs)} → {sum(would for _, _, would in pairs)}"

    def draw(sheet: Canvas, top: float) -> None:
        _paper(sheet, top, 360, title)
        sheet.text(RIGHT, top + 70, total, 34, bold=True, align="right")
        for place, (name, was, would) in enumerate(pairs):
            x = LEFT + step * (place + 0.5)
            sheet.text(x, top + 330, name, 24, canvas.MUTED, align="center")
            told = {was, would} if step >= ROOMY else highest
            _pair(sheet, x, top + 292, min(step * 0.36, 46), (was, would), most, told)

    return 360, draw


def _pair(
    sheet: Canvas, x: float, floor: float, width: float, pair: tuple[int, int], most: int, told: set[int]
) -> None:
    for left, count, color in ((x - width - 1, pair[0], WAS), (x + 1, pair[1], WOULD)):
        tall = max(3.0, 150 * count / most) if count else 3.0
        sheet.box(left, floor - tall, width, tall, color, 4)
        if count and count in told:
            sheet.text(left + width / 2, floor - tall - 8, str(count), 18, canvas.MUTED, align="center")
